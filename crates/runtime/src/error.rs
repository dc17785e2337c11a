//! What can go wrong with a sandbox, as far as a caller branches on it. Every message is one sentence for a person.

use std::path::PathBuf;
use std::time::Duration;

/// Why a request about a sandbox failed.
#[derive(Debug, thiserror::Error)]
pub enum RuntimeError {
    /// The backend itself cannot be used.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    /// The image is not on this machine.
    #[error("image `{image}` is not on this machine; get it with `{fix}`")]
    ImageMissing {
        /// The image as it was asked for.
        image: String,
        /// The command that provides it.
        fix: String,
    },
    /// The image is there but cannot hold a session.
    #[error("image `{image}` cannot hold a session: {}", lacks.join("; "))]
    ImageUnfit {
        /// The image as it was asked for.
        image: String,
        /// One sentence for each thing it lacks.
        lacks: Vec<String>,
    },
    /// A mount would show the sandbox something it must not have.
    #[error("{} cannot be mounted: {why}", source_path.display())]
    MountRefused {
        /// The source as it was asked for.
        source_path: PathBuf,
        /// Why not.
        why: String,
    },
    /// The sandbox is not there any more.
    #[error("the sandbox is gone")]
    Gone,
    /// The sandbox is there but does not run.
    #[error("the sandbox is not running")]
    NotRunning,
    /// The container belongs to another installation, or only pretends to be ours.
    #[error("container {id} is not of this installation: {why}")]
    Foreign {
        /// The container's id.
        id: String,
        /// What does not match.
        why: String,
    },
    /// A throw-away sandbox did not end in time and was killed.
    #[error("`{program}` did not end within {limit:?} and was killed")]
    TimedOut {
        /// What ran.
        program: String,
        /// The limit.
        limit: Duration,
    },
    /// A throw-away sandbox wrote more than it may and was killed.
    #[error("`{program}` wrote more than {limit} bytes and was killed")]
    OutputTooLarge {
        /// What ran.
        program: String,
        /// The limit in bytes.
        limit: usize,
    },
    /// The plan itself makes no sense.
    #[error("{0}")]
    BadPlan(String),
    /// The session's holder did not start or did not answer.
    #[error("the session's holder failed: {0}")]
    Holder(String),
    /// The container engine answered with an error.
    #[error("{doing}: {message}")]
    Engine {
        /// What was being done.
        doing: &'static str,
        /// What the engine said.
        message: String,
    },
    /// The operating system said no.
    #[error("{doing}: {source}")]
    Io {
        /// What was being done.
        doing: String,
        /// What the system said.
        source: std::io::Error,
    },
}

impl RuntimeError {
    /// Wraps an operating system error with what was being done.
    pub fn io(doing: impl Into<String>, source: std::io::Error) -> Self {
        Self::Io {
            doing: doing.into(),
            source,
        }
    }
}

/// Why a backend cannot be used here, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{sentence}; {fix}")]
pub struct Unavailable {
    /// The kind of trouble, for callers that branch.
    pub why: Why,
    /// One sentence for a person.
    pub sentence: String,
    /// What the person can do about it.
    pub fix: String,
}

impl Unavailable {
    /// Makes one from its three parts.
    pub fn new(why: Why, sentence: impl Into<String>, fix: impl Into<String>) -> Self {
        Self {
            why,
            sentence: sentence.into(),
            fix: fix.into(),
        }
    }
}

/// The kinds of trouble that keep a backend from being used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// The program or engine is not installed.
    NotInstalled,
    /// It is installed but does not answer.
    NotRunning,
    /// It is there but this user may not use it.
    NotPermitted,
    /// It is reached over a network, which the unix-socket transport cannot serve.
    Remote,
    /// It runs rootless or remaps user ids, so that files would have the wrong owner.
    RemappedUsers,
    /// The kernel lets this user make no user namespaces.
    NoUserNamespaces,
    /// AppArmor keeps programs from making user namespaces.
    AppArmor,
    /// It was found but a sandbox could not be started for another reason.
    Broken,
}
