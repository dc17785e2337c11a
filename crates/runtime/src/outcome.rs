//! What a runtime answers: what it can do, what it made, how that fares.

use std::path::PathBuf;

use clauderon_session::{Backend, SessionId};
use serde::{Deserialize, Serialize};

/// What a backend can do here, proved by probing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capabilities {
    /// Which backend.
    pub backend: Backend,
    /// The engine's or program's own version.
    pub version: String,
    /// What limits hold and how.
    pub limits: Vec<LimitNote>,
    /// Further sentences a person should know, such as what is weaker here than elsewhere.
    pub notes: Vec<String>,
}

/// One limit and whether the kernel keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LimitNote {
    /// The limit in words: `memory 8 GiB`.
    pub limit: String,
    /// Whether the kernel enforces it.
    pub enforced: bool,
    /// Why not, where it does not.
    pub why_not: Option<String>,
}

impl LimitNote {
    /// Says one limit in words.
    pub fn sentence(&self) -> String {
        match (&self.why_not, self.enforced) {
            (_, true) => format!("{}: kernel-enforced", self.limit),
            (Some(why), false) => format!("{}: not enforced ({why})", self.limit),
            (None, false) => format!("{}: not enforced", self.limit),
        }
    }
}

/// Names one sandbox that was created; kept in the session's record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handle {
    /// The session.
    pub session: SessionId,
    /// The session's folder.
    pub dir: PathBuf,
    /// The container's full id, for backends that have containers.
    pub container: Option<String>,
}

/// A sandbox that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Created {
    /// Names it from now on.
    pub handle: Handle,
    /// What limits hold for it.
    pub limits: Vec<LimitNote>,
}

/// A sandbox that was started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Started {
    /// The holder's process id.
    pub holder_pid: u32,
}

/// What a sandbox uses. What cannot be measured is `None`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Memory in bytes, without what the kernel may take back at once.
    pub memory_bytes: Option<u64>,
    /// Processor time since the sandbox was made, in milliseconds.
    pub cpu_ms: Option<u64>,
    /// Processes and threads, as the limit counts them.
    pub processes: Option<u64>,
}

/// How a sandbox fares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// It exists.
    Present {
        /// Whether something runs in it.
        running: bool,
    },
    /// It does not exist; asked and answered.
    Absent,
    /// It could not be found out, for this reason.
    Unknown(String),
}

/// A sandbox that a backend sees and that claims to be of Clauderon. Only an id in a session record makes it ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The container's full id.
    pub container: String,
    /// Its name, for display.
    pub name: String,
    /// The installation its label names.
    pub installation: Option<String>,
    /// The session its label names.
    pub session: Option<String>,
    /// Whether it runs.
    pub running: bool,
}
