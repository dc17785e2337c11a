//! Leads what the proxy tells to the session that it is about.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use clauderon_proxy::{Asking, Held, Leave, Observer, Passing, Traffic, Turnstile};
use futures_util::future::BoxFuture;

use crate::conversation::Talk;
use crate::sessions::pulse::Pulse;

/// Whom each session's traffic is told, by its id.
#[derive(Default)]
pub struct Pulses(Mutex<HashMap<String, Ears>>);

/// Who hears of one session.
#[derive(Clone)]
struct Ears {
    pulse: Arc<Pulse>,
    talk: Arc<Talk>,
}

impl Pulses {
    /// Adds a session's.
    pub fn add(&self, id: String, pulse: Arc<Pulse>, talk: Arc<Talk>) {
        self.all().insert(id, Ears { pulse, talk });
    }

    /// Takes a session's out.
    pub fn remove(&self, id: &str) {
        self.all().remove(id);
    }

    fn of(&self, id: &str) -> Option<Ears> {
        self.all().get(id).cloned()
    }

    fn all(&self) -> std::sync::MutexGuard<'_, HashMap<String, Ears>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for Pulses {
    fn traffic(&self, traffic: Traffic) {
        if let Some(ears) = self.of(&traffic.session) {
            ears.pulse.take(&traffic.kind, traffic.at_ms);
        }
    }

    fn model(&self, passing: Passing) {
        if let Some(ears) = self.of(&passing.session) {
            ears.talk.pass(passing);
        }
    }

    fn hook(&self, session: &str, report: Bytes) -> Option<Held> {
        self.of(session)?.talk.report(report)
    }
}

impl Turnstile for Pulses {
    fn wait(&self, asking: Asking) -> BoxFuture<'static, Result<Leave, String>> {
        match self.of(&asking.session) {
            Some(ears) => ears.talk.leave(asking),
            // A request that nobody counts does not go up.
            None => Box::pin(async { Err("The session is gone.".to_owned()) }),
        }
    }
}
