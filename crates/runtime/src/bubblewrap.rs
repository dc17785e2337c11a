//! Comes next.

use std::time::Duration;

use async_trait::async_trait;
use clauderon_session::Backend;

use crate::*;

/// The backend.
pub struct Bubblewrap {
    _installation: Installation,
}

impl Bubblewrap {
    /// Makes the backend; nothing is started.
    pub fn new(installation: Installation) -> Self {
        Self {
            _installation: installation,
        }
    }
}

#[async_trait]
impl Runtime for Bubblewrap {
    fn backend(&self) -> Backend {
        Backend::Bubblewrap
    }
    async fn probe(&self) -> Result<Capabilities, Unavailable> {
        unreachable!()
    }
    async fn check_image(&self, _: &str) -> Result<(), RuntimeError> {
        unreachable!()
    }
    async fn create(&self, _: &SandboxPlan) -> Result<Created, RuntimeError> {
        unreachable!()
    }
    async fn start(&self, _: &SandboxPlan, _: &Handle) -> Result<Started, RuntimeError> {
        unreachable!()
    }
    async fn stop(&self, _: &Handle, _: Duration) -> Result<(), RuntimeError> {
        unreachable!()
    }
    async fn remove(&self, _: &Handle) -> Result<(), RuntimeError> {
        unreachable!()
    }
    async fn state(&self, _: &Handle) -> State {
        unreachable!()
    }
    async fn exec(&self, _: &Handle, _: ExecRequest) -> Result<ExecOutput, RuntimeError> {
        unreachable!()
    }
    async fn run_once(&self, _: OneShot) -> Result<OneShotOutput, RuntimeError> {
        unreachable!()
    }
    async fn list(&self) -> Result<Vec<Found>, RuntimeError> {
        unreachable!()
    }
}
