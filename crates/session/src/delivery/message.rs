//! One message and how far it has come.

use serde::{Deserialize, Serialize};

/// A message to an agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Message {
    /// Its name, which its sender chose: sent twice under one name, it is one message.
    pub id: String,
    /// What is typed; once nothing more is expected of it, the beginning of that.
    pub text: String,
    /// How far it has come.
    #[serde(flatten)]
    pub stage: Stage,
    /// Whether it is typed although the agent works.
    pub now: bool,
    /// When it was sent, in milliseconds since 1970.
    pub at_ms: u64,
    /// Since when it has come so far, in milliseconds since 1970.
    pub since_ms: u64,
    /// When its typing last began, in milliseconds since 1970.
    pub typed_ms: Option<u64>,
}

/// How far a message has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS), ts(rename = "MessageStage"))]
#[serde(tag = "stage", rename_all = "snake_case")]
pub enum Stage {
    /// It waits.
    Queued,
    /// It is being typed.
    Typing,
    /// It was typed and sent; the agent has not shown yet that it took it.
    Typed,
    /// It was typed and was a command of the agent's own, which leaves nothing to be seen.
    Entered,
    /// The agent took it.
    Accepted {
        /// The prompt in the conversation.
        item: String,
    },
    /// The agent has answered it.
    Answered {
        /// The prompt in the conversation.
        item: String,
    },
    /// It may stand in the terminal, and the agent has not shown that it took it.
    NotDelivered {
        /// Why.
        reason: Reason,
    },
    /// A person took it back.
    Withdrawn,
}

/// Why a message was not delivered, or may not have been.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(
    feature = "typescript",
    derive(ts_rs::TS),
    ts(rename = "MessageReason")
)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Its typing broke off.
    CutOff,
    /// The agent waits and shows nothing of it.
    NotTaken,
    /// The agent ended before it showed anything of it.
    AgentEnded,
}

impl Reason {
    /// Says it in a sentence.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::CutOff => {
                "Typing it broke off, so it may stand in the terminal. Look there before you try again."
            }
            Self::NotTaken => {
                "It was typed, but the agent shows nothing of it. Look in the terminal before you try again."
            }
            Self::AgentEnded => "The agent ended before it showed that it took it.",
        }
    }
}

impl Stage {
    /// Says it in a word or two.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Typing => "being typed",
            Self::Typed | Self::Entered => "typed",
            Self::Accepted { .. } => "accepted",
            Self::Answered { .. } => "answered",
            Self::NotDelivered { .. } => "not delivered",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// Says whether nothing more can be lost of it: it was taken, entered or withdrawn.
    pub fn is_over(&self) -> bool {
        matches!(
            self,
            Self::Entered | Self::Accepted { .. } | Self::Answered { .. } | Self::Withdrawn
        )
    }
}

/// Characters that are kept of a message that is over.
const KEPT: usize = 200;

impl Message {
    pub(super) fn come_to(&mut self, stage: Stage, now_ms: u64) {
        self.stage = stage;
        self.since_ms = now_ms;
        if self.stage.is_over()
            && let Some((end, _)) = self.text.char_indices().nth(KEPT)
        {
            self.text.truncate(end);
            self.text.push('…');
        }
    }
}
