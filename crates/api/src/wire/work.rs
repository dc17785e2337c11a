//! A session's work: its difference from the base, and its way home.

use serde::{Deserialize, Serialize};

/// What changed against the base commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct DiffView {
    /// The base commit.
    pub base: String,
    /// The session's branch.
    pub branch: String,
    /// The session's current commit.
    pub head: String,
    /// How many commits it is ahead of the base.
    pub commits: u64,
    /// Every changed file, untracked ones included.
    pub files: Vec<ChangedFile>,
    /// One patch from the base to the files as they are. Bytes that are not UTF-8 are replaced.
    pub patch: String,
    /// Changed files that act on the person's machine once merged, such as hooks and CI.
    #[serde(default)]
    pub risky: Vec<RiskyFile>,
    /// Whether the patch was cut at the limit.
    #[serde(default)]
    pub truncated: bool,
    /// What the person should know, one sentence each.
    #[serde(default)]
    pub notices: Vec<String>,
}

/// A changed file worth a look before a merge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct RiskyFile {
    /// Its path.
    pub path: String,
    /// Why, in a few words.
    pub why: String,
}

/// A changed file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct ChangedFile {
    /// Its path.
    pub path: String,
    /// Its path at the base, where it was moved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Lines added; `None` for a binary file.
    pub added: Option<u64>,
    /// Lines removed; `None` for a binary file.
    pub removed: Option<u64>,
}

/// What came home.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct PullView {
    /// The ref that now holds the session's commits.
    pub reference: String,
    /// How many commits are new since the base.
    pub commits: u64,
    /// The ref that holds the uncommitted work, where there is any.
    pub wip: Option<String>,
    /// The commands that take it over, to be run by the person.
    pub merge: Vec<String>,
    /// What the person should know, one sentence each.
    #[serde(default)]
    pub notices: Vec<String>,
}

/// Which part of the agent's output to send.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct LogsQuery {
    /// The last so many bytes; everything where `None`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tail: Option<u64>,
    /// Only this stream ([`crate::STDOUT`] or [`crate::STDERR`]) of a session with pipes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream: Option<u8>,
    /// Whether to go on until the agent ends.
    #[serde(default)]
    pub follow: bool,
}
