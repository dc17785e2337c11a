//! What the agent does, in words for people.

use serde::{Deserialize, Serialize};

use crate::item::{Body, Item, ItemId};

/// What the agent does, and since when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS), ts(rename = "AgentStatus"))]
pub struct Status {
    /// What it does.
    #[serde(flatten)]
    pub activity: Activity,
    /// Since when, in milliseconds since 1970; 0 while nothing is known.
    pub since_ms: u64,
}

/// What the agent does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum Activity {
    /// It works.
    Working {
        /// On what, in a line: `Editing src/lib.rs`.
        doing: Option<String>,
    },
    /// It wants something allowed.
    NeedsApproval {
        /// The item that says what.
        item: Option<ItemId>,
    },
    /// It asks the person something.
    NeedsInput {
        /// The item that says what.
        item: Option<ItemId>,
    },
    /// It has answered and waits.
    Idle,
    /// It ended by itself.
    Done,
    /// Its turn, or the agent itself, failed.
    Failed {
        /// Why, in a line.
        why: String,
    },
    /// A person stopped it, and it waits.
    Interrupted,
    /// It waits for an answer of the network that does not come. Only Clauderon says this, by the requests that pass.
    Stuck,
    /// Nothing is known.
    Unknown,
}

impl Activity {
    /// Says it in a word or two.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Working { .. } => "working",
            Self::NeedsApproval { .. } => "needs approval",
            Self::NeedsInput { .. } => "needs input",
            Self::Idle => "idle",
            Self::Done => "done",
            Self::Failed { .. } => "failed",
            Self::Interrupted => "interrupted",
            Self::Stuck => "stuck",
            Self::Unknown => "unknown",
        }
    }

    /// Says on what it works, or why it failed.
    pub fn detail(&self) -> Option<&str> {
        match self {
            Self::Working { doing } => doing.as_deref(),
            Self::Failed { why } => Some(why),
            _ => None,
        }
    }

    pub(super) fn compacting() -> Self {
        Self::Working {
            doing: Some("Summing up the conversation".to_owned()),
        }
    }

    pub(super) fn failed(why: &str) -> Self {
        Self::Failed {
            why: crate::bounded::line(why),
        }
    }

    /// It waits for a person, about this item where it is known.
    pub(super) fn needs(item: Option<&Item>) -> Self {
        let id = item.map(|item| item.id.clone());
        match item.map(|item| &item.body) {
            Some(Body::Question { .. }) => Self::NeedsInput { item: id },
            _ => Self::NeedsApproval { item: id },
        }
    }
}
