//! What the owner of a session does with its sandbox: make it, start it, hold it again, end it, take it away.

use std::sync::Arc;
use std::time::Duration;

use clauderon_agents::{Installed, Launch};
use clauderon_api as api;
use clauderon_holder::SessionFiles;
use clauderon_runtime::{Handle, Runtime, RuntimeError, SandboxPlan, User};
use clauderon_session::{Event, Sighting};
use clauderon_workspace::Sandboxes;

use super::actor::{Actor, Order};
use super::folders;
use super::plan::{self, Occasion};
use super::watcher::{self, Before, Watched};
use crate::failure;

impl Actor {
    pub(super) async fn start_sandbox(&mut self, occasion: &Occasion) -> Result<(), api::Error> {
        self.run += 1;
        let spec = &self.record.spec;
        if let Some(lost) = clauderon_workspace::lost(&self.workspace).await {
            return Err(failure::lost_repository(spec, &self.workspace, lost));
        }
        let agent = super::installed(&self.shared, spec.agent)?;
        let launch = plan::launch(spec, &self.workspace, occasion).map_err(failure::launch)?;
        self.record.agent_version = Some(agent.version.clone());
        self.talk.heed(super::untested(&self.record).is_none());
        let user = User::for_caller();
        folders::write_launch(&self.paths, &launch, user, occasion.held)
            .map_err(failure::anyhow)?;
        let plan = self.plan(&launch, &agent, occasion);
        let runtime = self.runtime().await?;
        if !occasion.held && folders::is_half_made(&self.paths) {
            self.fill(&*runtime, user).await?;
        }
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
        self.pulse.restart(prompted);
        let printed = SessionFiles::new(self.paths.path()).log_end();
        runtime
            .start(&plan, &self.handle_of_sandbox())
            .await
            .map_err(failure::runtime)?;
        self.watch(Before::Nothing { printed });
        Ok(())
    }

    /// Checks out the files of a session whose creation broke off.
    async fn fill(&self, runtime: &dyn Runtime, user: User) -> Result<(), api::Error> {
        let sandboxes = Sandboxes {
            runtime,
            image: self.record.spec.image.clone(),
            user,
        };
        clauderon_workspace::fill(&sandboxes, &self.workspace)
            .await
            .map_err(failure::workspace)?;
        folders::forget_held(&self.paths);
        Ok(())
    }

    /// Ends the sandbox in a task of its own: a grace may be long, and orders go on meanwhile.
    pub(super) fn end(&self, grace: Duration) {
        let (shared, handle) = (self.shared.clone(), self.handle_of_sandbox());
        let (backend, orders) = (self.record.spec.backend, self.orders.clone());
        let (engine, run) = (self.record.engine.clone(), self.run);
        self.shared.tasks.spawn(async move {
            let seen = match shared.runtimes.of(backend, engine.as_deref()).await {
                Ok(runtime) => {
                    if let Err(error) = runtime.stop(&handle, grace).await {
                        tracing::warn!(session = %handle.session, %error, "the sandbox could not be stopped");
                    }
                    watcher::look(&*runtime, &handle).await
                }
                Err(why) => Sighting::Unanswered { reason: why.sentence },
            };
            if let Some(orders) = orders.upgrade() {
                let event = Event::Seen(seen);
                let _ = orders.send(Order::Told { run, event }).await;
            }
        });
    }

    pub(super) async fn remove(&mut self) -> Result<(), api::Error> {
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

    /// Removes the sandbox and forgets it; what it wrote stays.
    pub(super) async fn discard(&mut self) -> Result<(), api::Error> {
        self.remove().await?;
        watcher::holder_gone(self.paths.path()).await;
        self.record.container = None;
        self.record.limits = Vec::new();
        self.save();
        Ok(())
    }

    /// Gives a container that runs on without its holder a new one; a bubblewrap sandbox never outlives its own.
    pub(super) async fn hold_again(&self) {
        if self.is_held().await || self.record.container.is_none() {
            return;
        }
        match self.hold().await {
            Ok(()) => tracing::info!(session = %self.record.spec.id, "has a new holder"),
            Err(error) => {
                tracing::warn!(session = %self.record.spec.id, %error, "runs without a holder");
            }
        }
    }

    pub(super) async fn is_held(&self) -> bool {
        let socket = SessionFiles::new(self.paths.path()).socket();
        tokio::net::UnixStream::connect(socket).await.is_ok()
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

    pub(super) fn watch(&self, before: Before) {
        let watched = Watched {
            handle: self.handle_of_sandbox(),
            place: (self.record.spec.backend, self.record.engine.clone()),
            agent: self.record.spec.agent,
            reads_titles: super::untested(&self.record).is_none(),
            pulse: self.pulse.clone(),
            before,
            run: self.run,
        };
        let (shared, orders) = (self.shared.clone(), self.orders.clone());
        self.shared
            .tasks
            .spawn(watcher::watch(shared, watched, orders));
    }

    pub(super) async fn runtime(&self) -> Result<Arc<dyn Runtime>, api::Error> {
        self.shared
            .runtimes
            .of(self.record.spec.backend, self.record.engine.as_deref())
            .await
            .map_err(failure::unavailable)
    }

    pub(super) fn handle_of_sandbox(&self) -> Handle {
        Handle {
            session: self.record.spec.id,
            dir: self.paths.path().to_owned(),
            container: self.record.container.clone(),
        }
    }
}
