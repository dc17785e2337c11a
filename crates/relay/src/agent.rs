//! What is started inside: the agent from its launch file, and programs beside it on request.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde::Deserialize;

use crate::{Refusal, arrival, signals};

/// How long a launch file may be awaited: a new session's comes once its files are checked out.
const FILES: Duration = Duration::from_secs(900);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Launch {
    pub argv: Vec<String>,
    pub env: BTreeMap<String, String>,
    pub cwd: String,
}

impl Launch {
    pub fn read(path: &Path) -> Result<Self, Refusal> {
        let shown = path.display();
        arrival::wait(path, FILES);
        let bytes = fs::read(path)
            .map_err(|error| Refusal::new(format!("cannot read {shown}: {error}")))?;
        let launch: Self = serde_json::from_slice(&bytes)
            .map_err(|error| Refusal::new(format!("{shown} is not a launch file: {error}")))?;
        if launch.argv.is_empty() {
            return Err(Refusal::new(format!("{shown} names no program")));
        }
        Ok(launch)
    }
}

/// Starts the agent in a process group of its own, in the foreground where there is a terminal,
/// and returns its process id.
pub fn start(launch: &Launch, file_limit: libc::rlimit) -> Result<i32, Refusal> {
    // SAFETY: asks about a descriptor, touches no memory.
    let terminal = unsafe { libc::isatty(0) } == 1;
    let mut command = prepare(&launch.argv, &launch.env, &launch.cwd);
    // SAFETY: only async-signal-safe calls.
    unsafe {
        command.pre_exec(move || {
            libc::setpgid(0, 0);
            if terminal {
                // Still with SIGTTOU ignored: a background group that takes the foreground is stopped otherwise.
                libc::tcsetpgrp(0, libc::getpid());
            }
            libc::setrlimit(libc::RLIMIT_NOFILE, &raw const file_limit);
            signals::restore_for_child();
            Ok(())
        });
    }
    let child = command
        .spawn()
        .map_err(|error| explain(&error, &launch.argv[0], &launch.cwd))?;
    if !terminal {
        let_go_of_the_pipes();
    }
    Ok(child.id() as i32)
}

/// Starts a program beside the agent, in a session of its own.
pub fn start_beside(
    argv: &[String],
    env: &BTreeMap<String, String>,
    cwd: &str,
    [stdin, stdout, stderr]: [OwnedFd; 3],
    file_limit: libc::rlimit,
) -> Result<i32, Refusal> {
    let Some(program) = argv.first() else {
        return Err(Refusal::new("no program was named"));
    };
    let mut command = prepare(argv, env, cwd);
    command
        .stdin(Stdio::from(stdin))
        .stdout(Stdio::from(stdout))
        .stderr(Stdio::from(stderr));
    // SAFETY: only async-signal-safe calls.
    unsafe {
        command.pre_exec(move || {
            libc::setsid();
            libc::setrlimit(libc::RLIMIT_NOFILE, &raw const file_limit);
            signals::restore_for_child();
            Ok(())
        });
    }
    let child = command
        .spawn()
        .map_err(|error| explain(&error, program, cwd))?;
    Ok(child.id() as i32)
}

/// Brings a stopped agent back: no shell is there to do it.
pub fn resume(agent: i32) {
    // SAFETY: plain calls on ids; each may fail harmlessly.
    unsafe {
        if libc::isatty(0) == 1 {
            libc::tcsetpgrp(0, agent);
        }
        libc::kill(-agent, libc::SIGCONT);
    }
}

fn prepare(argv: &[String], env: &BTreeMap<String, String>, cwd: &str) -> Command {
    let mut command = Command::new(&argv[0]);
    command
        .args(&argv[1..])
        .env_clear()
        .envs(env)
        .current_dir(cwd);
    command
}

fn explain(error: &io::Error, program: &str, cwd: &str) -> Refusal {
    if let Err(error) = fs::metadata(cwd) {
        return Refusal::new(format!("cannot work in {cwd}: {error}"));
    }
    match error.kind() {
        io::ErrorKind::NotFound if program.contains('/') && Path::new(program).exists() => {
            Refusal {
                code: 127,
                sentence: format!("cannot run {program}: its interpreter or loader is missing"),
            }
        }
        io::ErrorKind::NotFound => Refusal {
            code: 127,
            sentence: format!("{program} was not found"),
        },
        _ => Refusal::new(format!("cannot run {program}: {error}")),
    }
}

/// The agent alone decides when its input and output end; the relay must not keep them open.
fn let_go_of_the_pipes() {
    let Ok(null) = fs::File::options().read(true).write(true).open("/dev/null") else {
        return;
    };
    use std::os::fd::AsRawFd;
    // SAFETY: replaces descriptors 0 and 1, which the standard library never closes.
    unsafe {
        libc::dup2(null.as_raw_fd(), 0);
        libc::dup2(null.as_raw_fd(), 1);
    }
}
