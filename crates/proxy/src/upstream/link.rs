//! One upstream connection and the task that drives it.

use std::io;

use hyper::{
    Request, Response,
    body::Incoming,
    client::conn::http1::{self, SendRequest},
};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    task::JoinHandle,
    time::{Duration, timeout},
};

use super::UpstreamBody;

/// An upstream connection; dropping it closes it.
pub(crate) struct Link {
    sender: SendRequest<UpstreamBody>,
    driver: JoinHandle<()>,
}

/// A request that was not answered.
pub(crate) enum Unsent {
    /// Not one byte of it was sent: it may go over another connection.
    Whole(Box<Request<UpstreamBody>>),
    /// It may have been seen.
    Lost(hyper::Error),
}

impl Link {
    pub async fn open<S>(stream: S) -> io::Result<Self>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (sender, connection) = http1::Builder::new()
            .max_headers(256)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(io::Error::other)?;
        let driver = tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "an upstream connection ended");
            }
        });
        Ok(Self { sender, driver })
    }

    pub async fn send(
        &mut self,
        request: Request<UpstreamBody>,
    ) -> Result<Response<Incoming>, Unsent> {
        self.sender
            .try_send_request(request)
            .await
            .map_err(|mut error| match error.take_message() {
                Some(request) => Unsent::Whole(Box::new(request)),
                None => Unsent::Lost(error.into_error()),
            })
    }

    /// Tells whether another request can go over this connection now.
    pub async fn is_usable(&mut self) -> bool {
        // After an answer the driver needs a moment to become ready again.
        matches!(
            timeout(Duration::from_millis(20), self.sender.ready()).await,
            Ok(Ok(()))
        )
    }

    pub fn is_closed(&self) -> bool {
        self.sender.is_closed()
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.driver.abort();
    }
}
