//! The proof: nothing in the record was edited, dropped, reordered or cut off.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::chain::{self, Hash};
use crate::entry::Entry;
use crate::head::{self, Anchor, Head, Key};
use crate::segments;

/// What is wrong at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// The line is no entry.
    Unreadable,
    /// The line's own hash is wrong: it was edited.
    Edited,
    /// Entries before this one are missing.
    Dropped,
    /// The entry stands at the wrong place.
    Reordered,
    /// The entry before this one is not the one that it was written after.
    Broken,
    /// The log ends before its signed head.
    Truncated,
    /// The head names an entry that differs from the one in the log.
    Replaced,
    /// The head's signature is wrong.
    Head,
}

/// A fault and its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// The file.
    pub file: PathBuf,
    /// The line, from 1; the last one plus one where something is missing at the end.
    pub line: u64,
    /// The entry's number, or the one that was expected there.
    pub seq: u64,
    /// What is wrong.
    pub kind: FaultKind,
}

/// What a verification found.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Report {
    /// How many entries were read.
    pub entries: u64,
    /// How many files were read.
    pub files: u64,
    /// Whether a signed head was there: without it, a log whose end was cut off or rewritten whole looks sound.
    pub anchored: bool,
    /// How many sound entries follow the signed head: those that a writer signs next, or, with none running, those after a power cut.
    pub beyond_head: u64,
    /// Every fault, in the order of the files.
    pub faults: Vec<Fault>,
}

impl Report {
    /// Says whether nothing is wrong.
    pub fn is_sound(&self) -> bool {
        self.faults.is_empty()
    }
}

/// Reads a whole log. A line that a crash left unfinished at the very end is no fault: opening the log moves it aside and records that.
///
/// # Errors
/// Fails where a file cannot be read; what is wrong inside is in the report.
pub fn verify(path: &Path, key_path: &Path) -> io::Result<Report> {
    let key = Key::read(key_path)?;
    // The head is read first: a writer at work only ever adds entries beyond it.
    let anchor = head::read(&head::path_of(path), key.as_ref())?;
    let mut walk = Walk::new(match &anchor {
        Anchor::Signed(head) => Some(head.clone()),
        Anchor::Absent | Anchor::Forged => None,
    });
    for file in segments::all(path)? {
        walk.file(&file, file == path)?;
    }
    Ok(walk.finish(path, &anchor))
}

/// A walk along the chain.
pub(crate) struct Walk {
    expected: Head,
    head: Option<Head>,
    /// Whether the entry that the head names was met.
    met: bool,
    report: Report,
    line: u64,
}

impl Walk {
    /// Begins at the first entry.
    pub fn new(head: Option<Head>) -> Self {
        Self::after(
            Head {
                seq: 0,
                hash: chain::origin(),
            },
            head,
        )
    }

    /// Begins after an entry.
    pub fn after(start: Head, head: Option<Head>) -> Self {
        let met = head.as_ref().is_none_or(|head| head.seq <= start.seq);
        Walk {
            expected: start,
            head,
            met,
            report: Report::default(),
            line: 0,
        }
    }

    /// Reads one file. Gives the length of its whole lines in bytes.
    pub fn file(&mut self, path: &Path, newest: bool) -> io::Result<u64> {
        self.report.files += 1;
        self.line = 0;
        let mut reader = BufReader::with_capacity(256 << 10, File::open(path)?);
        let mut bytes = Vec::new();
        let mut whole = 0;
        loop {
            bytes.clear();
            let read = reader.read_until(b'\n', &mut bytes)? as u64;
            if read == 0 {
                return Ok(whole);
            }
            self.line += 1;
            if bytes.last() != Some(&b'\n') {
                if !newest {
                    self.fault(path, self.expected.seq + 1, FaultKind::Unreadable);
                }
                return Ok(whole);
            }
            whole += read;
            self.entry(path, &bytes[..bytes.len() - 1]);
        }
    }

    /// Gives the last entry's number and hash.
    pub fn end(&self) -> &Head {
        &self.expected
    }

    fn entry(&mut self, path: &Path, line: &[u8]) {
        let text = std::str::from_utf8(line).ok();
        let entry: Option<Entry> = text.and_then(|text| serde_json::from_str(text).ok());
        let (Some(text), Some(entry)) = (text, entry) else {
            self.fault(path, self.expected.seq + 1, FaultKind::Unreadable);
            return;
        };
        let next = self.expected.seq + 1;
        self.report.entries += 1;
        if !chain::is_intact(text) {
            self.fault(path, entry.seq, FaultKind::Edited);
        } else if entry.seq < next {
            self.fault(path, entry.seq, FaultKind::Reordered);
            // The walk goes on from where it was: what follows an entry out of place is judged by what stood before it.
            return;
        } else if entry.seq > next {
            self.fault(path, next, FaultKind::Dropped);
        } else if entry.prev != self.expected.hash {
            self.fault(path, entry.seq, FaultKind::Broken);
        }
        self.meet_head(path, &entry.hash, entry.seq);
        self.expected = Head {
            seq: entry.seq.max(next),
            hash: entry.hash,
        };
    }

    fn meet_head(&mut self, path: &Path, hash: &Hash, seq: u64) {
        let Some(head) = self.head.clone() else {
            return;
        };
        match seq.cmp(&head.seq) {
            std::cmp::Ordering::Less => {}
            std::cmp::Ordering::Equal => {
                self.met = true;
                if *hash != head.hash {
                    self.fault(path, seq, FaultKind::Replaced);
                }
            }
            std::cmp::Ordering::Greater => self.report.beyond_head += 1,
        }
    }

    fn fault(&mut self, path: &Path, seq: u64, kind: FaultKind) {
        let (file, line) = (path.to_owned(), self.line);
        self.report.faults.push(Fault {
            file,
            line,
            seq,
            kind,
        });
    }

    pub fn finish(mut self, path: &Path, anchor: &Anchor) -> Report {
        self.line += 1;
        match anchor {
            Anchor::Absent => {}
            Anchor::Forged => self.fault(path, self.expected.seq, FaultKind::Head),
            Anchor::Signed(head) => {
                self.report.anchored = true;
                if !self.met && self.expected.seq < head.seq {
                    self.fault(path, self.expected.seq + 1, FaultKind::Truncated);
                }
            }
        }
        self.report
    }
}
