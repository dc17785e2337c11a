//! What the proxy tells the daemon while it works.

use bytes::Bytes;
use clauderon_policy::Refusal;

/// Hears of a session's traffic. Implementations must return at once: they are called between two bytes.
pub trait Observer: Send + Sync {
    /// Takes one event.
    fn traffic(&self, traffic: Traffic);

    /// Takes one report from the session's hook verb: bytes of an agent, not more than 64 KiB, of any content.
    fn hook(&self, session: &str, report: Bytes);
}

/// One event of a session's traffic.
#[derive(Debug, Clone)]
pub struct Traffic {
    /// Whose traffic it is.
    pub session: String,
    /// Milliseconds since 1970.
    pub at_ms: u64,
    /// Links the events of one request with each other and with the audit.
    pub link: String,
    /// What happened.
    pub kind: TrafficKind,
}

/// What happened.
#[derive(Debug, Clone)]
pub enum TrafficKind {
    /// A request was let through.
    Started {
        /// The host.
        host: String,
        /// The method.
        method: String,
        /// The path, without its query.
        path: String,
        /// The rule that let it through.
        rule: String,
        /// Whether it asks a model.
        model: bool,
    },
    /// A request that was let through has ended.
    Finished {
        /// Whether it asked a model.
        model: bool,
        /// The upstream's status; `None` where none came.
        status: Option<u16>,
        /// Whether the answer was a good one and reached the agent whole.
        ok: bool,
    },
    /// A request was refused.
    Refused(Refusal),
}
