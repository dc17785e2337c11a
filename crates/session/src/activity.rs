//! What the agent's traffic says about it: working, idle or stuck.
//!
//! This is all that is known before hooks tell more. It never guesses from the agent's output.

use serde::{Deserialize, Serialize};

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

/// What a person wants to know of a running agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Attention {
    /// A request is under way, or the next one is expected soon.
    Working,
    /// It waits for the person.
    Idle,
    /// It waits for the network: nothing came after a request, or a request is overdue.
    Stuck,
    /// Nothing is known yet.
    Unknown,
}

impl Attention {
    /// Returns the word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Working => "working",
            Self::Idle => "idle",
            Self::Stuck => "stuck",
            Self::Unknown => "unknown",
        }
    }
}

/// The traffic of one running agent, summed up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Activity {
    in_flight: u32,
    last_ok: Option<bool>,
    last_ms: u64,
    prompted: bool,
    mode: Mode,
}

/// An answer that is not streamed may take minutes without a byte (measured with Claude Code's retry of a cut stream).
const SILENT_ANSWER_MS: u64 = 10 * 60_000;
/// Claude Code waits up to 38 s between two tries.
const RETRY_MS: u64 = 60_000;
/// An agent with a prompt sends its first request within two seconds; a cold disk may take longer.
const FIRST_REQUEST_MS: u64 = 45_000;
/// Between two requests of a turn a short tool runs.
const BETWEEN_MS: u64 = 3_000;

impl Activity {
    /// Begins with an agent started at `now_ms`; `prompted` says whether it has something to do.
    pub fn started(mode: Mode, prompted: bool, now_ms: u64) -> Self {
        Self {
            in_flight: 0,
            last_ok: None,
            last_ms: now_ms,
            prompted,
            mode,
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

    /// Returns the time of the last traffic in milliseconds, or of the start.
    pub fn last_ms(&self) -> u64 {
        self.last_ms
    }

    /// Returns the number of requests under way.
    pub fn in_flight(&self) -> u32 {
        self.in_flight
    }

    /// Says what the agent is doing at `now_ms`.
    pub fn attention(&self, now_ms: u64) -> Attention {
        let quiet = now_ms.saturating_sub(self.last_ms);
        let expects_more = self.mode == Mode::Print;
        match (self.in_flight, self.last_ok) {
            (1.., _) if quiet < SILENT_ANSWER_MS => Attention::Working,
            (1.., _) => Attention::Stuck,
            (0, None) if !self.prompted && !expects_more => Attention::Idle,
            (0, None) if quiet < FIRST_REQUEST_MS => Attention::Unknown,
            (0, None) => Attention::Stuck,
            (0, Some(false)) if quiet < RETRY_MS => Attention::Working,
            (0, Some(false)) => Attention::Stuck,
            // A long tool of a printing agent is work: such an agent ends when it has nothing to do.
            (0, Some(true)) if expects_more || quiet < BETWEEN_MS => Attention::Working,
            (0, Some(true)) => Attention::Idle,
        }
    }

    /// Returns when `attention` may change without further traffic, in milliseconds; for a timer.
    pub fn changes_at(&self, now_ms: u64) -> Option<u64> {
        let now = self.attention(now_ms);
        [BETWEEN_MS, FIRST_REQUEST_MS, RETRY_MS, SILENT_ANSWER_MS]
            .into_iter()
            .map(|after| self.last_ms.saturating_add(after))
            .find(|&at| at > now_ms && self.attention(at) != now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(mode: Mode, prompted: bool, traffic: &[Traffic], quiet_ms: u64) -> Attention {
        let mut activity = Activity::started(mode, prompted, 1_000);
        for (step, one) in traffic.iter().enumerate() {
            activity.observe(*one, 1_000 + step as u64);
        }
        activity.attention(activity.last_ms() + quiet_ms)
    }

    #[test]
    fn traffic_gives_attention() {
        use Attention::*;
        use Mode::*;
        use Traffic::*;
        let ok = Finished { ok: true };
        let bad = Finished { ok: false };
        for (mode, prompted, traffic, quiet, expected) in [
            (Interactive, false, &[][..], 0, Idle),
            (Interactive, true, &[], 5_000, Unknown),
            (Interactive, true, &[], 60_000, Stuck),
            (Print, true, &[], 60_000, Stuck),
            (Print, true, &[Started], 60_000, Working),
            (Print, true, &[Started], 11 * 60_000, Stuck),
            (Print, true, &[Started, Flowed], 9 * 60_000, Working),
            (Print, true, &[Started, ok], 3_600_000, Working),
            (Interactive, true, &[Started, ok], 1_000, Working),
            (Interactive, true, &[Started, ok], 5_000, Idle),
            (Interactive, true, &[Started, Started, ok], 5_000, Working),
            (Interactive, true, &[Started, bad], 30_000, Working),
            (Interactive, true, &[Started, bad], 61_000, Stuck),
            (Interactive, true, &[Started, bad, Started, ok], 5_000, Idle),
            (Interactive, true, &[Started, ok, Refused], 5_000, Idle),
            (Interactive, true, &[bad, bad, ok], 5_000, Idle),
        ] {
            assert_eq!(
                after(mode, prompted, traffic, quiet),
                expected,
                "{mode} {prompted} {traffic:?} {quiet}"
            );
        }
    }

    #[test]
    fn a_timer_at_changes_at_sees_the_change() {
        let mut activity = Activity::started(Mode::Interactive, true, 0);
        assert_eq!(activity.changes_at(0), Some(FIRST_REQUEST_MS));
        activity.observe(Traffic::Started, 10);
        activity.observe(Traffic::Finished { ok: true }, 20);
        assert_eq!(activity.changes_at(20), Some(20 + BETWEEN_MS));
        assert_eq!(activity.changes_at(20 + BETWEEN_MS), None);
    }
}
