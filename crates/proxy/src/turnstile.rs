//! Where a request to a model waits for leave to go up: somebody who counts decides, and may take their time.
//!
//! Nothing of the request has left when it is asked here, and nothing is written of it but a refusal.

use bytes::Bytes;
use futures_util::future::BoxFuture;
use tokio::io::AsyncRead;

use crate::{forward::Passage, head::Incoming, rejection::Rejection};

/// A request to a model that wants to go up.
#[derive(Debug, Clone)]
pub struct Asking {
    /// Whose it is.
    pub session: String,
    /// Links it with what is told of it later.
    pub link: String,
    /// The path, without its query.
    pub path: String,
    /// The whole body.
    pub body: Bytes,
}

/// What leaves with the request: dropped when the request has ended, however that comes about.
pub type Leave = Box<dyn Send + Sync>;

/// Decides when requests to models go up.
pub trait Turnstile: Send + Sync {
    /// Waits until the request may go up. It is dropped where the agent goes away meanwhile.
    ///
    /// # Errors
    /// It may not, for now: a sentence for the person, which the agent is answered with. It tries again by itself.
    fn wait(&self, asking: Asking) -> BoxFuture<'static, Result<Leave, String>>;
}

impl Passage<'_> {
    /// Waits at the turnstile with a body that was judged, or until the agent is gone.
    pub(crate) async fn wait_for_leave<R>(
        &self,
        body: Bytes,
        incoming: &mut Incoming<R>,
    ) -> Result<Leave, Rejection>
    where
        R: AsyncRead + Unpin,
    {
        let path = self.head.target.split('?').next().unwrap_or_default();
        let leave = self.door.engine.turnstile.wait(Asking {
            session: self.door.session.id.clone(),
            link: self.link.to_owned(),
            path: path.to_owned(),
            body,
        });
        tokio::select! {
            biased;
            leave = leave => leave.map_err(|why| Rejection::held(&why)),
            gone = gone(incoming) => Err(gone),
        }
    }
}

async fn gone<R: AsyncRead + Unpin>(incoming: &mut Incoming<R>) -> Rejection {
    if incoming.buffer.is_empty() && !incoming.readable().await {
        return Rejection::gone();
    }
    // The agent has sent its next request already; whether it listens still shows when it is answered.
    std::future::pending().await
}
