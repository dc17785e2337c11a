//! What an item is.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{ItemId, ToolCall};

/// What an item is. Every text in it is bounded; a text that was cut ends with a mark that says by how much.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Body {
    /// What a person, or the agent in a person's place, asked.
    Prompt {
        /// The text as it was sent.
        text: String,
        /// Images that were sent with it.
        images: u32,
        /// Where it came from.
        origin: Origin,
    },
    /// What the model says: Markdown.
    Text {
        /// The text.
        text: String,
        /// The model, where it is known.
        model: Option<String>,
    },
    /// What the model thinks.
    Thinking {
        /// The text; empty where the model hides it.
        text: String,
    },
    /// A tool that the model uses.
    Tool(Box<ToolCall>),
    /// A plan that the agent wants approved.
    Plan {
        /// The plan: Markdown.
        text: String,
        /// Whether it was approved; none while it stands open.
        approved: Option<bool>,
    },
    /// The agent's list of steps, as it stood then.
    Todos {
        /// The steps.
        entries: Vec<Entry>,
    },
    /// Questions to the person.
    Question {
        /// The questions.
        questions: Vec<Question>,
        /// The answers, once given.
        answers: Vec<Answer>,
    },
    /// Something that the agent wants allowed.
    Approval {
        /// The tool.
        tool: String,
        /// Exactly what would run.
        input: Value,
        /// The item of the call, where it is known.
        call: Option<ItemId>,
        /// Whether it was allowed; none while it stands open, or where nobody told.
        allowed: Option<bool>,
    },
    /// Another agent that this one started. Its items have this one as their parent.
    Agent {
        /// Its id, once it is known.
        agent: Option<String>,
        /// What kind of agent it is.
        role: Option<String>,
        /// What it is to do, in a few words.
        title: String,
        /// What it was told.
        prompt: String,
        /// What it answered.
        result: Option<String>,
    },
    /// The conversation so far was replaced by a summary.
    Compaction {
        /// Who wanted it: `manual` or `auto`.
        trigger: Option<String>,
        /// Tokens before it.
        tokens_before: Option<u64>,
        /// The summary.
        summary: Option<String>,
    },
    /// Something failed that is no tool.
    Error {
        /// The HTTP status, where there was one.
        status: Option<u16>,
        /// The service's word for it, such as `overloaded_error`.
        error: Option<String>,
        /// What it says.
        message: String,
        /// That it is tried again.
        retry: Option<Retry>,
    },
    /// Something to know: a command's output, a changed mode, an attached file.
    Notice {
        /// What it is about, in a word.
        about: String,
        /// What it says.
        text: String,
    },
    /// A record that this crate does not know. It is shown collapsed.
    Raw {
        /// What the record calls itself.
        record: String,
        /// The record, cut where it is long.
        text: String,
        /// Its whole size in bytes.
        bytes: u64,
    },
}

/// Where a prompt came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// A person wrote it.
    Person,
    /// A slash command.
    Command,
    /// A command for the shell, typed after an exclamation mark.
    Shell,
    /// Another agent.
    Agent,
}

/// One step of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Entry {
    /// What is to be done.
    pub text: String,
    /// How far it has come.
    pub step: Step,
}

/// How far a step has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "lowercase")]
pub enum Step {
    /// Not begun.
    Open,
    /// Under way.
    Active,
    /// Done.
    Done,
}

/// One question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Question {
    /// The question.
    pub question: String,
    /// A word above it.
    pub header: String,
    /// Whether several answers may be given.
    pub several: bool,
    /// The answers that are offered.
    pub options: Vec<QuestionOption>,
}

/// An answer that is offered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct QuestionOption {
    /// The answer.
    pub label: String,
    /// What it means.
    pub description: String,
}

/// An answer that was given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Answer {
    /// The question.
    pub question: String,
    /// The answer.
    pub answer: String,
}

/// That something is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Retry {
    /// Which try failed, from 1.
    pub attempt: u32,
    /// How many there will be at most, where it is known.
    pub most: Option<u32>,
    /// The pause before the next one in milliseconds, where it is known.
    pub delay_ms: Option<u64>,
}
