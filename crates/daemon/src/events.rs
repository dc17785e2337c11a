//! What changed, numbered, for everyone who watches.

use std::sync::atomic::{AtomicU64, Ordering};

use clauderon_api::{ServerEvent, Session};
use tokio::sync::broadcast;

/// How many changes a slow watcher may lag behind before it is given the whole state again.
const BACKLOG: usize = 256;

/// The numbered changes of all sessions.
#[derive(Debug)]
pub struct Events {
    seq: AtomicU64,
    sender: broadcast::Sender<ServerEvent>,
}

impl Default for Events {
    fn default() -> Self {
        Self {
            seq: AtomicU64::new(0),
            sender: broadcast::channel(BACKLOG).0,
        }
    }
}

impl Events {
    /// Says that a session is new or changed.
    pub fn changed(&self, session: Session) {
        let session = Box::new(session);
        self.send(|seq| ServerEvent::Session { seq, session });
    }

    /// Says that a session is gone.
    pub fn removed(&self, id: String) {
        self.send(|seq| ServerEvent::Removed { seq, id });
    }

    /// Says that the network is paused, or goes on.
    pub fn network(&self, paused: bool) {
        self.send(|seq| ServerEvent::Network { seq, paused });
    }

    /// Says that the disk is full, or has room again.
    pub fn disk(&self, full: bool) {
        self.send(|seq| ServerEvent::Disk { seq, full });
    }

    /// Returns the number of the last change and the changes after it.
    pub fn subscribe(&self) -> (u64, broadcast::Receiver<ServerEvent>) {
        // Subscribe first: a change between the two is then seen twice, never lost.
        let changes = self.sender.subscribe();
        (self.seq.load(Ordering::SeqCst), changes)
    }

    fn send(&self, event: impl FnOnce(u64) -> ServerEvent) {
        let seq = self.seq.fetch_add(1, Ordering::SeqCst) + 1;
        // Nobody watching is fine.
        let _ = self.sender.send(event(seq));
    }
}
