//! Credentials in environment variables, as they were when the process started.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::known::{KNOWN, known};
use crate::{Secret, Source, Vault, VaultError};

/// The variables that hold known credentials, taken once.
pub struct Environment {
    source: Source,
    variables: BTreeMap<&'static str, Zeroizing<String>>,
}

impl Environment {
    /// Takes the known variables of this process.
    pub fn capture() -> Self {
        Self::from_lookup(|name| std::env::var(name).ok())
    }

    /// Takes the known variables from a lookup.
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Self {
        Self::of(Source::Environment, lookup)
    }

    /// Takes the known variables from a lookup in this place.
    pub(crate) fn of(source: Source, lookup: impl Fn(&str) -> Option<String>) -> Self {
        let variables = KNOWN
            .iter()
            .flat_map(|known| known.variables)
            .filter_map(|name| Some((*name, Zeroizing::new(lookup(name)?))))
            .filter(|(_, value)| !value.trim().is_empty())
            .collect();
        Environment { source, variables }
    }

    /// The first variable of a credential that is set.
    fn variable(&self, name: &str) -> Option<(&'static str, &Zeroizing<String>)> {
        let variables = known(name).map_or(&[][..], |known| known.variables);
        variables
            .iter()
            .find_map(|variable| Some((*variable, self.variables.get(variable)?)))
    }

    /// Gives each variable that is set with a salted SHA-256 of its value, so that two processes can compare without showing.
    pub fn fingerprint(&self, salt: &[u8]) -> BTreeMap<String, String> {
        self.variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), fingerprint_of(salt, name, value)))
            .collect()
    }

    /// Names the variables that the other process has set and this one has not, or has set otherwise, in alphabetical order.
    pub fn differing(&self, salt: &[u8], theirs: &BTreeMap<String, String>) -> Vec<String> {
        let ours = self.fingerprint(salt);
        theirs
            .iter()
            .filter(|(name, hash)| ours.get(*name) != Some(*hash))
            .map(|(name, _)| name.clone())
            .collect()
    }
}

/// Shows the names alone.
impl std::fmt::Debug for Environment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.variables.keys()).finish()
    }
}

/// Gives the salted SHA-256 of one variable, in hexadecimal.
pub fn fingerprint_of(salt: &[u8], name: &str, value: &str) -> String {
    let mut hash = Sha256::new();
    // Lengths keep two different splits of the same bytes apart.
    for part in [salt, name.as_bytes(), value.trim().as_bytes()] {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    hash.finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

impl Vault for Environment {
    fn source(&self) -> Source {
        self.source
    }

    fn place(&self, name: &str) -> String {
        let what = match self.source {
            Source::Shell => "shell environment",
            _ => "environment",
        };
        match self.variable(name) {
            Some((variable, _)) => format!("{what} variable {variable}"),
            None => what.to_owned(),
        }
    }

    fn lookup(&self, name: &str) -> Result<Option<Secret>, VaultError> {
        let Some((variable, value)) = self.variable(name) else {
            return Ok(None);
        };
        let unusable = |reason| VaultError::Unusable {
            name: name.to_owned(),
            place: format!("the variable {variable}"),
            reason,
        };
        if value.starts_with("op://") {
            return Err(unusable(
                "it is a 1Password reference, which this release does not read",
            ));
        }
        // A sandbox inside a sandbox has placeholders; sending one would only give a puzzling 401.
        if KNOWN
            .iter()
            .any(|known| known.placeholder == Some(value.trim()))
        {
            return Err(unusable(
                "it is the placeholder that stands for a credential inside a sandbox",
            ));
        }
        Secret::new(value.trim().to_owned())
            .map(Some)
            .map_err(unusable)
    }
}
