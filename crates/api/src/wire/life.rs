//! A session's life beyond start and stop: its place in the list, its trash, its health and what it holds.

use serde::{Deserialize, Serialize};

use super::Posture;

/// What to change of a session. What is `None` stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(default, deny_unknown_fields)]
pub struct UpdateSession {
    /// What a person calls it; empty to go back to the name. The branch keeps its name.
    pub title: Option<String>,
    /// Whether it stands at the top of its group.
    pub pinned: Option<bool>,
    /// Whether it may notify.
    pub notify: Option<bool>,
    /// How much the sandbox may reach, from its next request on.
    pub posture: Option<Posture>,
    /// Whether the person has looked at it: with true what it finished is no news any more.
    pub seen: Option<bool>,
}

/// A deleted session that can come back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct TrashRow {
    /// The session's identifier.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What the person called it.
    pub title: Option<String>,
    /// When it was deleted, in milliseconds since 1970.
    pub deleted_ms: u64,
    /// When it goes for good, in milliseconds since 1970.
    pub until_ms: u64,
    /// Its size in bytes.
    pub bytes: u64,
}

/// All there is to know about one session besides its state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct SessionInfo {
    /// What its sandbox sees of this machine.
    pub mounts: Vec<MountRow>,
    /// The credentials that the proxy may set for it; names only.
    pub credentials: Vec<SessionCredential>,
    /// What the sandbox holds in a credential's place, and why it is worthless.
    pub placeholders: Vec<String>,
    /// How it is isolated, in one sentence.
    pub isolation: String,
    /// What it uses now.
    pub usage: Usage,
    /// Whether it is well.
    pub health: Health,
}

/// Something of this machine that a sandbox sees.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct MountRow {
    /// Where it is here.
    pub source: String,
    /// Where it is inside.
    pub target: String,
    /// Whether the agent can write it.
    pub writable: bool,
}

/// A credential that the proxy may set for a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct SessionCredential {
    /// Its name.
    pub name: String,
    /// The hosts that it is set for.
    pub hosts: Vec<String>,
    /// Where the value would come from now; none where there is none.
    pub source: Option<String>,
}

/// What a session uses. What cannot be measured is `None`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Usage {
    /// Memory in bytes.
    pub memory_bytes: Option<u64>,
    /// Processor time since the start, in milliseconds.
    pub cpu_ms: Option<u64>,
    /// Processes.
    pub processes: Option<u64>,
    /// Bytes of its folder on the disk.
    pub disk_bytes: Option<u64>,
}

/// Whether a session is well, and what can be done where it is not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Health {
    /// Whether all is well.
    pub ok: bool,
    /// How it is, in one sentence.
    pub sentence: String,
    /// What can be done, the most useful first.
    pub actions: Vec<HealthAction>,
}

/// Something that mends a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "lowercase")]
pub enum HealthAction {
    /// Start it again.
    Start,
    /// Make its sandbox anew around the same work.
    Recreate,
    /// Pull its work and delete it.
    CleanUp,
}
