//! What a session's agent waits for, held until somebody answers it outside of the sandbox.
//!
//! An answer reaches the one request that asked, and nothing else. Whatever else happens (the person answers in the terminal,
//! the agent goes, the time is over, the daemon ends), the request ends without an answer: the agent's own dialog decides.

mod decision;

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use clauderon_api::{AnswerApproval, Approval, Error};
use clauderon_proxy::Held;
use clauderon_session::SessionId;
use clauderon_transcript::{Asks, Conversation, ItemId, Said, Wanted};
use tokio::sync::oneshot;

use crate::clock::now_ms;

/// Letters of an approval's name: a person types it.
const LETTERS: usize = 6;
/// How long after a key that may answer a dialog its agent may draw that it waits still.
const ANSWERS: Duration = Duration::from_secs(2);

/// What one session's agent waits for.
pub struct Approvals {
    all: Mutex<All>,
    /// Called when something was asked, answered or given up.
    changed: Box<dyn Fn() + Send + Sync>,
}

#[derive(Default)]
struct All {
    open: Vec<Open>,
    /// Whether the terminal says that the agent waits, and the model was not asked anything since.
    waits: bool,
}

/// One thing that the agent waits for.
struct Open {
    approval: Approval,
    asks: Asks,
    /// Whether it was looked for in the conversation: before that nobody can tell what it is about.
    placed: bool,
    /// Whether the terminal has said that the agent waits since it asked.
    waited: bool,
    answer: oneshot::Sender<Vec<u8>>,
}

/// What became of an answer.
pub struct Answered {
    /// The item that asked.
    pub item: Option<ItemId>,
    /// Whether it may be.
    pub allowed: bool,
}

impl Approvals {
    /// Begins without any; `changed` is called after each change, and must return at once.
    pub fn new(changed: impl Fn() + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self {
            all: Mutex::default(),
            changed: Box::new(changed),
        })
    }

    /// Holds what asks something; returns its name, and what the agent's request waits for.
    pub fn hold(self: &Arc<Self>, asks: Asks) -> Option<(String, Held)> {
        let mut random = [0; SessionId::LENGTH];
        getrandom::fill(&mut random).ok()?;
        let id = SessionId::from_random(random).as_str()[..LETTERS].to_owned();
        let (answer, answered) = oneshot::channel();
        let mut all = self.lock();
        if all.open.iter().any(|open| open.approval.id == id) {
            return None;
        }
        let waited = all.waits;
        all.open.push(Open {
            approval: Approval {
                id: id.clone(),
                item: None,
                asked_ms: now_ms(),
                agent: asks.agent.clone(),
                seen: false,
                wanted: Wanted::of(&asks.tool, &asks.input),
            },
            asks,
            placed: false,
            waited,
            answer,
        });
        drop(all);
        let waiting = Waiting {
            approvals: self.clone(),
            id: id.clone(),
            answered,
        };
        Some((id, Box::pin(waiting)))
    }

    /// Finds what was just asked in the conversation.
    pub fn place(&self, id: &str, conversation: &Conversation) {
        let mut all = self.lock();
        if let Some(open) = all.open.iter_mut().find(|open| open.approval.id == id) {
            open.placed = true;
            open.approval.item = conversation.asked().cloned();
            open.approval.seen = conversation.proxy_saw(&open.asks.tool, &open.asks.input);
        }
    }

    /// Returns what can be answered now, the oldest first.
    pub fn open(&self) -> Vec<Approval> {
        let all = self.lock();
        let placed = all.open.iter().filter(|open| open.placed);
        placed.map(|open| open.approval.clone()).collect()
    }

    /// Says whether anything is held, even what cannot be answered yet.
    pub fn holds_something(&self) -> bool {
        !self.lock().open.is_empty()
    }

    /// Answers one of them. The first answer counts.
    pub fn answer(&self, answer: &AnswerApproval) -> Result<Answered, Error> {
        let mut all = self.lock();
        let found = all
            .open
            .iter()
            .position(|open| open.placed && open.approval.id == answer.id);
        let gone = || {
            Error::conflict(format!("{:?} is not asked any more", answer.id))
                .hint("it was answered already, or the agent went on")
        };
        let at = found.ok_or_else(gone)?;
        let decision = decision::of(&all.open[at].asks, &all.open[at].approval.wanted, answer)?;
        let open = all.open.remove(at);
        drop(all);
        open.answer.send(decision).map_err(|_| gone())?;
        Ok(Answered {
            item: open.approval.item,
            allowed: answer.allow,
        })
    }

    /// Takes what the terminal draws: an agent that waited and now works was answered there.
    pub fn drawn(&self, said: &Said) {
        let mut all = self.lock();
        let before = all.open.len();
        match said {
            Said::Waiting => {
                all.waits = true;
                all.open.iter_mut().for_each(|open| open.waited = true);
            }
            Said::Working { .. } => {
                all.waits = false;
                all.open.retain(|open| !open.waited);
            }
            _ => {}
        }
        let closed = all.open.len() != before;
        drop(all);
        if closed {
            (self.changed)();
        }
    }

    /// Takes the keys that a person pressed in the terminal, of an agent that was asking before it drew that it waits: whoever
    /// answers that early is not asked any more. Returns at once.
    pub fn pressed(self: &Arc<Self>, bytes: &[u8]) {
        let undrawn = self.lock().undrawn();
        if !decides(bytes) || undrawn.is_empty() {
            return;
        }
        let approvals = self.clone();
        tokio::spawn(async move {
            tokio::time::sleep(ANSWERS).await;
            let still = approvals.lock().undrawn();
            let answered = undrawn.iter().filter(|id| still.contains(id));
            answered.for_each(|id| approvals.give_up(id));
        });
    }

    /// Takes note that the model was asked something: what the terminal said before is about an earlier turn.
    pub fn model_asked(&self) {
        self.lock().waits = false;
    }

    /// Gives up what the conversation shows to be over.
    pub fn settle(&self, conversation: &Conversation) {
        let over = |open: &Open| {
            let item = open.approval.item.as_ref();
            let item = item.and_then(|id| conversation.item(id));
            item.is_some_and(|item| item.state.is_over())
        };
        self.lock().open.retain(|open| !over(open));
    }

    /// Gives one up; the agent's own dialog decides.
    fn give_up(&self, id: &str) {
        let mut all = self.lock();
        let before = all.open.len();
        all.open.retain(|open| open.approval.id != id);
        let closed = all.open.len() != before;
        drop(all);
        if closed {
            (self.changed)();
        }
    }

    fn lock(&self) -> MutexGuard<'_, All> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl All {
    /// The names of those whose dialogs the terminal has not told of.
    fn undrawn(&self) -> Vec<String> {
        let undrawn = self.open.iter().filter(|open| !open.waited);
        undrawn.map(|open| open.approval.id.clone()).collect()
    }
}

/// Whether these keys can be an answer: a choice's number or Esc alone, or Enter.
fn decides(bytes: &[u8]) -> bool {
    matches!(bytes, b"\x1b" | [b'1'..=b'9']) || bytes.contains(&b'\r')
}

/// The agent's request while it waits. When it is dropped, nobody waits for an answer any more.
struct Waiting {
    approvals: Arc<Approvals>,
    id: String,
    answered: oneshot::Receiver<Vec<u8>>,
}

impl Future for Waiting {
    type Output = Option<Vec<u8>>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.answered).poll(context).map(Result::ok)
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.approvals.give_up(&self.id);
    }
}

#[cfg(test)]
mod tests;
