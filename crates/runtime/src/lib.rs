//! Sandboxes: one trait, three implementations (Docker, bubblewrap, and an in-memory fake for tests of other crates).
//!
//! This crate turns a [`SandboxPlan`] into a running sandbox that has no network interface but loopback, no privilege
//! and no file the plan does not name. It knows nothing of agents, policies or credentials, and must never put
//! anything of the caller's environment into a sandbox.

pub mod accounts;
#[cfg_attr(not(target_os = "linux"), path = "bubblewrap/elsewhere.rs")]
pub mod bubblewrap;
pub mod docker;
pub mod error;
pub mod fake;
pub mod holder;
pub mod installation;
pub mod mounts;
pub mod outcome;
pub mod plan;

pub use bubblewrap::Bubblewrap;
pub use docker::Docker;
pub use error::{RuntimeError, Unavailable, Why};
pub use fake::Fake;
pub use installation::Installation;
pub use outcome::{Capabilities, Created, Found, Handle, LimitNote, Started, State, Usage};
pub use plan::{
    Access, ExecOutput, ExecRequest, Limits, Mount, OneShot, OneShotOutput, SandboxPlan, User,
};

use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use clauderon_session::Backend;

/// Makes, starts, watches and removes sandboxes of one kind.
///
/// A sandbox's command is always the relay (`/clauderon/relay`, a mount of the plan); what the relay runs is read from
/// `run/launch.json` at each start, so `start` after `stop` never makes a new sandbox.
#[async_trait]
pub trait Runtime: Send + Sync {
    /// Returns which backend this is.
    fn backend(&self) -> Backend;

    /// Returns the socket of the engine that makes the sandboxes, where there is an engine: a session stays with its own.
    fn engine(&self) -> Option<&Path> {
        None
    }

    /// Proves that sandboxes of this kind can be had here, by making one where that is cheap.
    async fn probe(&self) -> Result<Capabilities, Unavailable>;

    /// Checks that an image is present and fit, under full hardening and without mounts. Backends without images accept any.
    async fn check_image(&self, image: &str) -> Result<(), RuntimeError>;

    /// Makes the sandbox without starting anything in it. Mount sources are checked here and at each start.
    async fn create(&self, plan: &SandboxPlan) -> Result<Created, RuntimeError>;

    /// Starts the sandbox under a holder process and returns when the holder says that it is ready.
    async fn start(&self, plan: &SandboxPlan, handle: &Handle) -> Result<Started, RuntimeError>;

    /// Asks the relay to end and kills what remains after `grace`. A sandbox that does not run is a success.
    async fn stop(&self, handle: &Handle, grace: Duration) -> Result<(), RuntimeError>;

    /// Removes the sandbox, killing it first where it runs. Folders of the session are never touched.
    async fn remove(&self, handle: &Handle) -> Result<(), RuntimeError>;

    /// Says whether the sandbox exists and runs. A failed query is [`State::Unknown`], never an absence.
    async fn state(&self, handle: &Handle) -> State;

    /// Measures what the sandbox uses now; nothing is known of one that does not run.
    async fn usage(&self, handle: &Handle) -> Usage {
        let _ = handle;
        Usage::default()
    }

    /// Runs one more program beside the agent in a running sandbox, as the same user, and waits for it.
    async fn exec(&self, handle: &Handle, request: ExecRequest)
    -> Result<ExecOutput, RuntimeError>;

    /// Runs one program in a throw-away sandbox with the same hardening and waits for it, within its limits.
    async fn run_once(&self, one: OneShot) -> Result<OneShotOutput, RuntimeError>;

    /// Lists every sandbox this backend can see that claims to be of Clauderon, also those of other installations.
    async fn list(&self) -> Result<Vec<Found>, RuntimeError>;
}
