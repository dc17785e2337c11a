//! The open log: what callers hold.

use std::path::{Path, PathBuf};

use tokio::sync::{mpsc, oneshot};

use crate::record::{Kind, Record};
use crate::writer::{Ask, Job, Writer};

/// Why a record is not in the log.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AuditError {
    /// The disk is full: what would use a credential must be refused.
    #[error("the disk is full, so that nothing new can be recorded")]
    Full,
    /// It could not be written.
    #[error("the record could not be written: {0}")]
    Write(String),
    /// The log could not be opened.
    #[error("open the audit log {path}: {reason}")]
    Open {
        /// The file.
        path: String,
        /// The reason.
        reason: String,
    },
    /// Another process writes it.
    #[error("another process writes the audit log {path}")]
    Held {
        /// The file.
        path: String,
    },
    /// The log was closed.
    #[error("the log is closed")]
    Closed,
}

/// What may be set about a log.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// The size, in bytes, at which the log goes over to a new file.
    pub rotate_at: u64,
    /// The size, in bytes, of the file that is given up when the disk is full.
    pub reserve: u64,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            rotate_at: 64 << 20,
            reserve: 1 << 20,
        }
    }
}

/// An open log. Clones write to the same file; the last one to go closes it.
#[derive(Clone)]
pub struct Log {
    asks: mpsc::Sender<Ask>,
    path: PathBuf,
}

/// How many records may wait; then callers do.
const QUEUE: usize = 1024;

impl Log {
    /// Opens a log, makes what is absent (0600), and mends what a crash left.
    ///
    /// # Errors
    /// Fails where a file cannot be opened, or where another process holds the log.
    pub fn open(path: &Path, key_path: &Path) -> Result<Self, AuditError> {
        Self::open_with(path, key_path, Options::default())
    }

    /// Opens a log with other sizes.
    ///
    /// # Errors
    /// As [`Log::open`].
    pub fn open_with(path: &Path, key_path: &Path, options: Options) -> Result<Self, AuditError> {
        let failed = |error: std::io::Error| match error.kind() {
            std::io::ErrorKind::WouldBlock => AuditError::Held {
                path: path.display().to_string(),
            },
            _ => AuditError::Open {
                path: path.display().to_string(),
                reason: error.to_string(),
            },
        };
        let writer = Writer::open(path, key_path, options).map_err(failed)?;
        let (asks, queue) = mpsc::channel(QUEUE);
        std::thread::Builder::new()
            .name("audit".to_owned())
            .spawn(move || writer.run(queue))
            .map_err(failed)?;
        Ok(Log {
            asks,
            path: path.to_owned(),
        })
    }

    /// Appends a record; when this returns it is in the log, which a killed daemon does not lose. It is on the disk within a second.
    ///
    /// # Errors
    /// Fails with [`AuditError::Full`] for a decision on a full disk; what ends or refuses something is still written to the reserve.
    pub async fn append(&self, record: Record) -> Result<(), AuditError> {
        let (done, written) = oneshot::channel();
        let job = Job { record, done };
        self.asks
            .send(Ask::Append(Box::new(job)))
            .await
            .map_err(|_| AuditError::Closed)?;
        written.await.map_err(|_| AuditError::Closed)?
    }

    /// Waits until every record appended before is on the disk and signed.
    pub async fn settle(&self) {
        let (done, settled) = oneshot::channel();
        if self.asks.send(Ask::Settle(done)).await.is_ok() {
            // A writer that is gone has settled everything.
            let _ = settled.await;
        }
    }

    /// Gives the file that is written now.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Kind {
    /// Says whether a record lets something happen; on a full disk such a record is refused, so that the thing is refused too.
    pub(crate) fn lets_happen(self) -> bool {
        matches!(self, Kind::Decision | Kind::Tunnel)
    }
}
