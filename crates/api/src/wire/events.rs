//! The watch stream: the whole state first, then numbered changes.

use serde::{Deserialize, Serialize};

use super::Session;

/// A frame of the watch stream. A client that sees a gap in `seq` missed nothing: the daemon sends
/// the whole state again to whoever lags.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ServerEvent {
    /// Everything, as of `seq`; replaces what the client knew.
    State {
        /// The number of the last change in it.
        seq: u64,
        /// All sessions.
        sessions: Vec<Session>,
        /// Whether every session's requests are refused for now.
        #[serde(default)]
        network_paused: bool,
        /// Whether the disk that holds everything has no room.
        #[serde(default)]
        disk_full: bool,
    },
    /// The disk that holds everything is full, or has room again.
    Disk {
        /// The number of this change.
        seq: u64,
        /// Whether it has no room.
        full: bool,
    },
    /// The network was paused or goes on.
    Network {
        /// The number of this change.
        seq: u64,
        /// Whether every session's requests are refused for now.
        paused: bool,
    },
    /// A session is new or changed.
    Session {
        /// The number of this change.
        seq: u64,
        /// The session as it is now.
        session: Box<Session>,
    },
    /// A session is gone.
    Removed {
        /// The number of this change.
        seq: u64,
        /// Its identifier.
        id: String,
    },
}

impl ServerEvent {
    /// Returns the number of the change.
    pub fn seq(&self) -> u64 {
        match self {
            ServerEvent::State { seq, .. }
            | ServerEvent::Disk { seq, .. }
            | ServerEvent::Network { seq, .. }
            | ServerEvent::Session { seq, .. }
            | ServerEvent::Removed { seq, .. } => *seq,
        }
    }
}
