//! One JSON file that is always whole: written beside its place, synced, and renamed into it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::StoreError;

/// The format of all files of this release.
const FORMAT: u32 = 1;
/// No file of ours is larger.
const SIZE_LIMIT: u64 = 4 << 20;

#[derive(Serialize, Deserialize)]
struct Versioned<T> {
    version: u32,
    #[serde(flatten)]
    content: T,
}

/// Reads a file; none where there is no such file.
pub(crate) fn read<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, StoreError> {
    let file = match OpenOptions::new()
        .read(true)
        .custom_flags(NOFOLLOW)
        .open(path)
    {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(StoreError::io("read", path)(error)),
    };
    let mut text = String::new();
    file.take(SIZE_LIMIT)
        .read_to_string(&mut text)
        .map_err(StoreError::io("read", path))?;
    let damaged = |error: serde_json::Error| StoreError::Damaged {
        path: path.to_path_buf(),
        reason: error.to_string(),
    };
    #[derive(Deserialize)]
    struct Version {
        version: u32,
    }
    // The version comes first: what a later release wrote may not be understood otherwise.
    let Version { version } = serde_json::from_str(&text).map_err(damaged)?;
    if version > FORMAT {
        return Err(StoreError::Newer {
            path: path.to_path_buf(),
            found: version,
        });
    }
    let Versioned { content, .. } = serde_json::from_str(&text).map_err(damaged)?;
    Ok(Some(content))
}

/// When a file has to be on the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Durable {
    /// Before the call returns.
    Now,
    /// When the system gets to it: a power cut may bring the old content back.
    Soon,
}

/// Writes a file for its owner alone, so that after a crash it holds either the old content or the new.
pub(crate) fn write<T: Serialize>(
    path: &Path,
    content: &T,
    durable: Durable,
) -> Result<(), StoreError> {
    let versioned = Versioned {
        version: FORMAT,
        content,
    };
    let mut text = serde_json::to_vec_pretty(&versioned).map_err(|error| StoreError::NotText {
        reason: error.to_string(),
    })?;
    text.push(b'\n');
    let beside = beside(path);
    // What a crash left there is of no use to anybody.
    match fs::remove_file(&beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(StoreError::io("replace", &beside)(error));
        }
        _ => {}
    }
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&beside)
        .and_then(|mut file| {
            file.write_all(&text)?;
            match durable {
                Durable::Now => file.sync_all(),
                Durable::Soon => Ok(()),
            }
        })
        .map_err(StoreError::io("write", &beside))?;
    fs::rename(&beside, path).map_err(StoreError::io("write", path))?;
    match durable {
        Durable::Now => sync_dir(path.parent().expect("a file of ours lies in a folder")),
        Durable::Soon => Ok(()),
    }
}

/// Makes what happened to the names in a folder durable.
pub(crate) fn sync_dir(dir: &Path) -> Result<(), StoreError> {
    File::open(dir)
        .and_then(|dir| dir.sync_all())
        .map_err(StoreError::io("write down", dir))
}

fn beside(path: &Path) -> PathBuf {
    let name = path
        .file_name()
        .expect("a file of ours has a name")
        .to_string_lossy();
    path.with_file_name(format!(".{name}.new"))
}

/// `O_NOFOLLOW`, which the standard library does not name.
#[cfg(target_os = "linux")]
const NOFOLLOW: i32 = if cfg!(any(target_arch = "aarch64", target_arch = "arm")) {
    0o100000
} else {
    0o400000
};
#[cfg(not(target_os = "linux"))]
const NOFOLLOW: i32 = 0x100;
