//! An in-memory backend, so that other crates test their own decisions without an engine.
//!
//! It keeps the contract's states and errors but runs nothing: a started sandbox "runs" until `stop`, `remove` or
//! [`Fake::end`]. `run_once` answers what [`Fake::answer`] was told to, so that it can never touch the host.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use clauderon_session::{Backend, SessionId};

use crate::{
    Capabilities, Created, ExecOutput, ExecRequest, Found, Handle, LimitNote, OneShot,
    OneShotOutput, Runtime, RuntimeError, SandboxPlan, Started, State, Unavailable,
};

/// The in-memory backend. Clones share one state.
#[derive(Clone, Default)]
pub struct Fake {
    world: Arc<Mutex<World>>,
}

type Answer = Box<dyn Fn(&OneShot) -> Result<OneShotOutput, RuntimeError> + Send>;

#[derive(Default)]
struct World {
    sandboxes: HashMap<SessionId, bool>,
    unavailable: Option<Unavailable>,
    unknown: Option<String>,
    answer: Option<Answer>,
    next_pid: u32,
}

impl Fake {
    /// Makes a backend with no sandboxes.
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes every request fail as if the engine were away, or work again.
    pub fn set_unavailable(&self, unavailable: Option<Unavailable>) {
        self.world().unavailable = unavailable;
    }

    /// Makes every query of a state fail with this reason, or answer again.
    pub fn set_unknown(&self, reason: Option<String>) {
        self.world().unknown = reason;
    }

    /// Ends what runs in a sandbox, as if the agent had exited by itself.
    pub fn end(&self, session: &SessionId) {
        if let Some(running) = self.world().sandboxes.get_mut(session) {
            *running = false;
        }
    }

    /// Says how throw-away programs end.
    pub fn answer(
        &self,
        answer: impl Fn(&OneShot) -> Result<OneShotOutput, RuntimeError> + Send + 'static,
    ) {
        self.world().answer = Some(Box::new(answer));
    }

    fn world(&self) -> std::sync::MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn available(&self) -> Result<std::sync::MutexGuard<'_, World>, Unavailable> {
        let world = self.world();
        match &world.unavailable {
            Some(unavailable) => Err(unavailable.clone()),
            None => Ok(world),
        }
    }
}

#[async_trait]
impl Runtime for Fake {
    fn backend(&self) -> Backend {
        Backend::Fake
    }

    async fn probe(&self) -> Result<Capabilities, Unavailable> {
        let _world = self.available()?;
        Ok(Capabilities {
            backend: Backend::Fake,
            version: "0".into(),
            limits: no_limits(),
            notes: Vec::new(),
        })
    }

    async fn check_image(&self, _image: &str) -> Result<(), RuntimeError> {
        let _world = self.available()?;
        Ok(())
    }

    async fn create(&self, plan: &SandboxPlan) -> Result<Created, RuntimeError> {
        self.available()?.sandboxes.insert(plan.session, false);
        let handle = Handle {
            session: plan.session,
            dir: plan.dir.clone(),
            container: None,
        };
        Ok(Created {
            handle,
            limits: no_limits(),
        })
    }

    async fn start(&self, _plan: &SandboxPlan, handle: &Handle) -> Result<Started, RuntimeError> {
        let mut world = self.available()?;
        let running = world
            .sandboxes
            .get_mut(&handle.session)
            .ok_or(RuntimeError::Gone)?;
        *running = true;
        world.next_pid += 1;
        Ok(Started {
            holder_pid: world.next_pid,
        })
    }

    async fn stop(&self, handle: &Handle, _grace: Duration) -> Result<(), RuntimeError> {
        let mut world = self.available()?;
        let running = world
            .sandboxes
            .get_mut(&handle.session)
            .ok_or(RuntimeError::Gone)?;
        *running = false;
        Ok(())
    }

    async fn remove(&self, handle: &Handle) -> Result<(), RuntimeError> {
        self.available()?.sandboxes.remove(&handle.session);
        Ok(())
    }

    async fn state(&self, handle: &Handle) -> State {
        let world = self.world();
        if let Some(reason) = &world.unknown {
            return State::Unknown(reason.clone());
        }
        match (&world.unavailable, world.sandboxes.get(&handle.session)) {
            (Some(unavailable), _) => State::Unknown(unavailable.to_string()),
            (None, Some(running)) => State::Present { running: *running },
            (None, None) => State::Absent,
        }
    }

    async fn exec(
        &self,
        handle: &Handle,
        request: ExecRequest,
    ) -> Result<ExecOutput, RuntimeError> {
        let running = *self
            .available()?
            .sandboxes
            .get(&handle.session)
            .ok_or(RuntimeError::Gone)?;
        if !running {
            return Err(RuntimeError::NotRunning);
        }
        self.run_once(OneShot::new(request.argv)).await
    }

    async fn run_once(&self, one: OneShot) -> Result<OneShotOutput, RuntimeError> {
        let world = self.available()?;
        match &world.answer {
            Some(answer) => answer(&one),
            None => Ok(OneShotOutput {
                code: 0,
                stdout: Vec::new(),
                stderr: Vec::new(),
            }),
        }
    }

    async fn list(&self) -> Result<Vec<Found>, RuntimeError> {
        let _world = self.available()?;
        Ok(Vec::new())
    }
}

fn no_limits() -> Vec<LimitNote> {
    vec![LimitNote {
        limit: "nothing".into(),
        enforced: false,
        why_not: Some("nothing runs in a fake".into()),
    }]
}
