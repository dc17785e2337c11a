//! The owner of one session: events come in one at a time, effects are carried out in their order.

use std::sync::Arc;
use std::time::Duration;

use clauderon_agents::{Installed, Launch};
use clauderon_api as api;
use clauderon_holder::SessionFiles;
use clauderon_runtime::{Handle, Runtime, RuntimeError, SandboxPlan, State};
use clauderon_session::{Effect, Event, Sighting};
use clauderon_store::{Record, SessionDir, StoreError};
use clauderon_workspace::Workspace;
use tokio::sync::{mpsc, oneshot, watch};

use super::pulse::Pulse;
use super::{Shared, folders, plan, plan::Occasion, view, watcher};
use crate::clock::{now_ms, until};
use crate::failure;

/// What can be asked of a session.
pub enum Order {
    /// Something happened to it.
    Event(Event),
    /// Start the agent.
    Start(Occasion, oneshot::Sender<Result<(), api::Error>>),
    /// End the agent within the grace.
    Stop(Duration, oneshot::Sender<Result<(), api::Error>>),
    /// Change what is recorded besides its life.
    Change(Box<dyn FnOnce(&mut Record) + Send>),
    /// Take its sandbox away; the owner ends.
    Remove(oneshot::Sender<Result<(), api::Error>>),
}

/// The owner of one session.
pub struct Actor {
    pub shared: Arc<Shared>,
    pub paths: SessionDir,
    pub workspace: Workspace,
    pub record: Record,
    pub pulse: Arc<Pulse>,
    pub view: watch::Sender<api::Session>,
    pub orders: mpsc::WeakSender<Order>,
}

impl Actor {
    /// Lives until the session is removed or nobody can give orders any more.
    pub async fn live(mut self, mut orders: mpsc::Receiver<Order>) {
        loop {
            let now = now_ms();
            let order = tokio::select! {
                order = orders.recv() => order,
                () = until(self.record.life.deadline()) => Some(Order::Event(Event::Tick)),
                () = until(self.pulse.activity().changes_at(now)) => { self.publish(); continue }
                () = self.pulse.beat() => { self.publish(); continue }
            };
            match order {
                None => return,
                Some(Order::Event(event)) => {
                    let runs = event == Event::Seen(Sighting::Running);
                    self.handle(event).await;
                    if runs {
                        self.hold_again().await;
                    }
                }
                Some(Order::Start(occasion, done)) => self.start(occasion, done).await,
                Some(Order::Stop(grace, done)) => self.stop(grace, done).await,
                Some(Order::Change(change)) => {
                    change(&mut self.record);
                    self.save();
                }
                Some(Order::Remove(done)) => {
                    let removed = self.remove().await;
                    let gone = removed.is_ok();
                    let _ = done.send(removed);
                    if gone {
                        return;
                    }
                }
            }
        }
    }

    async fn start(&mut self, occasion: Occasion, done: oneshot::Sender<Result<(), api::Error>>) {
        if !self.record.life.can_start() {
            let _ = done.send(Err(self.conflict("cannot be started")));
            return;
        }
        let effects = self.record.life.handle(Event::StartAsked, now_ms());
        let mut started = Ok(());
        for effect in effects {
            match effect {
                Effect::Start => started = self.start_sandbox(&occasion).await,
                other => self.carry_out(other).await,
            }
        }
        let event = match &started {
            Ok(()) => Event::Started,
            Err(error) => Event::Failed {
                reason: error.message.clone(),
            },
        };
        self.handle(event).await;
        let _ = done.send(started);
    }

    async fn start_sandbox(&mut self, occasion: &Occasion) -> Result<(), api::Error> {
        let spec = &self.record.spec;
        let agent = super::installed(&self.shared, spec.agent)?;
        let launch = plan::launch(spec, &self.workspace, occasion).map_err(failure::launch)?;
        folders::write_launch(&self.paths, &launch, clauderon_runtime::User::for_caller())
            .map_err(failure::anyhow)?;
        let plan = self.plan(&launch, &agent, occasion);
        let runtime = self.runtime().await?;
        if self.record.container.is_none() && self.record.limits.is_empty() {
            let created = runtime.create(&plan).await.map_err(failure::runtime)?;
            self.record.container = created.handle.container;
            self.record.limits = created
                .limits
                .iter()
                .map(|limit| limit.sentence())
                .collect();
            // A power cut that takes this away has ended the container as well.
            self.note();
        }
        let prompted = occasion.prompt.is_some();
        self.pulse.restart(spec.mode, prompted, now_ms());
        runtime
            .start(&plan, &self.handle_of_sandbox())
            .await
            .map_err(failure::runtime)?;
        self.watch();
        Ok(())
    }

    async fn stop(&mut self, grace: Duration, done: oneshot::Sender<Result<(), api::Error>>) {
        let grace_ms = grace.as_millis() as u64;
        let effects = self
            .record
            .life
            .handle(Event::StopAsked { grace_ms }, now_ms());
        if effects.is_empty() {
            let _ = done.send(Err(self.conflict("does not run")));
            return;
        }
        for effect in effects {
            self.carry_out(effect).await;
        }
        let _ = done.send(Ok(()));
    }

    async fn handle(&mut self, event: Event) {
        for effect in self.record.life.handle(event, now_ms()) {
            self.carry_out(effect).await;
        }
    }

    async fn carry_out(&mut self, effect: Effect) {
        match effect {
            Effect::Save => self.note(),
            Effect::Stop { grace_ms } => self.end(Duration::from_millis(grace_ms)),
            Effect::Kill => self.end(Duration::ZERO),
            // A start has its occasion and its own path.
            Effect::Start => {}
        }
    }

    /// Ends the sandbox in a task of its own: a grace may be long, and orders go on meanwhile.
    fn end(&self, grace: Duration) {
        let (shared, handle) = (self.shared.clone(), self.handle_of_sandbox());
        let (backend, orders) = (self.record.spec.backend, self.orders.clone());
        self.shared.tasks.spawn(async move {
            let Ok(runtime) = shared.runtimes.of(backend).await else { return };
            if let Err(error) = runtime.stop(&handle, grace).await {
                tracing::warn!(session = %handle.session, %error, "the sandbox could not be stopped");
            }
            if let Some(orders) = orders.upgrade() {
                let seen = watcher::look(&*runtime, &handle).await;
                let _ = orders.send(Order::Event(Event::Seen(seen))).await;
            }
        });
    }

    async fn remove(&mut self) -> Result<(), api::Error> {
        match self
            .runtime()
            .await?
            .remove(&self.handle_of_sandbox())
            .await
        {
            Ok(()) | Err(RuntimeError::Gone | RuntimeError::NotRunning) => Ok(()),
            Err(error) => Err(failure::runtime(error)),
        }
    }

    /// Squares the record with what is really there, and watches on where the agent runs.
    pub async fn reattach(&mut self) {
        let handle = self.handle_of_sandbox();
        let seen = match self.runtime().await {
            Ok(runtime) => watcher::look(&*runtime, &handle).await,
            Err(error) => Sighting::Unanswered {
                reason: error.message,
            },
        };
        let running = seen == Sighting::Running;
        self.handle(Event::Seen(seen)).await;
        if running {
            self.pulse.restart(self.record.spec.mode, false, now_ms());
            self.hold_again().await;
            self.watch();
        }
        self.publish();
    }

    /// Gives a container that runs on without its holder a new one; a bubblewrap sandbox never outlives its own.
    async fn hold_again(&self) {
        let socket = SessionFiles::new(self.paths.path()).socket();
        let held = tokio::net::UnixStream::connect(socket).await.is_ok();
        if held || self.record.container.is_none() {
            return;
        }
        match self.hold().await {
            Ok(()) => tracing::info!(session = %self.record.spec.id, "has a new holder"),
            Err(error) => {
                tracing::warn!(session = %self.record.spec.id, %error, "runs without a holder");
            }
        }
    }

    async fn hold(&self) -> Result<(), api::Error> {
        let spec = &self.record.spec;
        let agent = super::installed(&self.shared, spec.agent)?;
        let occasion = Occasion::placeholder();
        let launch = plan::launch(spec, &self.workspace, &occasion).map_err(failure::launch)?;
        let plan = self.plan(&launch, &agent, &occasion);
        let started = self
            .runtime()
            .await?
            .start(&plan, &self.handle_of_sandbox())
            .await;
        started.map(drop).map_err(failure::runtime)
    }

    fn plan(&self, launch: &Launch, agent: &Installed, occasion: &Occasion) -> SandboxPlan {
        let parts = plan::Parts {
            spec: &self.record.spec,
            paths: &self.paths,
            workspace: &self.workspace,
            launch,
            relay: &self.shared.programs.relay,
            agent,
            limits: plan::limits(&self.shared.preferences.limits),
        };
        plan::sandbox(parts, occasion)
    }

    fn watch(&self) {
        let (shared, handle) = (self.shared.clone(), self.handle_of_sandbox());
        let (backend, orders) = (self.record.spec.backend, self.orders.clone());
        self.shared
            .tasks
            .spawn(watcher::watch(shared, backend, handle, orders));
    }

    async fn runtime(&self) -> Result<Arc<dyn Runtime>, api::Error> {
        self.shared
            .runtimes
            .of(self.record.spec.backend)
            .await
            .map_err(failure::unavailable)
    }

    fn handle_of_sandbox(&self) -> Handle {
        Handle {
            session: self.record.spec.id,
            dir: self.paths.path().to_owned(),
            container: self.record.container.clone(),
        }
    }

    /// Writes down what a person decided, or what cannot be asked for again.
    fn save(&self) {
        self.written(self.shared.store.save(&self.record));
    }

    /// Writes down a state, which the next daemon asks for again anyhow.
    fn note(&self) {
        self.written(self.shared.store.note(&self.record));
    }

    fn written(&self, result: Result<(), StoreError>) {
        if let Err(error) = result {
            tracing::error!(session = %self.record.spec.id, %error, "the session's record could not be written");
        }
        self.publish();
    }

    fn publish(&self) {
        let view = view::of(&self.record, &self.pulse.activity(), now_ms());
        let changed = self.view.send_if_modified(|shown| {
            let changed = *shown != view;
            *shown = view.clone();
            changed
        });
        if changed {
            self.shared.events.changed(view);
        }
    }

    fn conflict(&self, what: &str) -> api::Error {
        api::Error::conflict(format!(
            "session {} {what}: it is {}",
            self.record.spec.name.as_str(),
            self.record.life.state().as_str()
        ))
    }
}

/// Says what a runtime's answer means for a session.
pub fn sighting(state: State, exit: Option<i32>) -> Sighting {
    match (state, exit) {
        (State::Present { running: true }, _) => Sighting::Running,
        (State::Present { running: false } | State::Absent, Some(code)) => Sighting::Ended { code },
        (State::Present { running: false } | State::Absent, None) => Sighting::Absent,
        (State::Unknown(reason), _) => Sighting::Unanswered { reason },
    }
}
