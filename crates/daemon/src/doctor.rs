//! What a session needs on this machine, each thing tried and not guessed, each with its fix.

use std::path::Path;
use std::time::Duration;

use clauderon_api::{Check, DoctorReport, Status};
use clauderon_runtime::{Capabilities, Runtime, Unavailable};
use clauderon_session::Agent;
use clauderon_vault::Vaults;

use crate::credentials;
use crate::paths::Paths;
use crate::runtimes::Runtimes;

/// Less free disk than this is worth a warning: one session's clone and an agent's home need some.
const LITTLE_DISK: u64 = 2 << 30;

/// Makes every check.
pub async fn report(paths: &Paths, runtimes: &Runtimes, vaults: &Vaults) -> DoctorReport {
    let docker = match runtimes.docker().await {
        Ok(docker) => docker.probe().await,
        Err(why) => Err(why),
    };
    let bubblewrap = runtimes.bubblewrap().probe().await;
    let alone = docker.is_err() && bubblewrap.is_err();
    let mut checks = vec![
        runtime("docker", &docker, alone),
        runtime("bubblewrap", &bubblewrap, alone),
    ];
    checks.extend(Agent::ALL.iter().map(|agent| installed(paths, *agent)));
    checks.extend(
        Agent::ALL
            .iter()
            .map(|agent| credential(vaults, paths, *agent)),
    );
    checks.extend([git(), disk(paths.home()), clock()]);
    DoctorReport { checks }
}

fn runtime(name: &str, probed: &Result<Capabilities, Unavailable>, fatal: bool) -> Check {
    match probed {
        Ok(found) => {
            let limits: Vec<String> = found.limits.iter().map(|limit| limit.sentence()).collect();
            let notes = found.notes.join("; ");
            let detail = [
                &format!("works, version {}", found.version),
                &limits.join(", "),
                &notes,
            ]
            .into_iter()
            .filter(|part| !part.is_empty())
            .cloned()
            .collect::<Vec<_>>()
            .join("; ");
            row(name, Status::Ok, detail, None)
        }
        Err(why) => {
            let status = if fatal { Status::Fail } else { Status::Warn };
            row(name, status, why.sentence.clone(), Some(why.fix.clone()))
        }
    }
}

fn installed(paths: &Paths, agent: Agent) -> Check {
    let name = format!("agent {agent}");
    match clauderon_agents::installed(paths.home(), agent) {
        Some(found) => row(
            &name,
            Status::Ok,
            format!("{} {}", agent.title(), found.version),
            None,
        ),
        None => row(
            &name,
            Status::Warn,
            format!("{} is not installed", agent.title()),
            Some(format!("clauderon agents install {agent}")),
        ),
    }
}

fn credential(vaults: &Vaults, paths: &Paths, agent: Agent) -> Check {
    let name = format!("credential for {agent}");
    match credentials::for_agent(vaults, &paths.secrets(), agent) {
        Ok(found) => row(&name, Status::Ok, found, None),
        Err(missing) => row(&name, Status::Warn, missing.message, missing.hint),
    }
}

fn git() -> Check {
    match std::process::Command::new("git").arg("--version").output() {
        Ok(output) if output.status.success() => {
            let version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
            row("git", Status::Ok, version, None)
        }
        _ => row(
            "git",
            Status::Fail,
            "git does not start".to_owned(),
            Some("install git with your package manager".to_owned()),
        ),
    }
}

fn disk(home: &Path) -> Check {
    match free_bytes(home) {
        Some(free) if free < LITTLE_DISK => row(
            "disk",
            Status::Warn,
            format!("{} MiB are free below {}", free >> 20, home.display()),
            Some("delete sessions that are done, or free space".to_owned()),
        ),
        Some(free) => row(
            "disk",
            Status::Ok,
            format!("{} GiB are free", free >> 30),
            None,
        ),
        None => row(
            "disk",
            Status::Warn,
            "free space could not be read".to_owned(),
            None,
        ),
    }
}

fn free_bytes(path: &Path) -> Option<u64> {
    let path = std::ffi::CString::new(path.as_os_str().as_encoded_bytes()).ok()?;
    let mut stat = std::mem::MaybeUninit::<libc::statvfs>::uninit();
    // SAFETY: the path ends with NUL and `stat` has room for the answer, which is read only where the call filled it.
    let stat = unsafe {
        if libc::statvfs(path.as_ptr(), stat.as_mut_ptr()) != 0 {
            return None;
        }
        stat.assume_init()
    };
    Some(stat.f_bavail * stat.f_frsize)
}

/// A clock far off makes every certificate look wrong. This program cannot be newer than now.
fn clock() -> Check {
    const BUILT_AFTER: Duration = Duration::from_secs(1_767_225_600); // 2026-01-01
    match std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH) {
        Ok(now) if now > BUILT_AFTER => row("clock", Status::Ok, "is plausible".to_owned(), None),
        _ => row(
            "clock",
            Status::Fail,
            "is set before this program was made, so certificates cannot be checked".to_owned(),
            Some("set the clock".to_owned()),
        ),
    }
}

fn row(check: &str, status: Status, detail: String, fix: Option<String>) -> Check {
    Check {
        check: check.to_owned(),
        status,
        detail,
        fix,
    }
}
