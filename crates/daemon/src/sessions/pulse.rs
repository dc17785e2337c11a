//! The pulse of one agent: what the proxy sees of its traffic, taken between two bytes and read by the session.

use std::sync::{Mutex, PoisonError};

use clauderon_proxy::TrafficKind;
use clauderon_session::{Activity, Mode, Traffic};
use tokio::sync::Notify;

/// One agent's traffic, summed up.
pub struct Pulse {
    activity: Mutex<Activity>,
    beat: Notify,
}

impl Pulse {
    /// Begins before anything was sent.
    pub fn new(mode: Mode, now_ms: u64) -> Self {
        Self {
            activity: Mutex::new(Activity::started(mode, false, now_ms)),
            beat: Notify::new(),
        }
    }

    /// Begins again with a newly started agent.
    pub fn restart(&self, mode: Mode, prompted: bool, now_ms: u64) {
        self.change(|activity| *activity = Activity::started(mode, prompted, now_ms));
    }

    /// Takes note of traffic. Only what concerns the model tells of a turn.
    pub fn take(&self, kind: &TrafficKind, at_ms: u64) {
        let traffic = match kind {
            TrafficKind::Started { model: true, .. } => Traffic::Started,
            TrafficKind::Finished {
                model: true, ok, ..
            } => Traffic::Finished { ok: *ok },
            TrafficKind::Refused(_) => Traffic::Refused,
            TrafficKind::Started { .. } | TrafficKind::Finished { .. } => Traffic::Flowed,
        };
        self.change(|activity| activity.observe(traffic, at_ms));
    }

    /// Returns the sum so far.
    pub fn activity(&self) -> Activity {
        *self.activity.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the next change.
    pub async fn beat(&self) {
        self.beat.notified().await;
    }

    fn change(&self, change: impl FnOnce(&mut Activity)) {
        change(&mut self.activity.lock().unwrap_or_else(PoisonError::into_inner));
        self.beat.notify_one();
    }
}
