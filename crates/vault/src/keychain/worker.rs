//! The one thread that speaks to the system: orders in turn, and a look at everything within a minute.

use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::time::{Duration, Instant};

use super::memory::{Item, Memory};
use super::system::System;
use super::{KeychainError, KeychainState};
use crate::Secret;

/// How often everything is read anew.
const REFRESH: Duration = Duration::from_secs(45);

/// What somebody waits for.
pub(super) struct Job {
    pub order: Order,
    /// After this nobody waits any more, and nothing may be changed.
    pub until: Instant,
    pub reply: SyncSender<Result<(), KeychainError>>,
}

pub(super) enum Order {
    /// Read everything anew.
    Refresh,
    /// Read one name more.
    Read(String),
    Save(String, Secret),
    Remove(String),
}

/// Works until nobody can order any more.
pub(super) fn live(installation: Option<&str>, memory: &Memory, orders: &Receiver<Job>) {
    let mut worker = Worker {
        system: System::default(),
        installation,
        memory,
    };
    worker.refresh();
    loop {
        match orders.recv_timeout(REFRESH) {
            Ok(job) if job.until <= Instant::now() => {}
            Ok(job) => {
                let done = worker.carry_out(job.order);
                // Whoever asked may have given up meanwhile.
                let _ = job.reply.try_send(done);
            }
            Err(RecvTimeoutError::Timeout) => worker.refresh(),
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

struct Worker<'a> {
    system: System,
    installation: Option<&'a str>,
    memory: &'a Memory,
}

impl Worker<'_> {
    fn carry_out(&mut self, order: Order) -> Result<(), KeychainError> {
        match order {
            Order::Refresh => self.refresh(),
            Order::Read(name) => {
                let state = self.system.state();
                let item = self.look(&state, &name);
                self.memory
                    .take(state, vec![(name, item.unwrap_or(Item::Absent))]);
            }
            Order::Save(name, secret) => {
                let state = self.open()?;
                self.system.set(&self.account(&name), &secret)?;
                self.memory.take(state, vec![(name, Item::Value(secret))]);
            }
            Order::Remove(name) => {
                let state = self.open()?;
                self.system.remove(&self.account(&name))?;
                self.memory.take(state, vec![(name, Item::Absent)]);
            }
        }
        Ok(())
    }

    /// Reads everything. What cannot be read stays as it was.
    fn refresh(&mut self) {
        let state = self.system.state();
        let items = self
            .memory
            .names()
            .into_iter()
            .filter_map(|name| self.look(&state, &name).map(|item| (name, item)))
            .collect();
        self.memory.take(state, items);
    }

    /// Looks one name up, or says that what is known of it still holds.
    fn look(&mut self, state: &KeychainState, name: &str) -> Option<Item> {
        let account = self.account(name);
        match state {
            KeychainState::Open(_) => match self.system.get(&account) {
                Ok(None) => Some(Item::Absent),
                Ok(Some(text)) => Some(match Secret::new(text) {
                    Ok(secret) => Item::Value(secret),
                    Err(reason) => Item::Unusable(reason),
                }),
                Err(_) => None,
            },
            // A lock in the middle takes nothing from whoever was let in before.
            KeychainState::Locked(_) => {
                let held = self
                    .memory
                    .with(name, |item| matches!(item, Item::Value(_)));
                (!held && self.system.holds(&account)).then_some(Item::Sealed)
            }
            KeychainState::Absent(_) => None,
        }
    }

    /// Makes sure that nothing which follows asks the person for a password.
    fn open(&mut self) -> Result<KeychainState, KeychainError> {
        match self.system.state() {
            KeychainState::Locked(hint) => Err(KeychainError::Locked(hint)),
            KeychainState::Absent(hint) => Err(KeychainError::Absent(hint)),
            open @ KeychainState::Open(_) => Ok(open),
        }
    }

    fn account(&self, name: &str) -> String {
        match self.installation {
            Some(installation) => format!("{name}@{installation}"),
            None => name.to_owned(),
        }
    }
}
