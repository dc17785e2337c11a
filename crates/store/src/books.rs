//! What was used, by day, account and model: `usage.sqlite`. No session's folder holds it, for sessions come and go.

use std::fs::{OpenOptions, Permissions};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use clauderon_transcript::tap::{Limits, Usage};
use rusqlite::{Connection, params};

use crate::StoreError;

const MIGRATIONS: [&str; 1] = [include_str!("../migrations/usage_0001.sql")];

/// The books. One owner writes them.
pub struct Books {
    db: Connection,
}

/// What one answer of a model used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spending {
    /// The day, such as `2026-11-23`.
    pub day: String,
    /// Whose plan or money it was: the name of the credential.
    pub account: String,
    /// The model.
    pub model: String,
    /// The tokens.
    pub usage: Usage,
}

/// What was used of a model on a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Day {
    /// The sum, with its day, account and model.
    pub sum: Spending,
    /// Answers in it.
    pub requests: u64,
}

/// How much of an account's plan was used, as the service said last.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// The account.
    pub account: String,
    /// When the service said it, in milliseconds since 1970.
    pub at_ms: u64,
    /// What it said.
    pub limits: Limits,
}

impl Books {
    /// Opens the books below `home`; what cannot be used is set aside, and new ones are begun.
    pub fn open(home: &Path) -> Result<Self, StoreError> {
        let path = home.join("usage.sqlite");
        match connect(&path) {
            Err(error) if error.is_unusable() => {
                tracing::warn!(%error, "the books of what was used cannot be read; new ones are begun");
                crate::index::set_aside(&path)?;
                connect(&path)
            }
            opened => opened,
        }
    }

    /// Opens books that nobody keeps, for a disk without room.
    pub fn in_memory() -> Result<Self, StoreError> {
        let mut db = Connection::open_in_memory()?;
        crate::index::migrate(&mut db, Path::new(":memory:"), &MIGRATIONS)?;
        Ok(Self { db })
    }

    /// Adds what was used.
    pub fn add(&mut self, spendings: &[Spending]) -> Result<(), StoreError> {
        let change = self.db.transaction()?;
        for Spending {
            day,
            account,
            model,
            usage,
        } in spendings
        {
            change.execute(
                "INSERT INTO used VALUES (?1, ?2, ?3, 1, ?4, ?5, ?6, ?7, ?8, ?9)
                 ON CONFLICT (day, account, model) DO UPDATE SET requests = requests + 1, input = input + excluded.input,
                 output = output + excluded.output, cache_read = cache_read + excluded.cache_read,
                 cache_write = cache_write + excluded.cache_write,
                 cache_write_hour = cache_write_hour + excluded.cache_write_hour, reasoning = reasoning + excluded.reasoning",
                params![
                    day,
                    account,
                    model,
                    signed(usage.input),
                    signed(usage.output),
                    signed(usage.cache_read),
                    signed(usage.cache_write),
                    signed(usage.cache_write_hour),
                    signed(usage.reasoning),
                ],
            )?;
        }
        Ok(change.commit()?)
    }

    /// Remembers what a service said of a plan.
    pub fn learn(&mut self, plan: &Plan) -> Result<(), StoreError> {
        let limits = serde_json::to_string(&plan.limits).map_err(|error| StoreError::NotText {
            reason: error.to_string(),
        })?;
        self.db.execute(
            "INSERT OR REPLACE INTO plan VALUES (?1, ?2, ?3)",
            params![plan.account, signed(plan.at_ms), limits],
        )?;
        Ok(())
    }

    /// Lists what was used from a day on, the newest day first.
    pub fn since(&self, day: &str) -> Result<Vec<Day>, StoreError> {
        let mut query = self.db.prepare(
            "SELECT day, account, model, requests, input, output, cache_read, cache_write, cache_write_hour, reasoning
             FROM used WHERE day >= ?1 ORDER BY day DESC, account, model",
        )?;
        let rows = query.query_map([day], |row| {
            let count = |at| Ok::<u64, rusqlite::Error>(row.get::<_, i64>(at)?.unsigned_abs());
            Ok(Day {
                sum: Spending {
                    day: row.get(0)?,
                    account: row.get(1)?,
                    model: row.get(2)?,
                    usage: Usage {
                        input: count(4)?,
                        output: count(5)?,
                        cache_read: count(6)?,
                        cache_write: count(7)?,
                        cache_write_hour: count(8)?,
                        reasoning: count(9)?,
                    },
                },
                requests: count(3)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Lists what is known of every account's plan.
    pub fn plans(&self) -> Result<Vec<Plan>, StoreError> {
        let mut query = self
            .db
            .prepare("SELECT account, at_ms, limits FROM plan ORDER BY account")?;
        let rows = query.query_map([], |row| {
            Ok((
                row.get::<_, String>(0)?,
                row.get::<_, i64>(1)?.unsigned_abs(),
                row.get::<_, String>(2)?,
            ))
        })?;
        let mut plans = Vec::new();
        for row in rows {
            let (account, at_ms, limits) = row?;
            // What an earlier release wrote down in other words is out of date by now.
            if let Ok(limits) = serde_json::from_str(&limits) {
                plans.push(Plan {
                    account,
                    at_ms,
                    limits,
                });
            }
        }
        Ok(plans)
    }
}

fn connect(path: &Path) -> Result<Books, StoreError> {
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
    // A power cut may cost the last seconds; each session's own ledger has them.
    db.pragma_update(None, "synchronous", "NORMAL")?;
    crate::index::migrate(&mut db, path, &MIGRATIONS)?;
    Ok(Books { db })
}

fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
