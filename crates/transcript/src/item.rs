//! One thing of a conversation, the same for every agent and however it came to be known.

mod body;
mod tool;

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

pub use body::{Answer, Body, Entry, Origin, Question, QuestionOption, Retry, Step};
pub use tool::{Hunk, Outcome, ToolCall, ToolDetail};

/// Names an item for as long as the conversation lives. It is made of the agent's own ids, so that the same thing has the
/// same name whoever told of it first, and after a restart.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct ItemId(String);

impl ItemId {
    pub(crate) fn new(id: impl Into<String>) -> Self {
        Self(id.into())
    }

    /// Returns the id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for ItemId {
    fn from(id: &str) -> Self {
        Self(id.to_owned())
    }
}

impl fmt::Display for ItemId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One item. A list of them is shown by `order`, then by `id`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Item {
    /// Its name.
    pub id: ItemId,
    /// The sub-agent within which it happened; none in the main conversation.
    pub parent: Option<ItemId>,
    /// The prompt that began its turn; none before the first.
    pub turn: Option<ItemId>,
    /// Its place: microseconds since 1970, unique within a source. Never the place to read a time from.
    pub order: u64,
    /// When it began, in milliseconds since 1970.
    pub at_ms: u64,
    /// How far it has come.
    pub state: State,
    /// Who told of it. Only what `tap` or `daemon` told is more than the agent's own word.
    pub seen: BTreeSet<Source>,
    /// What it is.
    #[serde(flatten)]
    pub body: Body,
}

/// How far an item has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS), ts(rename = "ItemState"))]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Its text or its input is still arriving.
    Streaming,
    /// It is under way, or waits for an answer.
    Running,
    /// It ended as it should.
    Done,
    /// It ended with an error.
    Failed,
    /// Somebody or something ended it early.
    Interrupted,
}

impl State {
    /// Says whether nothing more is expected of it.
    pub fn is_over(self) -> bool {
        self > Self::Running
    }
}

/// Who told of something, most trusted first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// The proxy, which saw it pass. It stands outside the sandbox.
    Tap,
    /// Clauderon itself. It stands outside the sandbox.
    Daemon,
    /// The agent's transcript. Everything in the sandbox can write to it.
    Transcript,
    /// A hook of the agent. Everything in the sandbox can forge one.
    Hook,
    /// The agent's terminal: its title and its state report.
    Terminal,
}

impl Source {
    /// Says whether what it tells may decide something: a budget, a badge, a way out.
    pub fn is_trusted(self) -> bool {
        matches!(self, Self::Tap | Self::Daemon)
    }
}
