//! What an agent wants of a person, and what the person says to it.

use clauderon_transcript::{Answer, ItemId, Wanted};
use serde::{Deserialize, Serialize};

/// Something that an agent waits for: a person's leave, or answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Approval {
    /// Its name, for an answer.
    pub id: String,
    /// The item of the conversation that shows it.
    pub item: Option<ItemId>,
    /// Since when it waits, in milliseconds since 1970.
    pub asked_ms: u64,
    /// The sub-agent that wants it, as the agent says; none for the main one.
    pub agent: Option<String>,
    /// Whether the proxy saw the model ask for exactly this. Without it, the agent alone says so.
    pub seen: bool,
    /// What is wanted.
    #[serde(flatten)]
    pub wanted: Wanted,
}

/// A person's answer to an [`Approval`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct AnswerApproval {
    /// Which one.
    pub id: String,
    /// Whether it may be.
    pub allow: bool,
    /// Why it may not: the agent is told, and goes on with that. Without it the agent stops and waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The answers, where questions are allowed: one to each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub answers: Vec<Answer>,
}
