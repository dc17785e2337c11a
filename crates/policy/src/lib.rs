//! What may leave a sandbox, decided from values alone.
//!
//! A request, a session's policy and a table of routes go in; a [`Decision`] comes out. What no row names is refused.
//! This crate must never read a clock, the environment or a file, and must never look a name up: a lookup is itself a
//! way out.

pub mod address;
mod body;
mod checks;
mod decide;
mod host;
mod path;
mod policy;
mod refusal;
mod routes;

pub use body::{Provider, check_model_body};
pub use checks::Check;
pub use decide::{
    BodyRule, ConnectDecision, Credential, CredentialScheme, CredentialUse, Decision, Limits,
    Request, Scheme, decide, decide_connect,
};
pub use host::{Host, HostError, Target};
pub use policy::{Grant, Policy, Posture, Repository, Subject, UnknownPosture};
pub use refusal::{Refusal, code};
pub use routes::{RouteError, Routes};
