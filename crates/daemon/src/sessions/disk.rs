//! Watches what sessions write. The kernel does not bound it, so a session at the limit is stopped with all its work kept.
//!
//! An agent owns these folders: links are never followed, and depth and number of entries are bounded.

use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use clauderon_api::State;
use clauderon_store::SessionDir;
use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, openat, statat};

use super::{Session, Sessions};

/// What one session may write.
const LIMIT: u64 = 20 << 30;
/// From here on the person is warned.
const WARN: u64 = LIMIT / 5 * 4;
/// How often it is looked at.
const LOOK: Duration = Duration::from_secs(60);
/// Folders inside folders that are looked into.
const DEPTH: usize = 128;
/// Entries that are counted at most in one look.
const ENTRIES: usize = 2_000_000;

/// Looks at every running session for as long as the daemon runs.
pub async fn watch(sessions: Arc<Sessions>) {
    loop {
        tokio::time::sleep(LOOK).await;
        for session in sessions.running() {
            look(&session).await;
        }
    }
}

/// Counts the bytes that a session wrote.
pub async fn of(paths: &SessionDir) -> u64 {
    let folders = [paths.workspace(), paths.home(), paths.uploads()];
    let counted =
        tokio::task::spawn_blocking(move || folders.iter().map(|folder| used(folder)).sum::<u64>());
    counted.await.unwrap_or(0)
}

async fn look(session: &Session) {
    let used = of(&session.paths).await;
    let written = format!(
        "The session has written {} GiB of the {} it may",
        used >> 30,
        LIMIT >> 30
    );
    if used >= LIMIT {
        session
            .tell(format!(
                "{written}, and was stopped; delete files in it and start it again"
            ))
            .await;
        // It may have ended meanwhile.
        let _ = session.stop().await;
    } else if used >= WARN {
        session.tell(format!("{written}.")).await;
    }
}

impl Sessions {
    /// Returns the sessions whose agents run.
    fn running(&self) -> Vec<Arc<Session>> {
        let all = self.all();
        let running = |session: &&Arc<Session>| session.view().state == State::Running;
        all.values().filter(running).cloned().collect()
    }
}

/// Sums the blocks that everything below a folder occupies, in bytes.
pub fn used(folder: &Path) -> u64 {
    let mut left = ENTRIES;
    match open(rustix::fs::CWD, folder) {
        Some(folder) => sum(folder, DEPTH, &mut left),
        None => 0,
    }
}

fn sum(folder: OwnedFd, depth: usize, left: &mut usize) -> u64 {
    let Ok(entries) = Dir::read_from(&folder) else {
        return 0;
    };
    let mut bytes = 0;
    for entry in entries.flatten() {
        let name = entry.file_name();
        if name == c"." || name == c".." {
            continue;
        }
        if *left == 0 {
            return bytes;
        }
        *left -= 1;
        let Ok(stat) = statat(&folder, name, AtFlags::SYMLINK_NOFOLLOW) else {
            continue;
        };
        bytes += stat.st_blocks.unsigned_abs() * 512;
        let is_folder = FileType::from_raw_mode(stat.st_mode) == FileType::Directory;
        if is_folder
            && depth > 0
            && let Some(inner) = open(&folder, name)
        {
            bytes += sum(inner, depth - 1, left);
        }
    }
    bytes
}

fn open(at: impl std::os::fd::AsFd, name: impl rustix::path::Arg) -> Option<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    openat(at, name, flags, Mode::empty()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_what_is_written_and_follows_no_link() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("a/b");
        std::fs::create_dir_all(&inner).unwrap();
        std::fs::write(inner.join("file"), vec![1; 1 << 20]).unwrap();
        std::os::unix::fs::symlink("/usr", folder.path().join("link")).unwrap();
        let used = used(folder.path());
        assert!((1 << 20..2 << 20).contains(&used), "{used}");
    }
}
