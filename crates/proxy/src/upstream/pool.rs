//! The kept-alive upstream connections of one session.
//!
//! A machine that slept has none left, whatever they look like: age is counted by the calendar, too, since a monotonic clock
//! stands still meanwhile and the other side does not. A pool belongs to a session, and a connection to one credential: neither is ever shared.

use std::{
    sync::{Mutex, PoisonError},
    time::{Instant, SystemTime},
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
    since: Since,
}

/// Since when a connection rests.
#[derive(Debug, Clone, Copy)]
struct Since {
    awake: Instant,
    calendar: SystemTime,
}

impl Since {
    fn now() -> Self {
        Self {
            awake: Instant::now(),
            calendar: SystemTime::now(),
        }
    }

    /// A calendar that was set back tells nothing, so that the connection is not trusted either.
    fn is_recent(self, now: Self) -> bool {
        now.awake.duration_since(self.awake) < limits::POOL_IDLE
            && now
                .calendar
                .duration_since(self.calendar)
                .is_ok_and(|rested| rested < limits::POOL_IDLE)
    }
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
        let now = Since::now();
        idle.retain(|idle| !idle.link.is_closed() && idle.since.is_recent(now));
        if idle.len() >= limits::POOL {
            idle.remove(0);
        }
        idle.push(Idle {
            key,
            link,
            since: now,
        });
    }

    fn pop(&self, key: &Key) -> Option<Link> {
        let mut idle = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Since::now();
        idle.retain(|idle| !idle.link.is_closed() && idle.since.is_recent(now));
        let at = idle.iter().rposition(|idle| idle.key == *key)?;
        Some(idle.remove(at).link)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_connection_does_not_outlast_a_sleep() {
        let since = Since::now();
        let after = |awake: u64, calendar: u64| Since {
            awake: since.awake + Duration::from_secs(awake),
            calendar: since.calendar + Duration::from_secs(calendar),
        };
        assert!(since.is_recent(after(5, 5)));
        assert!(!since.is_recent(after(61, 61)));
        assert!(!since.is_recent(after(5, 8 * 3600)), "it slept");
        let earlier = Since {
            awake: since.awake,
            calendar: since.calendar - Duration::from_secs(3600),
        };
        assert!(!since.is_recent(earlier), "the clock was set back");
    }
}
