//! The agent's side of the race: a folder that becomes a link to the host's own folder and back, as fast as it can.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::io::Read as _;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::fs::{RenameFlags, renameat_with};

use super::*;

/// A workspace beside a folder of the host; `a/d` and `a/link` change places until this is dropped.
struct Race {
    _dir: tempfile::TempDir,
    root: OwnedFd,
    ended: Arc<AtomicBool>,
    agent: Option<JoinHandle<()>>,
}

impl Race {
    fn begin() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let workspace = dir.path().join("workspace");
        let host = dir.path().join("host");
        fs::create_dir_all(workspace.join("a/d/deep")).unwrap();
        fs::create_dir_all(host.join("deep")).unwrap();
        for (folder, text) in [(&workspace.join("a/d"), "own"), (&host, "the host's")] {
            fs::write(folder.join("note"), text).unwrap();
            fs::write(folder.join("deep/note"), text).unwrap();
        }
        std::os::unix::fs::symlink(&host, workspace.join("a/link")).unwrap();
        let root = root(&workspace).unwrap();
        let ended = Arc::new(AtomicBool::new(false));
        let (seen, at) = (ended.clone(), workspace.join("a"));
        let agent = std::thread::spawn(move || swap(&at, &seen));
        Self {
            _dir: dir,
            root,
            ended,
            agent: Some(agent),
        }
    }

    /// Opens `a/d/deep` again and again and reads its note; says whether the host's was ever read.
    fn leaks(&self, open: impl Fn(&OwnedFd, &WorkPath) -> Option<OwnedFd>, tries: usize) -> bool {
        let path = WorkPath::parse("a/d/deep").unwrap();
        let deadline = Instant::now() + Duration::from_secs(20);
        let mut opened = 0;
        while opened < tries && Instant::now() < deadline {
            let Some(folder) = open(&self.root, &path) else {
                continue;
            };
            opened += 1;
            if note(&folder, "note") == "the host's" {
                return true;
            }
        }
        assert!(
            opened > 0,
            "nothing was ever opened, so the test proves nothing"
        );
        false
    }
}

impl Drop for Race {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        self.agent.take().unwrap().join().unwrap();
    }
}

fn swap(at: &Path, ended: &AtomicBool) {
    let at = root(at).unwrap();
    while !ended.load(Ordering::Relaxed) {
        renameat_with(&at, "d", &at, "link", RenameFlags::EXCHANGE).unwrap();
    }
}

fn note(folder: &OwnedFd, name: &str) -> String {
    let Found::File(mut file, _) = file(folder, name).unwrap() else {
        panic!("the note is a file");
    };
    let mut text = String::new();
    file.read_to_string(&mut text).unwrap();
    text
}

#[test]
fn a_folder_swapped_for_a_link_is_never_entered() {
    let race = Race::begin();
    assert!(!race.leaks(|root, path| folder(root, path).ok(), 20_000));
    assert!(!race.leaks(|root, path| walk(root, path, FOLDER).ok(), 5_000));
}

/// What the test above is worth: without the flags the same race is lost.
#[test]
fn without_the_flags_the_same_race_reads_the_hosts_file() {
    let race = Race::begin();
    let none = rustix::fs::ResolveFlags::empty();
    let plain = |root: &OwnedFd, path: &WorkPath| {
        super::super::kernel::folder(root.as_fd(), path, none).ok()
    };
    assert!(race.leaks(plain, usize::MAX));
    let follows = FOLDER.difference(OFlags::NOFOLLOW);
    assert!(race.leaks(|root, path| walk(root, path, follows).ok(), usize::MAX));
}

#[test]
fn finding_a_file_through_the_race_reads_the_agents_own_alone() {
    let race = Race::begin();
    let path = WorkPath::parse("a/d/note").unwrap();
    let mut read = 0;
    for _ in 0..20_000 {
        let Ok(Found::File(mut file, _)) = find(&race.root, &path) else {
            continue;
        };
        let mut text = String::new();
        file.read_to_string(&mut text).unwrap();
        assert_eq!(text, "own");
        read += 1;
    }
    assert!(read > 0);
}

/// Runs `work` and fails where it hangs.
fn promptly<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let (done, answer) = std::sync::mpsc::channel();
    std::thread::spawn(move || done.send(work()));
    answer
        .recv_timeout(Duration::from_secs(10))
        .expect("it did not hang")
}

#[test]
fn pipes_sockets_and_links_are_not_opened_even_in_the_place_of_a_file() {
    let dir = tempfile::tempdir().unwrap();
    let folder = root(dir.path()).unwrap();
    let mode = Mode::RUSR | Mode::WUSR;
    rustix::fs::mknodat(&folder, "pipe", FileType::Fifo, mode, 0).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(dir.path().join("socket")).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", dir.path().join("passwd")).unwrap();
    for name in ["pipe", "socket"] {
        let path = WorkPath::parse(name).unwrap();
        assert!(matches!(find(&folder, &path), Ok(Found::Other)), "{name}");
    }
    let link = find(&folder, &WorkPath::parse("passwd").unwrap()).unwrap();
    assert!(matches!(link, Found::Link(target, _) if target == "/etc/passwd"));
    // The moment after the look: what was a file is now something else.
    let opened = promptly(move || ["pipe", "socket", "passwd"].map(|name| file(&folder, name)));
    assert!(
        opened
            .iter()
            .all(|one| matches!(one, Ok(Found::Other) | Err(_))),
        "{opened:?}"
    );
}
