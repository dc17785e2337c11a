//! What an agent's requests to its model say about it: whether they come and are answered in time.
//!
//! Times are milliseconds of whatever clock the caller has; one that stands still while the machine sleeps makes no sleeping
//! agent look stuck. Only what passes outside of the sandbox counts here, so what it says may decide something.

use crate::Mode;

/// A request that the agent sent, as the proxy saw it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Traffic {
    /// A request was let through and is being answered.
    Started,
    /// Bytes of an answer passed.
    Flowed,
    /// An answer ended; `ok` is false for an error status and for a connection that broke.
    Finished {
        /// Whether it was answered in full and without an error.
        ok: bool,
    },
    /// A request was refused by policy. It says that the agent lives, and nothing about its turn.
    Refused,
}

/// Whether an agent's requests come as they should.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Progress {
    /// They do, or none is expected.
    Fine,
    /// It has something to do and has not asked its model yet.
    Expected,
    /// It has something to do and has not asked its model for longer than it should take.
    Unasked,
    /// An answer does not come, or a request that failed is not tried again.
    Overdue,
}

/// The requests of one running agent, summed up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Requests {
    in_flight: u32,
    last_ok: Option<bool>,
    last_ms: u64,
    prompted: bool,
    patience_ms: u64,
}

/// How long an agent that is expected to ask its model may be silent before it is stuck, in milliseconds, where nobody says
/// otherwise: Claude Code waits up to 38 s between two tries.
pub const PATIENCE_MS: u64 = 60_000;
/// An answer that is not streamed may take minutes without a byte (measured with Claude Code's retry of a cut stream).
const SILENT_ANSWER_MS: u64 = 10 * 60_000;

impl Requests {
    /// Begins with an agent started at `now_ms`; `prompted` says whether it has something to do. One that prints always has.
    pub fn started(mode: Mode, prompted: bool, now_ms: u64) -> Self {
        Self {
            in_flight: 0,
            last_ok: None,
            last_ms: now_ms,
            prompted: prompted || mode == Mode::Print,
            patience_ms: PATIENCE_MS,
        }
    }

    /// Gives it this long to ask its model, in milliseconds.
    pub fn with_patience(self, patience_ms: u64) -> Self {
        Self {
            patience_ms,
            ..self
        }
    }

    /// Takes note of a request.
    pub fn observe(&mut self, traffic: Traffic, now_ms: u64) {
        self.last_ms = self.last_ms.max(now_ms);
        match traffic {
            Traffic::Started => self.in_flight = self.in_flight.saturating_add(1),
            Traffic::Finished { ok } => {
                self.in_flight = self.in_flight.saturating_sub(1);
                self.last_ok = Some(ok);
            }
            Traffic::Flowed | Traffic::Refused => {}
        }
    }

    /// Says whether the agent has asked its model anything since it started.
    pub fn has_asked(&self) -> bool {
        self.in_flight > 0 || self.last_ok.is_some()
    }

    /// Says whether the agent was started with something to do.
    pub fn is_prompted(&self) -> bool {
        self.prompted
    }

    /// Says how they come at `now_ms`.
    pub fn progress(&self, now_ms: u64) -> Progress {
        let quiet = now_ms.saturating_sub(self.last_ms);
        match (self.in_flight, self.last_ok) {
            (1.., _) if quiet < SILENT_ANSWER_MS => Progress::Fine,
            (1.., _) => Progress::Overdue,
            (0, None) if !self.prompted => Progress::Fine,
            (0, None) if quiet < self.patience_ms => Progress::Expected,
            (0, None) => Progress::Unasked,
            (0, Some(false)) if quiet >= self.patience_ms => Progress::Overdue,
            (0, Some(_)) => Progress::Fine,
        }
    }

    /// Returns when `progress` may change without further traffic, in milliseconds; for a timer.
    pub fn changes_at(&self, now_ms: u64) -> Option<u64> {
        let now = self.progress(now_ms);
        [self.patience_ms, SILENT_ANSWER_MS]
            .into_iter()
            .map(|after| self.last_ms.saturating_add(after))
            .filter(|&at| at > now_ms && self.progress(at) != now)
            .min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn traffic_gives_progress() {
        use Mode::*;
        use Progress::*;
        use Traffic::*;
        let ok = Finished { ok: true };
        let bad = Finished { ok: false };
        for (mode, prompted, traffic, quiet, expected) in [
            (Interactive, false, &[][..], 60_000, Fine),
            (Interactive, true, &[], 5_000, Expected),
            (Interactive, true, &[], 60_000, Unasked),
            (Print, false, &[], 5_000, Expected),
            (Print, true, &[], 60_000, Unasked),
            (Print, true, &[Started], 60_000, Fine),
            (Print, true, &[Started], 11 * 60_000, Overdue),
            (Print, true, &[Started, Flowed], 9 * 60_000, Fine),
            (Print, true, &[Started, ok], 3_600_000, Fine),
            (Interactive, true, &[Started, ok], 3_600_000, Fine),
            (Interactive, true, &[Started, Started, ok], 5_000, Fine),
            (Interactive, true, &[Started, bad], 30_000, Fine),
            (Interactive, true, &[Started, bad], 61_000, Overdue),
            (
                Interactive,
                true,
                &[Started, bad, Started, ok],
                61_000,
                Fine,
            ),
            (Interactive, true, &[Started, ok, Refused], 5_000, Fine),
            (Interactive, true, &[bad, bad, ok], 5_000, Fine),
        ] {
            let mut requests = Requests::started(mode, prompted, 1_000);
            for (step, one) in traffic.iter().enumerate() {
                requests.observe(*one, 1_000 + step as u64);
            }
            assert_eq!(
                requests.progress(requests.last_ms + quiet),
                expected,
                "{mode} {prompted} {traffic:?} {quiet}"
            );
        }
    }

    #[test]
    fn a_timer_at_changes_at_sees_the_change() {
        let mut requests = Requests::started(Mode::Interactive, true, 0);
        assert_eq!(requests.changes_at(0), Some(PATIENCE_MS));
        assert_eq!(requests.with_patience(1_000).changes_at(0), Some(1_000));
        requests.observe(Traffic::Started, 10);
        assert_eq!(requests.changes_at(10), Some(10 + SILENT_ANSWER_MS));
        requests.observe(Traffic::Finished { ok: false }, 20);
        assert_eq!(requests.changes_at(20), Some(20 + PATIENCE_MS));
        requests.observe(Traffic::Finished { ok: true }, 30);
        assert_eq!(requests.changes_at(30), None);
    }
}
