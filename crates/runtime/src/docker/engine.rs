//! Finds the engine's socket and refuses engines that cannot hold a session, each with one sentence.

use std::io;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use bollard::models::SystemInfo;

use crate::{Installation, Unavailable, Why};

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

/// Connects to the engine that `docker_host` names, or to the first of the usual sockets that is there.
pub async fn connect(
    installation: &Installation,
    docker_host: Option<&str>,
) -> Result<Engine, Unavailable> {
    let socket = find_socket(installation, docker_host.filter(|host| !host.is_empty()))?;
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
    judge(&info)?;
    Ok(Engine {
        api,
        socket,
        info: Box::new(info),
    })
}

fn find_socket(
    installation: &Installation,
    docker_host: Option<&str>,
) -> Result<PathBuf, Unavailable> {
    if let Some(host) = docker_host {
        let Some(path) = host.strip_prefix("unix://") else {
            return Err(Unavailable::new(
                Why::Remote,
                format!(
                    "DOCKER_HOST is `{host}`, an engine over a network, and sessions need one on this machine"
                ),
                "unset DOCKER_HOST or point it to a unix:// socket, or use `--backend bubblewrap`",
            ));
        };
        return reach(Path::new(path)).map(|()| PathBuf::from(path));
    }
    let own = installation
        .user_home
        .iter()
        .map(|home| home.join(".docker/run/docker.sock"));
    let usual = ["/var/run/docker.sock", "/run/docker.sock"].map(PathBuf::from);
    let there = usual.into_iter().chain(own).find(|path| path.exists());
    let Some(path) = there else {
        return Err(Unavailable::new(
            Why::NotInstalled,
            "no Docker engine was found on this machine",
            "install Docker Engine and start it, or use `--backend bubblewrap`",
        ));
    };
    reach(&path).map(|()| path)
}

fn reach(path: &Path) -> Result<(), Unavailable> {
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

fn judge(info: &SystemInfo) -> Result<(), Unavailable> {
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
    if info.operating_system.as_deref() == Some("Docker Desktop") {
        return Err(Unavailable::new(
            Why::Remote,
            "Docker Desktop runs containers in a virtual machine, which a session's egress socket cannot reach",
            "use Docker Engine, or `--backend bubblewrap`",
        ));
    }
    Ok(())
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
            judge(&info).map_err(|unavailable| unavailable.why),
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
    fn engines_over_a_network_and_dead_sockets_are_refused() {
        let installation = Installation {
            id: "i".into(),
            version: "0".into(),
            home: "/nowhere".into(),
            user_home: None,
            holder: "/nowhere".into(),
        };
        for host in ["tcp://10.0.0.1:2375", "ssh://me@host", "http://x"] {
            assert_eq!(
                find_socket(&installation, Some(host)).unwrap_err().why,
                Why::Remote
            );
        }
        assert_eq!(
            find_socket(&installation, Some("unix:///nowhere"))
                .unwrap_err()
                .why,
            Why::NotRunning
        );
    }
}
