//! A session as callers see it, and what it takes to create one.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{Agent, Attention, Backend, Mode, Posture, State};
use crate::error::Error;
use crate::fingerprint::Fingerprints;

/// What a person asks for when creating a session. What is `None` the daemon decides.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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
    /// The caller's credentials in its environment, hashed, to notice that the daemon has others.
    #[serde(default)]
    pub credential_fingerprints: Option<Fingerprints>,
}

/// A session as it is now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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
    /// What the agent is doing, as far as its traffic tells.
    pub attention: Attention,
    /// How much the sandbox may reach.
    pub posture: Posture,
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

/// A session that was made, and what the person should know about it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Created {
    /// The session.
    pub session: Session,
    /// One sentence each: a converted name, the runtime chosen, credentials that differ.
    pub notices: Vec<String>,
}

/// One line of the answer to a creation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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
