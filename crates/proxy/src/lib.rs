//! The gate between a sandbox and everything else: who is it, may it, with which credential, write it down.
//!
//! One call serves one stream of one session; whose stream it is was known before the first byte. The proxy must never
//! open a listener, trust a word of the agent about who it is, let anything through that no rule names, look a name
//! up before the decision, or show a credential to the agent.

mod answer;
mod body;
mod ca;
mod credential;
mod exchange;
mod forward;
mod gate;
mod head;
mod hooks;
mod limits;
mod observer;
mod pace;
mod placeholder;
mod proxy;
mod record;
mod rejection;
mod rewound;
mod scan;
mod session;
mod tls;
mod tunnel;
mod upstream;

pub use ca::{CaError, SessionCa};
pub use observer::{Observer, Traffic, TrafficKind};
pub use proxy::{Proxy, ProxyParts};
pub use session::EgressSession;
pub use upstream::{Resolver, SystemResolver, UpstreamConfig, UpstreamError};
