//! Reads the JSONL transcripts of Claude Code: of the session, of its sub-agents, resumed and compacted ones.

mod account;
mod record;
mod user;

use std::collections::VecDeque;

use crate::lines::{LIMIT, Line, Lines};
use crate::observation::Observation;
use crate::raw::raw;
use crate::recall::Recall;

pub(crate) use account::{account_of, questions_of, text_of};
pub(crate) use record::milliseconds;
pub(crate) use user::INTERRUPTED;

/// Reads one transcript file as it grows. A file that became shorter or was replaced needs a new reader.
#[derive(Debug)]
pub struct Reader {
    lines: Lines,
    known: Recall,
    pieces: Pieces,
    quiet: u64,
}

impl Default for Reader {
    fn default() -> Self {
        Self::new()
    }
}

impl Reader {
    /// Makes a reader of a file from its start.
    pub fn new() -> Self {
        Self {
            lines: Lines::new(0, LIMIT),
            known: Recall::default(),
            pieces: Pieces::default(),
            quiet: 0,
        }
    }

    /// Returns what the next bytes of the file tell. A last line without its end is kept until the end comes.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<Observation> {
        let mut told = Vec::new();
        let Self {
            lines,
            known,
            pieces,
            quiet,
        } = self;
        lines.push(bytes, |line| match line {
            Line::TooLong {
                at,
                beginning,
                bytes,
            } => told.push(raw(at, "too long", &beginning, bytes)),
            Line::Whole { bytes, .. } if bytes.iter().all(u8::is_ascii_whitespace) => {}
            Line::Whole { at, bytes } => match serde_json::from_slice(&bytes) {
                Ok(record) if is_repeated(&record, known) => {}
                Ok(record) => match record::read(&record, pieces) {
                    record::Meaning::Told(all) => told.extend(all),
                    record::Meaning::Quiet => *quiet += 1,
                    record::Meaning::Unknown(name) => {
                        told.push(raw(at, name, &bytes, bytes.len() as u64));
                    }
                },
                Err(_) => told.push(raw(at, "unreadable", &bytes, bytes.len() as u64)),
            },
        });
        told.into_iter().map(Observation::Told).collect()
    }

    /// Returns the offset in the file up to which all lines were read.
    pub fn offset(&self) -> u64 {
        self.lines.offset()
    }

    /// Returns how many records were understood to say nothing that is shown.
    pub fn quiet(&self) -> u64 {
        self.quiet
    }
}

/// Says whether a record was read before: a resumed session may hold it twice.
fn is_repeated(record: &serde_json::Value, known: &mut Recall) -> bool {
    record["uuid"]
        .as_str()
        .is_some_and(|uuid| !known.is_new(uuid))
}

/// Counts the pieces of text and of thinking in the latest messages: each block has a record of its own, without a number.
#[derive(Debug, Default)]
pub(crate) struct Pieces {
    latest: VecDeque<(String, [u32; 2])>,
}

/// Messages whose records may still be mixed with those of others.
const MIXED: usize = 64;

impl Pieces {
    /// Returns which piece of its kind in its message this is.
    fn nth(&mut self, message: &str, thinking: bool) -> u32 {
        let at = match self.latest.iter().position(|(id, _)| id == message) {
            Some(at) => at,
            None => {
                if self.latest.len() >= MIXED {
                    self.latest.pop_front();
                }
                self.latest.push_back((message.to_owned(), [0, 0]));
                self.latest.len() - 1
            }
        };
        let count = &mut self.latest[at].1[usize::from(thinking)];
        *count += 1;
        *count - 1
    }
}
