//! The thread that keeps the checkpoints of all terminals while they print. It comes last: where an agent prints much, the
//! processor is first for who shows it.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use clauderon_holder::SessionFiles;

use super::{EVERY, advance};

/// How long it rests after a round: what is printed meanwhile makes one step of many.
const REST: Duration = Duration::from_millis(50);

/// Keeps checkpoints. Clones share one thread, which ends with the last of them.
#[derive(Debug, Clone)]
pub struct Keeper {
    jobs: mpsc::Sender<Arc<Job>>,
}

impl Keeper {
    /// Starts the thread.
    ///
    /// # Errors
    /// Fails where no thread can be started.
    pub fn start() -> io::Result<Self> {
        let (jobs, due) = mpsc::channel();
        thread::Builder::new()
            .name("checkpoints".to_owned())
            .spawn(move || keep(&due))?;
        Ok(Self { jobs })
    }

    /// Begins to keep those of one session.
    pub fn of(&self, files: SessionFiles) -> Checkpoints {
        Checkpoints {
            job: Arc::new(Job {
                files,
                waits: AtomicBool::new(false),
            }),
            jobs: self.jobs.clone(),
            due: 0,
        }
    }
}

/// Keeps one terminal's checkpoints.
#[derive(Debug)]
pub struct Checkpoints {
    job: Arc<Job>,
    jobs: mpsc::Sender<Arc<Job>>,
    due: u64,
}

impl Checkpoints {
    /// Notes that the log has reached an offset; what is due is written in the background. Never waits.
    pub fn reached(&mut self, offset: u64) {
        if offset < self.due {
            return;
        }
        self.due = offset + EVERY;
        if !self.job.waits.swap(true, Ordering::AcqRel) {
            // Where the thread is gone, so is the daemon.
            let _ = self.jobs.send(self.job.clone());
        }
    }
}

#[derive(Debug)]
struct Job {
    files: SessionFiles,
    /// Whether it waits for its turn.
    waits: AtomicBool,
}

fn keep(due: &mpsc::Receiver<Arc<Job>>) {
    yield_to_others();
    while let Ok(first) = due.recv() {
        for job in std::iter::once(first).chain(due.try_iter()) {
            // Whatever is printed from now on gets another turn.
            job.waits.store(false, Ordering::Release);
            match advance(&job.files) {
                Ok(()) => {}
                // A session that prints to pipes has no screen.
                Err(error) if error.kind() == io::ErrorKind::InvalidData => {}
                Err(error) => tracing::debug!(%error, "a terminal's checkpoint was not written"),
            }
        }
        thread::sleep(REST);
    }
}

/// Gives this thread the lowest priority. Where that is one of the whole process alone, it stays as it is.
fn yield_to_others() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::setpriority_process(None, 19) {
        tracing::debug!(%error, "the checkpoints' thread keeps its priority");
    }
}
