//! The folders of sessions: where each thing lies, and which of them hold a session.

use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use clauderon_session::SessionId;

use crate::file::Durable;
use crate::{Record, StoreError, file};

/// The places of one session's files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionDir(PathBuf);

impl SessionDir {
    /// Returns the folder itself, for its owner alone.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Returns the folder that is `/workspace` inside.
    pub fn workspace(&self) -> PathBuf {
        self.0.join("workspace")
    }

    /// Returns the folder that is `/clauderon/home` inside.
    pub fn home(&self) -> PathBuf {
        self.0.join("home")
    }

    /// Returns the folder that is `/clauderon/uploads` inside.
    pub fn uploads(&self) -> PathBuf {
        self.0.join("uploads")
    }

    /// Returns the folder that is `/clauderon/run` inside, where it cannot be written.
    pub fn run(&self) -> PathBuf {
        self.0.join("run")
    }

    /// Returns the folder that is never seen inside.
    pub fn private(&self) -> PathBuf {
        self.0.join("private")
    }

    /// Returns the record's file.
    pub fn record(&self) -> PathBuf {
        self.0.join("session.json")
    }

    /// Returns the terminal's log.
    pub fn terminal_log(&self) -> PathBuf {
        self.0.join("terminal.log")
    }

    /// Returns the socket on which the sandbox's requests arrive.
    pub fn egress_socket(&self) -> PathBuf {
        self.run().join("egress.sock")
    }
}

/// A session's folder whose record cannot be read.
#[derive(Debug)]
pub struct Broken {
    /// The session.
    pub id: SessionId,
    /// Why not.
    pub error: StoreError,
}

pub(crate) struct Folders {
    sessions: PathBuf,
}

/// Begins the name of a folder that is being removed.
const REMOVED: &str = ".removed-";

impl Folders {
    /// Opens the folder of sessions called `kind` below `home`.
    pub(crate) fn open(home: &Path, kind: &str) -> Result<Self, StoreError> {
        let sessions = home.join(kind);
        make_dir(home, 0o700, true)?;
        make_dir(&sessions, 0o700, true)?;
        Ok(Self { sessions })
    }

    pub(crate) fn dir(&self, id: SessionId) -> SessionDir {
        SessionDir(self.sessions.join(id.as_str()))
    }

    pub(crate) fn create(&self, id: SessionId) -> Result<SessionDir, StoreError> {
        let dir = self.dir(id);
        match make_dir(dir.path(), 0o700, false) {
            Err(StoreError::Io { source, .. }) if source.kind() == io::ErrorKind::AlreadyExists => {
                return Err(StoreError::Exists(id));
            }
            made => made?,
        }
        for own in [dir.workspace(), dir.home(), dir.uploads(), dir.private()] {
            make_dir(&own, 0o700, false)?;
        }
        // A sandbox's own user passes through it to the socket; its parent keeps everybody else out.
        make_dir(&dir.run(), 0o711, false)?;
        Ok(dir)
    }

    pub(crate) fn write(&self, record: &Record, durable: Durable) -> Result<(), StoreError> {
        let dir = self.dir(record.spec.id);
        if !dir.path().is_dir() {
            return Err(StoreError::NoSession(record.spec.id));
        }
        file::write(&dir.record(), record, durable)?;
        match durable {
            Durable::Now => file::sync_dir(&self.sessions),
            Durable::Soon => Ok(()),
        }
    }

    pub(crate) fn read(&self, id: SessionId) -> Result<Record, StoreError> {
        let path = self.dir(id).record();
        let record: Record = file::read(&path)?.ok_or(StoreError::NoSession(id))?;
        if record.spec.id == id {
            return Ok(record);
        }
        // A copied folder would otherwise act on the original's container.
        Err(StoreError::Damaged {
            path,
            reason: format!("it is the record of session {}", record.spec.id),
        })
    }

    /// Finishes removals that were cut short.
    pub(crate) fn sweep(&self) -> Result<(), StoreError> {
        for entry in fs::read_dir(&self.sessions).map_err(StoreError::io("read", &self.sessions))? {
            let entry = entry.map_err(StoreError::io("read", &self.sessions))?;
            if !entry.file_name().to_string_lossy().starts_with(REMOVED) {
                continue;
            }
            if let Err(error) = fs::remove_dir_all(entry.path()) {
                tracing::warn!(folder = %entry.path().display(), %error, "could not finish a removal");
            }
        }
        Ok(())
    }

    /// Reads every session, oldest first.
    pub(crate) fn scan(&self) -> Result<(Vec<Record>, Vec<Broken>), StoreError> {
        let (mut sessions, mut broken) = (Vec::new(), Vec::new());
        for entry in fs::read_dir(&self.sessions).map_err(StoreError::io("read", &self.sessions))? {
            let entry = entry.map_err(StoreError::io("read", &self.sessions))?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            // Anything else there is not ours, and is left alone.
            let Ok(id) = name.parse::<SessionId>() else {
                continue;
            };
            match self.read(id) {
                Ok(record) => sessions.push(record),
                Err(error) => broken.push(Broken { id, error }),
            }
        }
        sessions.sort_by_key(|record| (record.spec.created_ms, record.spec.id));
        Ok((sessions, broken))
    }

    /// Moves a session's folder to another place on the same disk.
    pub(crate) fn hand_over(&self, id: SessionId, to: &Folders) -> Result<(), StoreError> {
        let (from, there) = (self.dir(id), to.dir(id));
        // A rename would replace an empty folder without a word.
        if there.path().exists() {
            return Err(StoreError::Exists(id));
        }
        match fs::rename(from.path(), there.path()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(StoreError::NoSession(id));
            }
            moved => moved.map_err(StoreError::io("move", from.path()))?,
        }
        file::sync_dir(&to.sessions)?;
        file::sync_dir(&self.sessions)
    }

    pub(crate) fn remove(&self, id: SessionId) -> Result<(), StoreError> {
        let dir = self.dir(id);
        let removed = self.sessions.join(format!("{REMOVED}{id}"));
        match fs::rename(dir.path(), &removed) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(StoreError::NoSession(id));
            }
            moved => moved.map_err(StoreError::io("remove", dir.path()))?,
        }
        file::sync_dir(&self.sessions)?;
        // It does not follow links: what the agent left in there cannot lead it out.
        fs::remove_dir_all(&removed).map_err(StoreError::io("remove", &removed))
    }
}

fn make_dir(dir: &Path, mode: u32, may_exist: bool) -> Result<(), StoreError> {
    DirBuilder::new()
        .mode(mode)
        .recursive(may_exist)
        .create(dir)
        .map_err(StoreError::io("create", dir))?;
    fs::set_permissions(dir, Permissions::from_mode(mode)).map_err(StoreError::io("create", dir))
}
