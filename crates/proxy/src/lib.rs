//! The gate between a sandbox and everything else: who is it, may it, with which credential, write it down.
//!
//! One call serves one stream of one session; whose stream it is was known before the first byte. The proxy must never
//! open a listener, trust a word of the agent about who it is, let anything through that no rule names, look a name
//! up before the decision, or show a credential to the agent.

mod answer;
mod ask;
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
mod raw;
mod record;
mod rejection;
mod rewound;
mod scan;
mod session;
mod stand_in;
mod tap;
mod tls;
mod tunnel;
mod turnstile;
mod upstream;

pub use ask::{AskError, Told};
pub use ca::{CaError, SessionCa};
pub use limits::HOOK_HOLD;
pub use observer::{Held, Observer, Part, Passing, Traffic, TrafficKind};
pub use proxy::{Proxy, ProxyParts};
pub use session::EgressSession;
pub use stand_in::{StandIn, Stream};
pub use turnstile::{Asking, Leave, Turnstile};
pub use upstream::{Resolver, SystemResolver, UpstreamConfig, UpstreamError};
