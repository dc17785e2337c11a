//! One session, as the rest of the daemon holds it: what it is asked for, its owner does.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clauderon_api::{self as api, Error};
use clauderon_policy::{Grant, Posture};
use clauderon_session::{Event, Mode, Spec};
use clauderon_store::{Record, SessionDir};
use clauderon_workspace::{Sandboxes, Workspace};
use tokio::sync::{mpsc, oneshot, watch};

use super::actor::Order;
use super::plan::{self, Occasion};
use super::pulse::Pulse;
use super::view::Shown;
use super::{Shared, fork, installed};
use crate::conversation::Talk;
use crate::delivery::Delivery;
use crate::egress::Egress;
use crate::failure;

/// How long an agent may take to end when it is stopped.
const GRACE: Duration = Duration::from_secs(10);

/// One session, as the rest of the daemon holds it.
pub struct Session {
    pub(super) shared: Arc<Shared>,
    pub paths: SessionDir,
    pub spec: Spec,
    pub workspace: Workspace,
    pub(super) orders: mpsc::Sender<Order>,
    pub(super) view: watch::Receiver<Shown>,
    /// Its conversation.
    pub talk: Arc<Talk>,
    /// The messages to its agent.
    pub delivery: Delivery,
    pub(super) pulse: Arc<Pulse>,
    pub(super) egress: Egress,
    pub(super) engine: Option<PathBuf>,
}

impl Session {
    /// Returns the session as it is now.
    pub fn view(&self) -> api::Session {
        let shown = self.view.borrow().clone();
        shown.now(self.talk.status()).view
    }

    /// Says whether the agent has said what it does since it started: in its terminal, or by a request where its titles are not
    /// read.
    pub fn has_spoken(&self) -> bool {
        let now = self.pulse.now();
        now.claim.is_some() || (self.view().untested.is_some() && now.requests.has_asked())
    }

    /// Starts the agent again, going on with its conversation where there is one.
    pub async fn start_again(&self) -> Result<(), Error> {
        self.can_go_on()?;
        if self.view().archived_ms.is_some() {
            self.unarchive().await?;
        }
        self.start(Occasion {
            conversation: fork::conversation(&self.paths.home(), &self.spec),
            cols: 120,
            rows: 40,
            ..Occasion::default()
        })
        .await
    }

    /// Makes its sandbox anew around the same work and goes on with the conversation.
    pub async fn recreate(&self) -> Result<(), Error> {
        self.can_go_on()?;
        // It may have ended by itself, or nobody may know.
        let _ = self.stop().await;
        self.ask(Order::Discard).await??;
        self.start_again().await
    }

    fn can_go_on(&self) -> Result<(), Error> {
        if self.spec.mode == Mode::Interactive {
            return Ok(());
        }
        Err(Error::conflict(format!(
            "session {} answered its prompt and has nothing more to do",
            self.spec.name.as_str()
        ))
        .hint("create a new session with the next prompt"))
    }

    pub(super) async fn start(&self, occasion: Occasion) -> Result<(), Error> {
        self.ask(|done| Order::Start(occasion, done)).await?
    }

    /// Asks the agent to end and waits until it has.
    pub async fn stop(&self) -> Result<(), Error> {
        self.ask(|done| Order::Stop(GRACE, done)).await??;
        let mut view = self.view.clone();
        let over = |shown: &Shown| shown.view.state != api::State::Stopping;
        view.wait_for(over).await.map(drop).map_err(|_| gone())
    }

    /// Grants a host to this session, from its next request on.
    pub async fn grant(&self, grant: Grant) -> Result<(), Error> {
        let granted = grant.clone();
        self.change(move |record| {
            if !record.grants.contains(&granted) {
                record.grants.push(granted);
            }
        })
        .await?;
        self.grant_now(grant);
        Ok(())
    }

    /// Brings its record to the disk.
    pub(super) async fn keep(&self) {
        // A session that is gone needs no record.
        let _ = self.order(Order::Change(Box::new(|_| {}))).await;
    }

    /// Adds a sentence that the person should know, once.
    pub(super) async fn tell(&self, sentence: String) {
        let change = move |record: &mut Record| {
            if !record.notices.contains(&sentence) {
                record.notices.push(sentence);
            }
        };
        // A session that is gone needs no notice.
        let _ = self.order(Order::Change(Box::new(change))).await;
    }

    pub(super) fn grant_now(&self, grant: Grant) {
        self.egress.set_policy(|policy| {
            if !policy.grants.contains(&grant) {
                policy.grants.push(grant);
            }
        });
    }

    /// Returns the posture and the grants in force.
    pub fn policy(&self) -> (Posture, Vec<Grant>) {
        let policy = self.egress.policy();
        (policy.posture, policy.grants.clone())
    }

    /// Returns what all sessions use.
    pub fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Returns the whole policy in force.
    pub fn whole_policy(&self) -> Arc<clauderon_policy::Policy> {
        self.egress.policy()
    }

    /// Returns what the agent's sandbox is given, and what its agent holds in the place of credentials.
    pub fn holdings(&self) -> Result<(Vec<clauderon_runtime::Mount>, Vec<String>), Error> {
        let agent = installed(&self.shared, self.spec.agent)?;
        let occasion = Occasion::placeholder();
        let launch =
            plan::launch(&self.spec, &self.workspace, &occasion).map_err(failure::launch)?;
        let parts = plan::Parts {
            spec: &self.spec,
            paths: &self.paths,
            workspace: &self.workspace,
            launch: &launch,
            relay: &self.shared.programs.relay,
            agent: &agent,
            limits: plan::limits(&self.shared.preferences.limits),
        };
        let mounts = plan::sandbox(parts, &occasion).mounts;
        Ok((mounts, launch.placeholders))
    }

    /// Returns what its workspace is compared and packed with.
    pub async fn with_sandboxes<T>(
        &self,
        work: impl AsyncFnOnce(&Sandboxes<'_>) -> Result<T, clauderon_workspace::Error>,
    ) -> Result<T, Error> {
        if let Some(lost) = clauderon_workspace::lost(&self.workspace).await {
            return Err(failure::lost_repository(&self.spec, &self.workspace, lost));
        }
        let runtime = match self.shared.runtimes.fast_git().await {
            Some(fast) => fast,
            None => self
                .shared
                .runtimes
                .of(self.spec.backend, self.engine.as_deref())
                .await
                .map_err(failure::unavailable)?,
        };
        let sandboxes = Sandboxes {
            runtime: &*runtime,
            image: self.spec.image.clone(),
            user: clauderon_runtime::User::for_caller(),
        };
        work(&sandboxes).await.map_err(failure::workspace)
    }

    pub(super) async fn event(&self, event: Event) {
        // A session that is gone needs no news.
        let _ = self.order(Order::Event(event)).await;
    }

    pub(super) async fn remove(&self) -> Result<(), Error> {
        self.ask(Order::Remove).await?
    }

    pub(super) async fn ask<T>(
        &self,
        order: impl FnOnce(oneshot::Sender<T>) -> Order,
    ) -> Result<T, Error> {
        let (done, answer) = oneshot::channel();
        self.order(order(done)).await?;
        answer.await.map_err(|_| gone())
    }

    pub(super) async fn order(&self, order: Order) -> Result<(), Error> {
        self.orders.send(order).await.map_err(|_| gone())
    }
}

fn gone() -> Error {
    Error::not_found("the session is gone")
}
