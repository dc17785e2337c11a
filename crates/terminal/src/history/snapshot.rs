//! What a viewer without a place, or too far behind, is shown: a checkpoint with enough history after it, and that history.
//!
//! It is filtered as for a person's own terminal, and questions are left out: the answers would be typed at today's agent.

use std::io;

use bytes::Bytes;
use clauderon_holder::SessionFiles;

use super::checkpoint::{self, Checkpoint};
use super::{History, whole_prefix};
use crate::filter::Filter;

/// History that is enough, in bytes of the log.
pub const ENOUGH_BYTES: u64 = 512 * 1024;
/// History that is enough, in lines that left the screen.
pub const ENOUGH_LINES: u64 = 1_000;
/// Bytes after the newest checkpoint above which those that are due are written first.
const BEHIND: u64 = 256 * 1024;

/// A terminal as it is now, with history above it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// Which log `next` is a place of.
    pub epoch: u64,
    /// Where the log goes on after it.
    pub next: u64,
    /// To be drawn one after the other on an empty terminal; at least one.
    pub parts: Vec<Part>,
}

/// A piece of a snapshot, printed at one size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Columns.
    pub cols: u16,
    /// Rows.
    pub rows: u16,
    /// The log offset that it reaches.
    pub next: u64,
    /// What to draw.
    pub bytes: Bytes,
}

/// Takes a snapshot of a session's terminal, up to the last whole sequence in its log.
///
/// # Errors
/// Fails where there is no log of a terminal.
pub fn take(files: &SessionFiles) -> io::Result<Snapshot> {
    let history = History::open(files)?;
    let newest = checkpoint::all(files, &history).next();
    let newest = newest.map_or(history.start(), |checkpoint| checkpoint.offset);
    if history.end() - newest > BEHIND
        && let Err(error) = super::advance(files)
    {
        tracing::warn!(%error, "the checkpoints of a terminal could not be written");
    }
    let from = choose(files, &history);
    let bytes = history.read(from.offset, history.end())?;
    let (whole, open) = whole_prefix(from.endless, &bytes);
    let next = from.offset + whole as u64;

    let mut filter = Filter::new().without_questions();
    if let Some(endless) = from.endless {
        filter.feed(endless.opening());
    }
    let mut size = (from.cols, from.rows);
    let mut at = from.offset;
    let mut out = from.redraw.into_bytes();
    let mut parts = Vec::new();
    for (changed, piece) in history.pieces(from.offset, &bytes[..whole]) {
        let new = changed.unwrap_or(size);
        if new != size && !out.is_empty() {
            parts.push(part(size, at, std::mem::take(&mut out)));
        }
        size = new;
        filter.push(piece, &mut out);
        at += piece.len() as u64;
    }
    if let Some(endless) = open {
        out.extend_from_slice(endless.opening());
    }
    parts.push(part(size, next, out));
    Ok(Snapshot {
        epoch: history.epoch(),
        next,
        parts,
    })
}

fn part((cols, rows): (u16, u16), next: u64, bytes: Vec<u8>) -> Part {
    Part {
        cols,
        rows,
        next,
        bytes: Bytes::from(bytes),
    }
}

/// Chooses the newest checkpoint that leaves enough history, or the log's beginning.
fn choose(files: &SessionFiles, history: &History) -> Checkpoint {
    let mut lines_now = None;
    checkpoint::all(files, history)
        .find(|checkpoint| {
            let lines_now = *lines_now.get_or_insert(checkpoint.lines);
            history.end() - checkpoint.offset >= ENOUGH_BYTES
                || lines_now - checkpoint.lines.min(lines_now) >= ENOUGH_LINES
        })
        .unwrap_or_else(|| Checkpoint::beginning(history))
}
