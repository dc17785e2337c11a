//! Credentials in files of their own, read at each use, so that an edit holds from the next request on.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::PathBuf;

use zeroize::Zeroizing;

use crate::{Secret, Source, Vault, VaultError};

/// A folder with one file a credential, named after it.
pub struct Files {
    folder: PathBuf,
}

impl Files {
    /// Names the folder; it need not exist.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Files {
            folder: folder.into(),
        }
    }

    fn unreadable(&self, name: &str, reason: impl ToString) -> VaultError {
        VaultError::Unreadable {
            name: name.to_owned(),
            place: self.folder.join(name).display().to_string(),
            reason: reason.to_string(),
        }
    }

    fn open(&self, name: &str) -> Result<Option<File>, VaultError> {
        let opened = OpenOptions::new()
            .read(true)
            // A link is refused, and a pipe does not hold the request up.
            .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK)
            .open(self.folder.join(name));
        match opened {
            Ok(file) => Ok(Some(file)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.unreadable(name, error)),
        }
    }
}

/// A credential's name is a file name of small letters, digits and underscores: it never leads out of the folder.
fn is_name(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

impl Vault for Files {
    fn source(&self) -> Source {
        Source::File
    }

    fn lookup(&self, name: &str) -> Result<Option<Secret>, VaultError> {
        if !is_name(name) {
            return Ok(None);
        }
        let Some(file) = self.open(name)? else {
            return Ok(None);
        };
        let status = file
            .metadata()
            .map_err(|error| self.unreadable(name, error))?;
        if !status.is_file() {
            return Err(self.unreadable(name, "it is not a plain file"));
        }
        if status.mode() & 0o077 != 0 {
            return Err(VaultError::Exposed {
                path: self.folder.join(name).display().to_string(),
                mode: status.mode() & 0o7777,
                fix: "600",
            });
        }
        // With room from the start the string never moves, so that no copy is left behind.
        let mut text = Zeroizing::new(String::with_capacity(LONGEST as usize + 1));
        file.take(LONGEST + 1)
            .read_to_string(&mut text)
            .map_err(|error| self.unreadable(name, error))?;
        Secret::new(text.trim().to_owned())
            .map(Some)
            .map_err(|reason| VaultError::Unusable {
                name: name.to_owned(),
                place: self.folder.join(name).display().to_string(),
                reason,
            })
    }
}

/// The longest credential that is read, in bytes.
const LONGEST: u64 = 16 * 1024;
