//! Git on the host: plumbing alone, on the person's own repository alone, running nobody's hooks, monitors or filters.
//!
//! It must never be pointed at a session's workspace once an agent has had it.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::os::unix::fs::{MetadataExt, lchown};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::OnceLock;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use crate::Error;

/// How long a question to the repository may take.
pub(crate) const QUESTION: Duration = Duration::from_secs(10);
/// How long taking in a large pack may take.
pub(crate) const TRANSFER: Duration = Duration::from_secs(600);

/// What every call overrides, whatever the repository's configuration says. `safe.directory` may be open because
/// nothing of the repository is ever executed. `core.alternateRefsCommand` cannot be emptied, hence `true`.
const OVERRIDES: [&str; 11] = [
    "safe.directory=*",
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.untrackedCache=false",
    "core.pager=cat",
    "core.attributesFile=/dev/null",
    "core.alternateRefsCommand=true",
    "protocol.allow=never",
    "gc.auto=0",
    "maintenance.auto=false",
    "transfer.fsckObjects=true",
];

/// Git on one repository of the person.
#[derive(Debug, Clone)]
pub(crate) struct Git {
    at: PathBuf,
    owner: Option<(u32, u32)>,
    /// Where objects are stored and where else they are found, if not where the repository says.
    store: Option<(PathBuf, OsString)>,
}

/// What is fed to a call.
pub(crate) enum Input {
    /// Nothing.
    Empty,
    /// These bytes.
    Bytes(Vec<u8>),
    /// An open file from where it stands.
    File(File),
}

/// How a call ended, where its failure is an answer as well.
pub(crate) struct Ended {
    pub(crate) ok: bool,
    pub(crate) code: Option<i32>,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
}

impl Ended {
    /// Returns what git printed, as text without the last line break.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout)
            .trim_end_matches('\n')
            .to_owned()
    }
}

impl Git {
    /// Makes calls as whoever owns the repository, so that a root caller leaves no files there that the owner cannot
    /// change.
    pub(crate) fn as_owner_of(at: &Path) -> Self {
        let owner = std::fs::metadata(at)
            .ok()
            .map(|meta| (meta.uid(), meta.gid()));
        let root = rustix::process::geteuid().is_root();
        Self {
            at: at.to_owned(),
            owner: owner.filter(|(uid, _)| root && *uid != 0),
            store: None,
        }
    }

    /// Makes calls as the caller.
    pub(crate) fn as_caller(at: &Path) -> Self {
        Self {
            at: at.to_owned(),
            owner: None,
            store: None,
        }
    }

    /// Makes calls at another folder of the same repository.
    pub(crate) fn at(&self, at: &Path) -> Self {
        Self {
            at: at.to_owned(),
            ..self.clone()
        }
    }

    /// Makes calls that store new objects in another folder.
    pub(crate) fn storing_in(&self, folder: &Path, alternates: &OsStr) -> Self {
        Self {
            store: Some((folder.to_owned(), alternates.to_owned())),
            ..self.clone()
        }
    }

    /// Gives a file that we made in the repository to whoever calls are made as.
    pub(crate) fn own(&self, path: &Path) -> std::io::Result<()> {
        match self.owner {
            Some((uid, gid)) => lchown(path, Some(uid), Some(gid)),
            None => Ok(()),
        }
    }

    /// Says whether calls are made as somebody else.
    pub(crate) fn is_other_user(&self) -> bool {
        self.owner.is_some()
    }

    /// Runs one call that has to succeed and returns what it printed.
    pub(crate) async fn ask(&self, doing: &'static str, args: &[&str]) -> Result<Vec<u8>, Error> {
        self.must(doing, args, Input::Empty, QUESTION).await
    }

    /// Runs one call that has to succeed, with input and a time limit.
    pub(crate) async fn must(
        &self,
        doing: &'static str,
        args: &[&str],
        input: Input,
        limit: Duration,
    ) -> Result<Vec<u8>, Error> {
        let ended = self.run(doing, args, input, limit).await?;
        if ended.ok {
            return Ok(ended.stdout);
        }
        Err(Error::Git {
            doing,
            message: last_line(&ended.stderr),
        })
    }

    /// Runs one call whose failure is an answer.
    pub(crate) async fn run(
        &self,
        doing: &'static str,
        args: &[&str],
        input: Input,
        limit: Duration,
    ) -> Result<Ended, Error> {
        let mut command = self.command(args);
        self.feed(doing, &mut command, input, limit, None).await
    }

    /// Runs one call that has to succeed and whose output goes into a file.
    pub(crate) async fn write_to(
        &self,
        doing: &'static str,
        args: &[&str],
        input: Input,
        output: File,
    ) -> Result<(), Error> {
        let mut command = self.command(args);
        let ended = self
            .feed(doing, &mut command, input, TRANSFER, Some(output))
            .await?;
        if ended.ok {
            return Ok(());
        }
        Err(Error::Git {
            doing,
            message: last_line(&ended.stderr),
        })
    }

    /// Reads one person-wide configuration value; this alone sees the person's own configuration.
    pub(crate) async fn personal(&self, key: &str) -> Result<Option<String>, Error> {
        let mut command = self.bare_command();
        for name in ["HOME", "XDG_CONFIG_HOME"] {
            if let Some(value) = env::var_os(name) {
                command.env(name, value);
            }
        }
        command
            .env_remove("GIT_CONFIG_GLOBAL")
            .env_remove("GIT_CONFIG_NOSYSTEM");
        command.args(["config", "--get", key]);
        let doing = "read your git configuration";
        let ended = self
            .feed(doing, &mut command, Input::Empty, QUESTION, None)
            .await?;
        Ok(Some(ended.text()).filter(|text| ended.ok && !text.is_empty()))
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = self.bare_command();
        if let Some((uid, gid)) = self.owner {
            command.uid(uid).gid(gid);
        }
        command.args(args);
        command
    }

    fn bare_command(&self) -> Command {
        let mut command = Command::new("git");
        command.env_clear().env("PATH", search_path());
        for (name, value) in [
            ("GIT_CONFIG_NOSYSTEM", "1"),
            ("GIT_CONFIG_GLOBAL", "/dev/null"),
            ("GIT_OPTIONAL_LOCKS", "0"),
            ("GIT_NO_LAZY_FETCH", "1"),
            ("GIT_NO_REPLACE_OBJECTS", "1"),
            ("GIT_TERMINAL_PROMPT", "0"),
            ("GIT_ASKPASS", "/bin/false"),
            ("SSH_ASKPASS", "/bin/false"),
            ("GIT_SSH_COMMAND", "/bin/false"),
            ("GIT_ALLOW_PROTOCOL", ""),
            ("GIT_ATTR_NOSYSTEM", "1"),
            ("LC_ALL", "C"),
        ] {
            command.env(name, value);
        }
        if let Some((folder, alternates)) = &self.store {
            command.env("GIT_OBJECT_DIRECTORY", folder);
            command.env("GIT_ALTERNATE_OBJECT_DIRECTORIES", alternates);
        }
        command.arg("-C").arg(&self.at).arg("--no-pager");
        for setting in OVERRIDES {
            command.args(["-c", setting]);
        }
        command.kill_on_drop(true);
        command
    }

    async fn feed(
        &self,
        doing: &'static str,
        command: &mut Command,
        input: Input,
        limit: Duration,
        output: Option<File>,
    ) -> Result<Ended, Error> {
        let (stdin, bytes) = match input {
            Input::Empty => (Stdio::null(), Vec::new()),
            Input::File(file) => (Stdio::from(file), Vec::new()),
            Input::Bytes(bytes) => (Stdio::piped(), bytes),
        };
        let stdout = output.map_or_else(Stdio::piped, Stdio::from);
        command.stdin(stdin).stdout(stdout).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => Error::NoGit,
            _ => Error::Io {
                doing: doing.to_owned(),
                source: error,
            },
        })?;
        let pipe = child.stdin.take();
        let write = async move {
            if let Some(mut pipe) = pipe {
                // A child that ends early says why by itself.
                let _ = pipe.write_all(&bytes).await;
            }
        };
        let both = async { tokio::join!(write, child.wait_with_output()).1 };
        let output = tokio::time::timeout(limit, both)
            .await
            .map_err(|_| Error::GitTimedOut { doing })?
            .map_err(Error::io(doing))?;
        Ok(Ended {
            ok: output.status.success(),
            code: output.status.code(),
            stdout: output.stdout,
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        })
    }
}

static SEARCH_PATH: OnceLock<OsString> = OnceLock::new();

/// Looks for git in these folders from now on, where a desktop's own `PATH` is not what the person has in a terminal. The first
/// one counts.
pub fn look_for_git_in(path: OsString) {
    let _ = SEARCH_PATH.set(path);
}

/// Returns where programs are looked for; the one thing that is kept of the caller's environment.
pub fn search_path() -> OsString {
    let chosen = SEARCH_PATH.get().cloned();
    chosen
        .or_else(|| env::var_os("PATH"))
        .unwrap_or_else(|| "/usr/local/bin:/usr/bin:/bin".into())
}

/// Returns the last line that says something, which in git's case is the reason.
pub(crate) fn last_line(text: &str) -> String {
    let said = |line: &&str| !line.trim().is_empty() && !line.starts_with("hint:");
    let line = text
        .lines()
        .rev()
        .find(said)
        .unwrap_or("git gave no reason");
    let line = line
        .trim()
        .trim_start_matches("fatal: ")
        .trim_start_matches("error: ");
    line.chars().take(300).collect()
}
