//! The leave that a request to a model waits for. The listener decides: by the time it does, it has heard and counted all that
//! passed before, so that no request goes up on an old count.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use clauderon_proxy::Leave;
use clauderon_transcript::Budget;
use clauderon_transcript::meter::Asking;
use futures_util::future::BoxFuture;
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::purse::Waiting;
use super::{Heard, Talk, listen};

/// Tells the purse that a request is done with.
struct Leaves {
    talk: Arc<Talk>,
    link: String,
}

impl Drop for Leaves {
    fn drop(&mut self) {
        self.talk.hear(Heard::Left(std::mem::take(&mut self.link)));
    }
}

impl Talk {
    /// Changes what the session may spend, from its next request on.
    pub fn set_budget(&self, budget: Option<Budget>) {
        // Before the news: a request that comes now is asked about.
        if budget.is_some() {
            self.counted.store(true, Ordering::SeqCst);
        }
        self.hear(Heard::Budget(budget));
    }

    /// Waits until a request may go up, or for as long as an agent waits for an answer.
    pub fn leave(
        self: Arc<Self>,
        asking: clauderon_proxy::Asking,
    ) -> BoxFuture<'static, Result<Leave, String>> {
        Box::pin(async move {
            // Who counts nothing need not wait for the listener; once it counted, it goes on doing so.
            if !self.counted.load(Ordering::SeqCst) || listen::is_free(&asking.path) {
                return Ok(Box::new(()) as Leave);
            }
            let (may, told) = oneshot::channel();
            let leaves = Leaves {
                talk: self.clone(),
                link: asking.link.clone(),
            };
            self.hear(Heard::Waits(Waiting {
                link: asking.link,
                asking: Asking::read(&asking.body),
                may,
            }));
            match timeout(self.patience, told).await {
                Ok(Ok(())) => Ok(Box::new(leaves) as Leave),
                Ok(Err(_)) => Err("Nobody counts what this session uses any more.".to_owned()),
                Err(_) => Err(self.held()),
            }
        })
    }

    /// Says why a request was held for too long.
    fn held(&self) -> String {
        let held = self
            .pulse
            .now()
            .budget
            .and_then(|budget| Some(budget.held?.sentence));
        match held {
            Some(sentence) => format!("{sentence} The session waits for its person in Clauderon."),
            None => "Other requests of this session must end first: together they might pass its budget.".to_owned(),
        }
    }
}
