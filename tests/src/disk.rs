//! A small disk of a test's own, which it may fill: in memory, gone with the value.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A small file system at a folder.
pub struct Disk {
    folder: PathBuf,
}

impl Disk {
    /// Puts one of this many MiB over a folder; none, and a line that says why, where this caller cannot: it takes root.
    pub fn over(folder: &Path, mebibytes: u32) -> Option<Self> {
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o"])
            .arg(format!("size={mebibytes}m,mode=0755"))
            .arg("tmpfs")
            .arg(folder)
            .output()
            .is_ok_and(|output| output.status.success());
        if !mounted {
            #[allow(clippy::print_stderr)]
            {
                eprintln!("skipped: a disk of a test's own takes root");
            }
            return None;
        }
        Some(Self {
            folder: folder.to_path_buf(),
        })
    }

    /// Fills it to the last byte.
    pub fn fill(&self) {
        let mut file = File::options()
            .create(true)
            .append(true)
            .open(self.filler())
            .expect("a file on the disk");
        for size in [1 << 20, 4096] {
            while file.write_all(&vec![0; size]).is_ok() {}
        }
    }

    /// Makes room again.
    pub fn clear(&self) {
        std::fs::remove_file(self.filler()).expect("the filling can be removed");
    }

    fn filler(&self) -> PathBuf {
        self.folder.join("filling")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily: a process that is about to end may still have a file open.
        let _ = Command::new("umount")
            .arg("--lazy")
            .arg(&self.folder)
            .status();
        // Its world is gone, and could not remove what was mounted on.
        if let Some(world) = self.folder.parent() {
            let _ = std::fs::remove_dir_all(world);
        }
    }
}
