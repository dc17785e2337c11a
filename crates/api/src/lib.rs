//! The daemon's API: the words that go over the wire, the one table of endpoints, the router that
//! serves them for any [`Service`], and the typed client that the command line and the window use.
//!
//! It never knows the daemon, a container engine, a database or a secret: it only carries values.

pub mod client;
pub mod endpoint;
pub mod error;
pub mod fingerprint;
pub mod http;
pub mod router;
pub mod server;
pub mod service;
pub mod wire;

pub use client::Client;
pub use endpoint::Endpoint;
pub use error::{Error, ErrorCode};
pub use fingerprint::Fingerprints;
pub use http::{Door, serve_http};
pub use router::router;
pub use server::serve_unix;
pub use service::{Console, Progress, RawFile, Service, SignIn, SignInEvent, Subscription};
pub use wire::*;
