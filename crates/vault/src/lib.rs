//! Where credentials live on the host, and the one type that carries them.
//!
//! A credential is looked up by its name, late, and dropped early. This crate must never print, log, store or serialise one, and
//! must never know who asks: that is the policy's affair.

mod environment;
mod files;
mod keychain;
mod known;
mod login_shell;
mod secret;
mod shape;

use serde::{Deserialize, Serialize};

pub use environment::{Environment, fingerprint_of};
pub use files::Files;
pub use keychain::{Keychain, KeychainError, KeychainState};
pub use known::{KNOWN, Known, known};
pub use login_shell::{LoginShell, LoginShellError, Shell};
pub use secret::Secret;
pub use shape::mistaken;

/// Where a credential comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// The environment that the daemon was started with.
    Environment,
    /// The environment that the person's login shell makes.
    Shell,
    /// The system's keychain.
    Keychain,
    /// A file below `secrets/`.
    File,
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Source::Environment => "environment",
            Source::Shell => "shell environment",
            Source::Keychain => "keychain",
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
    /// The file cannot be made, replaced or removed.
    #[error("cannot change the credential \"{name}\" in {place}: {reason}")]
    Unwritable {
        /// The credential's name.
        name: String,
        /// The folder.
        place: String,
        /// The reason.
        reason: String,
    },
    /// The keychain does not give what it holds.
    #[error("the keychain does not give the credential \"{name}\": {reason}")]
    Keychain {
        /// The credential's name.
        name: String,
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

    /// Says where exactly it keeps a credential, in words.
    fn place(&self, name: &str) -> String {
        let _ = name;
        self.source().to_string()
    }

    /// Looks a credential up by its name.
    ///
    /// # Errors
    /// Fails where the credential is there and cannot be used; one that is absent is `None`.
    fn lookup(&self, name: &str) -> Result<Option<Secret>, VaultError>;
}

impl<V: Vault + ?Sized> Vault for std::sync::Arc<V> {
    fn source(&self) -> Source {
        (**self).source()
    }

    fn place(&self, name: &str) -> String {
        (**self).place(name)
    }

    fn lookup(&self, name: &str) -> Result<Option<Secret>, VaultError> {
        (**self).lookup(name)
    }
}

/// A credential's name is a file name of small letters, digits and underscores: it never leads out of a folder.
pub fn is_name(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

/// One place that holds a credential, or has it and cannot give it.
pub struct Holding {
    /// Which place.
    pub source: Source,
    /// Where exactly, in words.
    pub place: String,
    /// The value, or why it cannot be used.
    pub value: Result<Secret, VaultError>,
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

    /// Gives every place that holds a credential, the one in use first.
    pub fn holdings(&self, name: &str) -> Vec<Holding> {
        let held = |vault: &dyn Vault| {
            let value = vault.lookup(name).transpose()?;
            Some(Holding {
                source: vault.source(),
                place: vault.place(name),
                value,
            })
        };
        self.vaults
            .iter()
            .filter_map(|vault| held(vault.as_ref()))
            .collect()
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
