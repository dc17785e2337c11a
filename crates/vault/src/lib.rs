//! Where credentials live on the host, and the one type that carries them.
//!
//! A credential is looked up by its name, late, and dropped early. This crate must never print, log, store or serialise one, and
//! must never know who asks: that is the policy's affair.

mod environment;
mod files;
mod known;
mod secret;

use serde::{Deserialize, Serialize};

pub use environment::{Environment, fingerprint_of};
pub use files::Files;
pub use known::{KNOWN, Known, known};
pub use secret::Secret;

/// Where a credential comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// The environment that the daemon was started with.
    Environment,
    /// A file below `secrets/`.
    File,
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Source::Environment => "environment",
            Source::File => "file",
        })
    }
}

/// Why a credential that is there cannot be used. No variant holds a credential's bytes.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// Others can read the file, so that it is no secret.
    #[error("{path} can be read by others (mode {mode:04o}): run `chmod {fix} {path}`")]
    Exposed {
        /// The file or folder.
        path: String,
        /// Its mode.
        mode: u32,
        /// The mode that it should have.
        fix: &'static str,
    },
    /// The file cannot be opened or is not what it should be.
    #[error("cannot read the credential \"{name}\" from {place}: {reason}")]
    Unreadable {
        /// The credential's name.
        name: String,
        /// The file.
        place: String,
        /// The reason.
        reason: String,
    },
    /// The value cannot be sent as a credential.
    #[error("the credential \"{name}\" from {place} cannot be used: {reason}")]
    Unusable {
        /// The credential's name.
        name: String,
        /// The file or variable.
        place: String,
        /// The reason.
        reason: &'static str,
    },
}

/// A place that holds credentials.
pub trait Vault: Send + Sync {
    /// Says which place it is.
    fn source(&self) -> Source;

    /// Looks a credential up by its name.
    ///
    /// # Errors
    /// Fails where the credential is there and cannot be used; one that is absent is `None`.
    fn lookup(&self, name: &str) -> Result<Option<Secret>, VaultError>;
}

/// All places that hold credentials, the most important first.
pub struct Vaults {
    vaults: Vec<Box<dyn Vault>>,
}

/// A credential's name with the place that would give it, or the reason why none can.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// The credential's name.
    pub name: String,
    /// The place that holds it, where one does.
    pub source: Option<Source>,
    /// Why it cannot be used, where it is there and cannot.
    pub problem: Option<String>,
}

impl Vaults {
    /// Makes one of many, the most important first.
    pub fn new(vaults: Vec<Box<dyn Vault>>) -> Self {
        Vaults { vaults }
    }

    /// Looks a credential up in each place in turn.
    ///
    /// # Errors
    /// Fails at the first place that has it and cannot give it: a less important one must not silently take its part.
    pub fn lookup(&self, name: &str) -> Result<Option<(Source, Secret)>, VaultError> {
        for vault in &self.vaults {
            if let Some(secret) = vault.lookup(name)? {
                return Ok(Some((vault.source(), secret)));
            }
        }
        Ok(None)
    }

    /// Says for each known credential where it would come from. Values are dropped at once.
    pub fn sources(&self) -> Vec<Held> {
        KNOWN.iter().map(|known| self.held(known.name)).collect()
    }

    fn held(&self, name: &str) -> Held {
        let (source, problem) = match self.lookup(name) {
            Ok(found) => (found.map(|(source, _)| source), None),
            Err(error) => (None, Some(error.to_string())),
        };
        Held {
            name: name.to_owned(),
            source,
            problem,
        }
    }
}

#[cfg(test)]
mod tests;
