//! What the person's login shell makes of the environment, for a program that no shell started: a window gets the desktop's bare
//! PATH and none of the variables that stand in a profile.
//!
//! Profiles are programs: they print, wait for answers, hang and exit. So the shell is asked once, with nothing to read from and
//! no terminal to take over, what it says counts only between two marks, and it ends within three seconds, however it likes that.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io::Read as _;
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use crate::{Environment, Secret, Source, Vault, VaultError};

/// How long the shell may take.
const PATIENCE: Duration = Duration::from_secs(3);
/// The most that is read, in bytes.
const MOST: usize = 1024 * 1024;

/// What was taken from the shell.
pub struct LoginShell {
    /// Those of the variables asked for by name that it has; none of them is a secret.
    pub plain: BTreeMap<&'static str, OsString>,
    /// The variables that hold known credentials.
    pub environment: Environment,
}

/// Why nothing was taken.
#[derive(Debug, thiserror::Error)]
pub enum LoginShellError {
    /// The shell cannot be started.
    #[error("{shell} could not be started: {reason}")]
    Start {
        /// The shell.
        shell: String,
        /// The reason.
        reason: String,
    },
    /// It says nothing in time.
    #[error("{0} did not finish its profile within 3 seconds")]
    Slow(String),
    /// It ended before it said anything, as one does whose profile calls `exit`.
    #[error("{0} ended in its profile")]
    Ended(String),
}

impl Environment {
    /// Asks the login shell, `$SHELL` or else `/bin/sh`, for what it knows of credentials and for these variables. Blocks for
    /// three seconds at most.
    ///
    /// # Errors
    /// Says why the shell's variables are not known; nothing of what it printed.
    pub fn from_login_shell(plain: &[&'static str]) -> Result<LoginShell, LoginShellError> {
        let shell = std::env::var_os("SHELL").filter(|shell| !shell.is_empty());
        Self::from_shell(shell.as_deref().unwrap_or(OsStr::new("/bin/sh")), plain)
    }

    /// Asks this shell.
    ///
    /// # Errors
    /// As [`Environment::from_login_shell`].
    pub fn from_shell(
        shell: &OsStr,
        plain: &[&'static str],
    ) -> Result<LoginShell, LoginShellError> {
        let name = shell.to_string_lossy().into_owned();
        let mark = format!("clauderon-environment-{}", std::process::id());
        let mut child = start(shell, &mark).map_err(|error| LoginShellError::Start {
            shell: name.clone(),
            reason: error.to_string(),
        })?;
        let said = listen(&mut child, mark.as_bytes());
        end(&mut child);
        match said {
            Said::All(text) => Ok(taken(&text, plain)),
            Said::TooLate => Err(LoginShellError::Slow(name)),
            Said::Nothing => Err(LoginShellError::Ended(name)),
        }
    }
}

/// The login shell, asked beside everything else so that nobody's start waits for a profile: who needs the answer does, for
/// three seconds at most.
#[derive(Clone)]
pub struct Shell(Arc<LazyLock<Answer, Ask>>);

type Answer = Result<LoginShell, LoginShellError>;
type Ask = Box<dyn FnOnce() -> Answer + Send>;

impl Shell {
    /// Begins to ask for the known credentials and these variables.
    pub fn ask(plain: &'static [&'static str]) -> Self {
        let asked: Ask = Box::new(|| Environment::from_login_shell(plain));
        let shell = Self(Arc::new(LazyLock::new(asked)));
        let asking = shell.clone();
        std::thread::spawn(move || {
            LazyLock::force(&asking.0);
        });
        shell
    }

    /// Waits for the answer.
    pub fn answer(&self) -> &Answer {
        &self.0
    }

    /// Waits for a variable that was asked for.
    pub fn plain(&self, name: &str) -> Option<OsString> {
        self.answer().as_ref().ok()?.plain.get(name).cloned()
    }
}

/// Shows nothing of it.
impl std::fmt::Debug for Shell {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shell").finish_non_exhaustive()
    }
}

impl Vault for Shell {
    fn source(&self) -> Source {
        Source::Shell
    }

    fn place(&self, name: &str) -> String {
        match self.answer() {
            Ok(shell) => shell.environment.place(name),
            Err(_) => self.source().to_string(),
        }
    }

    fn lookup(&self, name: &str) -> Result<Option<Secret>, VaultError> {
        match self.answer() {
            Ok(shell) => shell.environment.lookup(name),
            Err(_) => Ok(None),
        }
    }
}

fn start(shell: &OsStr, mark: &str) -> std::io::Result<Child> {
    let mut command = Command::new(shell);
    command
        .args(["-l", "-i", "-c"])
        .arg(format!(
            "printf %s {mark}; command env -0; printf %s {mark}"
        ))
        .env("TERM", "dumb")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    // SAFETY: setsid is async-signal-safe. Without it an interactive shell would take over the terminal that we may have.
    unsafe {
        command.pre_exec(|| {
            libc::setsid();
            Ok(())
        });
    }
    command.spawn()
}

enum Said {
    All(Zeroizing<Vec<u8>>),
    TooLate,
    Nothing,
}

/// Listens until the second mark. What the profile leaves running may hold the output open for ever.
fn listen(child: &mut Child, mark: &[u8]) -> Said {
    let Some(pieces) = child.stdout.take().map(pieces) else {
        return Said::Nothing;
    };
    let until = Instant::now() + PATIENCE;
    // With room from the start the bytes never move, so that no copy is left behind.
    let mut heard = Zeroizing::new(Vec::with_capacity(MOST));
    loop {
        let left = until.saturating_duration_since(Instant::now());
        match pieces.recv_timeout(left) {
            Ok(piece) if heard.len() + piece.len() > MOST => return Said::Nothing,
            Ok(piece) => heard.extend_from_slice(&piece),
            Err(RecvTimeoutError::Timeout) => return Said::TooLate,
            Err(RecvTimeoutError::Disconnected) => return Said::Nothing,
        }
        if let Some(text) = between(&heard, mark) {
            return Said::All(Zeroizing::new(text.to_vec()));
        }
    }
}

fn pieces(mut output: std::process::ChildStdout) -> Receiver<Zeroizing<Vec<u8>>> {
    let (pieces, heard) = channel();
    std::thread::spawn(move || {
        let mut buffer = Zeroizing::new([0; 8192]);
        while let Ok(read @ 1..) = output.read(&mut *buffer) {
            if pieces
                .send(Zeroizing::new(buffer[..read].to_vec()))
                .is_err()
            {
                return;
            }
        }
    });
    heard
}

fn between<'a>(heard: &'a [u8], mark: &[u8]) -> Option<&'a [u8]> {
    let find = |bytes: &[u8]| bytes.windows(mark.len()).position(|window| window == mark);
    let rest = &heard[find(heard)? + mark.len()..];
    Some(&rest[..find(rest)?])
}

fn taken(text: &[u8], plain: &[&'static str]) -> LoginShell {
    let value = |name: &str| {
        text.split(|byte| *byte == 0).find_map(|pair| {
            pair.strip_prefix(name.as_bytes())?
                .strip_prefix(b"=")
                .map(<[u8]>::to_vec)
        })
    };
    let variables = |name: &str| String::from_utf8(value(name)?).ok();
    LoginShell {
        plain: plain
            .iter()
            .filter_map(|name| Some((*name, value(name)?)))
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| (name, OsString::from_vec(value)))
            .collect(),
        environment: Environment::of(Source::Shell, variables),
    }
}

/// Ends the shell with all that its profile left in its session's own group.
fn end(child: &mut Child) {
    if let Ok(group) = i32::try_from(child.id()) {
        // SAFETY: a signal to a group that we made; its leader is not waited for yet, so the number is still its own.
        unsafe {
            libc::kill(-group, libc::SIGKILL);
        }
    }
    // It may have ended by itself.
    let _ = child.kill();
    let _ = child.wait();
}
