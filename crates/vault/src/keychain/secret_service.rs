//! The Secret Service of Linux desktops (GNOME Keyring, KWallet, KeePassXC), over D-Bus.
//!
//! The store unlocks what is locked, which shows the person a window; so the state is asked for first, over a connection of our
//! own, and a locked collection is not touched.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use keyring_core::api::CredentialStoreApi as _;
use keyring_core::{Entry, Error};
use zbus::blocking::{Connection, connection::Builder};
use zbus::zvariant::{OwnedObjectPath, OwnedValue};
use zbus_secret_service_keyring_store::Store;

use super::{KeychainError, KeychainState, SERVICE};
use crate::Secret;

const BUS: &str = "org.freedesktop.secrets";
const ROOT: &str = "/org/freedesktop/secrets";
/// How long one call may take.
const CALL: Duration = Duration::from_secs(5);
const ABSENT: &str = "Install and start a Secret Service, such as `gnome-keyring` or KWallet, or keep the value in a file that only you can read.";
const LOCKED: &str = "Unlock it in your desktop's password manager (Passwords and Keys, or KWallet), or keep the value in a file that only you can read.";

/// Whether there is an item, in whichever collection.
#[derive(PartialEq)]
enum Found {
    Nothing,
    Open,
    Locked,
}

/// The service, connected to when it is first needed.
#[derive(Default)]
pub(super) struct System {
    bus: Option<Connection>,
    store: Option<Arc<Store>>,
}

impl System {
    /// Says how the default collection is, without unlocking it.
    pub fn state(&mut self) -> KeychainState {
        match self.ask_state() {
            Ok(state) => state,
            Err(_) => {
                // The bus or the service went away: the next look begins anew.
                *self = Self::default();
                KeychainState::Absent(ABSENT.to_owned())
            }
        }
    }

    fn ask_state(&mut self) -> zbus::Result<KeychainState> {
        let collection: OwnedObjectPath = self
            .call(
                ROOT,
                "org.freedesktop.Secret.Service",
                "ReadAlias",
                &"default",
            )?
            .body()
            .deserialize()?;
        if collection.as_str() == "/" {
            let hint = "The Secret Service has no default keyring: make one in your desktop's password manager, or keep the value in a file that only you can read.";
            return Ok(KeychainState::Absent(hint.to_owned()));
        }
        if bool::try_from(self.property(&collection, "Locked")?)? {
            return Ok(KeychainState::Locked(LOCKED.to_owned()));
        }
        let label = String::try_from(self.property(&collection, "Label")?)?;
        Ok(KeychainState::Open(match label.is_empty() {
            true => "Secret Service".to_owned(),
            false => format!("Secret Service, keyring \"{label}\""),
        }))
    }

    fn property(&mut self, collection: &OwnedObjectPath, name: &str) -> zbus::Result<OwnedValue> {
        let body = ("org.freedesktop.Secret.Collection", name);
        self.call(
            collection.as_str(),
            "org.freedesktop.DBus.Properties",
            "Get",
            &body,
        )?
        .body()
        .deserialize()
    }

    fn call<B>(
        &mut self,
        path: &str,
        interface: &str,
        method: &str,
        body: &B,
    ) -> zbus::Result<zbus::Message>
    where
        B: serde::Serialize + zbus::zvariant::DynamicType,
    {
        let bus = match self.bus.take() {
            Some(bus) => bus,
            None => Builder::session()?.method_timeout(CALL).build()?,
        };
        let answer = bus.call_method(Some(BUS), path, Some(interface), method, body);
        self.bus = Some(bus);
        answer
    }

    /// Says whether there is an item, locked or not.
    pub fn holds(&mut self, account: &str) -> bool {
        self.find(account)
            .is_ok_and(|found| found != Found::Nothing)
    }

    fn find(&mut self, account: &str) -> Result<Found, KeychainError> {
        let attributes = HashMap::from([("service", SERVICE), ("username", account)]);
        let (interface, method) = ("org.freedesktop.Secret.Service", "SearchItems");
        let answer = self.call(ROOT, interface, method, &attributes);
        let found: zbus::Result<(Vec<OwnedObjectPath>, Vec<OwnedObjectPath>)> =
            answer.and_then(|answer| answer.body().deserialize());
        match found {
            Ok((_, locked)) if !locked.is_empty() => Ok(Found::Locked),
            Ok((open, _)) if !open.is_empty() => Ok(Found::Open),
            Ok(_) => Ok(Found::Nothing),
            Err(error) => {
                self.bus = None;
                Err(KeychainError::Failed(error.to_string()))
            }
        }
    }

    /// Reads an item's text, of an open collection.
    pub fn get(&mut self, account: &str) -> Result<Option<String>, KeychainError> {
        if self.find_open(account)? == Found::Nothing {
            return Ok(None);
        }
        match self.entry(account)?.get_password() {
            Ok(text) => Ok(Some(text)),
            Err(Error::NoEntry) => Ok(None),
            Err(error) => Err(self.failed(&error)),
        }
    }

    /// Makes or replaces an item of an open collection.
    pub fn set(&mut self, account: &str, secret: &Secret) -> Result<(), KeychainError> {
        self.find_open(account)?;
        let entry = self.entry(account)?;
        let set = entry.set_secret(secret.expose().as_bytes());
        set.map_err(|error| self.failed(&error))
    }

    /// Removes an item of an open collection.
    pub fn remove(&mut self, account: &str) -> Result<(), KeychainError> {
        if self.find_open(account)? == Found::Nothing {
            return Ok(());
        }
        match self.entry(account)?.delete_credential() {
            Ok(()) | Err(Error::NoEntry) => Ok(()),
            Err(error) => Err(self.failed(&error)),
        }
    }

    /// Finds an item that the store will not have to unlock.
    fn find_open(&mut self, account: &str) -> Result<Found, KeychainError> {
        match self.find(account)? {
            Found::Locked => Err(KeychainError::Locked(LOCKED.to_owned())),
            found => Ok(found),
        }
    }

    fn entry(&mut self, account: &str) -> Result<Entry, KeychainError> {
        let store = match &self.store {
            Some(store) => Arc::clone(store),
            None => {
                let store = Store::new().map_err(|error| self.failed(&error))?;
                Arc::clone(self.store.insert(store))
            }
        };
        let label = format!("Clauderon: {account}");
        let modifiers = HashMap::from([("label", label.as_str())]);
        store
            .build(SERVICE, account, Some(&modifiers))
            .map_err(|error| self.failed(&error))
    }

    /// Says what went wrong, never with an item's bytes, and begins anew at the next call.
    fn failed(&mut self, error: &Error) -> KeychainError {
        self.store = None;
        KeychainError::Failed(match error {
            Error::Ambiguous(_) => "it holds the item twice; remove one of them".to_owned(),
            Error::BadEncoding(_) | Error::BadDataFormat(..) => "the item is no text".to_owned(),
            other => other.to_string(),
        })
    }
}
