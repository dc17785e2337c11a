//! Which folders of a workspace change, for a viewer who has them open. It knows that something changed and never what:
//! nothing is read but the names of folders, and no link is followed, so that an agent cannot make the host watch itself.

#[cfg_attr(not(target_os = "linux"), path = "watch/elsewhere.rs")]
mod folders;

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::Instant;

use crate::files::path::{WorkPath, is_git};
use crate::{Error, Workspace};
use folders::Folders;

/// Most folders that are watched; an account may watch some 100,000 in all.
const MOST_FOLDERS: usize = 4_096;
/// Most folders that are named at once; with more, all of them are meant.
const MOST_NAMED: usize = 100;
/// How long changes are gathered after the first one.
const GATHER: Duration = Duration::from_millis(50);
/// The least time between two changes that are told.
const APART: Duration = Duration::from_millis(250);
/// How often everything may have changed where not everything can be watched.
const LOOK: Duration = Duration::from_secs(5);

/// Folders that hold what can be made again, and very much of it.
const HEAPS: [&str; 8] = [
    "node_modules",
    "target",
    ".venv",
    "venv",
    "__pycache__",
    ".tox",
    ".gradle",
    ".next",
];

/// Something may have changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Change {
    /// The folders, relative to the workspace; empty means all of them.
    pub folders: Vec<String>,
    /// Whether commits, references or the index may have changed.
    pub git: bool,
    /// What the viewer should know about what is not watched.
    pub note: Option<String>,
}

/// A watch over one workspace; it ends when it is dropped.
#[derive(Debug)]
pub struct Watch {
    folders: Folders,
    last: Option<Instant>,
    look_at: Instant,
    told: bool,
}

impl Watch {
    /// Begins to watch.
    pub async fn begin(workspace: &Workspace) -> Result<Self, Error> {
        Self::begin_with(workspace, MOST_FOLDERS).await
    }

    async fn begin_with(workspace: &Workspace, most: usize) -> Result<Self, Error> {
        let folders = Folders::begin(&workspace.folder(), most).await;
        Ok(Self {
            folders: folders.map_err(Error::io("watch the session's workspace"))?,
            last: None,
            look_at: Instant::now() + LOOK,
            told: false,
        })
    }

    /// Waits for the next change; at most four come in a second. `None` where the workspace is gone.
    pub async fn next(&mut self) -> Option<Change> {
        loop {
            let partial = self.folders.is_partial();
            if partial && !std::mem::replace(&mut self.told, true) {
                return Some(self.everything());
            }
            tokio::select! {
                news = self.folders.news() => news.ok()?,
                () = tokio::time::sleep_until(self.look_at), if partial => {
                    return Some(self.everything());
                }
            }
            let gathered = Instant::now() + GATHER;
            let next = self
                .last
                .map_or(gathered, |last| gathered.max(last + APART));
            tokio::time::sleep_until(next).await;
            let mut batch = Batch::default();
            self.folders.take(&mut batch).await.ok()?;
            if let Some(change) = batch.change() {
                self.last = Some(Instant::now());
                return Some(change);
            }
        }
    }

    fn everything(&mut self) -> Change {
        let now = Instant::now();
        self.last = Some(now);
        self.look_at = now + LOOK;
        Change {
            folders: Vec::new(),
            git: true,
            note: Some(format!(
                "Not every folder of this workspace can be watched, so it is looked at every {} seconds.",
                LOOK.as_secs()
            )),
        }
    }
}

/// What has changed since the last time.
#[derive(Debug, Default)]
struct Batch {
    folders: BTreeSet<String>,
    all: bool,
    git: bool,
}

impl Batch {
    /// Takes note of a change of `name` in `folder`.
    fn add(&mut self, folder: &WorkPath, name: &str) {
        match folder.names().first() {
            Some(first) if is_git(first) => self.git |= !name.ends_with(".lock"),
            _ => {
                self.folders.insert(folder.to_string());
            }
        }
    }

    fn change(self) -> Option<Change> {
        let all = self.all || self.folders.len() > MOST_NAMED;
        if !all && !self.git && self.folders.is_empty() {
            return None;
        }
        Some(Change {
            folders: if all {
                Vec::new()
            } else {
                self.folders.into_iter().collect()
            },
            git: self.git || all,
            note: None,
        })
    }
}

/// Says whether what lies in `folder` under `name` is worth watching: not heaps, and of git's own folder the references.
fn is_worth(folder: &WorkPath, name: &str) -> bool {
    let names = folder.names();
    match names.first() {
        Some(first) if is_git(first) => names.len() > 1 || name == "refs",
        _ if is_git(name) => names.is_empty(),
        _ => !HEAPS.contains(&name),
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests;
