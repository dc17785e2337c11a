//! A session's conversation: its items, what the agent does, and what it used.

use clauderon_transcript::tap::Limits;
use clauderon_transcript::{Item, ItemId, Status, Sum, TurnSum};
use serde::{Deserialize, Serialize};

use super::{Approval, BudgetHold, MessageView};

/// Which part of a conversation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct ConversationQuery {
    /// Only what stands before this item; without it, the newest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// At most this many items; at most 500, and as many where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub most: Option<u32>,
}

/// A part of a session's conversation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct ConversationView {
    /// The number of the latest change that is in it.
    pub number: u64,
    /// The items, oldest first. A list of them is shown by `order`, then by `id`.
    pub items: Vec<Item>,
    /// Whether there are earlier ones.
    pub earlier: bool,
    /// How the conversation stands as a whole.
    pub standing: ConversationStanding,
    /// What each turn used, as the proxy counted it.
    pub turns: Vec<TurnSum>,
    /// What was sent to the agent lately, oldest first.
    pub messages: Vec<MessageView>,
}

/// How a conversation stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct ConversationStanding {
    /// Its name, as the agent says.
    pub title: Option<String>,
    /// What the agent does. It rests on what the agent says, too.
    pub status: Status,
    /// What the session used, as the proxy counted it.
    pub used: Sum,
    /// How much of the plan is used, as the service said last.
    pub limits: Limits,
    /// What can be answered now, outside of the terminal.
    #[serde(default)]
    pub approvals: Vec<Approval>,
    /// That its next request waits for leave to go over the budget.
    #[serde(default)]
    pub held: Option<BudgetHold>,
}

/// What a follower of a conversation is told: all of it first, then what changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum ConversationEvent {
    /// Forget what is shown; this is how it is, the newest part of it.
    State(Box<ConversationView>),
    /// This changed.
    News(Box<ConversationNews>),
}

/// What changed in a conversation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct ConversationNews {
    /// The number of the latest change that is in it.
    pub number: u64,
    /// Items that are new or different.
    pub items: Vec<Item>,
    /// Items that are no more.
    pub removed: Vec<ItemId>,
    /// How the conversation stands now.
    pub standing: ConversationStanding,
    /// What turns used so far, the first that is different and those after it: a request is counted before it is known which
    /// prompt it answers.
    pub turns: Vec<TurnSum>,
    /// What was sent to the agent lately, where that is different.
    pub messages: Option<Vec<MessageView>>,
}
