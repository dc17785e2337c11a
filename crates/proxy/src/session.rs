//! What the proxy keeps for one session. Nothing in here is shared with another.

use std::{
    sync::{Arc, atomic::AtomicBool},
    time::Instant,
};

use clauderon_policy::Policy;
use tokio::sync::{Semaphore, watch};

use crate::{
    ca::{CaError, Leaves, SessionCa},
    limits,
    pace::Pace,
    placeholder::Placeholders,
    stand_in::StandIn,
    upstream::Pool,
};

/// One session's egress: whose stream it is, what it may do, and what it has open.
pub struct EgressSession {
    pub(crate) id: String,
    pub(crate) policy: watch::Receiver<Arc<Policy>>,
    pub(crate) leaves: Leaves,
    pub(crate) placeholders: Placeholders,
    pub(crate) pool: Pool,
    /// One permit a connection.
    pub(crate) connections: Semaphore,
    /// One permit for each KiB of a body that is held.
    pub(crate) held: Arc<Semaphore>,
    pub(crate) hooks: Pace,
    /// Whether the last hook report was refused for its rate: only the first of a row is recorded.
    pub(crate) hooks_flooded: AtomicBool,
    /// One permit for each report that waits for somebody's answer.
    pub(crate) held_hooks: Semaphore,
    pub(crate) refusals: Pace,
    /// What plays every upstream of this session, where it is one that needs no account.
    pub(crate) stand_in: Option<StandIn>,
}

impl EgressSession {
    /// Begins a session's egress; edits of the policy reach open connections at their next request.
    pub fn new(
        id: impl Into<String>,
        policy: watch::Receiver<Arc<Policy>>,
        ca: Arc<SessionCa>,
        placeholders: Vec<String>,
    ) -> Result<Self, CaError> {
        let now = Instant::now();
        Ok(Self {
            id: id.into(),
            policy,
            leaves: Leaves::new(ca)?,
            placeholders: Placeholders::new(placeholders),
            pool: Pool::default(),
            connections: Semaphore::new(limits::CONNECTIONS),
            held: Arc::new(Semaphore::new(limits::HELD_BODIES / 1024)),
            hooks: Pace::new(limits::HOOK_BURST, limits::HOOK_RATE, now),
            hooks_flooded: AtomicBool::new(false),
            held_hooks: Semaphore::new(limits::HOOKS_HELD),
            refusals: Pace::new(limits::REFUSAL_BURST, limits::REFUSAL_RATE, now),
            stand_in: None,
        })
    }

    /// Gives the session an upstream that plays all others: from then on it reaches no other, and no credential is looked
    /// up for it.
    pub fn played_by(mut self, stand_in: StandIn) -> Self {
        self.stand_in = Some(stand_in);
        self
    }

    /// Returns the session's identity.
    pub fn id(&self) -> &str {
        &self.id
    }

    pub(crate) fn policy(&self) -> Arc<Policy> {
        Arc::clone(&self.policy.borrow())
    }
}
