//! What `session.json` holds: everything that is known of a session and cannot be asked from its sandbox.

use std::path::PathBuf;

use clauderon_policy::{Grant, Posture, Repository};
use clauderon_session::{Lifecycle, Spec};
use clauderon_transcript::Budget;
use serde::{Deserialize, Serialize};

/// A session as it is remembered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// What was asked for.
    pub spec: Spec,
    /// Its state when it was last written.
    pub life: Lifecycle,
    /// How wide its egress is.
    #[serde(default)]
    pub posture: Posture,
    /// The hosts that the person allowed for it.
    #[serde(default)]
    pub grants: Vec<Grant>,
    /// The version of its agent that was started last; none before the first start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_version: Option<String>,
    /// What it may spend; none where nothing limits it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<Budget>,
    /// Its repository on GitHub, by the remote it had when it was created.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub github: Option<Repository>,
    /// The container's id. A container whose id stands in no record is not ours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container: Option<String>,
    /// The socket of the engine that made the container.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub engine: Option<PathBuf>,
    /// Whether its upstreams are played inside the daemon, so that it has no account.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub demo: bool,
    /// The user and group inside the sandbox.
    pub user: (u32, u32),
    /// The limits that hold for its sandbox, in words; empty until the sandbox is made.
    #[serde(default)]
    pub limits: Vec<String>,
    /// What the person was told when it was made, one sentence each.
    #[serde(default)]
    pub notices: Vec<String>,
    /// Whether the agent was given a prompt, and so is expected to work.
    #[serde(default)]
    pub prompted: bool,
    /// What the person decided about its place in their list.
    #[serde(default)]
    pub shelf: Shelf,
    /// What is known of its turns.
    #[serde(default)]
    pub turn: Turn,
    /// When it was deleted; only of a session in the trash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted: Option<Deleted>,
}

/// What a person decides about a session's place in their list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Shelf {
    /// What they call it, where that is not its name.
    pub title: Option<String>,
    /// Whether it stands at the top of its group.
    pub pinned: bool,
    /// Whether it may notify.
    pub notify: bool,
    /// When they put it away, in milliseconds since 1970.
    pub archived_ms: Option<u64>,
    /// When they last looked at it, in milliseconds since 1970.
    pub seen_ms: Option<u64>,
}

impl Default for Shelf {
    fn default() -> Self {
        Self {
            title: None,
            pinned: false,
            notify: true,
            archived_ms: None,
            seen_ms: None,
        }
    }
}

/// What is known of an agent's turns.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Turn {
    /// Whether one is under way.
    pub busy: bool,
    /// When the last one finished, in milliseconds since 1970.
    pub finished_ms: Option<u64>,
    /// The last line that the agent gave its terminal as a title, cleaned.
    pub line: Option<String>,
}

impl Record {
    /// Says whether something was finished that the person has not looked at.
    pub fn is_unseen(&self) -> bool {
        self.turn.finished_ms > self.shelf.seen_ms
    }
}

/// A session's time in the trash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deleted {
    /// When it was deleted, in milliseconds since 1970.
    pub at_ms: u64,
    /// Whether its sandbox is known to be gone.
    #[serde(default)]
    pub cleared: bool,
    /// Its size in bytes, once it was counted.
    #[serde(default)]
    pub bytes: Option<u64>,
}
