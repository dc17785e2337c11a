//! The order a holder is started with, and its one line of answer.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Says which sandbox a holder holds and how its terminal is wired.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// The session's id, for messages alone.
    pub session: String,
    /// The session's folder, absolute.
    pub dir: PathBuf,
    /// A terminal, or three pipes.
    pub mode: Mode,
    /// Width of the terminal at the start; 0 means 80.
    #[serde(default)]
    pub cols: u16,
    /// Height of the terminal at the start; 0 means 24.
    #[serde(default)]
    pub rows: u16,
    /// In pipes mode, the file whose bytes the agent reads; without it its input is closed at once.
    #[serde(default)]
    pub stdin: Option<PathBuf>,
    /// What to start.
    pub sandbox: Sandbox,
}

impl Spec {
    /// The terminal's size at the start, columns and rows.
    pub fn size(&self) -> (u16, u16) {
        let or = |size, otherwise| if size == 0 { otherwise } else { size };
        (or(self.cols, 80), or(self.rows, 24))
    }
}

/// How the agent's input and output are wired.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// One pseudo-terminal.
    Pty,
    /// Standard input, output and error as three byte streams.
    Pipes,
}

/// The sandbox a holder owns or attends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum Sandbox {
    /// Started by the holder and bound to its life.
    Bubblewrap {
        /// The whole command line, `bwrap` first. `{seccomp}` and `{control}` become numbers of
        /// inherited descriptors, `{stage}` the folder in which the staged mounts appear.
        argv: Vec<String>,
        /// The compiled seccomp filter.
        #[serde(default)]
        seccomp: Option<PathBuf>,
        /// Whom to become before bwrap starts; only root may ask for it.
        #[serde(default)]
        user: Option<User>,
        /// Mount sources that the user above could not reach by itself; only root may ask for it.
        #[serde(default)]
        stage: Vec<Stage>,
        /// `cgroup.procs` files that the sandbox joins.
        #[serde(default)]
        cgroups: Vec<PathBuf>,
    },
    /// Owned by an engine; the holder is an attach client that outlives the daemon.
    Docker {
        /// The engine's unix socket.
        socket: PathBuf,
        /// The container's id.
        container: String,
        /// Whether to start it, or to attach to what runs already.
        start: bool,
    },
}

/// A user and group of the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// User id.
    pub uid: u32,
    /// Group id; it becomes the only group.
    pub gid: u32,
}

/// One mount source made reachable as `{stage}/<name>`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stage {
    /// A file or folder of the host.
    pub source: PathBuf,
    /// A plain name without `/`.
    pub name: String,
}

/// The one line a holder prints before it closes its standard output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Announcement {
    /// The sandbox was started, and the socket answers.
    Ready {
        /// Always true.
        ready: bool,
        /// The holder's own process id.
        pid: u32,
    },
    /// Nothing was started, or it is gone again.
    Failed {
        /// One sentence.
        error: String,
    },
}
