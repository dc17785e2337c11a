//! Why something could not be remembered or recalled.

use std::io;
use std::path::{Path, PathBuf};

use clauderon_session::SessionId;
use thiserror::Error;

/// Why something could not be remembered or recalled.
#[derive(Debug, Error)]
pub enum StoreError {
    /// There is no such session.
    #[error("there is no session {0}")]
    NoSession(SessionId),
    /// The session's folder exists already.
    #[error("the folder of session {0} exists already")]
    Exists(SessionId),
    /// A file could not be read or written.
    #[error("could not {doing} {}: {source}", .path.display())]
    Io {
        /// What was being done: "read", "write".
        doing: &'static str,
        /// With what.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// A file does not hold what it should.
    #[error("{} cannot be understood: {reason}", .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong in it.
        reason: String,
    },
    /// A file was written by a later release.
    #[error("{} was written by a later release of Clauderon (format {found}); update this one", .path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u32,
    },
    /// A record holds a path that is not UTF-8.
    #[error("{reason}; a path that is not UTF-8 cannot be remembered")]
    NotText {
        /// What the encoder says.
        reason: String,
    },
    /// The index failed.
    #[error("the index of sessions failed: {0}")]
    Index(#[from] rusqlite::Error),
}

impl StoreError {
    /// Says whether another database in its place would help.
    pub(crate) fn is_unusable(&self) -> bool {
        use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase, Unknown};
        match self {
            Self::Newer { .. } => true,
            Self::Index(error) => {
                matches!(
                    error.sqlite_error_code(),
                    Some(DatabaseCorrupt | NotADatabase | Unknown)
                )
            }
            _ => false,
        }
    }

    /// Says whether the disk has no room.
    pub fn is_full_disk(&self) -> bool {
        use rusqlite::ErrorCode::{DiskFull, SystemIoFailure};
        match self {
            Self::Io { source, .. } => matches!(
                source.kind(),
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
            ),
            Self::Index(error) => {
                matches!(error.sqlite_error_code(), Some(DiskFull | SystemIoFailure))
            }
            _ => false,
        }
    }

    pub(crate) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::Io {
            doing,
            path,
            source,
        }
    }
}
