//! What a person should know about a new session's workspace: facts, never refusals.

use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// One fact to tell; its `Display` is one sentence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Notice {
    /// Uncommitted changes do not come along.
    Uncommitted {
        /// How many files are changed.
        count: u64,
        /// Where they stay.
        repository: PathBuf,
    },
    /// A remote's URL holds a credential, which was left out.
    RemoteCredential {
        /// The remote's name.
        remote: String,
    },
    /// The repository's configuration holds a credential, which was left out.
    ConfigCredential {
        /// The configuration key.
        key: String,
    },
    /// Files in the commit look like secrets; they are part of the clone.
    TrackedSecrets {
        /// Their paths.
        paths: Vec<String>,
    },
    /// Files outside the commit look like secrets and were left out.
    SecretsLeftOut {
        /// Their paths.
        paths: Vec<String>,
    },
    /// Untracked files were copied because `.worktreeinclude` lists them.
    Included {
        /// How many.
        count: usize,
    },
    /// Some listed files were not copied.
    NotIncluded {
        /// Why not.
        why: String,
    },
    /// Submodules are not filled.
    Submodules {
        /// How many.
        count: usize,
    },
    /// Large files are pointers.
    Lfs,
    /// History of other branches can be read in the session.
    HistoryReadable,
    /// The history is cut.
    Shallow,
    /// Older file contents may be missing.
    PartialClone,
    /// No author is configured.
    NoIdentity,
    /// The sandbox's user may not read the repository's objects, so the branch was copied.
    HistoryCopied,
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Uncommitted { count: 1, repository } => {
                write!(f, "1 uncommitted change in {} stays there.", repository.display())
            }
            Self::Uncommitted { count, repository } => {
                write!(f, "{count} uncommitted changes in {} stay there.", repository.display())
            }
            Self::RemoteCredential { remote } => write!(
                f,
                "The URL of remote `{remote}` carries credentials; the session gets it without them."
            ),
            Self::ConfigCredential { key } => {
                write!(f, "`{key}` in the repository's configuration may hold a credential; the session does not get it.")
            }
            Self::TrackedSecrets { paths } => write!(
                f,
                "These committed files look like secrets and the session can read them: {}.",
                listed(paths)
            ),
            Self::SecretsLeftOut { paths } => write!(
                f,
                "These files look like secrets and are left out of the session: {}.",
                listed(paths)
            ),
            Self::Included { count: 1 } => {
                f.write_str("1 untracked file was copied because .worktreeinclude lists it.")
            }
            Self::Included { count } => {
                write!(f, "{count} untracked files were copied because .worktreeinclude lists them.")
            }
            Self::NotIncluded { why } => write!(f, "Not everything .worktreeinclude lists was copied: {why}."),
            Self::Submodules { count: 1 } => f.write_str(
                "The repository has 1 submodule; its folder is empty in the session.",
            ),
            Self::Submodules { count } => write!(
                f,
                "The repository has {count} submodules; their folders are empty in the session."
            ),
            Self::Lfs => f.write_str(
                "The repository uses Git LFS; large files are pointers in the session, not contents.",
            ),
            Self::HistoryReadable => f.write_str(
                "The session can read the history of all branches of this repository, not only of its own.",
            ),
            Self::Shallow => f.write_str("The repository is a shallow clone, so the session's history is cut as well."),
            Self::PartialClone => f.write_str(
                "The repository is a partial clone; older file contents may be missing in the session.",
            ),
            Self::NoIdentity => f.write_str(
                "No user.name and user.email are set; the session's commits are by \"clauderon <clauderon@localhost>\".",
            ),
            Self::HistoryCopied => f.write_str(
                "The sandbox's user may not read this repository's objects, so the branch's history was copied.",
            ),
        }
    }
}

fn listed(paths: &[String]) -> String {
    const SHOWN: usize = 8;
    let mut text = paths[..paths.len().min(SHOWN)].join(", ");
    if paths.len() > SHOWN {
        text.push_str(&format!(" and {} more", paths.len() - SHOWN));
    }
    text
}
