//! What a session is: its id and name, what was asked for, and which state it may be in.
//!
//! This crate is pure. It never reads a clock, the environment, a file or a socket: callers pass the
//! time in milliseconds and carry out the effects it returns.

#![deny(clippy::disallowed_methods)]

mod claim;
pub mod delivery;
mod id;
mod lifecycle;
mod name;
mod requests;
mod spec;
mod standing;

pub use claim::{Claim, line};
pub use id::{IdError, SessionId};
pub use lifecycle::{Effect, Event, Lifecycle, Sighting, State};
pub use name::{Converted, NameError, SessionName};
pub use requests::{PATIENCE_MS, Progress, Requests, Traffic};
pub use spec::{Agent, Backend, Mode, Spec, UnknownWord};
pub use standing::Standing;
