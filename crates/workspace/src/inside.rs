//! Git inside a throw-away sandbox: the only place where git meets files that an agent could have written.

mod exchange;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clauderon_runtime::{Mount, OneShot, Runtime, User};

use crate::Error;
use crate::git::last_line;

pub(crate) use exchange::Exchange;
pub use exchange::sweep;

/// Where throw-away sandboxes come from, and whom they run as.
#[derive(Clone)]
pub struct Sandboxes<'a> {
    /// The session's own backend.
    pub runtime: &'a dyn Runtime,
    /// The session's image, for backends with images; it has to have git.
    pub image: Option<String>,
    /// The session's user, who owns the workspace.
    pub user: User,
}

/// One script to run.
pub(crate) struct Job {
    pub(crate) doing: &'static str,
    pub(crate) script: &'static str,
    pub(crate) mounts: Vec<Mount>,
    pub(crate) env: Vec<(&'static str, String)>,
    pub(crate) session_dir: Option<PathBuf>,
    pub(crate) limit: Duration,
    pub(crate) max_output: usize,
}

/// Settings that hold above any configuration file. Inside, nothing could hurt the host anyway; these keep the answer
/// from depending on what an agent configured.
const SETTINGS: [(&str, &str); 11] = [
    ("core.hooksPath", "/dev/null"),
    ("core.fsmonitor", "false"),
    ("core.untrackedCache", "false"),
    ("core.quotePath", "false"),
    ("core.attributesFile", "/dev/null"),
    ("core.excludesFile", "/dev/null"),
    ("commit.gpgSign", "false"),
    ("protocol.allow", "never"),
    ("gc.auto", "0"),
    ("maintenance.auto", "false"),
    ("safe.directory", "*"),
];

impl Sandboxes<'_> {
    /// Runs one script and returns what it printed.
    pub(crate) async fn run(&self, job: Job) -> Result<Vec<u8>, Error> {
        let doing = job.doing;
        let mut env = environment();
        env.extend(
            job.env
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value)),
        );
        let one = OneShot {
            image: self.image.clone(),
            env,
            mounts: job.mounts,
            session_dir: job.session_dir,
            user: self.user,
            timeout: job.limit,
            max_output: job.max_output,
            ..OneShot::new(["/bin/sh", "-c", job.script])
        };
        let ended = self.runtime.run_once(one).await;
        let ended = ended.map_err(|source| Error::Sandbox { doing, source })?;
        if ended.code == 0 {
            return Ok(ended.stdout);
        }
        let said = String::from_utf8_lossy(&ended.stderr);
        Err(Error::Inside {
            doing,
            message: last_line(&said),
        })
    }
}

fn environment() -> BTreeMap<String, String> {
    let fixed = [
        ("HOME", "/nonexistent"),
        ("LC_ALL", "C"),
        ("GIT_CONFIG_NOSYSTEM", "1"),
        ("GIT_CONFIG_GLOBAL", "/dev/null"),
        ("GIT_ATTR_NOSYSTEM", "1"),
        ("GIT_OPTIONAL_LOCKS", "0"),
        ("GIT_NO_LAZY_FETCH", "1"),
        ("GIT_NO_REPLACE_OBJECTS", "1"),
        ("GIT_TERMINAL_PROMPT", "0"),
        ("GIT_ALLOW_PROTOCOL", ""),
        ("GIT_PAGER", "cat"),
    ];
    let mut env: BTreeMap<String, String> = fixed
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    env.insert("GIT_CONFIG_COUNT".to_owned(), SETTINGS.len().to_string());
    for (number, (key, value)) in SETTINGS.iter().enumerate() {
        env.insert(format!("GIT_CONFIG_KEY_{number}"), (*key).to_owned());
        env.insert(format!("GIT_CONFIG_VALUE_{number}"), (*value).to_owned());
    }
    env
}

/// Gives a folder that we made, and all in it, to the sandbox's user where the caller is root.
pub(crate) fn give(path: &Path, user: User) -> std::io::Result<()> {
    if !rustix::process::geteuid().is_root() {
        return Ok(());
    }
    std::os::unix::fs::lchown(path, Some(user.uid), Some(user.gid))?;
    if !path.symlink_metadata()?.is_dir() {
        return Ok(());
    }
    for entry in std::fs::read_dir(path)? {
        give(&entry?.path(), user)?;
    }
    Ok(())
}
