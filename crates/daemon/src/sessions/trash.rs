//! The trash: a deleted session leaves the list at once, its sandbox ends behind it, and its folder stays whole for a week.
//!
//! What it borrows from the person's repository stays pinned until it is purged, even where its name is used again.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use clauderon_api::{self as api, Error};
use clauderon_runtime::{Handle, RuntimeError};
use clauderon_session::{SessionId, SessionName};
use clauderon_store::{Deleted, Record};
use clauderon_workspace::{Forget, Workspace, bring_back, forget, keep, let_go};
use tokio::sync::OwnedMutexGuard;

use super::actor::Order;
use super::{Sessions, disk, watcher};
use crate::clock::now_ms;
use crate::failure;

/// How long a deleted session can be restored.
const KEPT_MS: u64 = 7 * 24 * 3_600_000;
/// How often the trash is looked through.
const LOOK: Duration = Duration::from_secs(24 * 3_600);

/// One lock for each session in the trash: whoever restores or purges one waits until its sandbox has ended.
#[derive(Default)]
pub struct Locks(Mutex<HashMap<SessionId, Arc<tokio::sync::Mutex<()>>>>);

impl Locks {
    async fn lock(&self, id: SessionId) -> OwnedMutexGuard<()> {
        let lock = {
            let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            all.entry(id).or_default().clone()
        };
        lock.lock_owned().await
    }

    fn forget(&self, id: SessionId) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.remove(&id);
    }
}

/// Looks through the trash for as long as the daemon runs: ends sandboxes that are left, purges what is old.
pub async fn watch(sessions: Arc<Sessions>) {
    loop {
        if let Err(error) = sessions.tidy_trash(now_ms()).await {
            tracing::warn!(%error, "the trash could not be looked through");
        }
        tokio::time::sleep(LOOK).await;
    }
}

impl Sessions {
    /// Moves a session to the trash. Its way out closes now; its sandbox ends behind this.
    pub async fn delete(self: &Arc<Self>, wanted: &str) -> Result<(), Error> {
        let session = self.find(wanted)?;
        let id = session.spec.id;
        let guard = self.trash_locks.lock(id).await;
        if let Err(error) = keep(&session.workspace, id.as_str()).await {
            // The session's own pins still stand.
            tracing::warn!(session = %id, %error, "the pins were not kept twice");
        }
        session.egress.close();
        let record = session.ask(Order::Trash).await??;
        self.forget(id);
        self.shared.events.removed(id.to_string());
        tracing::info!(session = %id, "moved to the trash");
        let sessions = self.clone();
        self.clearing.spawn(async move {
            let _guard = guard;
            if let Err(error) = sessions.clear(record).await {
                tracing::warn!(session = %id, %error, "the sandbox of a deleted session is still there");
            }
        });
        Ok(())
    }

    /// Waits until the sandboxes of sessions that were deleted have ended.
    pub async fn cleared(&self) {
        self.clearing.close();
        self.clearing.wait().await;
    }

    /// Lists the trash, the last deleted first.
    pub async fn trash(&self) -> Result<Vec<api::TrashRow>, Error> {
        let mut rows = Vec::new();
        for record in self.trashed()? {
            let bytes = match record.deleted.as_ref().and_then(|deleted| deleted.bytes) {
                Some(bytes) => bytes,
                None => disk::of(&self.shared.store.trash_dir(record.spec.id)).await,
            };
            rows.push(row(&record, bytes));
        }
        rows.sort_by_key(|row| std::cmp::Reverse(row.deleted_ms));
        Ok(rows)
    }

    /// Restores a session from the trash, stopped. Where its name was given away meanwhile it gets a free one.
    pub async fn restore(&self, wanted: &str) -> Result<api::Session, Error> {
        let id = self.find_trashed(wanted)?.spec.id;
        let _guard = self.trash_locks.lock(id).await;
        // What was found before the lock may have been purged, or its sandbox ended meanwhile.
        let record = self.clear(self.find_trashed(id.as_str())?).await?;
        let name = self.free_name_like(record.spec.name.as_str());
        let _reserved = self.reserve(name.clone())?;
        let store = &self.shared.store;
        let workspace = Workspace::load(store.trash_dir(id).path()).map_err(failure::workspace)?;
        bring_back(workspace, id.as_str(), &name)
            .await
            .map_err(failure::workspace)?;
        let record = restored(record, name);
        store.restore(&record).map_err(failure::store)?;
        self.trash_locks.forget(id);
        self.take_up(record).await.map_err(failure::anyhow)?;
        let view = self.find(id.as_str())?.view();
        self.shared.events.changed(view.clone());
        Ok(view)
    }

    /// Deletes a session in the trash for good: its sandbox, its pins, its folder.
    pub async fn purge(&self, wanted: &str) -> Result<(), Error> {
        let id = self.find_trashed(wanted)?.spec.id;
        let _guard = self.trash_locks.lock(id).await;
        let record = self.clear(self.find_trashed(id.as_str())?).await?;
        let store = &self.shared.store;
        if let Ok(workspace) = Workspace::load(store.trash_dir(id).path()) {
            self.unpin(&workspace, &record).await;
        }
        store.purge(id).map_err(failure::store)?;
        self.trash_locks.forget(id);
        tracing::info!(session = %id, "deleted for good");
        Ok(())
    }

    /// Deletes every session in the trash for good.
    pub async fn empty_trash(&self) -> Result<(), Error> {
        for record in self.trashed()? {
            self.purge(record.spec.id.as_str()).await?;
        }
        Ok(())
    }

    async fn tidy_trash(&self, now_ms: u64) -> Result<(), Error> {
        for record in self.trashed()? {
            let id = record.spec.id;
            let tidied = match record.deleted.as_ref().map(|deleted| deleted.at_ms) {
                Some(at_ms) if is_old(at_ms, now_ms) => self.purge(id.as_str()).await,
                // Where nobody knows since when it lies here, its week begins now.
                _ => {
                    let _guard = self.trash_locks.lock(id).await;
                    self.clear(record).await.map(drop)
                }
            };
            if let Err(error) = tidied {
                tracing::warn!(session = %id, %error, "a deleted session could not be tidied up");
            }
        }
        Ok(())
    }

    /// Ends the sandbox of a session in the trash, where that was not done yet, and takes its measure.
    async fn clear(&self, mut record: Record) -> Result<Record, Error> {
        if record
            .deleted
            .as_ref()
            .is_some_and(|deleted| deleted.cleared)
        {
            return Ok(record);
        }
        let paths = self.shared.store.trash_dir(record.spec.id);
        let handle = Handle {
            session: record.spec.id,
            dir: paths.path().to_owned(),
            container: record.container.clone(),
        };
        let runtime = self
            .shared
            .runtimes
            .of(record.spec.backend, record.engine.as_deref())
            .await
            .map_err(failure::unavailable)?;
        match runtime.remove(&handle).await {
            Ok(()) | Err(RuntimeError::Gone | RuntimeError::NotRunning) => {}
            // What is not ours is left alone, and keeps nobody from clearing up.
            Err(error @ RuntimeError::Foreign { .. }) => {
                tracing::warn!(session = %record.spec.id, %error, "the record names a foreign container");
            }
            Err(error) => return Err(failure::runtime(error)),
        }
        watcher::holder_gone(paths.path()).await;
        record.container = None;
        record.limits = Vec::new();
        let bytes = disk::of(&paths).await;
        let deleted = record.deleted.get_or_insert(Deleted {
            at_ms: now_ms(),
            cleared: true,
            bytes: None,
        });
        deleted.cleared = true;
        deleted.bytes = Some(bytes);
        // A full disk must not keep anybody from making room.
        if let Err(error) = self.shared.store.note_trashed(&record) {
            tracing::warn!(session = %record.spec.id, %error, "the record does not say that its sandbox is gone");
        }
        Ok(record)
    }

    /// Takes the session's pins out of the person's repository, but not those of another session with its name.
    async fn unpin(&self, workspace: &Workspace, record: &Record) {
        let id = record.spec.id;
        let name = &record.spec.name;
        let same = |other: &Record| other.spec.id != id && other.spec.name == *name;
        let shared = self.all().values().any(|live| live.spec.name == *name)
            || self.trashed().is_ok_and(|all| all.iter().any(same));
        if !shared && let Err(error) = forget(workspace, Forget::Pins).await {
            tracing::warn!(session = %id, %error, "the pins were left behind");
        }
        if let Err(error) = let_go(workspace, id.as_str()).await {
            tracing::warn!(session = %id, %error, "the kept pins were left behind");
        }
    }

    fn trashed(&self) -> Result<Vec<Record>, Error> {
        self.shared.store.trashed().map_err(failure::store)
    }

    /// Finds a session in the trash by its identifier, else the last deleted of that name.
    fn find_trashed(&self, wanted: &str) -> Result<Record, Error> {
        let mut all = self.trashed()?;
        all.sort_by_key(|record| record.deleted.as_ref().map(|deleted| deleted.at_ms));
        let by_id = all.iter().rposition(|one| one.spec.id.as_str() == wanted);
        let by_name = || all.iter().rposition(|one| one.spec.name.as_str() == wanted);
        match by_id.or_else(by_name) {
            Some(place) => Ok(all.swap_remove(place)),
            None => Err(
                Error::not_found(format!("there is no session {wanted:?} in the trash"))
                    .hint("`clauderon trash` shows what is there"),
            ),
        }
    }
}

fn row(record: &Record, bytes: u64) -> api::TrashRow {
    // Where nobody knows since when it lies here, its week begins now.
    let deleted_ms = record
        .deleted
        .as_ref()
        .map_or_else(now_ms, |deleted| deleted.at_ms);
    api::TrashRow {
        id: record.spec.id.to_string(),
        name: record.spec.name.as_str().to_owned(),
        title: record.shelf.title.clone(),
        deleted_ms,
        until_ms: deleted_ms.saturating_add(KEPT_MS),
        bytes,
    }
}

fn is_old(deleted_ms: u64, now_ms: u64) -> bool {
    now_ms >= deleted_ms.saturating_add(KEPT_MS)
}

/// Returns what a session is once it is back: told of its new name, and no longer deleted.
fn restored(mut record: Record, name: SessionName) -> Record {
    record.deleted = None;
    record.shelf.archived_ms = None;
    if record.spec.name != name {
        record.notices.push(format!(
            "It was restored as {name}, because {} is another session now.",
            record.spec.name
        ));
        record.spec.name = name;
    }
    record
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_week_is_kept_and_no_longer() {
        let day = 24 * 3_600_000;
        assert!(!is_old(1_000, 1_000 + 7 * day - 1));
        assert!(is_old(1_000, 1_000 + 7 * day));
        assert!(!is_old(u64::MAX, u64::MAX - 1));
    }
}
