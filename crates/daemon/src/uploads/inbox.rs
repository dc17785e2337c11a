//! The folder of a session into which files are put. The agent writes there too: it may have planted links under every
//! name that it can guess, so that a file is only ever made new, never opened.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

use clauderon_runtime::User;
use rustix::fs::{AtFlags, Gid, Mode, OFlags, Uid, fchown, openat, unlinkat};
use rustix::io::Errno;

use super::name::SafeName;

/// How many numbers are tried where a name is taken.
const TRIES: u32 = 1000;

const FOLDER: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);

/// Whatever stands under the name, a link to nowhere included, makes this fail.
const NEW: OFlags = OFlags::WRONLY
    .union(OFlags::CREATE)
    .union(OFlags::EXCL)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);

/// A file on its way in. Dropped before it is kept, it is removed.
#[derive(Debug)]
pub struct Incoming {
    folder: OwnedFd,
    name: String,
    kept: bool,
}

impl Incoming {
    /// Makes a new file in `folder` for the sandbox's user, under the name or the next number that is free.
    ///
    /// # Errors
    /// [`io::ErrorKind::AlreadyExists`] where all numbers are taken.
    pub fn begin(folder: &Path, name: &SafeName, user: User) -> io::Result<(Self, File)> {
        let folder = rustix::fs::open(folder, FOLDER, Mode::empty())?;
        let (name, file) = free(&folder, name)?;
        let incoming = Self {
            folder,
            name,
            kept: false,
        };
        if rustix::process::geteuid().is_root() {
            let (uid, gid) = (Uid::from_raw(user.uid), Gid::from_raw(user.gid));
            fchown(&file, Some(uid), Some(gid))?;
        }
        Ok((incoming, file))
    }

    /// Returns the name that it has.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Leaves it in the folder.
    pub fn keep(mut self) {
        self.kept = true;
    }
}

fn free(folder: &OwnedFd, name: &SafeName) -> io::Result<(String, File)> {
    for number in 1..=TRIES {
        let name = name.numbered(number);
        match openat(folder, name.as_str(), NEW, Mode::from_raw_mode(0o644)) {
            Ok(file) => return Ok((name, file.into())),
            Err(Errno::EXIST) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

impl Drop for Incoming {
    fn drop(&mut self) {
        if self.kept {
            return;
        }
        if let Err(error) = unlinkat(&self.folder, self.name.as_str(), AtFlags::empty()) {
            tracing::debug!(%error, "a part of an upload could not be removed");
        }
    }
}
