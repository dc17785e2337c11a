//! The command line of bubblewrap: what a sandbox is made of, in the order in which it is put together.

use std::fs;
use std::path::{Path, PathBuf};

use crate::Access;
use crate::mounts::Checked;

/// Top-level folders that are links into `/usr` on a merged system and folders of their own elsewhere.
const SYSTEM_FOLDERS: [&str; 7] = ["bin", "sbin", "lib", "lib32", "lib64", "libx32", "libexec"];

/// What programs need of `/etc` and what tells nothing about the person. Git's system configuration is deliberately
/// absent: it may name helpers and credentials.
pub const ETC: &[&str] = &[
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "alternatives",
    "localtime",
    "timezone",
    "os-release",
    "debian_version",
    "mime.types",
    "protocols",
    "services",
    "ssl/openssl.cnf",
    "terminfo",
    "python3",
];

/// What a throw-away sandbox needs of it: each mount costs its start, and scripts need git and the usual tools alone.
pub const LITTLE_ETC: &[&str] = &["ld.so.cache", "alternatives"];

/// Files of the kernel that list keys and their owners, of the whole host where the sandbox user is the person.
const HIDDEN: [&str; 2] = ["/proc/keys", "/proc/key-users"];

/// Bytes of each in-memory folder, which count towards the memory limit as well.
const TMPFS_BYTES: u64 = 4 << 30;

/// One sandbox to be put together.
pub struct Layout<'a> {
    /// The program itself.
    pub bwrap: &'a Path,
    /// Whether this bwrap can bound the size of a tmpfs (0.7 and later).
    pub sized_tmpfs: bool,
    /// What is provided of the host's `/etc`.
    pub etc: &'a [&'a str],
    /// What to mount, parents first.
    pub mounts: &'a [Checked],
    /// Where each of those sources is found, in the same order.
    pub sources: Vec<String>,
    /// Files made from inherited descriptors: number and place.
    pub data: Vec<(i32, &'a str)>,
    /// The whole environment of the command.
    pub env: Vec<(String, String)>,
    /// The command's folder.
    pub cwd: &'a Path,
    /// What follows `--seccomp`: a number or a placeholder.
    pub seccomp: String,
    /// Further options, before the command.
    pub options: Vec<String>,
    /// The command.
    pub command: Vec<String>,
}

impl Layout<'_> {
    /// Writes the whole command line, bwrap first.
    pub fn argv(self) -> Vec<String> {
        let mut argv = vec![text(self.bwrap)];
        let mut add = |words: &[&str]| argv.extend(words.iter().map(|word| (*word).to_owned()));
        add(&[
            "--unshare-all",
            "--die-with-parent",
            "--clearenv",
            "--cap-drop",
            "ALL",
            "--hostname",
            "sandbox",
        ]);
        for (name, value) in &self.env {
            add(&["--setenv", name, value]);
        }
        add(&["--ro-bind", "/usr", "/usr"]);
        for (kind, source, target) in system_folders() {
            add(&[kind, &source, &target]);
        }
        add(&["--proc", "/proc", "--dev", "/dev"]);
        for file in HIDDEN.iter().filter(|file| Path::new(file).exists()) {
            add(&["--ro-bind", "/dev/null", file]);
        }
        for folder in ["/dev/shm", "/tmp", "/var/tmp", "/run"] {
            add(&["--perms", if folder == "/run" { "0755" } else { "1777" }]);
            if self.sized_tmpfs {
                add(&["--size", &TMPFS_BYTES.to_string()]);
            }
            add(&["--tmpfs", folder]);
        }
        for name in self.etc {
            let path = format!("/etc/{name}");
            add(&["--ro-bind-try", &path, &path]);
        }
        for (number, target) in &self.data {
            add(&[
                "--perms",
                "0444",
                "--ro-bind-data",
                &number.to_string(),
                target,
            ]);
        }
        for (mount, source) in self.mounts.iter().zip(&self.sources) {
            let kind = match mount.access {
                Access::ReadOnly => "--ro-bind",
                Access::ReadWrite => "--bind",
            };
            add(&[kind, source, &text(&mount.target)]);
        }
        // The roots that were scaffolding until here; what is mounted on them keeps its own access.
        add(&["--remount-ro", "/dev", "--remount-ro", "/"]);
        add(&["--chdir", &text(self.cwd), "--seccomp", &self.seccomp]);
        argv.extend(self.options);
        argv.push("--".into());
        argv.extend(self.command);
        argv
    }
}

/// Says how each top-level system folder that exists here is provided.
fn system_folders() -> Vec<(&'static str, String, String)> {
    let mut found = Vec::new();
    for name in SYSTEM_FOLDERS {
        let path = PathBuf::from("/").join(name);
        let Ok(metadata) = fs::symlink_metadata(&path) else {
            continue;
        };
        if metadata.is_symlink() {
            if let Ok(target) = fs::read_link(&path) {
                found.push(("--symlink", text(&target), text(&path)));
            }
        } else if metadata.is_dir() {
            found.push(("--ro-bind", text(&path), text(&path)));
        }
    }
    found
}

fn text(path: &Path) -> String {
    path.to_str()
        .expect("paths were checked to be UTF-8")
        .to_owned()
}
