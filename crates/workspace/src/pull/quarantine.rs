//! A folder in the person's objects folder where new objects are checked before they become part of the repository.
//!
//! Git's own `receive-pack` does the same, and `git prune` knows the name should a killed process leave one behind.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::git::Git;

/// Numbers the folders of this process.
static NEXT: AtomicU64 = AtomicU64::new(0);

/// The folder; it and whatever was not kept are removed when dropped.
pub(super) struct Quarantine {
    path: PathBuf,
    objects: PathBuf,
    alternates: OsString,
}

impl Quarantine {
    /// Makes the folder in the first of the repository's objects folders.
    pub(super) fn make(git: &Git, chain: &[PathBuf]) -> io::Result<Self> {
        let objects = chain.first().cloned().unwrap_or_default();
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("tmp_objdir-clauderon-{}-{number}", std::process::id());
        let path = objects.join(name);
        fs::create_dir(&path)?;
        let quarantine = Self {
            path,
            objects,
            alternates: listed(chain),
        };
        fs::create_dir(quarantine.path.join("pack"))?;
        git.own(&quarantine.path)?;
        git.own(&quarantine.path.join("pack"))?;
        Ok(quarantine)
    }

    /// Makes calls that store into the folder and see the repository's objects besides.
    pub(super) fn git(&self, git: &Git) -> Git {
        git.storing_in(&self.path, &self.alternates)
    }

    /// Moves the objects into the repository, the index last: git sees a pack only by its index.
    pub(super) fn keep(self) -> io::Result<()> {
        let into = self.objects.join("pack");
        let mut files: Vec<_> = fs::read_dir(self.path.join("pack"))?.collect::<Result<_, _>>()?;
        files.sort_by_key(|file| {
            file.path()
                .extension()
                .is_some_and(|ending| ending == "idx")
        });
        for file in files {
            let target = into.join(file.file_name());
            // A pack of the same name holds the same: it was pulled before.
            if !target.exists() {
                fs::rename(file.path(), target)?;
            }
        }
        Ok(())
    }
}

impl Drop for Quarantine {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.path) {
            tracing::warn!(%error, path = %self.path.display(), "a quarantine was left behind");
        }
    }
}

/// Writes the folders as git reads them from its environment: quoted, since names may have colons.
fn listed(chain: &[PathBuf]) -> OsString {
    let quoted = |path: &PathBuf| format!("\"{}\"", escaped(path));
    chain
        .iter()
        .map(quoted)
        .collect::<Vec<_>>()
        .join(":")
        .into()
}

fn escaped(path: &Path) -> String {
    path.display()
        .to_string()
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
}
