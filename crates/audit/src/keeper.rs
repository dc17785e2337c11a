//! Brings what was written to the disk and signs it, behind the writer's back: no request waits for the disk.
//!
//! The head is signed only when the records under it are on the disk, so that after a power cut the log is never shorter than
//! what was signed.

use std::fs::File;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::head::{Head, HeadFile, Key};

/// How long records may wait for the disk. A power cut can take the records of this long.
pub(crate) const LAG: Duration = Duration::from_secs(1);

/// The thread that syncs and signs.
pub(crate) struct Keeper {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    /// What was written and not yet synced.
    waiting: Option<(Arc<File>, Head)>,
    /// Somebody waits for the disk.
    urgent: bool,
    /// The last sync's failure; nothing that lets something happen is recorded until one succeeds.
    failed: Option<String>,
    /// How many syncs were tried.
    rounds: u64,
    closed: bool,
}

impl Keeper {
    pub fn start(head: HeadFile, key: Key) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            state: Mutex::new(State {
                waiting: None,
                urgent: false,
                failed: None,
                rounds: 0,
                closed: false,
            }),
            changed: Condvar::new(),
        });
        let thread = std::thread::Builder::new()
            .name("audit-disk".to_owned())
            .spawn({
                let shared = shared.clone();
                move || shared.keep(head, &key)
            })?;
        Ok(Keeper {
            shared,
            thread: Some(thread),
        })
    }

    /// Says that `file` now ends at `head`.
    pub fn written(&self, file: &Arc<File>, head: Head) {
        self.shared.lock().waiting = Some((file.clone(), head));
        self.shared.changed.notify_all();
    }

    /// Says why the disk does not keep what is written, where it does not.
    pub fn failure(&self) -> Option<String> {
        self.shared.lock().failed.clone()
    }

    /// Waits until all that was written is on the disk and signed, or could not be.
    pub fn settle(&self) {
        let mut state = self.shared.lock();
        let rounds = state.rounds;
        while state.waiting.is_some() && state.rounds < rounds + 2 {
            state.urgent = true;
            self.shared.changed.notify_all();
            state = self
                .shared
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.changed.notify_all();
        if let Some(thread) = self.thread.take() {
            // A keeper that panicked has nothing left to say.
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(&self, mut head_file: HeadFile, key: &Key) {
        while let Some((file, head)) = self.next() {
            let kept = file.sync_data().and_then(|()| {
                head_file.write(key, &head)?;
                head_file.sync()
            });
            let mut state = self.lock();
            state.rounds += 1;
            state.urgent = false;
            match kept {
                Ok(()) => {
                    state.failed = None;
                    if state
                        .waiting
                        .as_ref()
                        .is_some_and(|(_, last)| last.seq == head.seq)
                    {
                        state.waiting = None;
                    }
                }
                Err(error) => {
                    tracing::error!(%error, "the audit log does not reach the disk");
                    state.failed = Some(error.to_string());
                    if state.closed {
                        return;
                    }
                }
            }
            self.changed.notify_all();
        }
    }

    /// Waits for something to sync, then for its time; `None` when the log is closed and all is kept.
    fn next(&self) -> Option<(Arc<File>, Head)> {
        let state = self.lock();
        let state = self
            .changed
            .wait_while(state, |state| state.waiting.is_none() && !state.closed)
            .unwrap_or_else(PoisonError::into_inner);
        let (state, _) = self
            .changed
            .wait_timeout_while(state, LAG, |state| !state.closed && !state.urgent)
            .unwrap_or_else(PoisonError::into_inner);
        state.waiting.clone()
    }
}
