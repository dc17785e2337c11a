//! Where a session stands for the person who looks at the list: what it wants of them.

use serde::{Deserialize, Serialize};

/// A group of the session list, in the list's order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// It waits for an answer, failed, or is stuck.
    NeedsYou,
    /// It works.
    Working,
    /// It has finished something that nobody has looked at.
    Ready,
    /// Nothing happens, and nothing is new.
    Idle,
    /// Its agent ended.
    Done,
    /// It was put away.
    Archived,
}
