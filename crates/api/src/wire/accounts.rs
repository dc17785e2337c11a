//! Credentials as a person manages them: where each comes from and whether it works. A value travels only towards the
//! daemon, never back.

use serde::{Deserialize, Serialize};

/// All accounts, and the state of the keychain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct AccountsView {
    /// One row a credential that the product knows.
    pub accounts: Vec<Account>,
    /// The system's keychain.
    pub keychain: Keychain,
}

/// One credential.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Account {
    /// Its name in the vault, such as `anthropic_oauth_token`.
    pub name: String,
    /// What a person calls it, such as "Claude subscription".
    pub label: String,
    /// What it is for, in one sentence.
    pub purpose: String,
    /// Where the value in use comes from, in words ("keychain", "environment variable GITHUB_TOKEN"); none where there is none.
    pub source: Option<String>,
    /// Other places that hold a value and are not used, in words.
    #[serde(default)]
    pub shadowed: Vec<String>,
    /// Whether the value in use lies where this app may replace and remove it.
    pub editable: bool,
    /// Whether a sign-in can fetch it.
    pub sign_in: bool,
    /// When it expires, in milliseconds since 1970, where that is known.
    pub expires_ms: Option<u64>,
    /// What is wrong or worth knowing, in one sentence.
    pub problem: Option<String>,
    /// The last live check of the value in use.
    pub checked: Option<AccountCheck>,
}

/// What a live check of a credential found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct AccountCheck {
    /// When, in milliseconds since 1970.
    pub at_ms: u64,
    /// Whether the service took it.
    pub ok: bool,
    /// In one sentence.
    pub sentence: String,
    /// Why it reaches further than one repository, in one sentence, where it does.
    pub wide: Option<String>,
}

/// How the system's keychain is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(tag = "state", rename_all = "lowercase")]
pub enum Keychain {
    /// It answers.
    Open {
        /// What the system calls it.
        name: String,
    },
    /// It is there, and locked.
    Locked {
        /// What the person can do.
        hint: String,
    },
    /// There is none.
    Absent {
        /// What the person can do.
        hint: String,
    },
}

/// A value to keep.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct SaveAccount {
    /// The value. Never logged: this type shows only the place when it is printed.
    pub value: String,
    /// Where to keep it.
    pub place: Place,
}

impl Drop for SaveAccount {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.value);
    }
}

impl std::fmt::Debug for SaveAccount {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SaveAccount")
            .field("place", &self.place)
            .finish_non_exhaustive()
    }
}

/// Where a value is kept. The person chooses; nothing falls back to a file by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "lowercase")]
pub enum Place {
    /// The system's keychain.
    Keychain,
    /// A file in `secrets/`, readable by its owner alone.
    File,
}

/// The end of a sign-in, the last text frame of its stream. Before it, binary frames carry the program's output, from which
/// every credential has been taken out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum SignInText {
    /// A page to open in the person's browser.
    Link {
        /// Its address, `https` only.
        url: String,
    },
    /// The credential is kept.
    Done {
        /// In which account.
        name: String,
    },
    /// It is not.
    Error(crate::Error),
}
