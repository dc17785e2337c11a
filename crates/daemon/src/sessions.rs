//! All sessions: found by name or id, made, re-attached at start, and each with one owner.

mod actor;
mod budget;
mod create;
pub mod disk;
mod folders;
mod fork;
mod names;
mod plan;
pub mod pulse;
mod sandbox;
mod session;
mod shelf;
mod show;
mod take_up;
pub mod trash;
mod view;
mod watcher;

use std::collections::{BTreeMap, HashSet};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use clauderon_agents::Installed;
use clauderon_api::{self as api, Error};
use clauderon_policy::{Grant, Routes};
use clauderon_proxy::SessionCa;
use clauderon_session::{Agent, SessionId, SessionName};
use clauderon_store::{Record, Store};
use clauderon_terminal::Keeper;
use clauderon_vault::{Environment, Vaults};
use clauderon_workspace::Workspace;
use tokio::sync::{mpsc, watch};
use tokio_util::task::TaskTracker;

use crate::accounts::Accounts;
use crate::books::Books;
use crate::config::Preferences;
use crate::conversation::{Place, Talk};
use crate::delivery::{self, Delivery};
use crate::demo::Stage;
use crate::egress::Gate;
use crate::events::Events;
use crate::failure;
use crate::observer::Pulses;
use crate::paths::Paths;
use crate::programs::Programs;
use crate::room::Room;
use crate::runtimes::Runtimes;
use actor::{Actor, Order};
use pulse::Pulse;

pub use create::Purpose;
pub use plan::Occasion;
pub use session::Session;
pub use view::Shown;

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
    pub accounts: Accounts,
    pub environment: Environment,
    pub routes: watch::Receiver<Arc<Routes>>,
    pub pulses: Arc<Pulses>,
    pub events: Events,
    pub tasks: TaskTracker,
    /// What keeps the checkpoints of terminals.
    pub checkpoints: Keeper,
    /// What plays the upstreams of demos.
    pub stage: Stage,
    /// Whether the disk has room.
    pub room: Room,
    /// What all sessions used.
    pub books: Books,
    /// Held while the room that sessions take is counted.
    pub counting: tokio::sync::Mutex<()>,
    /// Held while the desk is written.
    pub desk: tokio::sync::Mutex<()>,
}

/// All sessions.
pub struct Sessions {
    shared: Arc<Shared>,
    all: Mutex<BTreeMap<SessionId, Arc<Session>>>,
    reserved: Mutex<HashSet<SessionName>>,
    trash_locks: trash::Locks,
    /// Sandboxes of deleted sessions that are being ended.
    clearing: TaskTracker,
}

impl Sessions {
    /// Makes an empty set.
    pub fn new(shared: Arc<Shared>) -> Self {
        Self {
            shared,
            all: Mutex::default(),
            reserved: Mutex::default(),
            trash_locks: trash::Locks::default(),
            clearing: TaskTracker::new(),
        }
    }

    /// What all sessions use.
    pub fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Makes the session that `request` asks for.
    pub async fn create(
        &self,
        request: api::CreateSession,
        progress: api::Progress,
    ) -> Result<api::Created, Error> {
        self.create_for(Purpose::Work, request, progress).await
    }

    /// Makes a session for something else than a person's work, too.
    pub async fn create_for(
        &self,
        purpose: Purpose,
        request: api::CreateSession,
        progress: api::Progress,
    ) -> Result<api::Created, Error> {
        create::create(self, purpose, request, progress).await
    }

    /// Makes another session with a copy of this one's files and conversation.
    pub async fn fork(
        &self,
        session: &str,
        request: api::ForkSession,
        progress: api::Progress,
    ) -> Result<api::Created, Error> {
        fork::fork(self, session, request, progress).await
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
            record.demo.then(|| shared.stage.stand_in()),
        )?;
        let patience_ms = shared.preferences.attention.patience_ms();
        let pulse = Arc::new(Pulse::new(spec.mode, patience_ms));
        let place = Place {
            agent: spec.agent,
            home: paths.home(),
            private: paths.private(),
            books: shared.books.clone(),
            pulse: pulse.clone(),
            patience: shared.preferences.attention.hold(),
        };
        let talk = Talk::begin(place, show::known(&record, &pulse.now()), &shared.tasks);
        talk.heed(untested(&record).is_none());
        if record.budget.is_some() {
            talk.set_budget(record.budget);
        }
        shared.pulses.add(id, pulse.clone(), talk.clone());
        let (order, orders) = mpsc::channel(ORDERS);
        let shown = Shown::of(&record, &pulse.now(), talk.status());
        let (publish, view) = watch::channel(shown);
        let engine = record.engine.clone();
        let place = delivery::Place {
            session: spec.id,
            paths: paths.clone(),
            view: view.clone(),
            pulse: pulse.clone(),
            talk: talk.clone(),
        };
        let delivery = Delivery::begin(place, &shared.tasks);
        let actor = Actor {
            shared: shared.clone(),
            paths: paths.clone(),
            workspace: workspace.clone(),
            record,
            pulse: pulse.clone(),
            view: publish,
            talk: talk.clone(),
            claimed: None,
            orders: order.downgrade(),
            run: 0,
            unwritten: None,
        };
        let session = Arc::new(Session {
            shared: shared.clone(),
            paths,
            spec,
            workspace,
            orders: order,
            view,
            talk,
            delivery,
            pulse,
            egress,
            engine,
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

    /// Takes a session out of the set.
    fn forget(&self, id: SessionId) -> Option<Arc<Session>> {
        self.shared.pulses.remove(id.as_str());
        self.all().remove(&id)
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
}

/// Says what a person should know of the agent's version, where this release was not tried with it.
fn untested(record: &Record) -> Option<String> {
    let version = record.agent_version.as_deref()?;
    clauderon_agents::untested(record.spec.agent, version)
}

/// Returns the installed agent, or the command that installs it.
fn installed(shared: &Shared, agent: Agent) -> Result<Installed, Error> {
    let home = shared.paths.home();
    let version = shared.preferences.agents.version(agent);
    clauderon_agents::installed_version(home, agent, version).ok_or_else(|| match version {
        Some(version) => Error::failed(format!("{} {version} is not installed", agent.title()))
            .hint(format!(
                "put it into {}, or take agents.{agent} out of config.toml",
                home.join("agents")
                    .join(agent.as_str())
                    .join(version)
                    .display()
            )),
        None => Error::failed(format!("{} is not installed", agent.title()))
            .hint(format!("run `clauderon agents install {agent}`")),
    })
}
