//! A session as callers see it, and what it takes to create one.

use std::path::PathBuf;

use clauderon_transcript::Status;
use serde::{Deserialize, Serialize};

use super::{Agent, Backend, BudgetView, Cap, Mode, Posture, Standing, State};
use crate::error::Error;
use crate::fingerprint::Fingerprints;

/// What a person asks for when creating a session. What is `None` the daemon decides.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct CreateSession {
    /// The name; converted to `[a-z0-9-]{1,63}`, which a notice says.
    pub name: Option<String>,
    /// Any folder inside the git repository to work on, absolute.
    pub repository: PathBuf,
    /// Which agent.
    pub agent: Option<Agent>,
    /// Which sandbox runtime.
    pub backend: Option<Backend>,
    /// Which image, where the runtime has images.
    pub image: Option<String>,
    /// Which model, in the agent's own words.
    pub model: Option<String>,
    /// A terminal, or three pipes.
    pub mode: Mode,
    /// The prompt, byte for byte.
    pub prompt: Option<String>,
    /// How much the sandbox may reach.
    pub posture: Option<Posture>,
    /// Terminal width in characters; 0 where there is no terminal.
    pub cols: u16,
    /// Terminal height in characters; 0 where there is no terminal.
    pub rows: u16,
    /// What it may spend, `none` for as much as it likes; the configured budget where absent.
    #[serde(default)]
    pub budget: Option<Cap>,
    /// Whether only the branch's history comes along, so that no other branch can be read inside.
    #[serde(default)]
    pub isolate_history: bool,
    /// The caller's credentials in its environment, hashed, to notice that the daemon has others.
    #[serde(default)]
    pub credential_fingerprints: Option<Fingerprints>,
}

/// What a person asks for when forking a session. All else is as the session is that it is taken from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(default, deny_unknown_fields)]
pub struct ForkSession {
    /// The new session's name; made of the other one's where absent.
    pub name: Option<String>,
    /// What its agent is asked at once, byte for byte.
    pub prompt: Option<String>,
    /// Terminal width in characters; 0 where there is no terminal.
    pub cols: u16,
    /// Terminal height in characters; 0 where there is no terminal.
    pub rows: u16,
}

/// A session as it is now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Session {
    /// The 10-character identifier.
    pub id: String,
    /// The name.
    pub name: String,
    /// Which agent.
    pub agent: Agent,
    /// Which sandbox runtime.
    pub backend: Backend,
    /// A terminal, or three pipes.
    pub mode: Mode,
    /// The image, where the runtime has images.
    pub image: Option<String>,
    /// The model, where one was asked for.
    pub model: Option<String>,
    /// The source repository's root.
    pub repository: PathBuf,
    /// The session's branch, `clauderon/<name>`.
    pub branch: String,
    /// The commit that the branch began at.
    pub base: String,
    /// Where it is in its life. On the wire: `"state": "exited", "code": 0`.
    #[serde(flatten)]
    pub state: State,
    /// What its agent does, and since when; the conversation says the same. It rests on what the agent says, too.
    pub status: Status,
    /// Its group in the list.
    pub standing: Standing,
    /// Whether it needs the person by what is seen from outside of its sandbox alone: what counts and notifies rests on this.
    #[serde(default)]
    pub needs_you: bool,
    /// What the person calls it, where that is not its name.
    #[serde(default)]
    pub title: Option<String>,
    /// The last line of what it does: the terminal's title, its last request or how it ended.
    #[serde(default)]
    pub last_line: Option<String>,
    /// Whether it stands at the top of its group.
    #[serde(default)]
    pub pinned: bool,
    /// Whether it may notify.
    #[serde(default)]
    pub notify: bool,
    /// When it was put away, in milliseconds since 1970.
    #[serde(default)]
    pub archived_ms: Option<u64>,
    /// How much the sandbox may reach.
    pub posture: Posture,
    /// That this release was not tried with its agent's version, and what that means, in a sentence.
    #[serde(default)]
    pub untested: Option<String>,
    /// What it may spend and how much of it is used; none where nothing limits it.
    #[serde(default)]
    pub budget: Option<BudgetView>,
    /// Whether it is a demo: its model is scripted and runs inside the daemon, and no account is used.
    #[serde(default)]
    pub demo: bool,
    /// When it was created, in milliseconds since 1970.
    pub created_ms: u64,
    /// When the agent last sent or received something, in milliseconds since 1970.
    pub last_activity_ms: Option<u64>,
    /// What the person should know about this session, one sentence each.
    #[serde(default)]
    pub notices: Vec<String>,
    /// The limits that hold, one phrase each ("memory 8 GiB", "pids 4096").
    #[serde(default)]
    pub limits: Vec<String>,
}

impl Session {
    /// Says how it is in a word or a short sentence; of a running one what its agent does.
    pub fn word(&self) -> String {
        let word = match &self.state {
            State::Running => self.status.activity.word().to_owned(),
            State::Exited { code } => format!("exited ({code})"),
            State::Failed { reason } => format!("failed: {reason}"),
            State::Unknown { reason } => format!("unknown: {reason}"),
            other => other.as_str().to_owned(),
        };
        match self.standing {
            Standing::Archived => format!("archived, {word}"),
            Standing::Ready => format!("{word}, ready for review"),
            _ => word,
        }
    }

    /// Says on what its agent works, or else the last that is known of it.
    pub fn line(&self) -> Option<&str> {
        let detail = self.status.activity.detail();
        let held = self
            .budget
            .as_ref()
            .is_some_and(|budget| budget.held.is_some());
        let running = self.state == State::Running && !held;
        detail.filter(|_| running).or(self.last_line.as_deref())
    }
}

/// A session that was made, and what the person should know about it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Created {
    /// The session.
    pub session: Session,
    /// One sentence each: a converted name, the runtime chosen, credentials that differ.
    pub notices: Vec<String>,
}

/// One line of the answer to a creation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum CreateLine {
    /// A step has begun.
    Progress {
        /// What is being done, for a person.
        message: String,
    },
    /// The session is there; the last line.
    Created(Box<Created>),
    /// It is not, and nothing is left of it; the last line.
    Error(Error),
}
