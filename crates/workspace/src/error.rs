//! Why a workspace could not be made, read or brought back. Every message is one sentence with the way out.

use std::path::PathBuf;

use clauderon_runtime::RuntimeError;

/// Why a request about a workspace was refused or failed; nothing has changed then.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The path does not exist.
    #[error("{} does not exist; give the folder of a git repository", .0.display())]
    NoSuchPath(PathBuf),
    /// No git repository is there.
    #[error("{} is not in a git repository; run `git init` and commit there first", .0.display())]
    NotARepository(PathBuf),
    /// The repository has no commit to start from.
    #[error("{} has no commits yet; make one with `git commit --allow-empty -m start`", .0.display())]
    NoCommits(PathBuf),
    /// The path cannot be passed on faithfully.
    #[error("{} cannot be used because {why}; rename the folder", path.display())]
    UnusablePath {
        /// The path.
        path: PathBuf,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A partial clone lacks files of the commit.
    #[error("{} is a partial clone without all files of its commit; run `git fetch --refetch --no-filter` there first", .0.display())]
    MissingObjects(PathBuf),
    /// The host has no git.
    #[error("git is not installed on this machine; install it with your system's package manager")]
    NoGit,
    /// Git on the host refused.
    #[error("could not {doing}: {message}")]
    Git {
        /// What was being done.
        doing: &'static str,
        /// The last thing that git said.
        message: String,
    },
    /// Git on the host did not end in time.
    #[error("could not {doing}: git did not end in time")]
    GitTimedOut {
        /// What was being done.
        doing: &'static str,
    },
    /// The throw-away sandbox could not be had, or was stopped at a limit.
    #[error("could not {doing}: {source}")]
    Sandbox {
        /// What was being done.
        doing: &'static str,
        /// Why not.
        source: RuntimeError,
    },
    /// Git inside the throw-away sandbox gave up.
    #[error(
        "could not {doing}: git in the session's workspace says \"{message}\"; look at it from inside with `clauderon attach`"
    )]
    Inside {
        /// What was being done.
        doing: &'static str,
        /// The last thing that git said.
        message: String,
    },
    /// What came out of the sandbox is not acceptable.
    #[error("the session's work was refused and nothing was changed: {0}")]
    BadWork(String),
    /// The folder is no session's workspace.
    #[error("{} holds no workspace of a session", .0.display())]
    NotAWorkspace(PathBuf),
    /// A path below the workspace is not acceptable.
    #[error("{path:?} is no path in the workspace: {why}")]
    BadPath {
        /// The path.
        path: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// Nothing has this path in the workspace.
    #[error("there is no {0:?} in the workspace")]
    NotThere(String),
    /// The path leads through something that is no folder.
    #[error("{0:?} leads through a link or a file; links are never followed")]
    ThroughALink(String),
    /// A folder was asked for.
    #[error("{0:?} is not a folder")]
    NotAFolder(String),
    /// A file was asked for.
    #[error("{0:?} is not a file")]
    NotAFile(String),
    /// The operating system said no.
    #[error("could not {doing}: {source}")]
    Io {
        /// What was being done.
        doing: String,
        /// What the system said.
        source: std::io::Error,
    },
}

impl Error {
    pub(crate) fn io(doing: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let doing = doing.into();
        move |source| Self::Io { doing, source }
    }
}
