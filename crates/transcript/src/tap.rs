//! What the proxy sees of a model's service: the one source that nothing in the sandbox can forge.
//!
//! What the agent says about itself in its request (ids of its session and its sub-agent, the prompt) passes through here
//! too. It stays the agent's word: money is counted from answers alone, and only the split by sub-agent rests on it.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One event of a request and its answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum TapEvent {
    /// A request to the model was let through.
    Started(Request),
    /// The answer's message began.
    Message {
        /// The message's id.
        id: String,
        /// The model that answers.
        model: String,
        /// Tokens, as far as they are known now.
        usage: Usage,
    },
    /// A piece of text.
    Text {
        /// Which block of the message.
        block: u32,
        /// The block's own id, where blocks have one.
        id: Option<String>,
        /// The piece.
        text: String,
    },
    /// A piece of thinking.
    Thinking {
        /// Which block of the message.
        block: u32,
        /// The block's own id, where blocks have one.
        id: Option<String>,
        /// The piece.
        text: String,
    },
    /// A tool's use begins.
    Tool {
        /// Which block of the message.
        block: u32,
        /// The call's id.
        id: String,
        /// The tool's name.
        tool: String,
    },
    /// A piece of a tool's input: JSON, cut anywhere.
    Input {
        /// Which block of the message.
        block: u32,
        /// The piece.
        json: String,
    },
    /// A block is whole.
    BlockEnded {
        /// Which block of the message.
        block: u32,
    },
    /// The message is whole.
    Finished {
        /// Tokens of the whole request, as the service counts them.
        usage: Usage,
        /// Why it ended.
        stop: Option<Stop>,
    },
    /// The service answered with an error, or sent one within the answer.
    Error(ServiceError),
    /// The headers that tell how much of the plan is used.
    Limits(Limits),
    /// The answer's bytes ended, or will not come. Without a `Finished` before it, the answer was cut.
    Ended,
}

/// A request to a model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// Whose service it is.
    pub provider: Provider,
    /// The model that was asked for.
    pub model: String,
    /// The agent's own id for its session.
    pub session: Option<String>,
    /// The agent's id for the sub-agent that asks; none for the main one.
    pub agent: Option<String>,
    /// What it is for.
    pub purpose: Purpose,
    /// The last prompt, when nothing was answered since.
    pub prompt: Option<String>,
    /// Results of tools that this request brings and the one before did not.
    pub results: Vec<ToolResult>,
}

/// A tool's result, as the model is told it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolResult {
    /// The call's id.
    pub id: String,
    /// The text.
    pub text: String,
    /// Images in it.
    pub images: u32,
    /// Whether it is an error.
    pub failed: bool,
}

/// Whose service it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "lowercase")]
pub enum Provider {
    /// Anthropic.
    Anthropic,
    /// OpenAI.
    OpenAi,
}

/// What a request is for. Everything is paid for; only turns are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Purpose {
    /// A turn of the conversation.
    Turn,
    /// The summary that replaces the conversation.
    Summary,
    /// Something of the agent's own: a title, a probe, a warm-up.
    Aside,
}

/// Tokens, as a service counts them. `input` holds none that were read from or written to a cache, and `output` holds those of
/// the reasoning.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS), ts(rename = "Tokens"))]
#[serde(default)]
pub struct Usage {
    /// Tokens that were read and not cached.
    pub input: u64,
    /// Tokens that were written, reasoning included.
    pub output: u64,
    /// Tokens that were read from a cache.
    pub cache_read: u64,
    /// Tokens that were written to a cache for five minutes, or for a time that the service does not tell.
    pub cache_write: u64,
    /// Tokens that were written to a cache for an hour.
    pub cache_write_hour: u64,
    /// Tokens of `output` that were reasoning, where the service tells it.
    pub reasoning: u64,
}

/// Why a message ended.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Stop {
    /// The model has said what it wanted to say.
    EndTurn,
    /// It wants a tool used.
    ToolUse,
    /// It reached a limit of length.
    Length,
    /// It refused.
    Refusal,
    /// Anything else, in the service's word.
    Other(String),
}

/// An error of a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceError {
    /// The HTTP status; none for an error within an answer.
    pub status: Option<u16>,
    /// The service's word for it.
    pub error: Option<String>,
    /// What it says.
    pub message: String,
}

/// How much of a plan is used.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Limits {
    /// The short window: five hours.
    pub five_hour: Option<Window>,
    /// The long window: a week.
    pub weekly: Option<Window>,
    /// The service's word for how things stand as a whole: `allowed`, `allowed_warning`, `rejected`.
    pub status: Option<String>,
    /// The service's word for the window that binds: `five_hour`, `seven_day`.
    pub binding: Option<String>,
}

/// One window of a plan.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Window {
    /// The part that is used: 1 is all of it.
    pub used: Option<f64>,
    /// When it begins anew, in milliseconds since 1970.
    pub resets_at_ms: Option<u64>,
    /// The service's word for how it stands.
    pub status: Option<String>,
}

/// A tool's input as it arrived: JSON where it is that, its text where it was cut.
pub(crate) fn input_of(json: &str) -> Value {
    match json.trim() {
        "" => Value::Object(serde_json::Map::new()),
        json => serde_json::from_str(json).unwrap_or_else(|_| Value::String(json.to_owned())),
    }
}

impl Limits {
    /// Takes what is new, and keeps what is not told again.
    pub fn learn(&mut self, new: Self) {
        let Self {
            five_hour,
            weekly,
            status,
            binding,
        } = new;
        self.five_hour = five_hour.or(self.five_hour.take());
        self.weekly = weekly.or(self.weekly.take());
        self.status = status.or(self.status.take());
        self.binding = binding.or(self.binding.take());
    }
}
