//! Room on the disk that is kept for the day when there is none left.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Room on the disk that is given up when there is none left.
pub(crate) struct Reserve {
    path: PathBuf,
    size: u64,
    pub given_up: bool,
    tried: Option<Instant>,
}

/// How often a full disk is tried again.
const RETRY: Duration = Duration::from_secs(1);

impl Reserve {
    pub fn open(log: &Path, size: u64) -> Self {
        let path = log.with_extension("reserve");
        let there = std::fs::metadata(&path).is_ok_and(|status| status.len() == size);
        let mut reserve = Reserve {
            path,
            size,
            given_up: !there,
            tried: None,
        };
        reserve.refill_if_room();
        reserve
    }

    pub fn give_up(&mut self) {
        self.given_up = true;
        self.tried = Some(Instant::now());
        // Where it cannot be removed there was no room to gain.
        let _ = std::fs::remove_file(&self.path);
    }

    /// Takes the room back as soon as the disk has twice as much: until then the log counts as full.
    pub fn refill_if_room(&mut self) {
        if !self.given_up || self.tried.is_some_and(|at| at.elapsed() < RETRY) {
            return;
        }
        self.tried = Some(Instant::now());
        match self.fill() {
            Ok(()) => self.given_up = false,
            Err(_) => {
                let _ = std::fs::remove_file(&self.path);
            }
        }
    }

    fn fill(&self) -> io::Result<()> {
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&self.path)?;
        let zeros = vec![0; 64 << 10];
        let mut left = self.size * 2;
        while left > 0 {
            let part = left.min(zeros.len() as u64);
            file.write_all(&zeros[..part as usize])?;
            left -= part;
        }
        file.set_len(self.size)?;
        file.sync_all()
    }
}
