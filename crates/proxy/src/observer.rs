//! What the proxy tells the daemon while it works.

use std::pin::Pin;

use bytes::Bytes;
use clauderon_policy::{Provider, Refusal};
use http::HeaderMap;

/// Hears of a session's traffic. Implementations must return at once: they are called between two bytes.
pub trait Observer: Send + Sync {
    /// Takes one event.
    fn traffic(&self, traffic: Traffic);

    /// Takes a part of what passes between a session and a model's service; parts of one exchange come in their order.
    fn model(&self, passing: Passing);

    /// Takes one report from the session's hook verb: bytes of an agent, not more than 64 KiB, of any content. What is
    /// returned holds the agent's request until it is ready; it is dropped when the agent goes, or waited too long.
    fn hook(&self, session: &str, report: Bytes) -> Option<Held>;
}

/// The answer to a report that asks something: JSON, or none where the agent is to ask in its terminal.
pub type Held = Pin<Box<dyn Future<Output = Option<Vec<u8>>> + Send>>;

/// A part of an exchange with a model's service.
#[derive(Debug, Clone)]
pub struct Passing {
    /// Whose exchange it is.
    pub session: String,
    /// Links the parts of one exchange with each other, with the traffic's events and with the audit.
    pub link: String,
    /// Milliseconds since 1970.
    pub at_ms: u64,
    /// What passes.
    pub part: Part,
}

/// What passes. There is no credential in it: what is asked is the agent's own, and the answer has the secret masked.
#[derive(Debug, Clone)]
pub enum Part {
    /// What the agent asks; the first part.
    Asked {
        /// Whose service it is.
        provider: Provider,
        /// The name of the credential that goes with it.
        account: Option<String>,
        /// The path, without its query.
        path: String,
        /// The agent's headers.
        headers: HeaderMap,
        /// The whole body.
        body: Bytes,
    },
    /// How the service answers.
    Answered {
        /// The status.
        status: u16,
        /// The service's headers.
        headers: HeaderMap,
    },
    /// A piece of the answer's body.
    Piece(Bytes),
    /// Nothing more will pass; the last part.
    Ended,
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
