//! What checks and sign-ins found out about the values in use, kept over a restart so that an end is warned of in time.
//!
//! A value is recognised by a salted hash; the file holds nothing else of it, and can be deleted at any time.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use clauderon_api::AccountCheck;
use clauderon_vault::Secret;
use serde::{Deserialize, Serialize};

/// What is known of one value.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    hash: String,
    /// The last check.
    pub check: Option<AccountCheck>,
    /// When the value ends, in milliseconds since 1970.
    pub expires_ms: Option<u64>,
}

#[derive(Serialize, Deserialize)]
struct Facts {
    salt: String,
    facts: BTreeMap<String, Fact>,
}

/// The file and what it holds.
pub struct Seen {
    file: PathBuf,
    facts: Mutex<Facts>,
}

impl Seen {
    /// Reads the file; one that is absent or cannot be read knows nothing.
    pub fn open(file: PathBuf) -> Self {
        let read = std::fs::read(&file).ok();
        let facts = read.and_then(|text| serde_json::from_slice(&text).ok());
        let facts = facts
            .filter(|facts: &Facts| !facts.salt.is_empty())
            .unwrap_or_else(Facts::new);
        Self {
            file,
            facts: Mutex::new(facts),
        }
    }

    /// What is known of this very value.
    pub fn of(&self, name: &str, secret: &Secret) -> Fact {
        let facts = self.facts.lock().unwrap_or_else(PoisonError::into_inner);
        let hash = secret.fingerprint(facts.salt.as_bytes(), name);
        let fact = facts.facts.get(name).filter(|fact| fact.hash == hash);
        fact.cloned().unwrap_or_default()
    }

    /// Notes what was found out; a time of end that is not said again stays.
    pub fn note(
        &self,
        name: &str,
        secret: &Secret,
        check: Option<AccountCheck>,
        expires_ms: Option<u64>,
    ) {
        let before = self.of(name, secret);
        let mut facts = self.facts.lock().unwrap_or_else(PoisonError::into_inner);
        let fact = Fact {
            hash: secret.fingerprint(facts.salt.as_bytes(), name),
            check: check.or(before.check),
            expires_ms: expires_ms.or(before.expires_ms),
        };
        facts.facts.insert(name.to_owned(), fact);
        self.write(&facts);
    }

    /// Forgets a value that was removed.
    pub fn forget(&self, name: &str) {
        let mut facts = self.facts.lock().unwrap_or_else(PoisonError::into_inner);
        if facts.facts.remove(name).is_some() {
            self.write(&facts);
        }
    }

    fn write(&self, facts: &Facts) {
        let half = self.file.with_extension("new");
        let text = serde_json::to_vec(facts).expect("facts are plain JSON");
        let written = std::fs::OpenOptions::new()
            .create(true)
            .truncate(true)
            .write(true)
            .mode(0o600)
            .open(&half)
            .and_then(|mut file| file.write_all(&text))
            .and_then(|()| std::fs::rename(&half, &self.file));
        if let Err(error) = written {
            tracing::warn!(%error, "what a check found out will be forgotten with this daemon");
        }
    }
}

impl Facts {
    fn new() -> Self {
        let mut salt = [0_u8; 16];
        // Without randomness the hashes would tell values apart all the same; only guessing one would be easier.
        if getrandom::fill(&mut salt).is_err() {
            tracing::warn!("there are no random bytes");
        }
        Self {
            salt: salt.iter().map(|byte| format!("{byte:02x}")).collect(),
            facts: BTreeMap::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> Secret {
        Secret::new(text.to_owned()).unwrap()
    }

    #[test]
    fn facts_belong_to_one_value_and_survive_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("accounts.json");
        let (old, new) = (secret("ghp_old-canary"), secret("ghp_new"));
        Seen::open(file.clone()).note("github_token", &old, None, Some(7));
        let seen = Seen::open(file.clone());
        assert_eq!(seen.of("github_token", &old).expires_ms, Some(7));
        assert_eq!(seen.of("github_token", &new), Fact::default());
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(!text.contains("canary"), "{text}");
        seen.forget("github_token");
        assert_eq!(seen.of("github_token", &old), Fact::default());
        std::fs::write(&file, "junk").unwrap();
        assert_eq!(Seen::open(file).of("github_token", &old), Fact::default());
    }
}
