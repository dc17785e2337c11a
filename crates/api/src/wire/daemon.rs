//! The daemon itself: who it is, what it needs, how it is configured.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{Agent, Fix};

/// Who answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct DaemonInfo {
    /// Its version.
    pub version: String,
    /// Its process.
    pub pid: u32,
    /// Its home folder.
    pub home: PathBuf,
    /// When it started, in milliseconds since 1970.
    pub started_ms: u64,
}

/// A link for a browser on this machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct WebLink {
    /// The whole address; it signs one browser in, once, within ten minutes.
    pub url: String,
}

/// What `doctor` found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct DoctorReport {
    /// One row a check.
    pub checks: Vec<Check>,
}

/// One check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Check {
    /// What was checked, in a word or two.
    pub check: String,
    /// How it is.
    pub status: Status,
    /// What was found, in one sentence.
    pub detail: String,
    /// What to do, where it is not well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
    /// The repair that the daemon can do itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repair: Option<Fix>,
}

/// How a check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Well.
    Ok,
    /// Works, with something missing.
    Warn,
    /// Sessions cannot run.
    Fail,
}

/// The agents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct AgentsView {
    /// One row an agent.
    pub agents: Vec<AgentView>,
}

/// One agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct AgentView {
    /// Which.
    pub agent: Agent,
    /// The version that this release pins.
    pub version: String,
    /// Where it is installed, if it is.
    pub installed: Option<PathBuf>,
}

/// The configuration in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct ConfigView {
    /// Each setting, its value and where the value comes from.
    pub settings: Vec<Setting>,
    /// Each file and folder in use.
    pub paths: Vec<PathRow>,
    /// Each known credential and where it comes from; never its value.
    pub credentials: Vec<CredentialRow>,
}

/// A setting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Setting {
    /// Its key.
    pub key: String,
    /// Its value, as the file would spell it.
    pub value: String,
    /// `default`, a file, or an environment variable.
    pub source: String,
}

/// A file or folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct PathRow {
    /// What it is.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
}

/// A credential's place, never its value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct CredentialRow {
    /// Its name.
    pub name: String,
    /// The environment variables that can hold it.
    pub variables: Vec<String>,
    /// Where it comes from; `None` where no source has it.
    pub source: Option<String>,
    /// What is wrong with a source, in one sentence.
    pub problem: Option<String>,
}

/// A repository of an earlier session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct RecentRepository {
    /// Its root.
    pub path: PathBuf,
    /// When a session was last created on it, in milliseconds since 1970.
    pub last_used_ms: u64,
}
