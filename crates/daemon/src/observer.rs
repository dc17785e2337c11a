//! Leads what the proxy tells to the session that it is about.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use clauderon_proxy::{Observer, Traffic};

use crate::sessions::pulse::Pulse;

/// The pulses of all sessions, by id.
#[derive(Default)]
pub struct Pulses(Mutex<HashMap<String, Arc<Pulse>>>);

impl Pulses {
    /// Adds a session's.
    pub fn add(&self, id: String, pulse: Arc<Pulse>) {
        self.all().insert(id, pulse);
    }

    /// Takes a session's out.
    pub fn remove(&self, id: &str) {
        self.all().remove(id);
    }

    fn all(&self) -> std::sync::MutexGuard<'_, HashMap<String, Arc<Pulse>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for Pulses {
    fn traffic(&self, traffic: Traffic) {
        let pulse = self.all().get(&traffic.session).cloned();
        if let Some(pulse) = pulse {
            pulse.take(&traffic.kind, traffic.at_ms);
        }
    }

    /// Hooks get their meaning with the conversation; until then a report is counted by the audit alone.
    fn hook(&self, session: &str, report: Bytes) {
        tracing::debug!(session, bytes = report.len(), "hook report");
    }
}
