//! The name a person gives to a session: it becomes part of branches, host names and labels.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A name of `[a-z0-9-]{1,63}` that neither begins nor ends with a hyphen.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SessionName(String);

/// A name made of what was typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Converted {
    /// The name to use.
    pub name: SessionName,
    /// Whether it differs from what was typed, and so has to be shown.
    pub changed: bool,
}

/// Why a text is not, or cannot become, a session name.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NameError {
    /// No letter or digit remains after conversion.
    #[error("the name {0:?} has no letter a–z or digit in it; give one with --name")]
    Nothing(String),
    /// The text is not a name as it stands.
    #[error("{0:?} is not a session name (1 to 63 of a–z, 0–9 and hyphens, none at either end)")]
    Invalid(String),
}

impl SessionName {
    /// The greatest length, that of a DNS label.
    pub const MAX: usize = 63;

    /// Makes a name of anything typed: lower case, one hyphen for each run of other characters, cut at 63.
    pub fn convert(typed: &str) -> Result<Converted, NameError> {
        if let Ok(name) = typed.parse() {
            return Ok(Converted {
                name,
                changed: false,
            });
        }
        let mut name = String::new();
        for letter in typed.chars().map(|letter| letter.to_ascii_lowercase()) {
            if letter.is_ascii_alphanumeric() {
                name.push(letter);
            } else if !name.is_empty() && !name.ends_with('-') {
                name.push('-');
            }
            if name.len() == Self::MAX {
                break;
            }
        }
        let name = name.trim_end_matches('-');
        if name.is_empty() {
            return Err(NameError::Nothing(excerpt(typed)));
        }
        Ok(Converted {
            name: Self(name.to_owned()),
            changed: true,
        })
    }

    /// Returns the name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the branch on which the session works.
    pub fn branch(&self) -> String {
        format!("clauderon/{}", self.0)
    }
}

fn excerpt(typed: &str) -> String {
    typed.chars().take(80).collect()
}

impl FromStr for SessionName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let valid = (1..=Self::MAX).contains(&text.len())
            && text.bytes().all(allowed)
            && !text.starts_with('-')
            && !text.ends_with('-');
        if valid {
            Ok(Self(text.to_owned()))
        } else {
            Err(NameError::Invalid(excerpt(text)))
        }
    }
}

impl TryFrom<String> for SessionName {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        text.parse()
    }
}

impl From<SessionName> for String {
    fn from(name: SessionName) -> Self {
        name.0
    }
}

impl AsRef<str> for SessionName {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SessionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn check(typed: &str, expected: &str) {
        let converted = SessionName::convert(typed).unwrap();
        assert_eq!(converted.name.as_str(), expected, "{typed:?}");
        assert_eq!(converted.changed, typed != expected, "{typed:?}");
        assert_eq!(
            converted.name.as_str().parse::<SessionName>().unwrap(),
            converted.name
        );
    }

    #[test]
    fn converts_what_people_type() {
        check("fix-login", "fix-login");
        check("a", "a");
        check("a--b", "a--b");
        check("Fix Login", "fix-login");
        check("  Fix__the   bug!! ", "fix-the-bug");
        check("feature/ABC-123", "feature-abc-123");
        check("--print", "print");
        check("../../etc/passwd", "etc-passwd");
        check("naïve café", "na-ve-caf");
        check("v1.2.lock", "v1-2-lock");
        check("$(touch /tmp/x)", "touch-tmp-x");
        check("line\nbreak\0nul", "line-break-nul");
        check("🚀 go", "go");
        check(&"x".repeat(63), &"x".repeat(63));
        check(&"x".repeat(64), &"x".repeat(63));
        check(&format!("{} y", "x".repeat(62)), &"x".repeat(62));
    }

    #[test]
    fn refuses_a_text_without_letters() {
        for typed in ["", " ", "---", "🚀", "日本語"] {
            assert_eq!(
                SessionName::convert(typed),
                Err(NameError::Nothing(typed.to_owned()))
            );
        }
    }

    #[test]
    fn stored_names_are_checked() {
        assert!(serde_json::from_str::<SessionName>("\"../x\"").is_err());
        assert!(serde_json::from_str::<SessionName>("\"-x\"").is_err());
        assert_eq!(
            serde_json::from_str::<SessionName>("\"ok\"")
                .unwrap()
                .branch(),
            "clauderon/ok"
        );
    }
}
