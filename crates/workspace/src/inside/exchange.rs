//! A short-lived folder between host and throw-away sandbox, with a clean git folder in it. The agent never has it.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use clauderon_runtime::{Mount, User};

use super::give;
use crate::create::folder::GitFolder;
use crate::{Error, Workspace, place};

/// Numbers the folders of this process.
static NEXT: AtomicU64 = AtomicU64::new(0);

/// The folder; it is removed when dropped.
pub(crate) struct Exchange {
    path: PathBuf,
}

impl Exchange {
    /// Makes the folder in the session's own folder, with a git folder in it.
    pub(crate) fn make(workspace: &Workspace, user: User) -> Result<Self, Error> {
        let exchange = Self::make_folder(workspace)?;
        let doing = "make a folder to exchange work";
        let mut alternates: Vec<String> = (0..workspace.objects.len())
            .map(place::source_target)
            .collect();
        alternates.push("/workspace/.git/objects".to_owned());
        let folder = GitFolder {
            head: format!("{}\n", workspace.base),
            config: GitFolder::plain_config(&workspace.object_format, &workspace.identity),
            alternates,
            references: Vec::new(),
            symbolic: None,
            shallow: workspace.shallow.as_deref(),
        };
        folder
            .write(&exchange.path.join("git"))
            .map_err(Error::io(doing))?;
        give(&exchange.path, user).map_err(Error::io(doing))?;
        Ok(exchange)
    }

    /// Makes the folder with an empty one in it, for a copy of the workspace's files.
    pub(crate) fn for_a_copy(workspace: &Workspace, user: User) -> Result<Self, Error> {
        let exchange = Self::make_folder(workspace)?;
        let doing = "make a folder for the copy";
        fs::create_dir(exchange.copy()).map_err(Error::io(doing))?;
        give(&exchange.path, user).map_err(Error::io(doing))?;
        Ok(exchange)
    }

    fn make_folder(workspace: &Workspace) -> Result<Self, Error> {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("{}{number}", ours());
        let path = workspace.session_dir.join(name);
        // What a killed process of the same number left behind.
        let _ = fs::remove_dir_all(&path);
        DirBuilder::new()
            .mode(0o700)
            .create(&path)
            .map_err(Error::io("make a folder to exchange work"))?;
        Ok(Self { path })
    }

    /// Returns the folder for a copy; never to be opened on the host once a sandbox had it.
    pub(crate) fn copy(&self) -> PathBuf {
        self.path.join("workspace")
    }

    /// Returns how the sandbox sees it, together with the workspace, which it can only read.
    pub(crate) fn mounts(&self, workspace: &Workspace) -> Vec<Mount> {
        let mut mounts = place::source_mounts(&workspace.objects, Some(&workspace.session_dir));
        mounts.push(Mount::read_only(workspace.folder(), "/workspace"));
        mounts.push(Mount::read_write(&self.path, "/clauderon/out"));
        mounts
    }

    /// Opens the bundle that the sandbox left, refusing anything but a plain file. The sandbox has ended by now.
    pub(crate) fn bundle(&self) -> Result<File, Error> {
        open_plain(&self.path.join("bundle"))
    }
}

fn open_plain(path: &Path) -> Result<File, Error> {
    const PLAIN: i32 =
        (rustix::fs::OFlags::NOFOLLOW.bits() | rustix::fs::OFlags::NONBLOCK.bits()) as i32;
    let doing = "open the session's bundle";
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(PLAIN)
        .open(path)
        .map_err(Error::io(doing))?;
    if !file.metadata().map_err(Error::io(doing))?.is_file() {
        return Err(Error::BadWork("the bundle is not a file".into()));
    }
    Ok(file)
}

/// Begins the name of every such folder.
const NAME: &str = "exchange-";

/// Begins the names of this process's own.
fn ours() -> String {
    format!("{NAME}{}-", std::process::id())
}

/// Removes the folders that a process which was killed has left in a session's folder; those of this one stay.
pub fn sweep(session_dir: &Path) {
    let ours = ours();
    for entry in fs::read_dir(session_dir).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if !name.starts_with(NAME) || name.starts_with(&ours) {
            continue;
        }
        if let Err(error) = fs::remove_dir_all(entry.path()) {
            tracing::warn!(%error, path = %entry.path().display(), "an exchange folder was left behind");
        }
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.path) {
            tracing::warn!(%error, path = %self.path.display(), "an exchange folder was left behind");
        }
    }
}
