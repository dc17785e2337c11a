//! Shows the daemon what passes between a session and a model's service, piece by piece and as copies: nothing waits for it.
//!
//! It sees what the agent sent, with its placeholders, and what the agent gets, with the secret masked: never a credential.

use std::sync::Arc;

use bytes::Bytes;
use clauderon_policy::Provider;
use http::HeaderMap;

use crate::{
    exchange::Door,
    observer::{Observer, Part, Passing},
    proxy::now_ms,
};

/// One exchange with a model's service. Its end is told when it is dropped, however that comes about.
pub(crate) struct Tap {
    observer: Arc<dyn Observer>,
    session: String,
    link: String,
}

impl Tap {
    /// Tells what is asked, once it may go up.
    pub fn begin(
        door: &Door<'_>,
        link: &str,
        provider: Provider,
        account: Option<&str>,
        path: &str,
        headers: &HeaderMap,
        body: Bytes,
    ) -> Self {
        let tap = Self {
            observer: Arc::clone(&door.engine.observer),
            session: door.session.id.clone(),
            link: link.to_owned(),
        };
        tap.tell(Part::Asked {
            provider,
            account: account.map(str::to_owned),
            path: path.to_owned(),
            headers: headers.clone(),
            body,
        });
        tap
    }

    /// Tells how the service answers.
    pub fn head(&self, status: u16, headers: &HeaderMap) {
        self.tell(Part::Answered {
            status,
            headers: headers.clone(),
        });
    }

    /// Tells a piece of the answer.
    pub fn piece(&self, bytes: &Bytes) {
        if !bytes.is_empty() {
            self.tell(Part::Piece(bytes.clone()));
        }
    }

    fn tell(&self, part: Part) {
        self.observer.model(Passing {
            session: self.session.clone(),
            link: self.link.clone(),
            at_ms: now_ms(),
            part,
        });
    }
}

impl Drop for Tap {
    fn drop(&mut self) {
        self.tell(Part::Ended);
    }
}
