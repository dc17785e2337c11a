//! What `session.json` holds: everything that is known of a session and cannot be asked from its sandbox.

use clauderon_policy::{Grant, Posture, Repository};
use clauderon_session::{Lifecycle, Spec};
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
    /// Its repository on GitHub, by the remote it had when it was created.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub github: Option<Repository>,
    /// The container's id. A container whose id stands in no record is not ours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container: Option<String>,
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
}
