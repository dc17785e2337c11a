//! All sessions: found by name or id, made, re-attached at start, and each with one owner.

mod actor;
mod create;
pub mod disk;
mod folders;
mod plan;
pub mod pulse;
mod view;
mod watcher;

use std::collections::{BTreeMap, HashSet};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use clauderon_agents::Installed;
use clauderon_api::{self as api, Error};
use clauderon_policy::{Grant, Posture, Routes};
use clauderon_proxy::SessionCa;
use clauderon_session::{Agent, Event, Mode, SessionId, SessionName, Spec};
use clauderon_store::{Record, SessionDir, Store};
use clauderon_vault::{Environment, Vaults};
use clauderon_workspace::{Forget, Sandboxes, Workspace, forget};
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::task::TaskTracker;

use crate::clock::now_ms;
use crate::config::Preferences;
use crate::egress::{Egress, Gate};
use crate::events::Events;
use crate::failure;
use crate::observer::Pulses;
use crate::paths::Paths;
use crate::programs::Programs;
use crate::runtimes::Runtimes;
use actor::{Actor, Order};
use pulse::Pulse;

pub use plan::Occasion;

/// How long an agent may take to end when it is stopped.
const GRACE: Duration = Duration::from_secs(10);
/// Orders that may wait for one session.
const ORDERS: usize = 64;

/// What all sessions use.
pub struct Shared {
    pub paths: Paths,
    pub preferences: Preferences,
    pub programs: Programs,
    pub runtimes: Runtimes,
    pub gate: Gate,
    pub store: Store,
    pub vaults: Arc<Vaults>,
    pub environment: Environment,
    pub routes: watch::Receiver<Arc<Routes>>,
    pub pulses: Arc<Pulses>,
    pub events: Events,
    pub tasks: TaskTracker,
}

/// All sessions.
pub struct Sessions {
    shared: Arc<Shared>,
    all: Mutex<BTreeMap<SessionId, Arc<Session>>>,
    reserved: Mutex<HashSet<SessionName>>,
}

/// One session, as the rest of the daemon holds it.
pub struct Session {
    shared: Arc<Shared>,
    pub paths: SessionDir,
    pub spec: Spec,
    pub workspace: Workspace,
    orders: mpsc::Sender<Order>,
    view: watch::Receiver<api::Session>,
    egress: Egress,
}

impl Sessions {
    /// Makes an empty set.
    pub fn new(shared: Arc<Shared>) -> Self {
        Self {
            shared,
            all: Mutex::default(),
            reserved: Mutex::default(),
        }
    }

    /// What all sessions use.
    pub fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Takes up every session of an earlier daemon, those whose agents still run included.
    pub async fn reattach(&self, records: Vec<Record>) {
        for record in records {
            let id = record.spec.id;
            if let Err(error) = self.take_up(record).await {
                tracing::error!(session = %id, error = %format!("{error:#}"), "the session could not be taken up");
            }
        }
    }

    async fn take_up(&self, record: Record) -> anyhow::Result<()> {
        let paths = self.shared.store.dir(record.spec.id);
        let ca = folders::load_ca(&paths, record.spec.id)?;
        let workspace = Workspace::load(paths.path())?;
        let (mut actor, orders, session) = self.assemble(record, workspace, ca)?;
        actor.reattach().await;
        self.shared.tasks.spawn(actor.live(orders));
        self.all().insert(session.spec.id, session);
        Ok(())
    }

    /// Makes the session that `request` asks for.
    pub async fn create(
        &self,
        request: api::CreateSession,
        progress: api::Progress,
    ) -> Result<api::Created, Error> {
        create::create(self, request, progress).await
    }

    /// Gives a new session its owner.
    fn adopt(
        &self,
        record: Record,
        workspace: Workspace,
        ca: SessionCa,
    ) -> Result<Arc<Session>, Error> {
        let (actor, orders, session) = self
            .assemble(record, workspace, ca)
            .map_err(failure::anyhow)?;
        self.shared.tasks.spawn(actor.live(orders));
        self.all().insert(session.spec.id, session.clone());
        Ok(session)
    }

    fn assemble(
        &self,
        record: Record,
        workspace: Workspace,
        ca: SessionCa,
    ) -> anyhow::Result<(Actor, mpsc::Receiver<Order>, Arc<Session>)> {
        let shared = &self.shared;
        let spec = record.spec.clone();
        let paths = shared.store.dir(spec.id);
        let id = spec.id.to_string();
        let launch = plan::launch(&spec, &workspace, &Occasion::placeholder());
        let egress = shared.gate.open(
            &id,
            &paths.egress_socket(),
            create::policy(shared, &record),
            ca,
            launch.map(|launch| launch.placeholders).unwrap_or_default(),
        )?;
        let pulse = Arc::new(Pulse::new(spec.mode, now_ms()));
        shared.pulses.add(id, pulse.clone());
        let (order, orders) = mpsc::channel(ORDERS);
        let shown = view::of(&record, &pulse.activity(), now_ms());
        let (publish, view) = watch::channel(shown);
        let actor = Actor {
            shared: shared.clone(),
            paths: paths.clone(),
            workspace: workspace.clone(),
            record,
            pulse,
            view: publish,
            orders: order.downgrade(),
        };
        let session = Arc::new(Session {
            shared: shared.clone(),
            paths,
            spec,
            workspace,
            orders: order,
            view,
            egress,
        });
        Ok((actor, orders, session))
    }

    /// Lists every session as it is now, the oldest first.
    pub fn views(&self) -> Vec<api::Session> {
        let mut views: Vec<_> = self.all().values().map(|session| session.view()).collect();
        views.sort_by(|a, b| (a.created_ms, &a.name).cmp(&(b.created_ms, &b.name)));
        views
    }

    /// Finds a session by its name or id.
    pub fn find(&self, wanted: &str) -> Result<Arc<Session>, Error> {
        self.all()
            .values()
            .find(|session| {
                session.spec.name.as_str() == wanted || session.spec.id.as_str() == wanted
            })
            .cloned()
            .ok_or_else(|| {
                Error::not_found(format!("there is no session {wanted:?}"))
                    .hint("`clauderon list` shows the sessions")
            })
    }

    /// Deletes a session: its sandbox, its pins in the person's repository, its folder.
    pub async fn delete(&self, wanted: &str) -> Result<(), Error> {
        let session = self.find(wanted)?;
        let id = session.spec.id;
        session.remove().await?;
        if let Err(error) = forget(&session.workspace, Forget::Pins).await {
            tracing::warn!(session = %id, %error, "the pins were left behind");
        }
        self.forget(id);
        self.shared
            .store
            .remove(id)
            .map_err(|error| Error::failed(error.to_string()))?;
        self.shared.events.removed(id.to_string());
        Ok(())
    }

    /// Takes a session out of the set.
    fn forget(&self, id: SessionId) -> Option<Arc<Session>> {
        self.shared.pulses.remove(id.as_str());
        self.all().remove(&id)
    }

    /// Keeps a name for a session in the making.
    fn reserve(&self, name: SessionName) -> Result<Reserved<'_>, Error> {
        let taken = self.all().values().any(|session| session.spec.name == name);
        if taken || !self.reserved().insert(name.clone()) {
            return Err(Error::conflict(format!(
                "there is a session named {} already",
                name.as_str()
            ))
            .hint("choose another with --name, or delete that one"));
        }
        Ok(Reserved {
            sessions: self,
            name,
        })
    }

    /// Finds a name that no session has, after the repository's folder.
    fn free_name(&self, repository: &Path) -> SessionName {
        let folder = repository
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default();
        let taken: HashSet<String> = self
            .all()
            .values()
            .map(|session| session.spec.name.as_str().to_owned())
            .chain(self.reserved().iter().map(|name| name.as_str().to_owned()))
            .collect();
        (1..)
            .map(|number| match number {
                1 => folder.clone(),
                _ => format!("{}-{number}", folder.chars().take(50).collect::<String>()),
            })
            .map(|typed| {
                SessionName::convert(&typed)
                    .or_else(|_| SessionName::convert(&format!("session-{typed}")))
                    .expect("a word of letters is a name")
                    .name
            })
            .find(|name| !taken.contains(name.as_str()))
            .expect("numbers do not run out")
    }

    /// Gives every session the routes as they are now.
    pub fn set_routes(&self, routes: &Arc<Routes>) {
        for session in self.all().values() {
            session
                .egress
                .set_policy(|policy| policy.routes = routes.clone());
        }
    }

    /// Gives a host to every session of a repository.
    pub fn grant_all(&self, repository: &Path, grant: &Grant) {
        let all: Vec<_> = self.all().values().cloned().collect();
        for session in all.iter().filter(|one| one.spec.repository == repository) {
            session.grant_now(grant.clone());
        }
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<SessionId, Arc<Session>>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn reserved(&self) -> MutexGuard<'_, HashSet<SessionName>> {
        self.reserved.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A name that is kept until the session has it, or its making failed.
struct Reserved<'a> {
    sessions: &'a Sessions,
    name: SessionName,
}

impl Drop for Reserved<'_> {
    fn drop(&mut self) {
        self.sessions.reserved().remove(&self.name);
    }
}

impl Session {
    /// Returns the session as it is now.
    pub fn view(&self) -> api::Session {
        self.view.borrow().clone()
    }

    /// Starts the agent again, going on with its conversation where there is one.
    pub async fn start_again(&self) -> Result<(), Error> {
        if self.spec.mode == Mode::Print {
            return Err(Error::conflict(format!(
                "session {} answered its prompt and has nothing more to do",
                self.spec.name.as_str()
            ))
            .hint("create a new session with the next prompt"));
        }
        let resume = clauderon_agents::conversation_exists(
            &self.paths.home(),
            self.spec.agent,
            &self.spec.agent_session,
        );
        self.start(Occasion {
            resume,
            cols: 120,
            rows: 40,
            ..Occasion::default()
        })
        .await
    }

    async fn start(&self, occasion: Occasion) -> Result<(), Error> {
        self.ask(|done| Order::Start(occasion, done)).await?
    }

    /// Asks the agent to end and waits until it has.
    pub async fn stop(&self) -> Result<(), Error> {
        self.ask(|done| Order::Stop(GRACE, done)).await??;
        let mut view = self.view.clone();
        let over = |view: &api::Session| view.state != api::State::Stopping;
        view.wait_for(over).await.map(drop).map_err(|_| gone())
    }

    /// Grants a host to this session, from its next request on.
    pub async fn grant(&self, grant: Grant) -> Result<(), Error> {
        self.grant_now(grant.clone());
        let change = move |record: &mut Record| {
            if !record.grants.contains(&grant) {
                record.grants.push(grant);
            }
        };
        self.order(Order::Change(Box::new(change))).await
    }

    /// Adds a sentence that the person should know, once.
    async fn tell(&self, sentence: String) {
        let change = move |record: &mut Record| {
            if !record.notices.contains(&sentence) {
                record.notices.push(sentence);
            }
        };
        // A session that is gone needs no notice.
        let _ = self.order(Order::Change(Box::new(change))).await;
    }

    fn grant_now(&self, grant: Grant) {
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

    /// Returns what its workspace is compared and packed with.
    pub async fn with_sandboxes<T>(
        &self,
        work: impl AsyncFnOnce(&Sandboxes<'_>) -> Result<T, clauderon_workspace::Error>,
    ) -> Result<T, Error> {
        let runtime = match self.shared.runtimes.fast_git().await {
            Some(fast) => fast,
            None => self
                .shared
                .runtimes
                .of(self.spec.backend)
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

    async fn event(&self, event: Event) {
        // A session that is gone needs no news.
        let _ = self.order(Order::Event(event)).await;
    }

    async fn remove(&self) -> Result<(), Error> {
        self.ask(Order::Remove).await?
    }

    async fn ask<T>(&self, order: impl FnOnce(oneshot::Sender<T>) -> Order) -> Result<T, Error> {
        let (done, answer) = oneshot::channel();
        self.order(order(done)).await?;
        answer.await.map_err(|_| gone())
    }

    async fn order(&self, order: Order) -> Result<(), Error> {
        self.orders.send(order).await.map_err(|_| gone())
    }
}

/// Returns the installed agent, or the command that installs it.
fn installed(shared: &Shared, agent: Agent) -> Result<Installed, Error> {
    clauderon_agents::installed(shared.paths.home(), agent).ok_or_else(|| {
        Error::failed(format!("{} is not installed", agent.title()))
            .hint(format!("run `clauderon agents install {agent}`"))
    })
}

fn gone() -> Error {
    Error::not_found("the session is gone")
}
