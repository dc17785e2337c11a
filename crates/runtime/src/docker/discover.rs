//! Where an engine may be on this machine, in the order in which it is looked for: what `DOCKER_HOST` names, what the
//! docker context names, the usual sockets. Nothing here connects, and nothing here reads an environment by itself.
//!
//! What a person named is the only place that is tried: their images are there, and another engine would surprise them.

use std::ffi::OsString;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::{Unavailable, Why};

/// No file of docker's settings is larger.
const SETTINGS: u64 = 1 << 20;

/// What of the environment tells where an engine is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// `DOCKER_HOST`.
    pub docker_host: Option<String>,
    /// `DOCKER_CONTEXT`, which goes before the one in docker's settings.
    pub docker_context: Option<String>,
    /// `DOCKER_CONFIG`, the folder of docker's settings where that is not `~/.docker`.
    pub docker_config: Option<PathBuf>,
    /// `COLIMA_HOME`.
    pub colima_home: Option<PathBuf>,
    /// `XDG_RUNTIME_DIR`.
    pub runtime_dir: Option<PathBuf>,
    /// The person's home.
    pub home: Option<PathBuf>,
}

impl Surroundings {
    /// The variables that they are made of.
    pub const VARIABLES: [&str; 5] = [
        "DOCKER_HOST",
        "DOCKER_CONTEXT",
        "DOCKER_CONFIG",
        "COLIMA_HOME",
        "XDG_RUNTIME_DIR",
    ];

    /// Takes them from an environment.
    pub fn from_variables(
        variable: impl Fn(&str) -> Option<OsString>,
        home: Option<PathBuf>,
    ) -> Self {
        let there = |name: &str| variable(name).filter(|value| !value.is_empty());
        let text = |name: &str| there(name).and_then(|value| value.into_string().ok());
        let path = |name: &str| there(name).map(PathBuf::from);
        Self {
            docker_host: text("DOCKER_HOST"),
            docker_context: text("DOCKER_CONTEXT"),
            docker_config: path("DOCKER_CONFIG"),
            colima_home: path("COLIMA_HOME"),
            runtime_dir: path("XDG_RUNTIME_DIR"),
            home,
        }
    }
}

/// A socket behind which an engine may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The socket.
    pub socket: PathBuf,
    /// How it was found, in words: `named by DOCKER_HOST`.
    pub how: String,
}

/// The files of a machine, as far as finding an engine needs them.
pub trait Files {
    /// Reads a small file; none where there is none.
    fn read(&self, path: &Path) -> Option<String>;
    /// Says whether anything is at a path.
    fn exists(&self, path: &Path) -> bool;
}

/// The files of this machine.
#[derive(Debug, Clone, Copy)]
pub struct OnDisk;

impl Files for OnDisk {
    fn read(&self, path: &Path) -> Option<String> {
        let mut text = String::new();
        let file = std::fs::File::open(path).ok()?;
        file.take(SETTINGS).read_to_string(&mut text).ok()?;
        Some(text)
    }

    fn exists(&self, path: &Path) -> bool {
        path.exists()
    }
}

/// Lists the places worth a try, the first one first; never an empty list.
///
/// # Errors
/// An engine is named that is not on this machine, or none is named and no usual socket is there.
pub fn places(around: &Surroundings, files: &impl Files) -> Result<Vec<Place>, Unavailable> {
    if let Some(host) = around
        .docker_host
        .as_deref()
        .filter(|host| !host.is_empty())
    {
        let how = "named by DOCKER_HOST";
        let fix =
            "unset DOCKER_HOST or point it to a unix:// socket, or use `--backend bubblewrap`";
        return on_this_machine(host, how, "DOCKER_HOST", fix).map(|place| vec![place]);
    }
    if let Some(name) = context(around, files) {
        let how = format!("of the docker context {name}");
        let whose = format!("the docker context {name}");
        let fix = "choose another with `docker context use default`, or use `--backend bubblewrap`";
        let host = endpoint(around, files, &name).ok_or_else(|| {
            let sentence =
                format!("{whose} is chosen, and docker's settings do not say where its engine is");
            Unavailable::new(Why::NotInstalled, sentence, fix)
        })?;
        return on_this_machine(&host, &how, &whose, fix).map(|place| vec![place]);
    }
    let there: Vec<Place> = usual(around)
        .into_iter()
        .filter(|place| files.exists(&place.socket))
        .collect();
    if there.is_empty() {
        return Err(Unavailable::new(
            Why::NotInstalled,
            "no Docker engine was found on this machine",
            "install Docker Engine and start it, or use `--backend bubblewrap`",
        ));
    }
    Ok(there)
}

fn on_this_machine(host: &str, how: &str, whose: &str, fix: &str) -> Result<Place, Unavailable> {
    match host.strip_prefix("unix://") {
        Some(path) => Ok(Place {
            socket: path.into(),
            how: how.to_owned(),
        }),
        None => Err(Unavailable::new(
            Why::Remote,
            format!(
                "{whose} is `{host}`, an engine over a network, and sessions need one on this machine"
            ),
            fix,
        )),
    }
}

/// Returns the name of the chosen context, unless it is the default one, which stands for the usual socket.
fn context(around: &Surroundings, files: &impl Files) -> Option<String> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Settings {
        current_context: Option<String>,
    }
    let chosen = around.docker_context.clone().or_else(|| {
        let text = files.read(&settings(around)?.join("config.json"))?;
        // A file that docker itself could not read says nothing.
        serde_json::from_str::<Settings>(&text)
            .ok()?
            .current_context
    });
    chosen.filter(|name| !name.is_empty() && name != "default")
}

/// Reads where a context's engine is. Docker keeps it in a folder named after the name's SHA-256.
fn endpoint(around: &Surroundings, files: &impl Files, name: &str) -> Option<String> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Meta {
        endpoints: Endpoints,
    }
    #[derive(Deserialize)]
    struct Endpoints {
        docker: Endpoint,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Endpoint {
        host: String,
    }
    let digest = Sha256::digest(name);
    let folder: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    let file = settings(around)?
        .join("contexts/meta")
        .join(folder)
        .join("meta.json");
    let meta: Meta = serde_json::from_str(&files.read(&file)?).ok()?;
    Some(meta.endpoints.docker.host)
}

fn settings(around: &Surroundings) -> Option<PathBuf> {
    let own = || around.home.as_ref().map(|home| home.join(".docker"));
    around.docker_config.clone().or_else(own)
}

fn usual(around: &Surroundings) -> Vec<Place> {
    let mut places = Vec::new();
    let mut add = |folder: Option<&Path>, below: &str, how: &str| {
        places.extend(folder.map(|folder| Place {
            socket: folder.join(below),
            how: how.to_owned(),
        }));
    };
    let home = around.home.as_deref();
    let run = around.runtime_dir.as_deref();
    add(
        Some(Path::new("/var/run")),
        "docker.sock",
        "the usual socket",
    );
    add(
        home,
        ".docker/run/docker.sock",
        "the socket of Docker Desktop",
    );
    add(
        home,
        ".docker/desktop/docker.sock",
        "the socket of Docker Desktop",
    );
    match around.colima_home.as_deref() {
        Some(colima) => add(Some(colima), "default/docker.sock", "the socket of Colima"),
        None => add(home, ".colima/default/docker.sock", "the socket of Colima"),
    }
    add(home, ".orbstack/run/docker.sock", "the socket of OrbStack");
    add(run, "docker.sock", "the socket of rootless Docker");
    add(run, "podman/podman.sock", "the socket of Podman");
    places
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::collections::HashMap;

    use super::*;

    /// A machine with these files; a socket is one without content.
    struct Machine(HashMap<PathBuf, Option<String>>);

    impl Files for Machine {
        fn read(&self, path: &Path) -> Option<String> {
            self.0.get(path).cloned().flatten()
        }
        fn exists(&self, path: &Path) -> bool {
            self.0.contains_key(path)
        }
    }

    const COLIMA: &str = "f24fd3749c1368328e2b149bec149cb6795619f244c5b584e844961215dadd16";

    fn machine(sockets: &[&str], texts: &[(&str, &str)]) -> Machine {
        let sockets = sockets.iter().map(|path| (PathBuf::from(path), None));
        let texts = texts
            .iter()
            .map(|(path, text)| (PathBuf::from(path), Some((*text).to_owned())));
        Machine(sockets.chain(texts).collect())
    }

    fn around(variables: &[(&str, &str)]) -> Surroundings {
        let variables: HashMap<&str, &str> = variables.iter().copied().collect();
        Surroundings::from_variables(
            |name| variables.get(name).map(OsString::from),
            Some("/home/ada".into()),
        )
    }

    /// The sockets in their order, or why there are none.
    fn check(variables: &[(&str, &str)], machine: &Machine, expected: Result<&[&str], Why>) {
        let found = places(&around(variables), machine);
        let sockets = found.as_ref().map(|places| {
            let paths = places.iter().map(|place| place.socket.to_str().unwrap());
            paths.collect::<Vec<_>>()
        });
        match expected {
            Ok(expected) => assert_eq!(sockets, Ok(expected.to_vec())),
            Err(why) => assert_eq!(found.unwrap_err().why, why),
        }
    }

    #[test]
    fn docker_host_is_the_only_place_where_it_is_set() {
        let machine = machine(&["/var/run/docker.sock"], &[]);
        check(
            &[("DOCKER_HOST", "unix:///x/d.sock")],
            &machine,
            Ok(&["/x/d.sock"]),
        );
        check(
            &[("DOCKER_HOST", "")],
            &machine,
            Ok(&["/var/run/docker.sock"]),
        );
        for host in [
            "tcp://10.0.0.1:2375",
            "ssh://me@host",
            "npipe:////./pipe/x",
            "/x/d.sock",
        ] {
            check(&[("DOCKER_HOST", host)], &machine, Err(Why::Remote));
        }
    }

    #[test]
    fn the_usual_sockets_are_tried_in_their_order() {
        let everything = machine(
            &[
                "/run/user/7/podman/podman.sock",
                "/run/user/7/docker.sock",
                "/home/ada/.orbstack/run/docker.sock",
                "/home/ada/.colima/default/docker.sock",
                "/home/ada/.docker/desktop/docker.sock",
                "/home/ada/.docker/run/docker.sock",
                "/var/run/docker.sock",
            ],
            &[],
        );
        check(
            &[("XDG_RUNTIME_DIR", "/run/user/7")],
            &everything,
            Ok(&[
                "/var/run/docker.sock",
                "/home/ada/.docker/run/docker.sock",
                "/home/ada/.docker/desktop/docker.sock",
                "/home/ada/.colima/default/docker.sock",
                "/home/ada/.orbstack/run/docker.sock",
                "/run/user/7/docker.sock",
                "/run/user/7/podman/podman.sock",
            ]),
        );
        let elsewhere = machine(&["/c/default/docker.sock"], &[]);
        check(
            &[("COLIMA_HOME", "/c")],
            &elsewhere,
            Ok(&["/c/default/docker.sock"]),
        );
        check(&[], &elsewhere, Err(Why::NotInstalled));
    }

    #[test]
    fn the_chosen_context_goes_before_the_usual_sockets() {
        let meta = format!("/home/ada/.docker/contexts/meta/{COLIMA}/meta.json");
        let unix = r#"{"Name":"colima","Endpoints":{"docker":{"Host":"unix:///c/docker.sock","SkipTLSVerify":false}}}"#;
        let remote = r#"{"Endpoints":{"docker":{"Host":"ssh://ada@server"}}}"#;
        let settings = "/home/ada/.docker/config.json";
        let socket = "/var/run/docker.sock";
        for (config, meta_text, expected) in [
            (
                r#"{"auths":{},"currentContext":"colima"}"#,
                Some(unix),
                Ok(&["/c/docker.sock"][..]),
            ),
            (
                r#"{"currentContext":"colima"}"#,
                Some(remote),
                Err(Why::Remote),
            ),
            (
                r#"{"currentContext":"colima"}"#,
                Some("{"),
                Err(Why::NotInstalled),
            ),
            (
                r#"{"currentContext":"colima"}"#,
                None,
                Err(Why::NotInstalled),
            ),
            (r#"{"currentContext":"default"}"#, Some(unix), Ok(&[socket])),
            (r#"{"currentContext":""}"#, Some(unix), Ok(&[socket])),
            (r#"{"auths":{}}"#, Some(unix), Ok(&[socket])),
            ("not json", Some(unix), Ok(&[socket])),
        ] {
            let mut texts = vec![(settings, config)];
            texts.extend(meta_text.map(|text| (meta.as_str(), text)));
            check(&[], &machine(&[socket], &texts), expected);
        }
    }

    #[test]
    fn the_environment_goes_before_dockers_settings() {
        let meta = format!("/d/contexts/meta/{COLIMA}/meta.json");
        let unix = r#"{"Endpoints":{"docker":{"Host":"unix:///c/docker.sock"}}}"#;
        let texts = [
            ("/d/config.json", r#"{"currentContext":"gone"}"#),
            (meta.as_str(), unix),
        ];
        let machine = machine(&["/var/run/docker.sock"], &texts);
        let config = ("DOCKER_CONFIG", "/d");
        check(&[config], &machine, Err(Why::NotInstalled));
        check(
            &[config, ("DOCKER_CONTEXT", "colima")],
            &machine,
            Ok(&["/c/docker.sock"]),
        );
        check(
            &[config, ("DOCKER_CONTEXT", "default")],
            &machine,
            Ok(&["/var/run/docker.sock"]),
        );
        let host = ("DOCKER_HOST", "unix:///x");
        check(
            &[config, host, ("DOCKER_CONTEXT", "colima")],
            &machine,
            Ok(&["/x"]),
        );
    }

    #[test]
    fn a_remote_context_is_named_in_the_refusal() {
        let meta = format!("/home/ada/.docker/contexts/meta/{COLIMA}/meta.json");
        let texts = [
            (
                "/home/ada/.docker/config.json",
                r#"{"currentContext":"colima"}"#,
            ),
            (
                meta.as_str(),
                r#"{"Endpoints":{"docker":{"Host":"tcp://10.0.0.1:2375"}}}"#,
            ),
        ];
        let why = places(&around(&[]), &machine(&[], &texts)).unwrap_err();
        assert!(why.sentence.contains("docker context colima"), "{why}");
        assert!(why.sentence.contains("tcp://10.0.0.1:2375"), "{why}");
    }
}
