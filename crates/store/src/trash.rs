//! The trash: folders of deleted sessions, whole, until they are restored or purged.

use clauderon_session::SessionId;

use crate::file::Durable;
use crate::folder::Folders;
use crate::{Record, SessionDir, Store, StoreError, note};

impl Store {
    /// Moves a session to the trash; its record has to say since when. It is no session from then on.
    pub fn discard(&self, record: &Record) -> Result<(), StoreError> {
        let id = record.spec.id;
        let mut inner = self.inner();
        // With the mark a crash half-way is finished at the next start. A full disk must not keep anybody from deleting.
        if let Err(error) = self.folders.write(record, Durable::Now) {
            tracing::warn!(session = %id, %error, "the record does not say that the session is deleted");
        }
        self.folders.hand_over(id, &self.trash)?;
        note(id, inner.index.remove(id));
        Ok(())
    }

    /// Takes a session out of the trash; `record` is what it is from now on, without the mark of its deletion.
    pub fn restore(&self, record: &Record) -> Result<(), StoreError> {
        let id = record.spec.id;
        let mut inner = self.inner();
        self.trash.hand_over(id, &self.folders)?;
        self.folders.write(record, Durable::Now)?;
        note(id, inner.index.put(record));
        Ok(())
    }

    /// Lists what lies in the trash, in the order of creation. A folder whose record cannot be read is left alone.
    pub fn trashed(&self) -> Result<Vec<Record>, StoreError> {
        let (records, broken) = self.trash.scan()?;
        for broken in broken {
            tracing::warn!(session = %broken.id, error = %broken.error, "a record in the trash cannot be read");
        }
        Ok(records)
    }

    /// Returns the places of a session's files in the trash; nothing is created.
    pub fn trash_dir(&self, id: SessionId) -> SessionDir {
        self.trash.dir(id)
    }

    /// Writes the record of a session in the trash down.
    pub fn note_trashed(&self, record: &Record) -> Result<(), StoreError> {
        let _inner = self.inner();
        self.trash.write(record, Durable::Now)
    }

    /// Removes a session in the trash with everything in its folder.
    pub fn purge(&self, id: SessionId) -> Result<(), StoreError> {
        self.trash.remove(id)
    }
}

/// Finishes moves to the trash that were cut short.
pub(crate) fn finish(sessions: &Folders, trash: &Folders) -> Result<(), StoreError> {
    let (records, _) = sessions.scan()?;
    for record in records.iter().filter(|record| record.deleted.is_some()) {
        sessions.hand_over(record.spec.id, trash)?;
    }
    Ok(())
}
