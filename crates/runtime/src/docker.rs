//! Sandboxes by a Docker engine on this machine, over its unix socket.
//!
//! A container is ours only if its id comes from a session's record *and* its labels name this installation and that
//! session. Anything else is never started, entered, stopped or removed, whatever its labels claim.

mod container;
pub mod discover;
mod engine;
mod image;
mod profile;
mod run;
mod usage;

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bollard::errors::Error as EngineError;
use bollard::models::ContainerInspectResponse;
use bollard::query_parameters::{
    CreateContainerOptionsBuilder, ListContainersOptionsBuilder, RemoveContainerOptionsBuilder,
    StopContainerOptionsBuilder,
};
use clauderon_holder as held;
use clauderon_session::{Backend, Mode, SessionId};

use self::container::{Container, INSTALLATION, SESSION, Streams};
use self::discover::{OnDisk, Place, Surroundings};
use self::engine::Engine;
pub use self::image::{DEFAULT_IMAGE, DOCKERFILE};
use crate::mounts::{Checked, Guard};
use crate::{
    Capabilities, Created, ExecOutput, ExecRequest, Found, Handle, Installation, LimitNote, Limits,
    Mount, OneShot, OneShotOutput, Runtime, RuntimeError, SandboxPlan, Started, State, Unavailable,
    Usage, accounts, holder,
};

/// The Docker backend. Clones share one engine.
#[derive(Debug, Clone)]
pub struct Docker {
    installation: Installation,
    guard: Guard,
    place: Place,
    engine: Engine,
    /// Ids of images that were found fit; an id never changes what it names.
    fit: Arc<Mutex<HashSet<String>>>,
}

impl Docker {
    /// Connects to the first fit engine of this machine.
    pub async fn find(
        installation: &Installation,
        around: &Surroundings,
    ) -> Result<Self, Unavailable> {
        let mut refused = None;
        for place in discover::places(around, &OnDisk)? {
            match Self::connect(installation.clone(), place).await {
                Ok(docker) => return Ok(docker),
                Err(why) => refused = refused.or(Some(why)),
            }
        }
        Err(refused.expect("there is at least one place"))
    }

    /// Connects to the engine at a place.
    pub async fn connect(installation: Installation, place: Place) -> Result<Self, Unavailable> {
        let engine = engine::connect(&place).await?;
        Ok(Self {
            guard: Guard::new(&installation),
            installation,
            place,
            engine,
            fit: Arc::default(),
        })
    }

    /// Makes sure that somebody still listens at the engine's socket.
    pub fn reach(&self) -> Result<(), Unavailable> {
        engine::reach(&self.engine.socket)
    }

    /// Finds the handle's container and makes sure that it is ours.
    async fn ours(
        &self,
        handle: &Handle,
    ) -> Result<(String, ContainerInspectResponse), RuntimeError> {
        let id = handle.container.clone().ok_or(RuntimeError::Gone)?;
        let seen = self.engine.api.inspect_container(&id, None).await;
        let seen = seen.map_err(|error| {
            if is_missing(&error) {
                RuntimeError::Gone
            } else {
                engine_error("look at the container", &error)
            }
        })?;
        let labels = seen
            .config
            .as_ref()
            .and_then(|config| config.labels.as_ref());
        let label = |name: &str| {
            labels
                .and_then(|labels| labels.get(name))
                .map(String::as_str)
        };
        let foreign = |why: &str| {
            Err(RuntimeError::Foreign {
                id: id.clone(),
                why: why.into(),
            })
        };
        if seen.id.as_deref() != Some(id.as_str()) {
            return foreign("its id is another");
        }
        if label(INSTALLATION) != Some(self.installation.id.as_str()) {
            return foreign("another installation made it");
        }
        if label(SESSION) != Some(handle.session.to_string().as_str()) {
            return foreign("it is of another session");
        }
        Ok((id, seen))
    }

    /// Removes the containers of a session whose daemon was killed before it wrote down that there is one.
    async fn remove_unrecorded(&self, session: SessionId) -> Result<(), RuntimeError> {
        let session = session.to_string();
        for found in self.list().await? {
            if found.installation.as_deref() == Some(&self.installation.id)
                && found.session.as_deref() == Some(&session)
            {
                self.remove_container(&found.container).await?;
            }
        }
        Ok(())
    }

    async fn remove_container(&self, id: &str) -> Result<(), RuntimeError> {
        let options = RemoveContainerOptionsBuilder::default()
            .force(true)
            .v(true)
            .build();
        match self.engine.api.remove_container(id, Some(options)).await {
            Err(error) if !is_missing(&error) => Err(engine_error("remove the container", &error)),
            _ => Ok(()),
        }
    }

    /// The engine mounts by the paths of the creation at each start; they must still be what is judged fit now.
    fn check_recorded_mounts(
        &self,
        plan: &SandboxPlan,
        seen: &ContainerInspectResponse,
    ) -> Result<(), RuntimeError> {
        let judged = self.mounts(plan)?;
        let recorded = seen
            .host_config
            .as_ref()
            .and_then(|host| host.mounts.as_ref());
        for source in recorded
            .into_iter()
            .flatten()
            .filter_map(|mount| mount.source.as_deref())
        {
            if !judged.iter().any(|mount| mount.source == Path::new(source)) {
                let why = "the container was made with it, and it is no longer part of the session"
                    .into();
                return Err(RuntimeError::MountRefused {
                    source_path: source.into(),
                    why,
                });
            }
        }
        Ok(())
    }

    /// Judges the plan's mounts and adds the account files, unless the plan brings its own.
    fn mounts(&self, plan: &SandboxPlan) -> Result<Vec<Checked>, RuntimeError> {
        let mut mounts: Vec<Mount> = plan.mounts.clone();
        mounts.extend(accounts::mounts(plan, &["/etc/passwd", "/etc/group"]));
        self.guard.check_all(&mounts, Some(&plan.dir))
    }
}

#[async_trait]
impl Runtime for Docker {
    fn backend(&self) -> Backend {
        Backend::Docker
    }

    fn engine(&self) -> Option<&Path> {
        Some(&self.engine.socket)
    }

    async fn probe(&self) -> Result<Capabilities, Unavailable> {
        let now = engine::connect(&self.place).await?;
        let found = format!("At {}, {}.", self.engine.socket.display(), self.place.how);
        Ok(Capabilities {
            backend: Backend::Docker,
            version: now.info.server_version.clone().unwrap_or_default(),
            limits: limits(&now, &Limits::of_this_machine()),
            notes: vec![found, "Programs that bring their own namespace sandbox, such as Chromium, need their switch for it.".into()],
        })
    }

    async fn check_image(&self, image: &str) -> Result<(), RuntimeError> {
        self.fit_image(image).await.map(|_| ())
    }

    async fn create(&self, plan: &SandboxPlan) -> Result<Created, RuntimeError> {
        accounts::check_user(plan.user)?;
        let image = plan.image.as_deref().unwrap_or(DEFAULT_IMAGE);
        let image = self.fit_image(image).await?;
        accounts::write(plan)?;
        let mounts = self.mounts(plan)?;
        let has_workspace = mounts
            .iter()
            .any(|mount| mount.target == Path::new("/workspace"));
        let body = Container {
            installation: &self.installation,
            image: image.id.as_deref().unwrap_or_default(),
            image_config: &image.config.clone().unwrap_or_default(),
            session: Some(plan.session.to_string()),
            command: vec!["/clauderon/relay".into()],
            env: Vec::new(),
            cwd: Path::new(if has_workspace { "/workspace" } else { "/" }),
            mounts: &mounts,
            user: plan.user,
            limits: plan.limits,
            streams: match plan.mode {
                Mode::Interactive => Streams::Terminal,
                Mode::Print => Streams::Pipes { stdin: true },
            },
            throw_away: false,
        }
        .body();
        let name = format!("clauderon-{}", plan.session);
        let named = CreateContainerOptionsBuilder::default().name(&name).build();
        let create = |named| self.engine.api.create_container(named, body.clone());
        let mut created = create(Some(named.clone())).await;
        if status(created.as_ref().err()) == Some(409) {
            self.remove_unrecorded(plan.session).await?;
            created = create(Some(named)).await;
        }
        if status(created.as_ref().err()) == Some(409) {
            // Somebody else's container has the name; the id is what counts.
            created = create(None).await;
        }
        let id = created
            .map_err(|error| engine_error("make the container", &error))?
            .id;
        let handle = Handle {
            session: plan.session,
            dir: plan.dir.clone(),
            container: Some(id),
        };
        Ok(Created {
            handle,
            limits: limits(&self.engine, &plan.limits),
        })
    }

    async fn start(&self, plan: &SandboxPlan, handle: &Handle) -> Result<Started, RuntimeError> {
        let (container, seen) = self.ours(handle).await?;
        self.check_recorded_mounts(plan, &seen)?;
        let running = is_running(&seen);
        let order = held::Spec {
            session: plan.session.to_string(),
            dir: plan.dir.clone(),
            mode: holder::wiring(plan.mode),
            cols: plan.cols,
            rows: plan.rows,
            stdin: plan.stdin.clone(),
            sandbox: held::Sandbox::Docker {
                socket: self.engine.socket.clone(),
                container,
                start: !running,
            },
        };
        holder::spawn(&self.installation.holder, &order).await
    }

    async fn stop(&self, handle: &Handle, grace: Duration) -> Result<(), RuntimeError> {
        let (id, seen) = self.ours(handle).await?;
        if !is_running(&seen) {
            return Ok(());
        }
        let seconds = i32::try_from(grace.as_millis().div_ceil(1000)).unwrap_or(i32::MAX);
        let options = StopContainerOptionsBuilder::default().t(seconds).build();
        match self.engine.api.stop_container(&id, Some(options)).await {
            Err(error) if status(Some(&error)) != Some(304) => {
                Err(engine_error("stop the container", &error))
            }
            _ => Ok(()),
        }
    }

    async fn remove(&self, handle: &Handle) -> Result<(), RuntimeError> {
        if handle.container.is_none() {
            return self.remove_unrecorded(handle.session).await;
        }
        match self.ours(handle).await {
            Ok((id, _)) => self.remove_container(&id).await,
            Err(RuntimeError::Gone) => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn state(&self, handle: &Handle) -> State {
        match self.ours(handle).await {
            Ok((_, seen)) => State::Present {
                running: is_running(&seen),
            },
            Err(RuntimeError::Gone) => State::Absent,
            Err(error) => State::Unknown(error.to_string()),
        }
    }

    async fn usage(&self, handle: &Handle) -> Usage {
        let Ok((id, seen)) = self.ours(handle).await else {
            return Usage::default();
        };
        match is_running(&seen) {
            true => usage::of(&self.engine, &id).await,
            false => Usage::default(),
        }
    }

    async fn exec(
        &self,
        handle: &Handle,
        request: ExecRequest,
    ) -> Result<ExecOutput, RuntimeError> {
        let (id, seen) = self.ours(handle).await?;
        if !is_running(&seen) {
            return Err(RuntimeError::NotRunning);
        }
        let user = seen
            .config
            .and_then(|config| config.user)
            .unwrap_or_default();
        self.exec_in(&id, &handle.dir, user, request).await
    }

    async fn run_once(&self, one: OneShot) -> Result<OneShotOutput, RuntimeError> {
        accounts::check_user(one.user)?;
        let mounts = self
            .guard
            .check_all(&one.mounts, one.session_dir.as_deref())?;
        let one = OneShot {
            image: Some(one.image.clone().unwrap_or_else(|| DEFAULT_IMAGE.into())),
            ..one
        };
        self.throw_away(one, &mounts).await
    }

    async fn list(&self) -> Result<Vec<Found>, RuntimeError> {
        let filters = HashMap::from([("label", vec![SESSION])]);
        let options = ListContainersOptionsBuilder::default()
            .all(true)
            .filters(&filters)
            .build();
        let seen = self.engine.api.list_containers(Some(options)).await;
        let seen = seen.map_err(|error| engine_error("list containers", &error))?;
        let found = seen.into_iter().map(|seen| {
            let mut labels = seen.labels.unwrap_or_default();
            Found {
                container: seen.id.unwrap_or_default(),
                name: seen
                    .names
                    .into_iter()
                    .flatten()
                    .next()
                    .unwrap_or_default()
                    .trim_start_matches('/')
                    .to_owned(),
                installation: labels
                    .remove(INSTALLATION)
                    .filter(|label| !label.is_empty()),
                session: labels.remove(SESSION).filter(|label| !label.is_empty()),
                running: seen
                    .state
                    .is_some_and(|state| state.to_string() == "running"),
            }
        });
        Ok(found.collect())
    }
}

/// Says which limits the engine keeps; it reports what its kernel can do.
fn limits(engine: &Engine, limits: &Limits) -> Vec<LimitNote> {
    let note = |limit: String, enforced: bool, why_not: &str| LimitNote {
        limit,
        enforced,
        why_not: (!enforced).then(|| why_not.to_owned()),
    };
    let cannot = "the engine's kernel cannot";
    vec![
        note(
            format!("memory {} MiB", limits.memory >> 20),
            engine.info.memory_limit.unwrap_or(false),
            cannot,
        ),
        note(
            format!("processes {}", limits.pids),
            engine.info.pids_limit.unwrap_or(false),
            cannot,
        ),
        note(
            format!("processor weight {}", limits.cpu_weight),
            engine.info.cpu_shares.unwrap_or(false),
            cannot,
        ),
    ]
}

fn is_running(seen: &ContainerInspectResponse) -> bool {
    seen.state
        .as_ref()
        .and_then(|state| state.running)
        .unwrap_or(false)
}

fn status(error: Option<&EngineError>) -> Option<u16> {
    match error {
        Some(EngineError::DockerResponseServerError { status_code, .. }) => Some(*status_code),
        _ => None,
    }
}

fn is_missing(error: &EngineError) -> bool {
    status(Some(error)) == Some(404)
}

fn engine_error(doing: &'static str, error: &EngineError) -> RuntimeError {
    let message = match error {
        EngineError::DockerResponseServerError { message, .. } => message.clone(),
        other => other.to_string(),
    };
    RuntimeError::Engine { doing, message }
}
