//! The index in `db.sqlite`. It holds nothing of its own.

use std::fs::{self, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use clauderon_session::{SessionId, SessionName};
use rusqlite::{Connection, OptionalExtension, Transaction, params};

use crate::grants::ByRepository;
use crate::{Record, StoreError};

/// Migrations in their order; the number of those applied is the database's `user_version`.
const MIGRATIONS: [&str; 1] = [include_str!("../migrations/0001_index.sql")];

pub(crate) struct Index {
    db: Connection,
}

impl Index {
    /// Opens the index and makes every row again; a database that cannot be used is set aside, and its new place returned.
    pub(crate) fn open(
        home: &Path,
        sessions: &[Record],
        grants: &ByRepository,
    ) -> Result<(Self, Option<PathBuf>), StoreError> {
        let path = home.join("db.sqlite");
        let build = || -> Result<Self, StoreError> {
            let mut index = Self {
                db: connect(&path)?,
            };
            index.rebuild(sessions, grants)?;
            Ok(index)
        };
        match build() {
            Ok(index) => Ok((index, None)),
            Err(error) if error.is_unusable() => {
                let aside = set_aside(&path)?;
                tracing::warn!(%error, aside = %aside.display(), "the index cannot be used and is made again");
                Ok((build()?, Some(aside)))
            }
            Err(error) if error.is_full_disk() => {
                tracing::warn!(%error, "the index is kept in memory until the next start");
                let mut index = Self { db: in_memory()? };
                index.rebuild(sessions, grants)?;
                Ok((index, None))
            }
            Err(error) => Err(error),
        }
    }

    fn rebuild(&mut self, sessions: &[Record], grants: &ByRepository) -> Result<(), StoreError> {
        let change = self.db.transaction()?;
        change.execute_batch("DELETE FROM session; DELETE FROM always_allowed;")?;
        for record in sessions {
            put_session(&change, record)?;
        }
        insert_grants(&change, grants)?;
        Ok(change.commit()?)
    }

    pub(crate) fn put(&mut self, record: &Record) -> Result<(), StoreError> {
        let change = self.db.transaction()?;
        put_session(&change, record)?;
        Ok(change.commit()?)
    }

    pub(crate) fn put_grants(&mut self, grants: &ByRepository) -> Result<(), StoreError> {
        let change = self.db.transaction()?;
        change.execute("DELETE FROM always_allowed", [])?;
        insert_grants(&change, grants)?;
        Ok(change.commit()?)
    }

    pub(crate) fn remove(&mut self, id: SessionId) -> Result<(), StoreError> {
        self.db
            .execute("DELETE FROM session WHERE id = ?1", [id.as_str()])?;
        Ok(())
    }

    pub(crate) fn find(&self, name: &SessionName) -> Result<Option<SessionId>, StoreError> {
        let query = "SELECT id FROM session WHERE name = ?1 ORDER BY created_ms DESC LIMIT 1";
        let id: Option<String> = self
            .db
            .query_row(query, [name.as_str()], |row| row.get(0))
            .optional()?;
        Ok(id.and_then(|id| id.parse().ok()))
    }

    pub(crate) fn recent_repositories(
        &self,
        limit: u32,
    ) -> Result<Vec<(PathBuf, u64)>, StoreError> {
        let mut query = self
            .db
            .prepare("SELECT path, used_ms FROM repository ORDER BY used_ms DESC, path LIMIT ?1")?;
        let rows = query.query_map([limit], |row| {
            let used: i64 = row.get(1)?;
            Ok((PathBuf::from(row.get::<_, String>(0)?), used.unsigned_abs()))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

fn connect(path: &Path) -> Result<Connection, StoreError> {
    // Made by us first, so that it (and its log beside it) is nobody else's to read.
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
        .and_then(|file| file.set_permissions(Permissions::from_mode(0o600)))
        .map_err(StoreError::io("open", path))?;
    let mut db = Connection::open(path)?;
    db.pragma_update(None, "journal_mode", "WAL")?;
    // A lost last write costs nothing: the folders hold it.
    db.pragma_update(None, "synchronous", "NORMAL")?;
    migrate(&mut db, path, &MIGRATIONS)?;
    Ok(db)
}

/// For a disk without room: nothing is lost with it, since the folders hold everything.
fn in_memory() -> Result<Connection, StoreError> {
    let mut db = Connection::open_in_memory()?;
    migrate(&mut db, Path::new(":memory:"), &MIGRATIONS)?;
    Ok(db)
}

pub(crate) fn migrate(
    db: &mut Connection,
    path: &Path,
    migrations: &[&str],
) -> Result<(), StoreError> {
    let version: u32 = db.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let Some(missing) = migrations.get(version as usize..) else {
        return Err(StoreError::Newer {
            path: path.to_path_buf(),
            found: version,
        });
    };
    let change = db.transaction()?;
    for migration in missing {
        change.execute_batch(migration)?;
    }
    change.pragma_update(None, "user_version", migrations.len() as u32)?;
    Ok(change.commit()?)
}

pub(crate) fn set_aside(path: &Path) -> Result<PathBuf, StoreError> {
    let with = |end: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(end);
        PathBuf::from(name)
    };
    let aside = with(".unusable");
    fs::rename(path, &aside).map_err(StoreError::io("set aside", path))?;
    for log in ["-wal", "-shm"] {
        match fs::remove_file(with(log)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(StoreError::io("remove", path)(error));
            }
            _ => {}
        }
    }
    Ok(aside)
}

fn put_session(change: &Transaction<'_>, record: &Record) -> Result<(), StoreError> {
    let spec = &record.spec;
    let repository = spec.repository.to_string_lossy();
    let created = i64::try_from(spec.created_ms).unwrap_or(i64::MAX);
    change.execute(
        "INSERT OR REPLACE INTO session (id, name, agent, backend, mode, repository, state, created_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        params![
            spec.id.as_str(),
            spec.name.as_str(),
            spec.agent.as_str(),
            spec.backend.as_str(),
            spec.mode.as_str(),
            repository,
            record.life.state().as_str(),
            created,
        ],
    )?;
    change.execute(
        "INSERT INTO repository (path, used_ms) VALUES (?1, ?2)
         ON CONFLICT (path) DO UPDATE SET used_ms = max(used_ms, excluded.used_ms)",
        params![repository, created],
    )?;
    Ok(())
}

fn insert_grants(change: &Transaction<'_>, grants: &ByRepository) -> Result<(), StoreError> {
    for (repository, grants) in grants {
        for grant in grants {
            change.execute(
                "INSERT OR IGNORE INTO always_allowed (repository, host, port) VALUES (?1, ?2, ?3)",
                params![
                    repository.to_string_lossy(),
                    grant.host.to_string(),
                    grant.port
                ],
            )?;
        }
    }
    Ok(())
}
