//! Bubblewrap where there is none: it needs Linux, and says so.

use std::time::Duration;

use async_trait::async_trait;
use clauderon_session::Backend;

use crate::{
    Capabilities, Created, ExecOutput, ExecRequest, Found, Handle, Installation, OneShot,
    OneShotOutput, Runtime, RuntimeError, SandboxPlan, Started, State, Unavailable, Why,
};

/// The bubblewrap backend of other systems: every request is refused.
#[derive(Debug, Clone)]
pub struct Bubblewrap;

impl Bubblewrap {
    /// Makes it; there is nothing to find.
    pub fn new(_installation: Installation) -> Self {
        Self
    }
}

fn none<T, E: From<Unavailable>>() -> Result<T, E> {
    Err(Unavailable::new(
        Why::NotInstalled,
        "bubblewrap needs Linux",
        "use Docker, with `--backend docker`",
    )
    .into())
}

#[async_trait]
impl Runtime for Bubblewrap {
    fn backend(&self) -> Backend {
        Backend::Bubblewrap
    }

    async fn probe(&self) -> Result<Capabilities, Unavailable> {
        none()
    }

    async fn check_image(&self, _image: &str) -> Result<(), RuntimeError> {
        none()
    }

    async fn create(&self, _plan: &SandboxPlan) -> Result<Created, RuntimeError> {
        none()
    }

    async fn start(&self, _plan: &SandboxPlan, _handle: &Handle) -> Result<Started, RuntimeError> {
        none()
    }

    async fn stop(&self, _handle: &Handle, _grace: Duration) -> Result<(), RuntimeError> {
        none()
    }

    async fn remove(&self, _handle: &Handle) -> Result<(), RuntimeError> {
        none()
    }

    async fn state(&self, _handle: &Handle) -> State {
        State::Unknown("bubblewrap needs Linux".into())
    }

    async fn exec(
        &self,
        _handle: &Handle,
        _request: ExecRequest,
    ) -> Result<ExecOutput, RuntimeError> {
        none()
    }

    async fn run_once(&self, _one: OneShot) -> Result<OneShotOutput, RuntimeError> {
        none()
    }

    async fn list(&self) -> Result<Vec<Found>, RuntimeError> {
        Ok(Vec::new())
    }
}
