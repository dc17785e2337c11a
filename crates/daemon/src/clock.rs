//! The daemon's only clocks, passed down to everything that needs a time: the calendar, and how long the machine was awake.

use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

static START: LazyLock<Instant> = LazyLock::new(Instant::now);

/// Returns the milliseconds since 1970.
pub fn now_ms() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_millis() as u64)
}

/// Returns the milliseconds since 1970, never fewer than before: what comes after something stays after it when the calendar is
/// set back.
pub fn rising_ms() -> u64 {
    static LAST: Mutex<(u64, u64)> = Mutex::new((0, 0));
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    *last = risen(*last, (now_ms(), awake_ms()));
    last.0
}

/// Returns when something was on the clock of [`rising_ms`], by the calendar's time of it.
pub fn risen_at(at_ms: u64) -> u64 {
    rising_ms().saturating_sub(now_ms().saturating_sub(at_ms))
}

/// The calendar's time after `last`, of a calendar and the time awake.
fn risen(last: (u64, u64), (calendar, awake): (u64, u64)) -> (u64, u64) {
    let least = last.0.saturating_add(awake.saturating_sub(last.1));
    (calendar.max(least), awake)
}

/// Returns milliseconds that stand still while the machine sleeps, and that nobody can set; 0 is some moment of this process.
pub fn awake_ms() -> u64 {
    START.elapsed().as_millis() as u64
}

/// Waits until `at_ms` of [`awake_ms`]; for ever where there is no such time.
pub async fn until_awake(at_ms: Option<u64>) {
    match at_ms {
        Some(at) => tokio::time::sleep(Duration::from_millis(at.saturating_sub(awake_ms()))).await,
        None => std::future::pending().await,
    }
}

/// Waits until `at_ms` of [`rising_ms`]; for ever where there is no such time.
pub async fn until_risen(at_ms: Option<u64>) {
    match at_ms {
        Some(at) => tokio::time::sleep(Duration::from_millis(at.saturating_sub(rising_ms()))).await,
        None => std::future::pending().await,
    }
}

/// Waits until `at_ms`; for ever where there is no such time.
pub async fn until(at_ms: Option<u64>) {
    match at_ms {
        Some(at) => tokio::time::sleep(Duration::from_millis(at.saturating_sub(now_ms()))).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_calendar_that_is_set_does_not_go_back() {
        let check = |calendar: u64, awake: u64, last: (u64, u64), expected: u64| {
            assert_eq!(risen(last, (calendar, awake)), (expected, awake));
        };
        check(5_000, 10, (0, 0), 5_000);
        check(5_020, 30, (5_000, 10), 5_020);
        // An hour back, and as time goes on.
        check(1_400, 50, (5_020, 30), 5_040);
        check(1_500, 150, (5_040, 50), 5_140);
        // A machine that slept.
        check(90_000, 160, (5_140, 150), 90_000);
    }
}
