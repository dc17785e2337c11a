//! The system's own keychain: the Secret Service on Linux, the login keychain on macOS. Never the kernel's key retention service,
//! whose keys any process of the session can read.
//!
//! Requests are answered from memory, so that a keychain that is locked, slow or gone holds no request up. One thread speaks to
//! the system, reads everything anew within a minute, and keeps what it had when it is shut out. It must never ask the person
//! for a password: a locked keychain is said, and what to do is left to the person.

mod memory;
#[cfg_attr(target_os = "linux", path = "keychain/secret_service.rs")]
#[cfg_attr(target_os = "macos", path = "keychain/apple.rs")]
#[cfg_attr(
    not(any(target_os = "linux", target_os = "macos")),
    path = "keychain/elsewhere.rs"
)]
mod system;
mod worker;

use std::sync::Arc;
use std::sync::mpsc::{Sender, channel, sync_channel};
use std::time::{Duration, Instant};

use crate::{KNOWN, Secret, Source, Vault, VaultError, is_name};
use memory::{Item, Memory};
use worker::{Job, Order};

/// How long a lookup waits for a keychain that has not said yet what it holds.
const FIRST: Duration = Duration::from_secs(3);
/// How long a person waits for a change, and for the keychain's state.
const CHANGE: Duration = Duration::from_secs(10);
const LOOK: Duration = Duration::from_secs(2);
/// The service that all items belong to.
const SERVICE: &str = "clauderon";

/// How the keychain is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeychainState {
    /// It answers; with what the system calls it.
    Open(String),
    /// It is there and gives nothing; with what to do.
    Locked(String),
    /// There is none; with what to do.
    Absent(String),
}

/// Why a change did not come about.
#[derive(Debug, thiserror::Error, Clone, PartialEq, Eq)]
pub enum KeychainError {
    /// It is locked; with what to do.
    #[error("the keychain is locked")]
    Locked(String),
    /// There is none; with what to do.
    #[error("there is no keychain")]
    Absent(String),
    /// It did not answer in time.
    #[error("the keychain did not answer in time")]
    Silent,
    /// It refused.
    #[error("the keychain failed: {0}")]
    Failed(String),
}

/// The keychain, with what it held when it was last open.
pub struct Keychain {
    memory: Arc<Memory>,
    jobs: Sender<Job>,
}

impl Keychain {
    /// Begins to read the keychain, and returns at once.
    ///
    /// `installation` keeps the items of an installation that is not the person's usual one apart.
    ///
    /// # Errors
    /// Fails where the system gives no thread.
    pub fn open(installation: Option<&str>) -> std::io::Result<Arc<Self>> {
        let memory = Arc::new(Memory::new(KNOWN.iter().map(|known| known.name)));
        let (jobs, orders) = channel();
        let installation = installation.map(str::to_owned);
        let held = Arc::clone(&memory);
        std::thread::Builder::new()
            .name("keychain".to_owned())
            .spawn(move || worker::live(installation.as_deref(), &held, &orders))?;
        Ok(Arc::new(Self { memory, jobs }))
    }

    /// Says how the keychain is now, waiting a moment for its answer.
    pub fn state(&self) -> KeychainState {
        match self.order(Order::Refresh, LOOK) {
            Err(KeychainError::Silent) => KeychainState::Locked(silent_hint()),
            _ => self.memory.state(),
        }
    }

    /// Keeps a value in place of the one before, if any. Blocks until it is kept.
    ///
    /// # Errors
    /// Says why it is not kept. After [`KeychainError::Silent`] it may still be kept later, once the keychain answers.
    pub fn save(&self, name: &str, secret: Secret) -> Result<(), KeychainError> {
        self.order(Order::Save(name.to_owned(), secret), CHANGE)
    }

    /// Removes a value; one that is not there is removed already. Blocks until it is gone.
    ///
    /// # Errors
    /// Says why it may be there still.
    pub fn remove(&self, name: &str) -> Result<(), KeychainError> {
        self.order(Order::Remove(name.to_owned()), CHANGE)
    }

    fn order(&self, order: Order, patience: Duration) -> Result<(), KeychainError> {
        let (reply, answer) = sync_channel(1);
        let job = Job {
            order,
            until: Instant::now() + patience,
            reply,
        };
        self.jobs.send(job).map_err(|_| KeychainError::Silent)?;
        answer
            .recv_timeout(patience)
            .map_err(|_| KeychainError::Silent)?
    }
}

/// What to do about a keychain that says nothing.
fn silent_hint() -> String {
    "It does not answer; it may be asking for its password in a window of its own.".to_owned()
}

impl Vault for Keychain {
    fn source(&self) -> Source {
        Source::Keychain
    }

    fn lookup(&self, name: &str) -> Result<Option<Secret>, VaultError> {
        if !is_name(name) {
            return Ok(None);
        }
        let unusable = |reason: &str| VaultError::Keychain {
            name: name.to_owned(),
            reason: reason.to_owned(),
        };
        let unread = || unusable("it has not answered yet");
        if !self.memory.wait_until_read(FIRST) {
            return Err(unread());
        }
        // A name that only a route of the person's own uses is looked for when it is first asked for.
        if !self.memory.knows(name) {
            self.order(Order::Read(name.to_owned()), FIRST)
                .map_err(|_| unread())?;
        }
        self.memory.with(name, |item| match item {
            Item::Absent => Ok(None),
            Item::Value(secret) => Ok(Some(secret.duplicate())),
            Item::Sealed => Err(unusable(
                "it is locked; unlock it, or set a variable instead",
            )),
            Item::Unusable(reason) => Err(unusable(reason)),
        })
    }
}
