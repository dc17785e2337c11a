//! Makes a session, step by step; a step that fails takes back all that came before it.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use clauderon_agents::Conversation;
use clauderon_api::{CreateSession, Created, Error, ErrorCode, Progress};
use clauderon_policy::{Policy, Posture, Repository, Subject};
use clauderon_runtime::{Runtime, User};
use clauderon_session::{Agent, Backend, Event, Lifecycle, Mode, SessionId, SessionName, Spec};
use clauderon_store::{Record, SessionDir, Shelf, StoreError, Turn};
use clauderon_transcript::Budget;
use clauderon_workspace::{Forget, Plan, Sandboxes, Source, Workspace, forget};

use super::plan::{self, Occasion};
use super::{Session, Sessions, Shared, budget, folders};
use crate::clock::now_ms;
use crate::{credentials, failure};

/// When an agent has started, and the disk may be busy again.
const SETTLED: Duration = Duration::from_secs(2);

/// What a session is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// A person's work, with their account.
    Work,
    /// To show how it is. No account is used, and none can be: see [`crate::demo`].
    Demo {
        /// What the person is told about it.
        notice: &'static str,
    },
}

impl Purpose {
    /// Makes sure that the agent has an account where it needs one, and says which.
    fn account(self, shared: &Shared, agent: Agent) -> Result<String, Error> {
        match self {
            Purpose::Work => credentials::for_agent(&shared.vaults, agent),
            Purpose::Demo { .. } => Ok("none".to_owned()),
        }
    }
}

/// Makes the session that `request` asks for and starts its agent.
pub async fn create(
    sessions: &Sessions,
    purpose: Purpose,
    request: CreateSession,
    progress: Progress,
) -> Result<Created, Error> {
    let shared = sessions.shared.clone();
    let defaults = &shared.preferences.defaults;
    let agent = request.agent.or(defaults.agent).unwrap_or(Agent::Claude);
    let mut notices = Vec::new();

    super::installed(&shared, agent)?;
    let credential = purpose.account(&shared, agent)?;
    if let Purpose::Demo { notice } = purpose {
        notices.push(notice.to_owned());
    }
    notices.extend(differing_environment(&shared, &request));
    progress.say("look at the repository");
    let source = Source::inspect(&request.repository)
        .await
        .map_err(failure::workspace)?;
    let name = match &request.name {
        Some(typed) => typed_name(typed, &mut notices)?,
        None => sessions.free_name(&source.root),
    };
    let _reserved = sessions.reserve(name.clone())?;
    let chosen = shared
        .runtimes
        .choose(request.backend.or(defaults.backend))
        .await
        .map_err(failure::unavailable)?;
    notices.extend(chosen.notice);
    let image = image(&request, &shared, chosen.runtime.backend(), &mut notices)?;

    let id = new_id()?;
    let spec = Spec {
        id,
        name: name.clone(),
        agent,
        backend: chosen.runtime.backend(),
        mode: request.mode,
        image,
        model: request.model.clone().or_else(|| defaults.model.clone()),
        repository: source.root.clone(),
        base: source.head.clone(),
        branch: name.branch(),
        created_ms: now_ms(),
        agent_session: uuid()?,
        copy_of: None,
    };
    check_prompt(&spec, &request)?;
    let allowed = allowed(&shared, &request);
    notices.extend(budget::notice(allowed, spec.agent, spec.model.as_deref()));
    tracing::info!(session = %id, %name, %agent, backend = %spec.backend, %credential, "create");

    let half = HalfMade {
        sessions,
        purpose,
        shared: &shared,
        paths: shared.store.dir(id),
        request: &request,
        source: &source,
        runtime: &*chosen.runtime,
        progress: &progress,
    };
    let made = half.make(spec, notices).await;
    if made.is_err() {
        undo(sessions, id).await;
    }
    made
}

/// A session in the making.
struct HalfMade<'a> {
    sessions: &'a Sessions,
    purpose: Purpose,
    shared: &'a Shared,
    paths: SessionDir,
    request: &'a CreateSession,
    source: &'a Source,
    runtime: &'a dyn Runtime,
    progress: &'a Progress,
}

impl HalfMade<'_> {
    async fn make(&self, spec: Spec, mut notices: Vec<String>) -> Result<Created, Error> {
        let Self {
            request,
            source,
            runtime,
            progress,
            ..
        } = *self;
        let user = User::for_caller();
        if let Some(image) = &spec.image {
            progress.say(format!("check the image {image}"));
            runtime.check_image(image).await.map_err(failure::runtime)?;
        }
        self.shared
            .store
            .create_dir(spec.id)
            .map_err(failure::store)?;
        let ca = folders::fill(&self.paths, spec.id, user).map_err(failure::anyhow)?;
        let name = spec.name.clone();
        let image = spec.image.clone();
        let mut record = self.record(spec, Vec::new());
        self.shared.store.note(&record).map_err(failure::store)?;
        progress.say("clone the repository");
        let git = self.shared.runtimes.fast_git().await;
        let sandboxes = Sandboxes {
            runtime: git.as_deref().unwrap_or(runtime),
            image,
            user,
        };
        let plan = Plan {
            session_dir: self.paths.path(),
            name: &name,
            source,
            isolate_history: request.isolate_history,
            include_secrets: false,
        };
        let made = clauderon_workspace::create(&sandboxes, plan)
            .await
            .map_err(failure::workspace)?;
        notices.extend(made.notices.iter().map(ToString::to_string));

        record.notices = notices.clone();
        let session = self.sessions.adopt(record, made.workspace, ca)?;
        session.event(Event::Created).await;
        progress.say("check out its files and start the sandbox");
        let occasion = Occasion {
            prompt: request.prompt.clone(),
            conversation: Conversation::New,
            held: true,
            cols: request.cols,
            rows: request.rows,
        };
        let filled = async {
            let filled = clauderon_workspace::fill(&sandboxes, &session.workspace).await;
            filled.map_err(failure::workspace)
        };
        tokio::try_join!(filled, session.start(occasion))?;
        folders::let_go(&self.paths).map_err(failure::anyhow)?;
        let uncommitted = clauderon_workspace::settle(&sandboxes, source, &session.workspace)
            .await
            .map_err(failure::workspace)?;
        if let Some(notice) = uncommitted {
            session.tell(notice.to_string()).await;
            notices.push(notice.to_string());
        }
        self.shared.tasks.spawn(keep(session.clone()));
        Ok(Created {
            session: session.view(),
            notices,
        })
    }

    fn record(&self, spec: Spec, notices: Vec<String>) -> Record {
        let Self {
            request, source, ..
        } = *self;
        let User { uid, gid } = User::for_caller();
        let posture = request
            .posture
            .or(self.shared.preferences.defaults.policy)
            .unwrap_or(Posture::Balanced);
        let github = source
            .github
            .clone()
            .map(|(owner, name)| Repository { owner, name });
        Record {
            life: Lifecycle::new(spec.created_ms),
            user: (uid, gid),
            prompted: request.prompt.is_some(),
            posture,
            agent_version: None,
            budget: allowed(self.shared, request),
            grants: Vec::new(),
            github,
            container: None,
            demo: self.purpose != Purpose::Work,
            engine: self.runtime.engine().map(Path::to_owned),
            limits: Vec::new(),
            notices,
            shelf: Shelf::default(),
            turn: Turn::default(),
            deleted: None,
            spec,
        }
    }
}

/// Takes back whatever was made of a session; what cannot be taken back is said in the log, never to the person twice.
pub(super) async fn undo(sessions: &Sessions, id: SessionId) {
    if let Some(session) = sessions.forget(id) {
        let _ = session.remove().await;
    }
    let store = &sessions.shared.store;
    if let Ok(workspace) = Workspace::load(store.dir(id).path())
        && let Err(error) = forget(&workspace, Forget::Everything).await
    {
        tracing::warn!(session = %id, %error, "references were left behind");
    }
    match store.remove(id) {
        Ok(()) | Err(StoreError::NoSession(_)) => {}
        Err(error) => tracing::warn!(session = %id, %error, "the folder was left behind"),
    }
}

/// Brings a new session's records to the disk when its agent has started: it must not wait for its own fresh files.
pub(super) async fn keep(session: Arc<Session>) {
    tokio::time::sleep(SETTLED).await;
    let workspace = session.workspace.clone();
    let kept = tokio::task::spawn_blocking(move || workspace.keep()).await;
    if let Ok(Err(error)) = kept {
        tracing::warn!(session = %session.spec.id, %error, "the workspace's record is not on the disk yet");
    }
    session.keep().await;
}

/// Makes a session's name of what was typed.
pub(super) fn typed_name(typed: &str, notices: &mut Vec<String>) -> Result<SessionName, Error> {
    let converted = SessionName::convert(typed).map_err(|error| Error::usage(error.to_string()))?;
    if converted.changed {
        notices.push(format!("The session is named {}.", converted.name.as_str()));
    }
    Ok(converted.name)
}

fn image(
    request: &CreateSession,
    shared: &Shared,
    backend: Backend,
    notices: &mut Vec<String>,
) -> Result<Option<String>, Error> {
    match (backend, &request.image) {
        (Backend::Docker, Some(image)) => Ok(Some(image.clone())),
        (Backend::Docker, None) => {
            let configured = shared.preferences.defaults.image.clone();
            Ok(Some(configured.unwrap_or_else(|| {
                clauderon_runtime::docker::DEFAULT_IMAGE.to_owned()
            })))
        }
        (Backend::Bubblewrap | Backend::Fake, Some(image)) => {
            notices.push(format!(
                "The image {image} is not used: {backend} has no images."
            ));
            Ok(None)
        }
        (Backend::Bubblewrap | Backend::Fake, None) => Ok(None),
    }
}

/// What the session may spend: what is asked for, or what is configured.
fn allowed(shared: &Shared, request: &CreateSession) -> Option<Budget> {
    match request.budget {
        Some(cap) => cap.budget(),
        None => shared.preferences.defaults.budget,
    }
}

/// Refuses what could not be started before anything is made.
fn check_prompt(spec: &Spec, request: &CreateSession) -> Result<(), Error> {
    let occasion = Occasion {
        prompt: request.prompt.clone(),
        ..Occasion::default()
    };
    if spec.mode == Mode::Print && request.prompt.as_deref().is_none_or(str::is_empty) {
        return Err(Error::usage("print mode needs a prompt")
            .hint("give one as the last argument, or `-` to read it from standard input"));
    }
    plan::check(spec, &occasion).map_err(failure::launch)
}

fn differing_environment(shared: &Shared, request: &CreateSession) -> Option<String> {
    let theirs = request.credential_fingerprints.as_ref()?;
    let differing = shared
        .environment
        .differing(theirs.salt.as_bytes(), &theirs.values);
    (!differing.is_empty()).then(|| {
        format!(
            "The daemon has other values than this shell for {}; `clauderon daemon restart` takes this shell's.",
            differing.join(", ")
        )
    })
}

/// Builds the policy of a session from its record.
pub fn policy(shared: &Shared, record: &Record) -> Policy {
    let mut grants = record.grants.clone();
    grants.extend(shared.store.always_allowed(&record.spec.repository));
    Policy {
        posture: record.posture,
        routes: shared.routes.borrow().clone(),
        grants,
        subject: Subject {
            agent: record.spec.agent.to_string(),
            repository: record.github.clone(),
        },
    }
}

pub(super) fn new_id() -> Result<SessionId, Error> {
    Ok(SessionId::from_random(random()?))
}

/// Makes a random (version 4) UUID.
pub(super) fn uuid() -> Result<String, Error> {
    let mut bytes: [u8; 16] = random()?;
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok([
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..],
    ]
    .join("-"))
}

fn random<const N: usize>() -> Result<[u8; N], Error> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)
        .map_err(|error| Error::new(ErrorCode::Failed, format!("no random bytes: {error}")))?;
    Ok(bytes)
}
