//! The identifier of a session: short enough that a socket path below its folder fits in 107 bytes.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

const LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// Ten characters of `[a-z2-7]`: fifty bits, safe in paths, host names and labels.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SessionId([u8; SessionId::LENGTH]);

/// Why a text is not a session id.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0:?} is not a session id (10 characters of a–z and 2–7)")]
pub struct IdError(String);

impl SessionId {
    /// The number of characters in every id.
    pub const LENGTH: usize = 10;

    /// Makes an id of random bytes; five bits of each are used.
    pub fn from_random(random: [u8; Self::LENGTH]) -> Self {
        Self(random.map(|byte| LETTERS[usize::from(byte & 31)]))
    }

    /// Returns the id as text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("an id is made of ASCII letters only")
    }
}

impl FromStr for SessionId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        match <[u8; Self::LENGTH]>::try_from(text.as_bytes()) {
            Ok(bytes) if bytes.iter().all(|byte| LETTERS.contains(byte)) => Ok(Self(bytes)),
            _ => Err(IdError(text.chars().take(40).collect())),
        }
    }
}

impl TryFrom<String> for SessionId {
    type Error = IdError;

    fn try_from(text: String) -> Result<Self, IdError> {
        text.parse()
    }
}

impl From<SessionId> for String {
    fn from(id: SessionId) -> Self {
        id.as_str().to_owned()
    }
}

impl AsRef<str> for SessionId {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SessionId({self})")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn random_bytes_give_an_id_that_parses_back() {
        let id = SessionId::from_random([0, 1, 25, 26, 31, 32, 63, 255, 128, 7]);
        assert_eq!(id.as_str(), "abz27a77ah");
        assert_eq!(id.as_str().parse::<SessionId>().unwrap(), id);
        assert_eq!(format!("{id:<12}|"), "abz27a77ah  |");
    }

    #[test]
    fn refuses_anything_else() {
        for text in [
            "",
            "abc",
            "ABCDEFGHIJ",
            "abcdefghi1",
            "abcdefghijk",
            "../abcdefg",
            "abcdefghé",
        ] {
            assert!(text.parse::<SessionId>().is_err(), "{text}");
        }
    }

    #[test]
    fn is_a_plain_string_in_json() {
        let id: SessionId = serde_json::from_str("\"abcdefgh27\"").unwrap();
        assert_eq!(serde_json::to_string(&id).unwrap(), "\"abcdefgh27\"");
        assert!(serde_json::from_str::<SessionId>("\"../../etc/\"").is_err());
    }
}
