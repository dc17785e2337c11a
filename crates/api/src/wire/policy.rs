//! What a session may reach, what it was refused, and the audit of both.

use serde::{Deserialize, Serialize};

use super::Posture;

/// A session's policy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct PolicyView {
    /// The preset.
    pub posture: Posture,
    /// Hosts granted on top of it.
    pub grants: Vec<GrantRow>,
    /// What was refused lately, newest first.
    pub refused: Vec<RefusedRow>,
}

/// A host that a person granted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct GrantRow {
    /// The host.
    pub host: String,
    /// The port.
    pub port: u16,
    /// Whether every later session has it too.
    pub always: bool,
}

/// A refusal; equal ones are counted together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct RefusedRow {
    /// When it last happened, in milliseconds since 1970.
    pub at_ms: u64,
    /// How often it happened.
    pub count: u32,
    /// The refusal's code, as the agent saw it.
    pub code: String,
    /// The host.
    pub host: String,
    /// The port.
    pub port: u16,
    /// The method, where a request was read.
    pub method: Option<String>,
    /// The path, where a request was read.
    pub path: Option<String>,
    /// The rule that refused it, where one did.
    pub rule: Option<String>,
    /// What the person can do.
    pub hint: Option<String>,
}

/// A grant to make.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct AllowHost {
    /// `host` or `host:port`.
    pub host: String,
    /// Whether every later session gets it too.
    #[serde(default)]
    pub always: bool,
}

/// Which audit records to send.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct AuditQuery {
    /// Only this session's, by name or identifier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// The last so many; the daemon's default where `None`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub n: Option<usize>,
    /// Whether to go on with each new record.
    #[serde(default)]
    pub follow: bool,
}

/// One audit record.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(default)]
pub struct AuditRow {
    /// Its number in the chain.
    pub seq: u64,
    /// When, as RFC 3339 in UTC.
    pub at: String,
    /// `decision`, `close`, `refusal`, `tunnel`, `recovered`.
    pub kind: String,
    /// Links the records of one request.
    pub id: String,
    /// The session's identifier.
    pub session: String,
    /// The host.
    pub host: String,
    /// The port.
    pub port: u16,
    /// The method.
    pub method: String,
    /// The path, without its query.
    pub path: String,
    /// The name of the credential that was set; never its value.
    pub auth_injected: Option<String>,
    /// What was decided.
    pub decision: String,
    /// The rule that decided.
    pub rule: String,
    /// A refusal's code, or one sentence on what happened.
    pub note: String,
    /// The upstream's status.
    pub status: Option<u16>,
    /// Bytes sent up.
    pub bytes_up: u64,
    /// Bytes received.
    pub bytes_down: u64,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
}

/// What a check of the audit log found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct AuditReport {
    /// Whether the chain is whole.
    pub ok: bool,
    /// How many records were read.
    pub records: u64,
    /// Whether the head's signature was checked too.
    pub anchored: bool,
    /// What is wrong or worth saying, one sentence each.
    pub findings: Vec<String>,
}
