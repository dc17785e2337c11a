//! The one thread that writes: it takes all records that wait, writes them at once, and answers. Another one syncs and signs.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use serde::Serialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::sync::{mpsc, oneshot};

use crate::chain::{self, Hash};
use crate::entry::Entry;
use crate::head::{self, Anchor, Head, HeadFile, Key};
use crate::keeper::Keeper;
use crate::log::{AuditError, Options};
use crate::record::{Kind, Record};
use crate::reserve::Reserve;
use crate::segments;
use crate::verify::Walk;

/// What the writer is asked.
pub(crate) enum Ask {
    /// Write a record.
    Append(Box<Job>),
    /// Answer when all that was written is on the disk.
    Settle(oneshot::Sender<()>),
}

/// A record that waits, and who waits for it.
pub(crate) struct Job {
    pub record: Record,
    pub done: oneshot::Sender<Result<(), AuditError>>,
}

/// The open files and the chain's end.
pub(crate) struct Writer {
    path: PathBuf,
    file: Arc<File>,
    length: u64,
    end: Head,
    keeper: Keeper,
    reserve: Reserve,
    options: Options,
}

/// How many records share a write at most.
const GROUP: usize = 512;

impl Writer {
    pub fn open(path: &Path, key_path: &Path, options: Options) -> io::Result<Self> {
        let file = open_file(path)?;
        // Two writers would fork the chain.
        file.try_lock()
            .map_err(|_| io::Error::new(ErrorKind::WouldBlock, "another process writes it"))?;
        let key = Key::read_or_make(key_path)?;
        let head_path = head::path_of(path);
        let found = Found::read(path, &head_path, &key)?;
        let mut writer = Writer {
            path: path.to_owned(),
            length: found.whole,
            end: found.end,
            keeper: Keeper::start(HeadFile::open(&head_path)?, key)?,
            reserve: Reserve::open(path, options.reserve),
            file: Arc::new(file),
            options,
        };
        let torn = writer.move_torn_line_aside()?;
        let notes = [torn, found.note].into_iter().flatten();
        for note in notes {
            let record = Record {
                kind: Kind::Recovered,
                note,
                ..Record::default()
            };
            // A full disk must not keep the log shut: reading and refusing go on.
            if let Err(error) = writer.write(&[&record]) {
                tracing::warn!(%error, "the audit log could not note its recovery");
            }
        }
        Ok(writer)
    }

    /// Writes until every [`crate::Log`] is gone.
    pub fn run(mut self, mut queue: mpsc::Receiver<Ask>) {
        let mut asked = Vec::with_capacity(GROUP);
        while queue.blocking_recv_many(&mut asked, GROUP) > 0 {
            let mut jobs = Vec::with_capacity(asked.len());
            let mut settlers = Vec::new();
            for ask in asked.drain(..) {
                match ask {
                    Ask::Append(job) => jobs.push(*job),
                    Ask::Settle(done) => settlers.push(done),
                }
            }
            if !jobs.is_empty() {
                self.serve(&mut jobs);
            }
            if !settlers.is_empty() {
                self.keeper.settle();
            }
            for done in settlers {
                // A caller that no longer waits has no need of the answer.
                let _ = done.send(());
            }
        }
    }

    #[cfg(test)]
    pub fn keeper(&self) -> &Keeper {
        &self.keeper
    }

    #[cfg(test)]
    pub fn end(&self) -> &Head {
        &self.end
    }

    pub(crate) fn serve(&mut self, jobs: &mut Vec<Job>) {
        for job in jobs.iter_mut() {
            job.record = std::mem::take(&mut job.record).escaped();
        }
        if let Err(error) = self.rotate_if_due() {
            tracing::warn!(%error, "the audit log could not go over to a new file");
        }
        if let Some(reason) = self.keeper.failure() {
            return self.serve_unkept(jobs, &reason);
        }
        self.reserve.refill_if_room();
        if !self.reserve.given_up {
            let records: Vec<&Record> = jobs.iter().map(|job| &job.record).collect();
            match self.write(&records) {
                Ok(()) => return answer_all(jobs, &Ok(())),
                Err(error) if !is_full(&error) => {
                    return answer_all(jobs, &Err(AuditError::Write(error.to_string())));
                }
                Err(_) => self.give_reserve_up(),
            }
        }
        self.serve_when_full(jobs);
    }

    /// While the disk keeps nothing, what lets something happen is refused; the rest is written in the hope that it will be kept.
    fn serve_unkept(&mut self, jobs: &mut Vec<Job>, reason: &str) {
        for job in jobs.drain(..) {
            let result = match job.record.kind.lets_happen() {
                true => Err(AuditError::Write(reason.to_owned())),
                false => self
                    .write(&[&job.record])
                    .map_err(|error| AuditError::Write(error.to_string())),
            };
            // A caller that no longer waits has no need of the answer.
            let _ = job.done.send(result);
        }
    }

    /// On a full disk what lets something happen is refused, and what ends or refuses something is written to the room of the reserve.
    fn serve_when_full(&mut self, jobs: &mut Vec<Job>) {
        for job in jobs.drain(..) {
            let result = match job.record.kind.lets_happen() {
                true => Err(AuditError::Full),
                false => self
                    .write(&[&job.record])
                    .map_err(|error| match is_full(&error) {
                        true => AuditError::Full,
                        false => AuditError::Write(error.to_string()),
                    }),
            };
            // A caller that no longer waits has no need of the answer.
            let _ = job.done.send(result);
        }
    }

    fn give_reserve_up(&mut self) {
        self.reserve.give_up();
        let note = "the disk is full; requests that need a credential are refused".to_owned();
        let record = Record {
            kind: Kind::Full,
            note,
            ..Record::default()
        };
        if let Err(error) = self.write(&[&record]) {
            tracing::error!(%error, "the disk is full and the audit log's reserve is used up");
        }
    }

    /// Writes records, all or none.
    fn write(&mut self, records: &[&Record]) -> io::Result<()> {
        let at = OffsetDateTime::from(SystemTime::now())
            .format(&Rfc3339)
            .map_err(io::Error::other)?;
        let mut lines = String::with_capacity(records.len() * 512);
        let mut end = self.end.clone();
        for record in records {
            let line = Line {
                seq: end.seq + 1,
                at: &at,
                prev: &end.hash,
                record,
            };
            let (line, hash) = chain::seal(serde_json::to_string(&line)?);
            lines.push_str(&line);
            lines.push('\n');
            end = Head {
                seq: end.seq + 1,
                hash,
            };
        }
        if let Err(error) = self.file.write_all_at(lines.as_bytes(), self.length) {
            // Nothing of it may stay: a caller was told that it is not recorded.
            self.file.set_len(self.length)?;
            return Err(error);
        }
        self.length += lines.len() as u64;
        self.end = end;
        self.keeper.written(&self.file, self.end.clone());
        Ok(())
    }

    fn rotate_if_due(&mut self) -> io::Result<()> {
        if self.length < self.options.rotate_at {
            return Ok(());
        }
        let old = segments::next(&self.path)?;
        self.keeper.settle();
        std::fs::rename(&self.path, &old)?;
        let fresh = open_file(&self.path).and_then(|file| {
            file.try_lock().map_err(io::Error::other)?;
            Ok(file)
        });
        match fresh {
            Ok(file) => self.file = Arc::new(file),
            // The old file goes on under its old name, so that nothing is lost.
            Err(error) => {
                std::fs::rename(&old, &self.path)?;
                return Err(error);
            }
        }
        self.length = 0;
        sync_folder(&self.path)?;
        let note = format!(
            "continues {}",
            old.file_name().unwrap_or_default().to_string_lossy()
        );
        self.write(&[&Record {
            kind: Kind::Rotated,
            note,
            ..Record::default()
        }])
    }

    /// Moves an unfinished last line to `audit.torn`, so that it is neither lost nor taken for a record.
    fn move_torn_line_aside(&mut self) -> io::Result<Option<String>> {
        let length = self.file.metadata()?.len();
        if length == self.length {
            return Ok(None);
        }
        let mut torn = vec![
            0;
            usize::try_from(length - self.length)
                .unwrap_or(usize::MAX)
                .min(TORN)
        ];
        self.file.read_exact_at(&mut torn, self.length)?;
        let aside = self.path.with_extension("torn");
        let mut file = OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o600)
            .open(&aside)?;
        file.write_all(&torn)?;
        file.write_all(b"\n")?;
        file.sync_data()?;
        self.file.set_len(self.length)?;
        self.file.sync_data()?;
        Ok(Some(format!(
            "an unfinished last line of {} bytes was moved to {}",
            torn.len(),
            aside.file_name().unwrap_or_default().to_string_lossy()
        )))
    }
}

/// The most of a torn line that is kept, in bytes: a group is far smaller.
const TORN: usize = 16 << 20;

#[derive(Serialize)]
struct Line<'a> {
    seq: u64,
    at: &'a str,
    prev: &'a Hash,
    #[serde(flatten)]
    record: &'a Record,
}

fn answer_all(jobs: &mut Vec<Job>, result: &Result<(), AuditError>) {
    for job in jobs.drain(..) {
        // A caller that no longer waits has no need of the answer.
        let _ = job.done.send(result.clone());
    }
}

fn is_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded
    )
}

fn open_file(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
}

fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(segments::folder(path))?.sync_all()
}

/// What an opening finds: the chain's end, and what must be noted about it.
struct Found {
    end: Head,
    whole: u64,
    note: Option<String>,
}

impl Found {
    /// Walks the newest file alone, from the end of the one before it: an opening must not take as long as the log is old.
    fn read(path: &Path, head_path: &Path, key: &Key) -> io::Result<Self> {
        let anchor = head::read(head_path, Some(key))?;
        let signed = match &anchor {
            Anchor::Signed(head) => Some(head.clone()),
            Anchor::Absent | Anchor::Forged => None,
        };
        let mut walk = match last_rotated(path)? {
            Some(last) => Walk::after(last, signed.clone()),
            None => Walk::new(signed.clone()),
        };
        let whole = walk.file(path, true)?;
        let mut end = walk.end().clone();
        // A log cut off or rewritten goes on from what was signed, so that the gap stays to be seen.
        if let Some(signed) = signed.filter(|signed| signed.seq >= end.seq) {
            end = signed;
        }
        let report = walk.finish(path, &anchor);
        let first = report.faults.first();
        let note = match (first, report.beyond_head, &anchor) {
            (Some(fault), _, _) => Some(format!(
                "the log was found damaged: {:?} at entry {} (line {} of {})",
                fault.kind,
                fault.seq,
                fault.line,
                fault.file.file_name().unwrap_or_default().to_string_lossy()
            )),
            (None, beyond @ 1.., _) => {
                Some(format!("{beyond} entries after the signed head were kept"))
            }
            (None, _, Anchor::Absent) if end.seq > 0 => {
                Some("the log had no signed head".to_owned())
            }
            _ => None,
        };
        Ok(Found { end, whole, note })
    }
}

/// Gives the last entry of the newest rotated file.
fn last_rotated(path: &Path) -> io::Result<Option<Head>> {
    let Some((_, file)) = segments::rotated(path)?.pop() else {
        return Ok(None);
    };
    let text = std::fs::read(file)?;
    let last = text
        .rsplit(|byte| *byte == b'\n')
        .find_map(|line| serde_json::from_slice::<Entry>(line).ok());
    Ok(last.map(|entry| Head {
        seq: entry.seq,
        hash: entry.hash,
    }))
}
