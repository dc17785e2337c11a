//! Credentials in files of their own, read at each use, so that an edit holds from the next request on.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Write as _};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::PathBuf;

use zeroize::Zeroizing;

use crate::{Secret, Source, Vault, VaultError, is_name};

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

    /// Keeps a value in place of the one before, readable by its owner alone, and whole however the machine ends.
    ///
    /// # Errors
    /// Says why the file cannot be written; the one before is left as it was.
    pub fn save(&self, name: &str, secret: &Secret) -> Result<(), VaultError> {
        let written = || {
            let mut name_of_half = [0; 8];
            std::io::Read::read_exact(&mut File::open("/dev/urandom")?, &mut name_of_half)?;
            let half = self
                .folder
                .join(format!(".{name}-{:x}", u64::from_le_bytes(name_of_half)));
            let mut file = OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(&half)?;
            let kept = file
                .write_all(secret.expose().as_bytes())
                .and_then(|()| file.sync_all())
                .and_then(|()| std::fs::rename(&half, self.folder.join(name)));
            if kept.is_err() {
                // Half a secret is no use to anybody.
                let _ = std::fs::remove_file(&half);
            }
            kept
        };
        self.named(name)?;
        written().map_err(|error| self.unwritable(name, error))
    }

    /// Removes a value; one that is not there is removed already.
    ///
    /// # Errors
    /// Says why the file is there still.
    pub fn remove(&self, name: &str) -> Result<(), VaultError> {
        self.named(name)?;
        match std::fs::remove_file(self.folder.join(name)) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(self.unwritable(name, error)),
            _ => Ok(()),
        }
    }

    fn named(&self, name: &str) -> Result<(), VaultError> {
        match is_name(name) {
            true => Ok(()),
            false => Err(self.unwritable(name, "that is no credential's name")),
        }
    }

    fn unwritable(&self, name: &str, reason: impl ToString) -> VaultError {
        VaultError::Unwritable {
            name: name.to_owned(),
            place: self.folder.display().to_string(),
            reason: reason.to_string(),
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

impl Vault for Files {
    fn source(&self) -> Source {
        Source::File
    }

    fn place(&self, name: &str) -> String {
        format!("file secrets/{name}")
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
