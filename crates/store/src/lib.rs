//! What is remembered of sessions. The truth lies in files: `sessions/<id>/session.json`, `trash/<id>/session.json`,
//! `grants.json` and `network.json`; `db.sqlite` is an index of them, made again whenever it is missing, damaged or from
//! another release. `usage.sqlite` holds the books of what was used by day and account, which no session's folder tells.
//!
//! No secret ever passes through this crate, and nothing here follows a path that a sandbox can write.

mod books;
mod error;
mod file;
mod folder;
mod grants;
mod index;
mod network;
mod outbox;
mod record;
mod trash;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use clauderon_policy::Grant;
use clauderon_session::{SessionId, SessionName};

pub use books::{Books, Day, Plan, Spending};
pub use error::StoreError;
pub use folder::{Broken, SessionDir};
pub use record::{Deleted, Record, Shelf, Turn};

use file::Durable;
use folder::Folders;
use grants::Grants;
use index::Index;

/// All that is remembered, below one home. One process opens it at a time.
pub struct Store {
    folders: Folders,
    trash: Folders,
    home: PathBuf,
    inner: Mutex<Inner>,
}

struct Inner {
    grants: Grants,
    index: Index,
}

/// What was found when a store was opened.
#[derive(Debug)]
pub struct Found {
    /// Every session that can be read, oldest first.
    pub sessions: Vec<Record>,
    /// Session folders whose record cannot be read. They are left as they are.
    pub broken: Vec<Broken>,
    /// Where a damaged database was put, if one was found.
    pub set_aside: Option<PathBuf>,
}

impl Store {
    /// Opens the store below `home`, and brings the index in line with the folders.
    pub fn open(home: &Path) -> Result<(Self, Found), StoreError> {
        let folders = Folders::open(home, "sessions")?;
        let trash = Folders::open(home, "trash")?;
        folders.sweep()?;
        trash.sweep()?;
        trash::finish(&folders, &trash)?;
        let (sessions, broken) = folders.scan()?;
        let grants = Grants::open(home)?;
        let (index, set_aside) = Index::open(home, &sessions, grants.all())?;
        let store = Self {
            folders,
            trash,
            home: home.to_path_buf(),
            inner: Mutex::new(Inner { grants, index }),
        };
        Ok((
            store,
            Found {
                sessions,
                broken,
                set_aside,
            },
        ))
    }

    /// Returns the places of a session's files; nothing is created.
    pub fn dir(&self, id: SessionId) -> SessionDir {
        self.folders.dir(id)
    }

    /// Makes the folders of a new session.
    pub fn create_dir(&self, id: SessionId) -> Result<SessionDir, StoreError> {
        self.folders.create(id)
    }

    /// Writes a session's record down, durably, then indexes it.
    pub fn save(&self, record: &Record) -> Result<(), StoreError> {
        self.write(record, Durable::Now)
    }

    /// Writes a session's record down without waiting for the disk: for a state that can be asked for again, while an agent
    /// waits and the disk would have to take its whole workspace first.
    pub fn note(&self, record: &Record) -> Result<(), StoreError> {
        self.write(record, Durable::Soon)
    }

    fn write(&self, record: &Record, durable: Durable) -> Result<(), StoreError> {
        // The lock is held over the file too, so that two writers of one session cannot mix.
        let mut inner = self.inner();
        self.folders.write(record, durable)?;
        if let Err(error) = inner.index.put(record) {
            // The file is the truth; the index is made again at the next start.
            tracing::warn!(session = %record.spec.id, %error, "could not index a session");
        }
        Ok(())
    }

    /// Reads a session's record.
    pub fn load(&self, id: SessionId) -> Result<Record, StoreError> {
        self.folders.read(id)
    }

    /// Removes a session with everything in its folder. A crash half-way leaves nothing that looks like a session.
    pub fn remove(&self, id: SessionId) -> Result<(), StoreError> {
        let mut inner = self.inner();
        let removed = self.folders.remove(id);
        let indexed = inner.index.remove(id);
        note(id, indexed);
        removed
    }

    /// Finds the session with this name.
    pub fn find(&self, name: &SessionName) -> Result<Option<SessionId>, StoreError> {
        self.inner().index.find(name)
    }

    /// Lists the repositories that sessions were made of, the latest first, with the time in milliseconds since 1970.
    pub fn recent_repositories(&self, limit: u32) -> Result<Vec<(PathBuf, u64)>, StoreError> {
        self.inner().index.recent_repositories(limit)
    }

    /// Returns the hosts that the person always allows for a repository.
    pub fn always_allowed(&self, repository: &Path) -> Vec<Grant> {
        self.inner().grants.of(repository).to_vec()
    }

    /// Allows a host for every later session of a repository.
    pub fn always_allow(&self, repository: &Path, grant: Grant) -> Result<(), StoreError> {
        let inner = &mut *self.inner();
        inner.grants.add(repository, grant)?;
        inner.index.put_grants(inner.grants.all())
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        // Every change is written before memory is changed, so a panic elsewhere left nothing half-done.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The files are the truth, and the index is made again at the next start: its failure stops nothing.
fn note(session: SessionId, indexed: Result<(), StoreError>) {
    if let Err(error) = indexed {
        tracing::warn!(%session, %error, "could not bring the index up to date");
    }
}
