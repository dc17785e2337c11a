//! Sandboxes by bubblewrap: the embedded backend, for Linux with user namespaces and no engine.
//!
//! Nothing persists but the session's folder: `create` writes what `start` needs, each start makes the sandbox anew
//! under a holder, and the sandbox dies with its holder. Programs come from the host's `/usr`, read-only.

mod cgroup;
mod diagnose;
mod filter;
mod layout;
mod oneshot;
mod stage;
mod usage;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use clauderon_holder as held;
use clauderon_session::Backend;

use self::cgroup::Group;
use self::layout::Layout;
use crate::mounts::{Checked, Guard};
use crate::{
    Capabilities, Created, ExecOutput, ExecRequest, Found, Handle, Installation, OneShot,
    OneShotOutput, Runtime, RuntimeError, SandboxPlan, Started, State, Unavailable, Usage,
    accounts, holder,
};

/// Where staged sources appear to a root caller's sandbox user, in a mount namespace of its own. It exists everywhere,
/// and bubblewrap, which builds on the same place, does so only after it has found its sources.
const STAGE: &str = "/tmp";

/// The bubblewrap backend.
#[derive(Debug, Clone)]
pub struct Bubblewrap {
    installation: Installation,
    guard: Guard,
    program: Option<Program>,
}

#[derive(Debug, Clone)]
struct Program {
    path: PathBuf,
    version: String,
    sized_tmpfs: bool,
}

impl Bubblewrap {
    /// Finds the program; nothing is started but `bwrap --version`.
    pub fn new(installation: Installation) -> Self {
        let guard = Guard::new(&installation);
        Self {
            program: diagnose::find(),
            guard,
            installation,
        }
    }

    fn program(&self) -> Result<&Program, Unavailable> {
        self.program.as_ref().ok_or_else(diagnose::not_installed)
    }

    /// Judges the plan's mounts and adds the account files, unless the plan brings its own.
    fn mounts(&self, plan: &SandboxPlan) -> Result<Vec<Checked>, RuntimeError> {
        let mut mounts = plan.mounts.clone();
        mounts.extend(accounts::mounts(
            plan,
            &[
                "/etc/passwd",
                "/etc/group",
                "/etc/hosts",
                "/etc/nsswitch.conf",
            ],
        ));
        self.guard.check_all(&mounts, Some(&plan.dir))
    }

    fn order(&self, plan: &SandboxPlan, group: &Group) -> Result<held::Spec, RuntimeError> {
        let program = self.program()?;
        let mounts = self.mounts(plan)?;
        let staged = rustix::process::geteuid().is_root();
        let stage = mounts.iter().enumerate().map(|(index, mount)| held::Stage {
            source: mount.source.clone(),
            name: index.to_string(),
        });
        let workspace = Path::new("/workspace");
        let has_workspace = mounts.iter().any(|mount| mount.target == workspace);
        let argv = Layout {
            bwrap: &program.path,
            sized_tmpfs: program.sized_tmpfs,
            etc: layout::ETC,
            mounts: &mounts,
            sources: sources(&mounts, staged.then_some("{stage}")),
            data: Vec::new(),
            env: Vec::new(),
            cwd: if has_workspace {
                workspace
            } else {
                Path::new("/")
            },
            seccomp: "{seccomp}".into(),
            options: vec!["--as-pid-1".into()],
            command: vec![
                "/clauderon/relay".into(),
                "--control".into(),
                "{control}".into(),
            ],
        }
        .argv();
        let filter = plan.dir.join("private/seccomp.bpf");
        holder::write_private(&filter, &filter::program())?;
        Ok(held::Spec {
            session: plan.session.to_string(),
            dir: plan.dir.clone(),
            mode: holder::wiring(plan.mode),
            cols: plan.cols,
            rows: plan.rows,
            stdin: plan.stdin.clone(),
            sandbox: held::Sandbox::Bubblewrap {
                argv,
                seccomp: Some(filter),
                user: staged.then_some(held::User {
                    uid: plan.user.uid,
                    gid: plan.user.gid,
                }),
                stage: if staged { stage.collect() } else { Vec::new() },
                cgroups: group.procs(),
            },
        })
    }
}

#[async_trait]
impl Runtime for Bubblewrap {
    fn backend(&self) -> Backend {
        Backend::Bubblewrap
    }

    async fn probe(&self) -> Result<Capabilities, Unavailable> {
        let program = self.program()?;
        let tried = self.run_once(OneShot::new(["/usr/bin/true"])).await;
        if let Some(trouble) = diagnose::explain(tried) {
            return Err(trouble);
        }
        let group = Group::make(
            &format!("clauderon-probe-{}", std::process::id()),
            &crate::Limits::of_this_machine(),
        );
        let limits = group.notes.clone();
        group.remove();
        Ok(Capabilities {
            backend: Backend::Bubblewrap,
            version: program.version.clone(),
            limits,
            notes: vec![
                "Programs that bring their own namespace sandbox, such as Chromium, need their switch for it.".into(),
            ],
        })
    }

    async fn check_image(&self, _image: &str) -> Result<(), RuntimeError> {
        self.program()?;
        Ok(())
    }

    async fn create(&self, plan: &SandboxPlan) -> Result<Created, RuntimeError> {
        accounts::check_user(plan.user)?;
        self.program()?;
        accounts::write(plan)?;
        self.mounts(plan)?;
        let group = group(plan)?;
        let handle = Handle {
            session: plan.session,
            dir: plan.dir.clone(),
            container: None,
        };
        Ok(Created {
            handle,
            limits: group.notes,
        })
    }

    async fn start(&self, plan: &SandboxPlan, _handle: &Handle) -> Result<Started, RuntimeError> {
        accounts::check_user(plan.user)?;
        accounts::write(plan)?;
        let group = group(plan)?;
        let order = self.order(plan, &group)?;
        holder::spawn(&self.installation.holder, &order).await
    }

    async fn stop(&self, handle: &Handle, grace: Duration) -> Result<(), RuntimeError> {
        let Some(client) = holder::Client::connect(&handle.dir).await? else {
            return Ok(());
        };
        if client.hello.running {
            client.stop(grace).await
        } else {
            Ok(())
        }
    }

    async fn remove(&self, handle: &Handle) -> Result<(), RuntimeError> {
        self.stop(handle, Duration::ZERO).await?;
        recorded_group(&handle.dir).remove();
        Ok(())
    }

    async fn state(&self, handle: &Handle) -> State {
        match handle.dir.try_exists() {
            Ok(true) => {}
            Ok(false) => return State::Absent,
            Err(error) => return State::Unknown(error.to_string()),
        }
        match holder::Client::connect(&handle.dir).await {
            Ok(client) => State::Present {
                running: client.is_some_and(|client| client.hello.running),
            },
            Err(error) => State::Unknown(error.to_string()),
        }
    }

    async fn usage(&self, handle: &Handle) -> Usage {
        let pid = held::SessionFiles::new(&handle.dir).pid();
        let holder = fs::read_to_string(pid).ok();
        let groups = recorded_group(&handle.dir).folders();
        let measure = move || usage::of(&groups, holder.and_then(|pid| pid.trim().parse().ok()));
        tokio::task::spawn_blocking(measure)
            .await
            .unwrap_or_default()
    }

    async fn exec(
        &self,
        handle: &Handle,
        request: ExecRequest,
    ) -> Result<ExecOutput, RuntimeError> {
        let client = holder::Client::connect(&handle.dir)
            .await?
            .ok_or(RuntimeError::NotRunning)?;
        if !client.hello.running {
            return Err(RuntimeError::NotRunning);
        }
        client.exec(request).await
    }

    async fn run_once(&self, one: OneShot) -> Result<OneShotOutput, RuntimeError> {
        accounts::check_user(one.user)?;
        let program = self.program()?.clone();
        let mounts = self
            .guard
            .check_all(&one.mounts, one.session_dir.as_deref())?;
        let run = move || oneshot::run(&program.path, program.sized_tmpfs, &one, &mounts);
        let ended = tokio::task::spawn_blocking(run).await;
        ended.unwrap_or_else(|error| {
            Err(RuntimeError::io(
                "run a throw-away sandbox",
                std::io::Error::other(error),
            ))
        })
    }

    async fn list(&self) -> Result<Vec<Found>, RuntimeError> {
        Ok(Vec::new())
    }
}

/// Makes the session's control groups and writes them down, so that a later process finds them; those that an earlier
/// one made elsewhere are removed.
fn group(plan: &SandboxPlan) -> Result<Group, RuntimeError> {
    let group = Group::make(&format!("clauderon-{}", plan.session), &plan.limits);
    recorded_group(&plan.dir).without(&group).remove();
    holder::write_private(&plan.dir.join("private/cgroups"), group.record().as_bytes())?;
    Ok(group)
}

fn recorded_group(dir: &Path) -> Group {
    Group::from_record(&fs::read_to_string(dir.join("private/cgroups")).unwrap_or_default())
}

/// Where each mount's source is found: in place, or by its number on the stage.
fn sources(mounts: &[Checked], stage: Option<&str>) -> Vec<String> {
    let place = |(index, mount): (usize, &Checked)| match stage {
        Some(stage) => format!("{stage}/{index}"),
        None => mount.source.display().to_string(),
    };
    mounts.iter().enumerate().map(place).collect()
}
