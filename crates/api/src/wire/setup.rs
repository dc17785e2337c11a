//! What a first run and the settings need beyond the checks: repairs with progress, storage, and what the window remembers.

use serde::{Deserialize, Serialize};

use super::{Backend, Budget};

/// One line of the answer to a repair or a clean-up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum FixLine {
    /// A step has begun.
    Progress {
        /// What is being done, for a person.
        message: String,
        /// How much of the whole is done, in percent, where that is known.
        percent: Option<u8>,
    },
    /// It is done; the last line.
    Done {
        /// In one sentence.
        message: String,
    },
    /// It is not done; the last line.
    Error(crate::Error),
}

/// A repair that the daemon can do itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "kebab-case")]
pub enum Fix {
    /// Installs Claude Code.
    InstallClaude,
    /// Installs Codex.
    InstallCodex,
    /// Builds the default image.
    BuildImage,
}

impl Fix {
    /// Returns the name that stands in the path.
    pub fn name(self) -> &'static str {
        match self {
            Fix::InstallClaude => "install-claude",
            Fix::InstallCodex => "install-codex",
            Fix::BuildImage => "build-image",
        }
    }
}

/// How much room the sessions take.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct StorageView {
    /// One row a session, the largest first.
    pub sessions: Vec<StorageRow>,
    /// Bytes in the trash.
    pub trash_bytes: u64,
    /// Bytes of the agents.
    pub agents_bytes: u64,
    /// Bytes of the audit log and the daemon's own logs.
    pub logs_bytes: u64,
    /// Bytes free on the disk that holds them.
    pub free_bytes: u64,
}

/// The room that a session takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct StorageRow {
    /// The session's identifier.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Bytes of its workspace, home, uploads and terminal.
    pub bytes: u64,
}

/// What the window remembers: an object whose keys only the window knows. At most 256 KiB.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Desk(pub serde_json::Map<String, serde_json::Value>);

/// The daemon's network, for all sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct Network {
    /// Whether every session's requests are refused for now.
    pub paused: bool,
}

/// What a session would be able to reach, before it is made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct CreateOptions {
    /// What a session may spend where nothing is said; none where nothing is configured.
    pub budget: Option<Budget>,
    /// The runtimes that answer, the preferred one first.
    pub backends: Vec<Backend>,
    /// Why a runtime is not there, one sentence each.
    pub missing: Vec<String>,
    /// The image that is used where none is named.
    pub image: Option<String>,
    /// Images that the engine has.
    pub images: Vec<String>,
}
