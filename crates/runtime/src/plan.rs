//! What a caller asks for: the plan of a session's sandbox, and one-off programs. Plain values, checked when used.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use clauderon_session::{Mode, SessionId};

/// Everything that makes up one session's sandbox.
#[derive(Debug, Clone)]
pub struct SandboxPlan {
    /// The session it belongs to.
    pub session: SessionId,
    /// The session's folder, an absolute path (`…/sessions/<id>`).
    pub dir: PathBuf,
    /// Whether the agent gets a terminal or three pipes.
    pub mode: Mode,
    /// The container image; ignored by backends without images.
    pub image: Option<String>,
    /// Everything the sandbox sees beyond its system files, the relay included.
    pub mounts: Vec<Mount>,
    /// Whom everything inside runs as.
    pub user: User,
    /// What it may use at most.
    pub limits: Limits,
    /// Width of the terminal at the start.
    pub cols: u16,
    /// Height of the terminal at the start.
    pub rows: u16,
    /// In pipes mode, a file that is fed to the agent's standard input.
    pub stdin: Option<PathBuf>,
}

/// One file or folder of the host that a sandbox sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// The absolute path on the host.
    pub source: PathBuf,
    /// The absolute path inside.
    pub target: PathBuf,
    /// Whether the sandbox may write there.
    pub access: Access,
}

impl Mount {
    /// Makes a mount that the sandbox can only read.
    pub fn read_only(source: impl Into<PathBuf>, target: impl Into<PathBuf>) -> Self {
        Self {
            source: source.into(),
            target: target.into(),
            access: Access::ReadOnly,
        }
    }

    /// Makes a mount that the sandbox can write.
    pub fn read_write(source: impl Into<PathBuf>, target: impl Into<PathBuf>) -> Self {
        Self {
            source: source.into(),
            target: target.into(),
            access: Access::ReadWrite,
        }
    }
}

/// What a sandbox may do with a mount.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Reading alone.
    ReadOnly,
    /// Reading and writing.
    ReadWrite,
}

/// The host user and group that everything in a sandbox runs as. Never root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct User {
    /// The user id on the host and inside.
    pub uid: u32,
    /// The group id on the host and inside.
    pub gid: u32,
}

impl User {
    /// Returns whom sandboxes of this process run as: the caller, or 1000:1000 where the caller is root.
    pub fn for_caller() -> Self {
        let uid = rustix::process::geteuid().as_raw();
        if uid == 0 {
            return Self {
                uid: 1000,
                gid: 1000,
            };
        }
        Self {
            uid,
            gid: rustix::process::getegid().as_raw(),
        }
    }
}

/// What a sandbox may use at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Processes and threads.
    pub pids: u64,
    /// Bytes of memory.
    pub memory: u64,
    /// Share of the processor under contention, 100 being ordinary (cgroup v2 scale, 1 to 10,000).
    pub cpu_weight: u64,
}

impl Limits {
    /// Returns the shipped limits: 4,096 processes, half of the machine's memory up to 8 GiB, an ordinary share.
    pub fn of_this_machine() -> Self {
        const MOST: u64 = 8 << 30;
        // SAFETY: both take a number and return one.
        let (pages, size) = unsafe {
            (
                libc::sysconf(libc::_SC_PHYS_PAGES),
                libc::sysconf(libc::_SC_PAGESIZE),
            )
        };
        let total = u64::try_from(pages).unwrap_or(0) * u64::try_from(size).unwrap_or(0);
        Self {
            pids: 4096,
            memory: (total / 2).clamp(512 << 20, MOST),
            cpu_weight: 100,
        }
    }
}

/// One program to run in a throw-away sandbox: no network, same hardening, nothing left behind.
#[derive(Debug, Clone)]
pub struct OneShot {
    /// The container image; ignored by backends without images.
    pub image: Option<String>,
    /// The program and its arguments; the program is absolute or found in `/usr/bin:/bin`.
    pub argv: Vec<String>,
    /// Its whole environment (`PATH` is set to `/usr/local/bin:/usr/bin:/bin` where absent).
    pub env: BTreeMap<String, String>,
    /// Its folder inside.
    pub cwd: PathBuf,
    /// Everything it sees beyond system files.
    pub mounts: Vec<Mount>,
    /// The session folder whose own folders it may be given, if any.
    pub session_dir: Option<PathBuf>,
    /// Whom it runs as.
    pub user: User,
    /// What is fed to its standard input.
    pub stdin: Option<Vec<u8>>,
    /// When it is killed.
    pub timeout: Duration,
    /// How many bytes it may write to standard output and standard error, each.
    pub max_output: usize,
}

impl OneShot {
    /// Makes one with the usual limits for git on hostile files: 10 seconds and 16 MiB.
    pub fn new(argv: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self {
            image: None,
            argv: argv.into_iter().map(Into::into).collect(),
            env: BTreeMap::new(),
            cwd: PathBuf::from("/"),
            mounts: Vec::new(),
            session_dir: None,
            user: User::for_caller(),
            stdin: None,
            timeout: Duration::from_secs(10),
            max_output: 16 << 20,
        }
    }
}

/// What a throw-away sandbox left behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OneShotOutput {
    /// The exit code; 128 plus the signal where one killed it.
    pub code: i32,
    /// Everything written to standard output.
    pub stdout: Vec<u8>,
    /// Everything written to standard error.
    pub stderr: Vec<u8>,
}

/// One more program to run in a running sandbox.
#[derive(Debug, Clone)]
pub struct ExecRequest {
    /// The program and its arguments.
    pub argv: Vec<String>,
    /// Its whole environment; the agent's own where absent.
    pub env: Option<BTreeMap<String, String>>,
    /// Its folder inside.
    pub cwd: PathBuf,
    /// When waiting ends.
    pub timeout: Duration,
    /// How many bytes of each stream are kept at most.
    pub max_output: usize,
}

/// What a program run by exec wrote and how it ended.
pub type ExecOutput = OneShotOutput;
