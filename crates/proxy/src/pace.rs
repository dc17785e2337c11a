//! Counts how often something may happen: a burst, then a steady rate.

use std::{
    sync::{Mutex, PoisonError},
    time::Instant,
};

/// A bucket of permissions that refills over time.
pub(crate) struct Pace {
    burst: f64,
    rate: f64,
    state: Mutex<(f64, Instant)>,
}

impl Pace {
    pub fn new(burst: u32, rate: u32, now: Instant) -> Self {
        Self {
            burst: burst.into(),
            rate: rate.into(),
            state: Mutex::new((burst.into(), now)),
        }
    }

    /// Takes one permission if there is one.
    pub fn allows(&self, now: Instant) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (left, since) = *state;
        let left =
            (left + now.saturating_duration_since(since).as_secs_f64() * self.rate).min(self.burst);
        let allowed = left >= 1.0;
        *state = (if allowed { left - 1.0 } else { left }, now);
        allowed
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_burst_then_a_rate() {
        let start = Instant::now();
        let pace = Pace::new(3, 2, start);
        let allowed = (0..10).filter(|_| pace.allows(start)).count();
        assert_eq!(allowed, 3);
        let later = start + Duration::from_secs(1);
        assert_eq!((0..10).filter(|_| pace.allows(later)).count(), 2);
    }
}
