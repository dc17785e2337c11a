//! A real folder, the real kernel, and an agent's tricks.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::{MetadataExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fs::{Mode, OFlags, RenameFlags, renameat_with};

use super::*;

struct House {
    dir: tempfile::TempDir,
    watch: Watch,
}

async fn house(most: usize, fill: impl FnOnce(&Path)) -> House {
    let dir = tempfile::tempdir().unwrap();
    let workspace = dir.path().join("workspace");
    fs::create_dir(&workspace).unwrap();
    fill(&workspace);
    let watch = Watch {
        folders: Folders::begin(&workspace, most).await.unwrap(),
        last: None,
        look_at: Instant::now() + LOOK,
        told: false,
    };
    House { dir, watch }
}

impl House {
    fn at(&self, path: &str) -> PathBuf {
        self.dir.path().join("workspace").join(path)
    }

    /// Waits for changes until `wanted` of one, and returns all folders named so far.
    async fn until(&mut self, wanted: impl Fn(&Change) -> bool) -> Vec<String> {
        let mut named = Vec::new();
        let wait = async {
            loop {
                let change = self.watch.next().await.expect("the workspace is there");
                named.extend(change.folders.clone());
                if wanted(&change) {
                    return;
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(10), wait)
            .await
            .expect("the change was told");
        named
    }

    async fn until_named(&mut self, folder: &str) -> Vec<String> {
        self.until(|change| change.folders.iter().any(|one| one == folder))
            .await
    }

    /// Returns the inodes that the kernel watches for us.
    fn watched(&self) -> Vec<u64> {
        let fd = self.watch.folders.kernel_fd().as_raw_fd();
        let info = fs::read_to_string(format!("/proc/self/fdinfo/{fd}")).unwrap();
        info.lines()
            .filter(|line| line.starts_with("inotify "))
            .map(|line| {
                let inode = line.split(' ').find_map(|word| word.strip_prefix("ino:"));
                u64::from_str_radix(inode.unwrap(), 16).unwrap()
            })
            .collect()
    }
}

#[tokio::test]
async fn changes_are_told_by_folder_new_and_moved_ones_included() {
    let mut house = house(MOST_FOLDERS, |at| {
        fs::create_dir_all(at.join("a/b")).unwrap()
    })
    .await;
    fs::write(house.at("a/b/file"), "x").unwrap();
    assert_eq!(house.until_named("a/b").await, ["a/b"]);
    fs::create_dir_all(house.at("new/deep")).unwrap();
    house.until_named("").await;
    fs::write(house.at("new/deep/file"), "x").unwrap();
    house.until_named("new/deep").await;
    fs::rename(house.at("a"), house.at("moved")).unwrap();
    house.until_named("").await;
    fs::write(house.at("moved/b/file"), "y").unwrap();
    let named = house.until_named("moved/b").await;
    assert!(!named.iter().any(|one| one.starts_with("a/")), "{named:?}");
    fs::remove_dir_all(house.at("moved")).unwrap();
    house.until_named("").await;
}

#[tokio::test]
async fn commits_are_told_and_heaps_are_not_watched() {
    let git = |at: &Path, args: &[&str]| {
        let mut git = Command::new("git");
        git.args(["-c", "user.name=a", "-c", "user.email=b", "-C"]);
        assert!(git.arg(at).args(args).status().unwrap().success());
    };
    let mut house = house(MOST_FOLDERS, |at| {
        git(at, &["init", "-q"]);
        fs::create_dir_all(at.join("node_modules/x")).unwrap();
        fs::create_dir_all(at.join("sub/.git/refs")).unwrap();
    })
    .await;
    git(&house.at(""), &["commit", "-q", "--allow-empty", "-m", "x"]);
    house.until(|change| change.git).await;
    fs::write(house.at("node_modules/x/file"), "x").unwrap();
    fs::write(house.at("sub/.git/refs/x"), "x").unwrap();
    fs::write(house.at("last"), "x").unwrap();
    let named = house.until_named("").await;
    assert_eq!(named, [""], "only the folder of the last file");
}

#[tokio::test]
async fn a_link_to_elsewhere_is_never_watched_not_even_in_a_race() {
    let host = tempfile::tempdir().unwrap();
    fs::create_dir_all(host.path().join("deep")).unwrap();
    let mut house = house(MOST_FOLDERS, |at| {
        fs::create_dir_all(at.join("d/deep")).unwrap();
        symlink(host.path(), at.join("link")).unwrap();
    })
    .await;
    let ended = Arc::new(AtomicBool::new(false));
    let (seen, at) = (ended.clone(), house.at(""));
    let agent = std::thread::spawn(move || {
        let at = rustix::fs::open(&at, OFlags::DIRECTORY, Mode::empty()).unwrap();
        while !seen.load(Ordering::Relaxed) {
            renameat_with(&at, "d", &at, "link", RenameFlags::EXCHANGE).unwrap();
        }
    });
    let hosts: Vec<u64> = ["", "deep"]
        .map(|folder| host.path().join(folder).metadata().unwrap().ino())
        .to_vec();
    let mut own = false;
    for _ in 0..2_000 {
        house.watch.folders.rescan().await;
        let watched = house.watched();
        assert!(
            !hosts.iter().any(|inode| watched.contains(inode)),
            "a folder of the host is watched"
        );
        own |= watched.len() > 2;
    }
    ended.store(true, Ordering::Relaxed);
    agent.join().unwrap();
    assert!(own, "nothing was watched, so the test proves nothing");
}

#[tokio::test]
async fn a_storm_is_told_at_most_four_times_a_second() {
    let mut house = house(MOST_FOLDERS, |_| {}).await;
    let ended = Arc::new(AtomicBool::new(false));
    let (seen, at) = (ended.clone(), house.at("file"));
    let agent = std::thread::spawn(move || {
        while !seen.load(Ordering::Relaxed) {
            fs::write(&at, "x").unwrap();
        }
    });
    let begun = Instant::now();
    for _ in 0..9 {
        assert_eq!(house.watch.next().await.unwrap().folders, [""]);
    }
    assert!(begun.elapsed() >= APART * 8);
    ended.store(true, Ordering::Relaxed);
    agent.join().unwrap();
}

#[tokio::test]
async fn what_cannot_be_watched_is_said_and_looked_at() {
    let mut house = house(3, |at| {
        for number in 0..10 {
            fs::create_dir_all(at.join(format!("{number}/deep"))).unwrap();
        }
    })
    .await;
    assert!(house.watched().len() <= 3);
    let first = house.watch.next().await.unwrap();
    assert!(first.folders.is_empty() && first.note.unwrap().contains("every 5 seconds"));
    fs::write(house.at("file"), "x").unwrap();
    house.until_named("").await;
    house.watch.look_at = Instant::now();
    let next = house.watch.next().await.unwrap();
    assert!(next.git && next.note.is_some());
}
