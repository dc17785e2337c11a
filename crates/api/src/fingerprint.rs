//! Salted hashes of credentials in the caller's environment, so that the daemon can say where they
//! differ from its own without either side sending a value.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The hashes of one caller, under a salt made for one request.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprints {
    /// The salt, in hexadecimal.
    pub salt: String,
    /// Environment variable to hash; a variable that the caller lacks is absent.
    pub values: BTreeMap<String, String>,
}

impl Fingerprints {
    /// Hashes `values` (environment variable, value) under a fresh salt.
    pub fn of<'a>(values: impl IntoIterator<Item = (&'a str, &'a str)>) -> Fingerprints {
        let mut salt = [0u8; 16];
        getrandom::fill(&mut salt).expect("the kernel hands out random bytes");
        let salt = hex(&salt);
        let values = values
            .into_iter()
            .map(|(name, value)| (name.to_owned(), digest(&salt, name, value)))
            .collect();
        Fingerprints { salt, values }
    }

    /// Says whether the caller has a value for `variable` and it is not `ours`.
    pub fn differs(&self, variable: &str, ours: Option<&str>) -> bool {
        let Some(theirs) = self.values.get(variable) else {
            return false;
        };
        ours.is_none_or(|ours| digest(&self.salt, variable, ours) != *theirs)
    }
}

fn digest(salt: &str, name: &str, value: &str) -> String {
    let mut hash = Sha256::new();
    for part in [salt, name, value] {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    hex(&hash.finalize())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_another_value_from_the_same_one() {
        let theirs = Fingerprints::of([("TOKEN", "a")]);
        assert!(!theirs.differs("TOKEN", Some("a")));
        assert!(theirs.differs("TOKEN", Some("b")));
        assert!(theirs.differs("TOKEN", None));
        assert!(!theirs.differs("OTHER", Some("b")));
    }
}
