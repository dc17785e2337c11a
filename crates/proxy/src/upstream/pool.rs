//! The kept-alive upstream connections of one session.
//!
//! A pool belongs to a session, and a connection to one credential: neither is ever shared.

use std::{
    sync::{Mutex, PoisonError},
    time::Instant,
};

use clauderon_policy::Target;

use super::Link;
use crate::limits;

/// Which credential a connection has carried; the number changes with its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Identity {
    Anonymous,
    Credential { name: String, value: u64 },
}

/// What makes two requests able to share a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Key {
    pub target: Target,
    pub encrypted: bool,
    pub identity: Identity,
}

struct Idle {
    key: Key,
    link: Link,
    since: Instant,
}

#[derive(Default)]
pub(crate) struct Pool(Mutex<Vec<Idle>>);

impl Pool {
    /// Takes out a connection that is usable now.
    pub async fn take(&self, key: &Key) -> Option<Link> {
        while let Some(mut link) = self.pop(key) {
            if link.is_usable().await {
                return Some(link);
            }
        }
        None
    }

    /// Keeps a connection whose last answer was read to its end.
    pub fn put(&self, key: Key, link: Link) {
        let mut idle = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|idle| !idle.link.is_closed() && idle.since.elapsed() < limits::POOL_IDLE);
        if idle.len() >= limits::POOL {
            idle.remove(0);
        }
        idle.push(Idle {
            key,
            link,
            since: Instant::now(),
        });
    }

    fn pop(&self, key: &Key) -> Option<Link> {
        let mut idle = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|idle| !idle.link.is_closed() && idle.since.elapsed() < limits::POOL_IDLE);
        let at = idle.iter().rposition(|idle| idle.key == *key)?;
        Some(idle.remove(at).link)
    }
}
