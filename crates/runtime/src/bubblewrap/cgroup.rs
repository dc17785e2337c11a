//! Resource limits by control groups, where the system lets this user make them; otherwise a sentence that says why not.
//!
//! Version 1 (each controller its own tree, as root) and version 2 (a delegated tree, as systemd gives to users). Groups
//! are made below or beside our own, never outside what already bounds us.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::{LimitNote, Limits};

const ROOT: &str = "/sys/fs/cgroup";

/// The groups of one sandbox.
#[derive(Debug, Default)]
pub struct Group {
    folders: Vec<PathBuf>,
    /// What holds.
    pub notes: Vec<LimitNote>,
}

impl Group {
    /// Makes the groups called `name` with these limits, as far as possible.
    pub fn make(name: &str, limits: &Limits) -> Self {
        let own = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
        let mut group = Self::default();
        for wanted in wanted(limits) {
            let made = match parent(&own, wanted.controller) {
                Some(parent) => {
                    group.limit(&parent.join(name), &wanted, parent_is_unified(&parent))
                }
                None => Err(io::Error::new(
                    io::ErrorKind::NotFound,
                    "no control group of ours",
                )),
            };
            let why_not = made
                .err()
                .map(|error| format!("no control group for it: {error}"));
            group.notes.push(LimitNote {
                limit: wanted.words,
                enforced: why_not.is_none(),
                why_not,
            });
        }
        group
    }

    /// Finds the groups again that an earlier process wrote down.
    pub fn from_record(text: &str) -> Self {
        Self {
            folders: text.lines().map(PathBuf::from).collect(),
            notes: Vec::new(),
        }
    }

    /// Returns those that are not among `others`.
    pub fn without(mut self, others: &Self) -> Self {
        self.folders
            .retain(|folder| !others.folders.contains(folder));
        self
    }

    /// Writes them down, one a line.
    pub fn record(&self) -> String {
        self.folders
            .iter()
            .map(|folder| format!("{}\n", folder.display()))
            .collect()
    }

    /// Returns their folders.
    pub fn folders(self) -> Vec<PathBuf> {
        self.folders
    }

    /// Returns the files through which a process joins.
    pub fn procs(&self) -> Vec<PathBuf> {
        self.folders
            .iter()
            .map(|folder| folder.join("cgroup.procs"))
            .collect()
    }

    /// Removes the groups, waiting a little for killed processes to be gone from them; what stays is empty and idle.
    pub fn remove(self) {
        const TRIES: u32 = 100;
        const PAUSE: Duration = Duration::from_millis(20);
        let busy = |folders: Vec<PathBuf>| -> Vec<PathBuf> {
            let busy = |folder: &PathBuf| {
                fs::remove_dir(folder).is_err_and(|error| error.kind() != io::ErrorKind::NotFound)
            };
            folders.into_iter().filter(busy).collect()
        };
        let mut left = busy(self.folders);
        if left.is_empty() {
            return;
        }
        // The kernel takes a dead process out of its group a moment after it was waited for; nobody waits for that.
        std::thread::spawn(move || {
            for _ in 0..TRIES {
                std::thread::sleep(PAUSE);
                left = busy(left);
                if left.is_empty() {
                    return;
                }
            }
        });
    }

    fn limit(&mut self, folder: &Path, wanted: &Wanted, unified: bool) -> io::Result<()> {
        match fs::create_dir(folder) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        if !self.folders.iter().any(|known| known == folder) {
            self.folders.push(folder.to_owned());
        }
        let settings = if unified {
            &wanted.unified
        } else {
            &wanted.split
        };
        for (file, value, needed) in settings {
            match fs::write(folder.join(file), value) {
                Err(error) if *needed => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }
}

/// One limit, in both versions' files; the last field says whether the limit is nothing without that file.
struct Wanted {
    controller: &'static str,
    words: String,
    unified: Vec<(&'static str, String, bool)>,
    split: Vec<(&'static str, String, bool)>,
}

fn wanted(limits: &Limits) -> [Wanted; 3] {
    let memory = limits.memory.to_string();
    let pids = limits.pids.to_string();
    // Version 1 counts shares around 1,024 where version 2 counts weights around 100.
    let shares = (limits.cpu_weight * 1024 / 100).max(2).to_string();
    [
        Wanted {
            controller: "memory",
            words: format!("memory {} MiB", limits.memory >> 20),
            unified: vec![
                ("memory.max", memory.clone(), true),
                ("memory.swap.max", "0".into(), false),
            ],
            split: vec![
                ("memory.limit_in_bytes", memory.clone(), true),
                ("memory.memsw.limit_in_bytes", memory, false),
            ],
        },
        Wanted {
            controller: "pids",
            words: format!("processes {pids}"),
            unified: vec![("pids.max", pids.clone(), true)],
            split: vec![("pids.max", pids, true)],
        },
        Wanted {
            controller: "cpu",
            words: format!("processor weight {}", limits.cpu_weight),
            unified: vec![("cpu.weight", limits.cpu_weight.to_string(), true)],
            split: vec![("cpu.shares", shares, true)],
        },
    ]
}

/// Finds the folder in which a group with this controller may be made.
fn parent(own: &str, controller: &str) -> Option<PathBuf> {
    own.lines().find_map(|line| {
        let mut parts = line.splitn(3, ':');
        let (_, controllers, path) = (parts.next()?, parts.next()?, parts.next()?);
        if controllers.split(',').any(|name| name == controller) {
            let below = Path::new(ROOT)
                .join(controllers)
                .join(path.trim_start_matches('/'));
            return below.is_dir().then_some(below);
        }
        if controllers.is_empty() {
            unified_parent(path, controller)
        } else {
            None
        }
    })
}

/// In version 2 a group with processes cannot hand controllers to children, so ours goes beside us, below the nearest
/// ancestor that hands this controller on.
fn unified_parent(path: &str, controller: &str) -> Option<PathBuf> {
    let own = Path::new(ROOT).join(path.trim_start_matches('/'));
    own.ancestors()
        .take_while(|folder| folder.starts_with(ROOT))
        .find(|folder| {
            let handed_on =
                fs::read_to_string(folder.join("cgroup.subtree_control")).unwrap_or_default();
            handed_on.split_whitespace().any(|name| name == controller)
        })
        .map(Path::to_owned)
}

fn parent_is_unified(parent: &Path) -> bool {
    parent.join("cgroup.subtree_control").exists()
}
