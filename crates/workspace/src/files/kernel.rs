//! Linux opens a path beneath a folder in one call and refuses every link on the way.

use std::os::fd::{BorrowedFd, OwnedFd};

use rustix::fs::{Mode, ResolveFlags, openat2};
use rustix::io::Errno;

use super::beneath::FOLDER;
use super::path::WorkPath;

/// Nothing above the folder, no link, and none of `/proc`'s own kind of link.
pub(super) const BENEATH: ResolveFlags = ResolveFlags::BENEATH
    .union(ResolveFlags::NO_SYMLINKS)
    .union(ResolveFlags::NO_MAGICLINKS);

/// Opens a folder beneath `root`. `resolve` is [`BENEATH`] everywhere but in the test that shows what it is for.
pub(super) fn folder(
    root: BorrowedFd<'_>,
    path: &WorkPath,
    resolve: ResolveFlags,
) -> Result<OwnedFd, Errno> {
    let text = match path.names() {
        [] => ".".to_owned(),
        _ => path.to_string(),
    };
    openat2(root, text.as_str(), FOLDER, Mode::empty(), resolve)
}
