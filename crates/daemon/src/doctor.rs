//! What a session needs on this machine, each thing tried and not guessed, each with its fix.

use std::path::Path;
use std::time::Duration;

use clauderon_api::{Check, DoctorReport, Fix, Status};
use clauderon_runtime::docker::DEFAULT_IMAGE;
use clauderon_runtime::{Capabilities, Docker, Runtime, RuntimeError, Unavailable};
use clauderon_session::Agent;
use clauderon_vault::Vaults;

use crate::credentials;
use crate::paths::Paths;
use crate::runtimes::Runtimes;

/// Less free disk than this is worth a warning: one session's clone and an agent's home need some.
const LITTLE_DISK: u64 = 2 << 30;

/// Makes every check.
pub async fn report(
    paths: &Paths,
    runtimes: &Runtimes,
    vaults: &Vaults,
    default_image: Option<&str>,
) -> DoctorReport {
    let engine = runtimes.docker().await;
    let (docker, image) = match &engine {
        Ok(engine) => tokio::join!(engine.probe(), image(engine, default_image)),
        Err(why) => (Err(why.clone()), None),
    };
    let bubblewrap = runtimes.bubblewrap().probe().await;
    let alone = docker.is_err() && bubblewrap.is_err();
    let mut checks = vec![
        runtime("docker", &docker, alone),
        runtime("bubblewrap", &bubblewrap, alone),
    ];
    checks.extend(image);
    checks.extend(Agent::ALL.iter().map(|agent| installed(paths, *agent)));
    checks.extend(Agent::ALL.iter().map(|agent| credential(vaults, *agent)));
    checks.extend([git(), disk(paths.home()), clock()]);
    DoctorReport { checks }
}

fn runtime(name: &str, probed: &Result<Capabilities, Unavailable>, fatal: bool) -> Check {
    match probed {
        Ok(found) => row(name, Status::Ok, works(found), None),
        Err(why) => {
            let status = if fatal { Status::Fail } else { Status::Warn };
            row(name, status, why.sentence.clone(), Some(why.fix.clone()))
        }
    }
}

/// Says what was found in sentences: the version, the limits that hold and those that do not, and what else is to know.
fn works(found: &Capabilities) -> String {
    let mut sentences = vec![format!("works, version {}.", found.version)];
    // Most often all of them stand or fall for one reason.
    for together in found
        .limits
        .chunk_by(|one, next| (one.enforced, &one.why_not) == (next.enforced, &next.why_not))
    {
        let limits: Vec<&str> = together.iter().map(|one| one.limit.as_str()).collect();
        let limits = limits.join(", ");
        sentences.push(match (together[0].enforced, &together[0].why_not) {
            (true, _) => format!("The kernel holds {limits}."),
            (false, Some(why)) => format!("Nothing holds {limits}: {why}."),
            (false, None) => format!("Nothing holds {limits}."),
        });
    }
    sentences.extend(found.notes.iter().cloned());
    sentences.join(" ")
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
        None => Check {
            repair: Some(match agent {
                Agent::Claude => Fix::InstallClaude,
                Agent::Codex => Fix::InstallCodex,
            }),
            ..row(
                &name,
                Status::Warn,
                format!("{} is not installed", agent.title()),
                Some(format!("clauderon agents install {agent}")),
            )
        },
    }
}

/// Looks for the image of sessions that name none; an engine that does not answer has its own row.
async fn image(engine: &Docker, configured: Option<&str>) -> Option<Check> {
    let image = configured.unwrap_or(DEFAULT_IMAGE);
    match engine.has_image(image).await {
        Ok(()) => Some(row("image", Status::Ok, format!("{image} is there"), None)),
        Err(RuntimeError::ImageMissing { fix, .. }) => Some(Check {
            repair: (image == DEFAULT_IMAGE).then_some(Fix::BuildImage),
            ..row(
                "image",
                Status::Warn,
                format!("the engine does not have {image}, which sessions in Docker use"),
                Some(fix),
            )
        }),
        Err(_) => None,
    }
}

fn credential(vaults: &Vaults, agent: Agent) -> Check {
    let name = format!("credential for {agent}");
    match credentials::for_agent(vaults, agent) {
        Ok(found) => row(&name, Status::Ok, found, None),
        Err(missing) => row(&name, Status::Warn, missing.message, missing.hint),
    }
}

fn git() -> Check {
    let asked = std::process::Command::new("git")
        .arg("--version")
        .env("PATH", clauderon_workspace::search_path())
        .output();
    match asked {
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

/// Returns the bytes that this user may still write on the disk that holds `path`.
pub fn free_bytes(path: &Path) -> Option<u64> {
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
        repair: None,
    }
}
