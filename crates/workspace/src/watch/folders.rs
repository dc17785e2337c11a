//! Linux tells of changes folder by folder. Each is opened beneath the workspace first and watched by its descriptor,
//! so that what is watched is the very folder that was opened, whatever its path leads to by then.

use std::collections::HashMap;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;
use std::sync::Arc;

use rustix::fs::inotify::{self, CreateFlags, ReadFlags, Reader, WatchFlags};
use rustix::fs::{Dir, FileType};
use rustix::io::Errno;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::{Batch, is_worth};
use crate::files::beneath;
use crate::files::path::WorkPath;

/// What is worth hearing of. Reading is no change.
const CHANGES: WatchFlags = WatchFlags::CREATE
    .union(WatchFlags::DELETE)
    .union(WatchFlags::MODIFY)
    .union(WatchFlags::ATTRIB)
    .union(WatchFlags::MOVE)
    .union(WatchFlags::ONLYDIR);

/// Bytes of events that are read at once.
const ROOM: usize = 64 << 10;

/// The folders that are watched.
#[derive(Debug)]
pub(super) struct Folders {
    root: Arc<OwnedFd>,
    kernel: AsyncFd<Arc<OwnedFd>>,
    watched: HashMap<i32, WorkPath>,
    most: usize,
    partial: bool,
}

/// One event, as the kernel tells it.
struct News {
    watch: i32,
    what: ReadFlags,
    name: String,
}

impl Folders {
    /// Begins to watch the folder and those in it, those nearest to the top first.
    pub(super) async fn begin(folder: &Path, most: usize) -> io::Result<Self> {
        let root = Arc::new(beneath::root(folder)?);
        let kernel = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC)?;
        // SAFETY: the descriptor is owned by what is registered, which never changes it.
        let kernel =
            unsafe { AsyncFd::register_with_interest(Arc::new(kernel), Interest::READABLE)? };
        let mut folders = Self {
            root,
            kernel,
            watched: HashMap::new(),
            most,
            partial: false,
        };
        folders.add(vec![top()]).await?;
        Ok(folders)
    }

    /// Says whether some folders could not be watched.
    pub(super) fn is_partial(&self) -> bool {
        self.partial
    }

    /// Waits until there is something to take.
    pub(super) async fn news(&self) -> io::Result<()> {
        self.kernel.readable().await.map(drop)
    }

    /// Takes what has happened, and watches new folders from now on.
    pub(super) async fn take(&mut self, batch: &mut Batch) -> io::Result<()> {
        let mut new = Vec::new();
        for news in self.read().await? {
            if news.what.contains(ReadFlags::QUEUE_OVERFLOW) {
                batch.all = true;
                new = vec![top()];
                continue;
            }
            let Some(folder) = self.watched.get(&news.watch).cloned() else {
                continue;
            };
            if news.what.contains(ReadFlags::IGNORED) {
                self.watched.remove(&news.watch);
                if folder.names().is_empty() {
                    return Err(io::ErrorKind::NotFound.into());
                }
                continue;
            }
            batch.add(&folder, &news.name);
            if !news.what.contains(ReadFlags::ISDIR) || news.name.is_empty() {
                continue;
            }
            let child = folder.join(&news.name);
            if news
                .what
                .intersects(ReadFlags::MOVED_FROM | ReadFlags::DELETE)
            {
                self.forget(&child);
            }
            let came = news
                .what
                .intersects(ReadFlags::MOVED_TO | ReadFlags::CREATE);
            if came && is_worth(&folder, &news.name) {
                new.push(child);
            }
        }
        self.add(new).await
    }

    /// Reads until nothing is left, or until there is enough for one batch.
    async fn read(&mut self) -> io::Result<Vec<News>> {
        let mut ready = self.kernel.readable().await?;
        let mut room = vec![MaybeUninit::uninit(); ROOM];
        let mut all = Vec::new();
        let mut reader = Reader::new(ready.get_inner(), &mut room);
        let emptied = loop {
            match reader.next() {
                Ok(event) => all.push(News {
                    watch: event.wd(),
                    what: event.events(),
                    name: event
                        .file_name()
                        .map(|name| name.to_string_lossy().into_owned())
                        .unwrap_or_default(),
                }),
                Err(Errno::AGAIN) => break true,
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
            if all.len() >= ROOM && reader.is_buffer_empty() {
                break false;
            }
        };
        if emptied {
            ready.clear_ready();
        }
        Ok(all)
    }

    /// Watches these folders and those in them as far as there is room.
    async fn add(&mut self, starts: Vec<WorkPath>) -> io::Result<()> {
        if starts.is_empty() {
            return Ok(());
        }
        let (root, kernel) = (self.root.clone(), self.kernel.get_ref().clone());
        let room = self.most.saturating_sub(self.watched.len());
        let scan = move || scan(&root, &kernel, starts, room);
        let (found, full) = tokio::task::spawn_blocking(scan).await?;
        self.watched.extend(found);
        self.partial |= full;
        Ok(())
    }

    /// Stops watching a folder that has left its place, and those in it.
    fn forget(&mut self, gone: &WorkPath) {
        let kernel = self.kernel.get_ref();
        self.watched.retain(|watch, folder| {
            let stays = !folder.is_within(gone);
            if !stays {
                // A deleted folder's watch has ended by itself.
                let _ = inotify::remove_watch(kernel, *watch);
            }
            stays
        });
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
impl Folders {
    pub(super) fn kernel_fd(&self) -> &OwnedFd {
        self.kernel.get_ref()
    }

    /// Begins again at the top, as after an overflow.
    pub(super) async fn rescan(&mut self) {
        self.add(vec![top()]).await.unwrap();
    }
}

fn top() -> WorkPath {
    WorkPath::parse("").expect("the workspace itself is a path")
}

/// Watches folders level by level. Returns the watches, and whether there was no room for all.
fn scan(
    root: &OwnedFd,
    kernel: &OwnedFd,
    starts: Vec<WorkPath>,
    room: usize,
) -> (Vec<(i32, WorkPath)>, bool) {
    let mut waiting = std::collections::VecDeque::from(starts);
    let mut found = Vec::new();
    while let Some(path) = waiting.pop_front() {
        // What is gone again, or closed to us, is not watched.
        let Ok(folder) = beneath::folder(root, &path) else {
            continue;
        };
        if found.len() >= room {
            return (found, true);
        }
        match watch(kernel, &folder) {
            Ok(watch) => found.push((watch, path.clone())),
            Err(Errno::NOSPC | Errno::NOMEM) => return (found, true),
            Err(_) => continue,
        }
        // Listed after it is watched, so that no new folder is missed.
        waiting.extend(inner(&folder, &path));
    }
    (found, false)
}

/// Watches the very folder that is open; its path is not asked again.
fn watch(kernel: &OwnedFd, folder: &OwnedFd) -> Result<i32, Errno> {
    let by_descriptor = format!("/proc/self/fd/{}", folder.as_raw_fd());
    inotify::add_watch(kernel, by_descriptor, CHANGES)
}

/// Lists the folders in a folder that are worth watching.
fn inner(folder: &OwnedFd, path: &WorkPath) -> Vec<WorkPath> {
    let Ok(entries) = Dir::read_from(folder) else {
        return Vec::new();
    };
    let is_folder = |entry: &rustix::fs::DirEntry| match entry.file_type() {
        FileType::Unknown => beneath::look(folder, entry.file_name())
            .is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Directory),
        known => known == FileType::Directory,
    };
    entries
        .map_while(Result::ok)
        .filter(is_folder)
        .filter_map(|entry| {
            let name = entry.file_name().to_str().ok()?;
            let listed = !matches!(name, "." | "..") && is_worth(path, name);
            listed.then(|| path.join(name))
        })
        .collect()
}
