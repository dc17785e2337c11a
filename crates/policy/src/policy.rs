//! A session's policy: its posture, the person's grants, and whom it is for.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::host::Host;
use crate::routes::Routes;

/// How wide a session's egress is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "lowercase")]
pub enum Posture {
    /// The model's routes alone.
    Locked,
    /// The model, the session's repository, and the public read paths of code and package hosts.
    #[default]
    Balanced,
    /// Any public https host, without a credential.
    Open,
}

impl fmt::Display for Posture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Posture::Locked => "locked",
            Posture::Balanced => "balanced",
            Posture::Open => "open",
        })
    }
}

/// Says that a word is none of the postures.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is not a policy: use locked, balanced or open")]
pub struct UnknownPosture(pub String);

impl FromStr for Posture {
    type Err = UnknownPosture;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        match word {
            "locked" => Ok(Posture::Locked),
            "balanced" => Ok(Posture::Balanced),
            "open" => Ok(Posture::Open),
            other => Err(UnknownPosture(other.to_owned())),
        }
    }
}

/// The GitHub repository that a session works on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repository {
    /// The account or organisation.
    pub owner: String,
    /// The repository's name, without `.git`.
    pub name: String,
}

/// Whom a policy is for.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Subject {
    /// The agent's word: `claude` or `codex`.
    pub agent: String,
    /// The session's own repository on GitHub, where it has one.
    pub repository: Option<Repository>,
}

/// A host that the person allowed for this session. It never carries a credential.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// The allowed host.
    pub host: Host,
    /// The allowed port.
    pub port: u16,
}

/// Everything that decides what one session may send.
#[derive(Debug, Clone)]
pub struct Policy {
    /// How wide the session's egress is.
    pub posture: Posture,
    /// The table of routes.
    pub routes: Arc<Routes>,
    /// The person's grants.
    pub grants: Vec<Grant>,
    /// Whom it is for.
    pub subject: Subject,
}

impl Policy {
    pub(crate) fn grants(&self, host: &Host, port: u16) -> bool {
        self.grants
            .iter()
            .any(|grant| grant.host == *host && grant.port == port)
    }
}
