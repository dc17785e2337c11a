//! Waiting for what happens in other processes and tells nobody.

use std::fmt::Debug;
use std::time::{Duration, Instant};

/// How long anything may take that is not instant.
pub const PATIENCE: Duration = Duration::from_secs(90);
/// How often it is looked. A look may start a program, and what is waited for needs the processor, too.
const PACE: Duration = Duration::from_millis(50);

/// Looks now and then until this holds.
#[track_caller]
pub fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    wait_for(|| match holds() {
        true => Ok(()),
        false => Err(what),
    });
}

/// Looks now and then until there is something; fails with what was there instead.
#[track_caller]
pub fn wait_for<T, E: Debug>(mut look: impl FnMut() -> Result<T, E>) -> T {
    let begun = Instant::now();
    loop {
        match look() {
            Ok(found) => return found,
            Err(found) => assert!(begun.elapsed() < PATIENCE, "not in time: {found:#?}"),
        }
        std::thread::sleep(PACE);
    }
}
