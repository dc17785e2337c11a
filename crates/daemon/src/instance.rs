//! One daemon for each installation: whoever holds the lock is it.

use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::OpenOptionsExt as _;

use anyhow::{Context, Result};
use clauderon_api::DaemonInfo;

use crate::paths::Paths;

/// Another daemon serves this installation.
#[derive(Debug, thiserror::Error)]
#[error("a daemon already runs for {0}; `clauderon daemon stop` ends it")]
pub struct AlreadyRuns(String);

/// The lock of the running daemon, given back when it ends, however it ends.
pub struct Instance {
    _lock: File,
    paths: Paths,
}

impl Instance {
    /// Becomes the one daemon of this installation.
    pub fn claim(paths: &Paths) -> Result<Self> {
        let path = paths.lock();
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(&path)
            .with_context(|| format!("open {}", path.display()))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self {
                _lock: lock,
                paths: paths.clone(),
            }),
            Err(TryLockError::WouldBlock) => {
                Err(AlreadyRuns(paths.home().display().to_string()).into())
            }
            Err(TryLockError::Error(error)) => {
                Err(error).with_context(|| format!("lock {}", path.display()))
            }
        }
    }

    /// Writes down who the daemon is, for people and scripts. Where that finds no room it serves all the same: making room takes a daemon.
    pub fn announce(&self, info: &DaemonInfo) {
        let path = self.paths.daemon_info();
        let text = serde_json::to_string(info).expect("numbers and text always serialise");
        if let Err(error) = std::fs::write(&path, text) {
            tracing::warn!(%error, path = %path.display(), "who serves could not be written down");
            // What a daemon before wrote there is no longer true.
            let _ = std::fs::remove_file(&path);
        }
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        // The lock is what counts; these only look tidy.
        let _ = std::fs::remove_file(self.paths.socket());
        let _ = std::fs::remove_file(self.paths.daemon_info());
    }
}

/// Returns the installation's own random name, made at its first start: what tells its containers from another's.
pub fn installation_id(paths: &Paths) -> Result<String> {
    let path = paths.home().join("installation");
    match std::fs::read_to_string(&path) {
        Ok(id) if !id.trim().is_empty() => return Ok(id.trim().to_owned()),
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(error).with_context(|| format!("read {}", path.display()));
        }
        _ => {}
    }
    let mut random = [0; 16];
    getrandom::fill(&mut random).context("make the installation's name")?;
    let id: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
    std::fs::write(&path, &id).with_context(|| format!("write {}", path.display()))?;
    Ok(id)
}
