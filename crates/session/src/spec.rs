//! What was asked for when a session was created. It never changes afterwards and holds no secret.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{SessionId, SessionName};

/// A word that is none of the expected ones.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{word:?} is not {what}; it is one of {known}")]
pub struct UnknownWord {
    /// What was given.
    pub word: String,
    /// What it should have been: "an agent", "a backend", "a mode".
    pub what: &'static str,
    /// The words that are known.
    pub known: &'static str,
}

/// Defines an enum whose variants are one lower-case word each, everywhere the same.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident, $what:literal, $known:literal { $($(#[$vdoc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
        #[serde(rename_all = "lowercase")]
        pub enum $name { $($(#[$vdoc])* $variant),+ }

        impl $name {
            /// Lists every variant.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// Returns the word that stands for it in commands, files and the API.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = UnknownWord;

            fn from_str(word: &str) -> Result<Self, UnknownWord> {
                match word {
                    $($word => Ok(Self::$variant),)+
                    _ => Err(UnknownWord { word: word.chars().take(40).collect(), what: $what, known: $known }),
                }
            }
        }
    };
}

words! {
    /// The coding agent that works in a session.
    Agent, "an agent", "claude, codex" {
        /// Claude Code.
        Claude = "claude",
        /// The Codex CLI.
        Codex = "codex",
    }
}

impl Agent {
    /// Returns the product's own name, for people.
    pub fn title(self) -> &'static str {
        match self {
            Self::Claude => "Claude Code",
            Self::Codex => "Codex",
        }
    }
}

words! {
    /// What a session's sandbox is made with.
    Backend, "a backend", "docker, bubblewrap" {
        /// A container of a Docker-compatible engine.
        Docker = "docker",
        /// Linux namespaces by bubblewrap, without any engine.
        Bubblewrap = "bubblewrap",
        /// No sandbox at all; for tests of the parts above it.
        Fake = "fake",
    }
}

words! {
    /// How the agent meets its person.
    Mode, "a mode", "interactive, print" {
        /// On a terminal, for as long as the person likes.
        Interactive = "interactive",
        /// One prompt by three pipes; it ends with the agent's own exit code.
        Print = "print",
    }
}

/// What was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spec {
    /// Identifies the session for ever.
    pub id: SessionId,
    /// What the person calls it.
    pub name: SessionName,
    /// The agent that works in it.
    pub agent: Agent,
    /// What its sandbox is made with.
    pub backend: Backend,
    /// How the agent meets its person.
    pub mode: Mode,
    /// The image of a container; none for the default one and for bubblewrap.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// The model asked for; none for the agent's own default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The root of the person's repository on the host.
    pub repository: PathBuf,
    /// The commit from which the session's branch started.
    pub base: String,
    /// The branch on which it works.
    pub branch: String,
    /// When it was created, in milliseconds since 1970.
    pub created_ms: u64,
    /// The agent's own id of the conversation: a UUID, chosen by us so that it can be resumed.
    pub agent_session: String,
    /// The conversation that it began as a copy of; none where it began with nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub copy_of: Option<String>,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn words_are_the_same_in_commands_and_files() {
        for agent in Agent::ALL {
            assert_eq!(
                serde_json::to_string(agent).unwrap(),
                format!("\"{agent}\"")
            );
            assert_eq!(agent.as_str().parse::<Agent>().unwrap(), *agent);
        }
        for backend in Backend::ALL {
            assert_eq!(
                serde_json::to_string(backend).unwrap(),
                format!("\"{backend}\"")
            );
            assert_eq!(backend.as_str().parse::<Backend>().unwrap(), *backend);
        }
        for mode in Mode::ALL {
            assert_eq!(serde_json::to_string(mode).unwrap(), format!("\"{mode}\""));
            assert_eq!(mode.as_str().parse::<Mode>().unwrap(), *mode);
        }
    }

    #[test]
    fn an_unknown_word_names_the_known_ones() {
        let error = "gpt".parse::<Agent>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "\"gpt\" is not an agent; it is one of claude, codex"
        );
    }
}
