//! Messages on their way to an agent.

pub use clauderon_session::delivery::{Message, Stage, Wait};
use serde::{Deserialize, Serialize};

/// A message for an agent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct SendMessage {
    /// The sender's own name for it, of up to 64 letters, digits and dashes: sent again under it, it is the same message.
    /// Without one it gets one.
    #[serde(default)]
    pub id: Option<String>,
    /// The text. What is too long to be typed becomes a file that the agent is told to read.
    pub text: String,
    /// Whether it is typed although the agent works; both agents keep it until they have time for it.
    #[serde(default)]
    pub now: bool,
}

/// A message as it is now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct MessageView {
    /// The message.
    #[serde(flatten)]
    pub message: Message,
    /// For what it waits, where it does.
    pub waits: Option<Wait>,
    /// Why it waits or was not delivered, in a sentence.
    pub why: Option<String>,
}

/// Which message.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct MessageQuery {
    /// Its name.
    pub id: String,
}

/// What is to happen with a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct ChangeMessage {
    /// Its name.
    pub id: String,
    /// What.
    pub change: MessageChange,
}

/// A change to a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum MessageChange {
    /// It says this instead; while it waits.
    Text(String),
    /// It is typed although the agent works or something stands in its input line; while it waits.
    Now,
    /// It is typed again; where it was not delivered.
    Retry,
}
