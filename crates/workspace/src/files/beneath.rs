//! Opens what lies beneath a folder that an agent writes to, while it writes: no link is ever followed, neither at the
//! path's end nor on the way, and nothing but folders and plain files is opened.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat, fstat, openat, readlinkat, statat};
use rustix::io::Errno;

use super::path::WorkPath;

/// How folders are opened.
pub(super) const FOLDER: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);

/// How files are opened: a pipe that took the file's place must not make us wait, a terminal not become ours.
const FILE: OFlags = OFlags::RDONLY
    .union(OFlags::NOFOLLOW)
    .union(OFlags::NONBLOCK)
    .union(OFlags::NOCTTY)
    .union(OFlags::CLOEXEC);

/// What a path leads to.
#[derive(Debug)]
pub(crate) enum Found {
    /// A folder.
    Folder(OwnedFd),
    /// A plain file.
    File(File, Stat),
    /// A link, and its text.
    Link(String, Stat),
    /// A socket, pipe or device.
    Other,
}

/// Opens the folder that everything lies beneath. Its own path is the host's and is trusted but for its last name.
pub(crate) fn root(folder: &Path) -> io::Result<OwnedFd> {
    Ok(rustix::fs::open(folder, FOLDER, Mode::empty())?)
}

/// Opens a folder beneath `root`.
pub(crate) fn folder(root: impl AsFd, path: &WorkPath) -> io::Result<OwnedFd> {
    #[cfg(target_os = "linux")]
    match super::kernel::folder(root.as_fd(), path, super::kernel::BENEATH) {
        // Kernels before 5.6, or a filter around us, do not have the call.
        Err(Errno::NOSYS | Errno::PERM) => {}
        opened => return Ok(opened?),
    }
    Ok(walk(root.as_fd(), path, FOLDER)?)
}

/// Opens a folder name by name, for systems without a call that does it at once.
fn walk(root: impl AsFd, path: &WorkPath, flags: OFlags) -> Result<OwnedFd, Errno> {
    let start = openat(&root, ".", FOLDER, Mode::empty())?;
    let step = |at: OwnedFd, name: &String| openat(&at, name.as_str(), flags, Mode::empty());
    path.names().iter().try_fold(start, step)
}

/// Looks at what a path leads to, and opens folders and plain files.
pub(crate) fn find(root: impl AsFd, path: &WorkPath) -> io::Result<Found> {
    let Some((parent, name)) = path.split_last() else {
        return folder(root, path).map(Found::Folder);
    };
    let parent = folder(root, &parent)?;
    let stat = look(&parent, name)?;
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::Directory => {
            let opened = openat(&parent, name, FOLDER, Mode::empty())?;
            Ok(Found::Folder(opened))
        }
        FileType::RegularFile => file(&parent, name),
        FileType::Symlink => {
            let target = readlinkat(&parent, name, Vec::new())?;
            Ok(Found::Link(target.to_string_lossy().into_owned(), stat))
        }
        _ => Ok(Found::Other),
    }
}

/// Asks about one name in a folder without following or opening it.
pub(crate) fn look(folder: impl AsFd, name: impl rustix::path::Arg) -> io::Result<Stat> {
    Ok(statat(folder, name, AtFlags::SYMLINK_NOFOLLOW)?)
}

/// Opens a plain file; whatever else has taken its place by now is not read.
fn file(folder: impl AsFd, name: &str) -> io::Result<Found> {
    let opened = openat(folder, name, FILE, Mode::empty())?;
    let stat = fstat(&opened)?;
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => Ok(Found::File(File::from(opened), stat)),
        _ => Ok(Found::Other),
    }
}

#[cfg(test)]
mod tests;
