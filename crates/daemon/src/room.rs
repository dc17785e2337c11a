//! Whether the disk that holds everything has room. A full one makes agents wait and creations fail, so whoever watches is told.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::doctor::free_bytes;
use crate::sessions::Shared;

/// How often it is looked at.
const LOOK: Duration = Duration::from_secs(3);
/// With less than this, in bytes, the disk is full for all that anybody can do.
const FULL: u64 = 8 << 20;
/// With this much it has room again.
const ENOUGH: u64 = 16 << 20;

/// What was seen of the disk last.
#[derive(Debug, Default)]
pub struct Room(AtomicBool);

impl Room {
    /// Looks for the first time.
    pub fn at(home: &Path) -> Self {
        let full = free_bytes(home).is_some_and(|free| is_full(free, false));
        Self(AtomicBool::new(full))
    }

    /// Says whether the disk is full.
    pub fn is_full(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Looks again and again for as long as the daemon runs, and tells of a change.
pub async fn watch(shared: Arc<Shared>) {
    loop {
        tokio::time::sleep(LOOK).await;
        let Some(free) = free_bytes(shared.paths.home()) else {
            continue;
        };
        let before = shared.room.is_full();
        let full = is_full(free, before);
        if full != before {
            tracing::warn!(full, free, "the disk");
            shared.room.0.store(full, Ordering::Relaxed);
            shared.events.disk(full);
        }
    }
}

/// Between the two thresholds it stays what it was.
fn is_full(free: u64, before: bool) -> bool {
    free < if before { ENOUGH } else { FULL }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_on_the_brink_is_told_once() {
        let mut full = false;
        let seen: Vec<bool> = [20, 9, 7, 9, 15, 16, 9, 7]
            .into_iter()
            .map(|free| {
                full = is_full(free << 20, full);
                full
            })
            .collect();
        assert_eq!(seen, [false, false, true, true, true, false, false, true]);
    }
}
