//! Connects to an engine and refuses one that cannot hold a session, each with one sentence.

use std::io;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use bollard::models::SystemInfo;

use super::discover::Place;
use crate::{Unavailable, Why};

/// How long one request to the engine may take, in seconds.
const REQUEST_SECONDS: u64 = 120;

/// A connection to an engine that can hold sessions.
#[derive(Debug, Clone)]
pub struct Engine {
    /// The client, its API version negotiated.
    pub api: bollard::Docker,
    /// The engine's socket, for holders.
    pub socket: PathBuf,
    /// What the engine said about itself.
    pub info: Box<SystemInfo>,
}

/// Connects to the engine at a place.
pub async fn connect(place: &Place) -> Result<Engine, Unavailable> {
    let socket = place.socket.clone();
    reach(&socket)?;
    let away = |error: &dyn std::fmt::Display| {
        Unavailable::new(
            Why::NotRunning,
            format!(
                "the Docker engine at {} does not answer: {error}",
                socket.display()
            ),
            "start it, for example with `sudo systemctl start docker`",
        )
    };
    let path = socket
        .to_str()
        .ok_or_else(|| away(&"its path is not UTF-8"))?;
    let api =
        bollard::Docker::connect_with_unix(path, REQUEST_SECONDS, bollard::API_DEFAULT_VERSION)
            .map_err(|error| away(&error))?;
    let api = api
        .negotiate_version()
        .await
        .map_err(|error| away(&error))?;
    let info = api.info().await.map_err(|error| away(&error))?;
    judge(&info, std::env::consts::OS)?;
    Ok(Engine {
        api,
        socket,
        info: Box::new(info),
    })
}

/// Makes sure that something listens at a socket and that this user may talk to it.
pub fn reach(path: &Path) -> Result<(), Unavailable> {
    let error = match UnixStream::connect(path) {
        Ok(_) => return Ok(()),
        Err(error) => error,
    };
    if error.kind() == io::ErrorKind::PermissionDenied {
        return Err(Unavailable::new(
            Why::NotPermitted,
            format!("you may not use the Docker engine at {}", path.display()),
            "run `sudo usermod -aG docker $USER` and log in again, or use `--backend bubblewrap`",
        ));
    }
    Err(Unavailable::new(
        Why::NotRunning,
        format!(
            "the Docker engine at {} does not answer: {error}",
            path.display()
        ),
        "start it, for example with `sudo systemctl start docker`",
    ))
}

/// Says whether an engine can hold a session, by its own word and the system that it is asked from.
fn judge(info: &SystemInfo, system: &str) -> Result<(), Unavailable> {
    if let Some(machine) = virtual_machine(info, system) {
        let linux = system == "linux";
        return Err(Unavailable::new(
            Why::Remote,
            format!(
                "{machine} runs containers in a virtual machine, into which a session's egress socket cannot be mounted; sandboxes there come with the exec transport, which this release does not have"
            ),
            match linux {
                true => "use Docker Engine on this machine itself, or `--backend bubblewrap`",
                false => "until then run Clauderon on a Linux machine",
            },
        ));
    }
    let options = info.security_options.as_deref().unwrap_or_default();
    let has = |name: &str| {
        options
            .iter()
            .any(|option| option.split(',').any(|part| part == name))
    };
    if has("name=rootless") {
        return Err(Unavailable::new(
            Why::RemappedUsers,
            "this Docker engine runs rootless, so that files in a session would belong to other users",
            "use an ordinary Docker engine, or `--backend bubblewrap`",
        ));
    }
    if has("name=userns") {
        return Err(Unavailable::new(
            Why::RemappedUsers,
            "this Docker engine remaps user ids (userns-remap), so that files in a session would belong to other users",
            "turn userns-remap off, or use `--backend bubblewrap`",
        ));
    }
    if !has("name=seccomp") {
        return Err(Unavailable::new(
            Why::Broken,
            "this Docker engine has no seccomp, without which a sandbox is not one",
            "use an engine with seccomp, or `--backend bubblewrap`",
        ));
    }
    Ok(())
}

/// Names the product whose virtual machine an engine runs in. Off Linux every engine runs in one.
fn virtual_machine(info: &SystemInfo, system: &str) -> Option<&'static str> {
    let says = |text: &Option<String>, word: &str| {
        let text = text.as_deref().unwrap_or_default();
        text.to_ascii_lowercase().contains(word)
    };
    if says(&info.operating_system, "docker desktop") {
        return Some("Docker Desktop");
    }
    if says(&info.operating_system, "orbstack") || says(&info.name, "orbstack") {
        return Some("OrbStack");
    }
    if says(&info.name, "colima") {
        return Some("Colima");
    }
    (system != "linux").then_some("This engine")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn check(options: &[&str], expected: Result<(), Why>) {
        let info = SystemInfo {
            security_options: Some(options.iter().map(|option| (*option).to_owned()).collect()),
            ..SystemInfo::default()
        };
        assert_eq!(
            judge(&info, "linux").map_err(|unavailable| unavailable.why),
            expected
        );
    }

    #[test]
    fn engines_with_other_users_or_without_seccomp_are_refused() {
        check(&["name=seccomp,profile=default"], Ok(()));
        check(
            &["name=seccomp,profile=default", "name=rootless"],
            Err(Why::RemappedUsers),
        );
        check(
            &["name=seccomp,profile=default", "name=userns"],
            Err(Why::RemappedUsers),
        );
        check(&["name=apparmor"], Err(Why::Broken));
    }

    #[test]
    fn engines_in_a_virtual_machine_are_named_and_told_what_comes() {
        for (name, operating_system, system, product) in [
            (
                "docker-desktop",
                "Docker Desktop",
                "macos",
                "Docker Desktop",
            ),
            (
                "docker-desktop",
                "Docker Desktop",
                "linux",
                "Docker Desktop",
            ),
            ("orbstack", "OrbStack", "macos", "OrbStack"),
            ("colima", "Ubuntu 24.04.1 LTS", "macos", "Colima"),
            ("colima-work", "Ubuntu 24.04.1 LTS", "macos", "Colima"),
            ("some", "Fedora CoreOS", "macos", "This engine"),
        ] {
            let info = SystemInfo {
                name: Some(name.to_owned()),
                operating_system: Some(operating_system.to_owned()),
                security_options: Some(vec!["name=seccomp".to_owned()]),
                ..SystemInfo::default()
            };
            let why = judge(&info, system).unwrap_err();
            assert_eq!(why.why, Why::Remote);
            assert!(why.sentence.starts_with(product), "{why}");
            assert!(why.sentence.contains("exec transport"), "{why}");
        }
    }

    #[test]
    fn a_dead_socket_is_told_from_none() {
        let why = reach(Path::new("/nowhere/docker.sock")).unwrap_err();
        assert_eq!(why.why, Why::NotRunning);
    }
}
