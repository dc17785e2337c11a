//! What the reducer hears, in one vocabulary for every agent and every source.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::item::{Answer, Hunk, Origin, Retry, Source};
use crate::tap::TapEvent;

/// One thing that a source told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Observation {
    /// The proxy saw this pass.
    Tap {
        /// Links the events of one request, as the proxy's own events are linked.
        request: String,
        /// What passed.
        event: TapEvent,
    },
    /// A hook of the agent, its transcript, its terminal or Clauderon itself told this.
    Told(Told),
}

/// What somebody told, and about which thread of the conversation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Told {
    /// Who told it.
    pub source: Source,
    /// The sub-agent whose thread it is; none for the main one.
    pub agent: Option<String>,
    /// When it happened in milliseconds since 1970, where the source says so.
    pub at_ms: Option<u64>,
    /// What was told.
    pub said: Said,
}

impl Told {
    /// Something that Clauderon itself knows: what a person did, and the life of the agent.
    pub fn by_daemon(said: Said) -> Self {
        Self {
            source: Source::Daemon,
            agent: None,
            at_ms: None,
            said,
        }
    }

    /// A sign that the agent gave in its terminal.
    pub fn by_terminal(said: Said) -> Self {
        Self {
            source: Source::Terminal,
            ..Self::by_daemon(said)
        }
    }

    /// The same, at a time in milliseconds since 1970.
    pub fn at(self, at_ms: u64) -> Self {
        Self {
            at_ms: Some(at_ms),
            ..self
        }
    }
}

/// What was told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Said {
    /// Something was asked.
    Prompt(Prompt),
    /// The model said something.
    Text(Words),
    /// The model thought something.
    Thinking(Words),
    /// The model said this before it was stopped; the agent does not say in which message.
    Cut(Words),
    /// The model uses a tool.
    Call {
        /// The call's id.
        id: String,
        /// The tool's name.
        tool: String,
        /// What it was asked for.
        input: Value,
    },
    /// A tool ended.
    Result(CallResult),
    /// The agent asks for leave to use a tool.
    Asks {
        /// The call's id, where the agent tells it.
        call: Option<String>,
        /// The tool's name.
        tool: String,
        /// Exactly what would run.
        input: Value,
    },
    /// The agent waits for leave or an answer; what for is told elsewhere.
    Asking,
    /// Leave was given or refused, or questions were answered.
    Answered {
        /// The call's id.
        call: String,
        /// Whether it may run.
        allowed: bool,
    },
    /// A sub-agent began, or it became known which call began it. The thread is that of the one who started it.
    AgentStarted {
        /// The sub-agent's id.
        agent: String,
        /// What kind of agent it is.
        role: Option<String>,
        /// The id of the call that started it, where the source knows it.
        call: Option<String>,
    },
    /// A sub-agent ended.
    AgentEnded {
        /// The sub-agent's id.
        agent: String,
        /// What it answered.
        result: Option<String>,
    },
    /// The conversation is being replaced by a summary.
    Compacting,
    /// The conversation so far was replaced by a summary. Parts of this may be told apart.
    Compacted {
        /// Who wanted it.
        trigger: Option<String>,
        /// Tokens before it.
        tokens_before: Option<u64>,
        /// The summary.
        summary: Option<String>,
    },
    /// A request to the model failed, or the turn did.
    Failed {
        /// The record's own id, where it has one.
        id: Option<String>,
        /// The HTTP status.
        status: Option<u16>,
        /// The service's word for it.
        error: Option<String>,
        /// What it says.
        message: String,
        /// That it is tried again.
        retry: Option<Retry>,
    },
    /// A person ended the turn early.
    Interrupted,
    /// The turn ended as it should.
    TurnEnded {
        /// How long it took in milliseconds.
        ms: Option<u64>,
    },
    /// The agent works, on what it says in `on`.
    Working {
        /// What it says that it does.
        on: Option<String>,
    },
    /// The agent waits for the person: it is idle, or a dialog stands open.
    Waiting,
    /// The agent began.
    Started {
        /// Its own id for the session.
        session: Option<String>,
        /// The model.
        model: Option<String>,
        /// Whether it was given something to do, so that it does not wait before it has begun with that.
        prompted: bool,
    },
    /// The agent ended.
    Ended {
        /// Its exit code, where that is known.
        code: Option<i32>,
        /// Why, in a word.
        reason: Option<String>,
    },
    /// The conversation has a name.
    Named(String),
    /// Something to know.
    Notice {
        /// The record's own id.
        id: Option<String>,
        /// What it is about, in a word.
        about: String,
        /// What it says.
        text: String,
    },
    /// A record that is not understood.
    Raw {
        /// A name for it that does not change when it is read again.
        id: String,
        /// What the record calls itself.
        record: String,
        /// The record, cut where it is long.
        text: String,
        /// Its whole size in bytes.
        bytes: u64,
    },
}

/// Something that was asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prompt {
    /// The agent's id for the turn that it begins, where the source knows it.
    pub turn: Option<String>,
    /// The text.
    pub text: String,
    /// Images sent with it.
    pub images: u32,
    /// Where it came from.
    pub origin: Origin,
}

/// Words of the model. The third piece of text in a message has `nth` 2, whatever stands between the pieces.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Words {
    /// The message's id.
    pub message: String,
    /// Which of the message's pieces of this kind it is.
    pub nth: u32,
    /// The text.
    pub text: String,
    /// The model.
    pub model: Option<String>,
}

/// What came of a tool.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CallResult {
    /// The call's id.
    pub id: String,
    /// What the model is told.
    pub text: String,
    /// Images in it.
    pub images: u32,
    /// How it ended.
    pub end: End,
    /// How long it took in milliseconds.
    pub ms: Option<u64>,
    /// The agent's own account of what it did.
    pub account: Option<Account>,
}

/// An agent's own account of what a tool did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Account {
    /// A command printed this.
    Shell {
        /// What it printed.
        output: String,
        /// Its exit code, where it is told.
        exit: Option<i32>,
    },
    /// A file changed.
    Edit {
        /// The file.
        path: String,
        /// How; empty where the file is new.
        hunks: Vec<Hunk>,
    },
    /// A sub-agent answered.
    Agent {
        /// Its id.
        agent: String,
        /// Its kind.
        role: Option<String>,
        /// Its answer, where it has ended.
        result: Option<String>,
    },
    /// Questions were answered.
    Answers(Vec<Answer>),
}

/// How a tool ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum End {
    /// As it should.
    Done,
    /// With an error.
    Failed,
    /// A person refused or stopped it.
    Interrupted,
}
