//! The transcript: a file of JSON lines in the agent's home, and what can go wrong with it.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

#[derive(Clone)]
pub struct Transcript {
    session: String,
    path: PathBuf,
    /// How much its clock goes wrong, in milliseconds.
    pub wrong_ms: i64,
    /// The second half of a record.
    torn: String,
    written: Arc<AtomicU32>,
}

impl Transcript {
    pub fn new(session: &str) -> Result<Self> {
        let home = std::env::var("HOME").context("a home")?;
        let folder = Path::new(&home).join(".claude/projects/-workspace");
        fs::create_dir_all(&folder)?;
        Ok(Self {
            session: session.to_owned(),
            path: folder.join(format!("{session}.jsonl")),
            wrong_ms: 0,
            torn: String::new(),
            written: Arc::default(),
        })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn write(&self, records: &[Value]) -> Result<()> {
        records
            .iter()
            .try_for_each(|record| self.append(self.line(record)?.as_bytes()))
    }

    /// Writes the first half of the first record.
    pub fn tear(&mut self, records: &[Value]) -> Result<()> {
        let line = self.line(records.first().context("a record")?)?;
        let (half, rest) = line.split_at(line.floor_char_boundary(line.len() / 2));
        rest.clone_into(&mut self.torn);
        self.append(half.as_bytes())
    }

    /// Writes its other half.
    pub fn mend(&mut self) -> Result<()> {
        let rest = std::mem::take(&mut self.torn);
        self.append(rest.as_bytes())
    }

    pub fn append(&self, bytes: &[u8]) -> Result<()> {
        let mut file = OpenOptions::new()
            .append(true)
            .create(true)
            .open(&self.path)?;
        file.write_all(bytes)?;
        Ok(())
    }

    /// Puts another file of these first lines in its place.
    pub fn shorten(&self, lines: usize) -> Result<()> {
        let whole = fs::read_to_string(&self.path)?;
        let kept: String = whole.split_inclusive('\n').take(lines).collect();
        let other = self.path.with_extension("new");
        fs::write(&other, kept)?;
        fs::rename(&other, &self.path)?;
        Ok(())
    }

    fn line(&self, record: &Value) -> Result<String> {
        let at = OffsetDateTime::now_utc() + Duration::milliseconds(self.wrong_ms);
        let number = self.written.fetch_add(1, Ordering::Relaxed);
        let mut record = record.clone();
        record["timestamp"] = json!(at.format(&Rfc3339)?);
        record["uuid"] = json!(format!("00000000-0000-4000-8000-{number:012}"));
        record["sessionId"] = json!(self.session);
        record["cwd"] = json!(super::WORKSPACE);
        record["version"] = json!("2.1.197");
        Ok(format!("{record}\n"))
    }
}
