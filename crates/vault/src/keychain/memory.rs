//! What the keychain held when it was last open. Values are overwritten when they are dropped.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::KeychainState;
use crate::Secret;

/// One credential, as far as it is known.
pub(super) enum Item {
    /// The keychain has none.
    Absent,
    /// Its value.
    Value(Secret),
    /// It is there, and the keychain has been locked ever since this process began.
    Sealed,
    /// It is there, and is no credential.
    Unusable(&'static str),
}

/// Everything that is known.
pub(super) struct Memory {
    known: Mutex<Known>,
    read: Condvar,
}

struct Known {
    state: Option<KeychainState>,
    /// Nobody waits for the first look any more.
    given_up: bool,
    items: BTreeMap<String, Item>,
}

impl Memory {
    /// Begins with names of which nothing is known.
    pub fn new<'a>(names: impl Iterator<Item = &'a str>) -> Self {
        let items = names.map(|name| (name.to_owned(), Item::Absent)).collect();
        Self {
            known: Mutex::new(Known {
                state: None,
                given_up: false,
                items,
            }),
            read: Condvar::new(),
        }
    }

    /// Waits until the keychain was read once, and says whether it was. Where one wait was in vain, the others do not wait.
    pub fn wait_until_read(&self, patience: Duration) -> bool {
        let waiting = |known: &mut Known| known.state.is_none() && !known.given_up;
        let (mut known, _) = self
            .read
            .wait_timeout_while(self.lock(), patience, waiting)
            .unwrap_or_else(PoisonError::into_inner);
        known.given_up = known.state.is_none();
        if known.given_up {
            self.read.notify_all();
        }
        !known.given_up
    }

    /// The state at the last look.
    pub fn state(&self) -> KeychainState {
        let state = self.lock().state.clone();
        state.unwrap_or_else(|| KeychainState::Locked(super::silent_hint()))
    }

    /// Whether a name has been looked for.
    pub fn knows(&self, name: &str) -> bool {
        self.lock().items.contains_key(name)
    }

    /// The names that are looked for.
    pub fn names(&self) -> Vec<String> {
        self.lock().items.keys().cloned().collect()
    }

    /// Shows an item for as long as the closure runs.
    pub fn with<T>(&self, name: &str, show: impl FnOnce(&Item) -> T) -> T {
        show(self.lock().items.get(name).unwrap_or(&Item::Absent))
    }

    /// Takes up a whole look: all items at once, so that no lookup sees half of it.
    pub fn take(&self, state: KeychainState, items: Vec<(String, Item)>) {
        let mut known = self.lock();
        known.state = Some(state);
        known.items.extend(items);
        drop(known);
        self.read.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
