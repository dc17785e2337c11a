//! From a session's record to what its agent and its sandbox are started with. Values only, no effects.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clauderon_agents::{Conversation, Installed, Launch, LaunchError, LaunchRequest};
use clauderon_runtime::{Limits, Mount, SandboxPlan, User};
use clauderon_session::{Mode, Spec};
use clauderon_workspace::Workspace;

use crate::config::LimitSettings;
use clauderon_store::SessionDir;

/// Where the relay listens inside every sandbox.
const RELAY: &str = "127.0.0.1:3128";
/// Where the bundle of authorities is inside every sandbox.
const CA_BUNDLE: &str = "/etc/ssl/certs/ca-certificates.crt";
/// Where the session's own authority is alone.
const CA: &str = "/clauderon/run/ca.pem";

/// What differs from one start of a session to the next.
#[derive(Debug, Clone, Default)]
pub struct Occasion {
    /// What the agent is asked at this start.
    pub prompt: Option<String>,
    /// How its conversation begins.
    pub conversation: Conversation,
    /// Whether the sandbox waits with its agent until the workspace has its files.
    pub held: bool,
    /// The terminal's width.
    pub cols: u16,
    /// The terminal's height.
    pub rows: u16,
}

/// Builds the agent's launch for one start.
pub fn launch(
    spec: &Spec,
    workspace: &Workspace,
    occasion: &Occasion,
) -> Result<Launch, LaunchError> {
    let mut launch = Launch::new(&request(spec, occasion))?;
    launch.cwd = workspace.cwd().display().to_string();
    Ok(launch)
}

/// Says whether the agent could be started so, before anything is made.
pub fn check(spec: &Spec, occasion: &Occasion) -> Result<(), LaunchError> {
    Launch::new(&request(spec, occasion)).map(drop)
}

fn request(spec: &Spec, occasion: &Occasion) -> LaunchRequest {
    LaunchRequest {
        agent: spec.agent,
        mode: spec.mode,
        model: spec.model.clone(),
        prompt: occasion.prompt.clone(),
        agent_session: spec.agent_session.clone(),
        conversation: occasion.conversation.clone(),
        ca_bundle: CA_BUNDLE.to_owned(),
        ca: CA.to_owned(),
        relay: RELAY.to_owned(),
        term: None,
        image_env: BTreeMap::new(),
        extra: Vec::new(),
    }
}

/// What a sandbox's plan is made of.
#[derive(Debug, Clone, Copy)]
pub struct Parts<'a> {
    pub spec: &'a Spec,
    pub paths: &'a SessionDir,
    pub workspace: &'a Workspace,
    pub launch: &'a Launch,
    pub relay: &'a Path,
    pub agent: &'a Installed,
    pub limits: Limits,
}

/// Builds the sandbox's plan: these mounts, and nothing else.
pub fn sandbox(parts: Parts<'_>, occasion: &Occasion) -> SandboxPlan {
    let Parts {
        spec,
        paths,
        workspace,
        launch,
        relay,
        agent,
        limits,
    } = parts;
    let run = paths.run();
    let mut mounts = workspace.mounts();
    mounts.extend([
        Mount::read_write(paths.home(), "/clauderon/home"),
        Mount::read_write(paths.uploads(), "/clauderon/uploads"),
        Mount::read_only(&run, "/clauderon/run"),
        Mount::read_only(relay, "/clauderon/relay"),
        Mount::read_only(&agent.dir, "/clauderon/agent"),
        Mount::read_only(run.join("ca-bundle.pem"), CA_BUNDLE),
    ]);
    let elsewhere = |mount: &clauderon_agents::Mount| {
        Mount::read_only(run.join(&mount.run_file), &mount.target)
    };
    mounts.extend(launch.mounts.iter().map(elsewhere));
    SandboxPlan {
        session: spec.id,
        dir: paths.path().to_owned(),
        mode: spec.mode,
        image: spec.image.clone(),
        mounts,
        user: User::for_caller(),
        limits,
        cols: size(occasion.cols, 20, 120),
        rows: size(occasion.rows, 5, 36),
        stdin: stdin(spec, paths, launch),
    }
}

/// Returns a usable width or height: a session that nobody looks at yet has that of an ordinary window.
fn size(asked: u16, least: u16, usual: u16) -> u16 {
    match asked {
        0 => usual,
        asked => asked.max(least),
    }
}

fn stdin(spec: &Spec, paths: &SessionDir, launch: &Launch) -> Option<PathBuf> {
    (spec.mode == Mode::Print && launch.stdin.is_some()).then(|| paths.private().join("stdin"))
}

/// Returns the limits of this machine with the person's own in their place.
pub fn limits(settings: &LimitSettings) -> Limits {
    let shipped = Limits::of_this_machine();
    Limits {
        pids: settings.pids.unwrap_or(shipped.pids),
        memory: settings
            .memory_gib
            .map_or(shipped.memory, |gib| (gib * f64::from(1 << 30)) as u64),
        cpu_weight: settings.cpu_weight.unwrap_or(shipped.cpu_weight),
    }
}

impl Occasion {
    /// An occasion to look at what every start has in common.
    pub fn placeholder() -> Self {
        Self {
            prompt: Some("x".to_owned()),
            ..Self::default()
        }
    }
}
