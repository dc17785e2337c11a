//! The login keychain of macOS. Its own windows are turned off while it is read, so that a locked one says so at once.

use std::collections::HashMap;
use std::sync::Arc;

use apple_native_keyring_store::keychain::Store;
use keyring_core::api::CredentialStoreApi as _;
use keyring_core::{Entry, Error};
use security_framework::os::macos::keychain::SecKeychain;

use super::{KeychainError, KeychainState, SERVICE};
use crate::Secret;

const LOCKED: &str = "Unlock the login keychain in Keychain Access, or keep the value in a file that only you can read.";
/// An account that is never kept: asking for it tells whether the keychain answers.
const PROBE: &str = "probe";

/// The keychain, found when it is first needed.
#[derive(Default)]
pub(super) struct System {
    store: Option<Arc<Store>>,
}

impl System {
    /// Says how the keychain is, without showing a window.
    pub fn state(&mut self) -> KeychainState {
        match self.get(PROBE) {
            Ok(_) => KeychainState::Open("login keychain".to_owned()),
            Err(_) => KeychainState::Locked(LOCKED.to_owned()),
        }
    }

    /// A locked keychain does not say what it holds.
    pub fn holds(&mut self, _: &str) -> bool {
        true
    }

    /// Reads an item's text.
    pub fn get(&mut self, account: &str) -> Result<Option<String>, KeychainError> {
        let entry = self.entry(account)?;
        let _quiet = SecKeychain::disable_user_interaction();
        match entry.get_password() {
            Ok(text) => Ok(Some(text)),
            Err(Error::NoEntry) => Ok(None),
            Err(error) => Err(failed(&error)),
        }
    }

    /// Makes or replaces an item.
    pub fn set(&mut self, account: &str, secret: &Secret) -> Result<(), KeychainError> {
        let entry = self.entry(account)?;
        let _quiet = SecKeychain::disable_user_interaction();
        let set = entry.set_secret(secret.expose().as_bytes());
        set.map_err(|error| failed(&error))
    }

    /// Removes an item.
    pub fn remove(&mut self, account: &str) -> Result<(), KeychainError> {
        let entry = self.entry(account)?;
        let _quiet = SecKeychain::disable_user_interaction();
        match entry.delete_credential() {
            Ok(()) | Err(Error::NoEntry) => Ok(()),
            Err(error) => Err(failed(&error)),
        }
    }

    fn entry(&mut self, account: &str) -> Result<Entry, KeychainError> {
        let store = match &self.store {
            Some(store) => Arc::clone(store),
            None => {
                let store = Store::new().map_err(|error| failed(&error))?;
                Arc::clone(self.store.insert(store))
            }
        };
        store
            .build(SERVICE, account, None::<&HashMap<&str, &str>>)
            .map_err(|error| failed(&error))
    }
}

/// Says what went wrong, never with an item's bytes.
fn failed(error: &Error) -> KeychainError {
    KeychainError::Failed(match error {
        Error::BadEncoding(_) | Error::BadDataFormat(..) => "the item is no text".to_owned(),
        other => other.to_string(),
    })
}
