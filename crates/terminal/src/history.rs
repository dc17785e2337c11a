//! What a session's folder keeps of its terminal: the raw log, the sizes it was printed at, and checkpoints of the screen
//! beside it. From these a screen is built anew, whether the agent runs or ended long ago.
//!
//! Checkpoints can be lost without harm: they save time, and are written again from the log.

mod checkpoint;
mod keeper;
mod snapshot;

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

use clauderon_holder::{LogFormat, SessionFiles, SizeMark};

use crate::filter::parser::{Endless, Parser, STRING_LIMIT, Sink};
use crate::screen::Screen;

pub use checkpoint::{DENSE, EVERY, SPARSE, advance};
pub use keeper::{Checkpoints, Keeper};
pub use snapshot::{ENOUGH_BYTES, ENOUGH_LINES, Part, Snapshot, take};

/// Columns and rows.
type Size = (u16, u16);

/// The size of a terminal that nobody noted.
const UNKNOWN: Size = (80, 24);

/// A terminal's log as it was when it was opened; what is appended later is not in it.
#[derive(Debug)]
pub struct History {
    log: File,
    start: u64,
    end: u64,
    epoch: u64,
    sizes: Vec<SizeMark>,
}

impl History {
    /// Opens the log of a session.
    ///
    /// # Errors
    /// Fails where there is none, or where it holds two streams rather than a terminal's.
    pub fn open(files: &SessionFiles) -> io::Result<Self> {
        let (log, index, start) = files.open_log_of()?;
        if index.format != LogFormat::Raw {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let end = start + log.metadata()?.len();
        Ok(Self {
            log,
            start,
            end,
            epoch: index.epoch,
            sizes: files.read_sizes()?,
        })
    }

    /// Returns the offset of the oldest byte.
    pub fn start(&self) -> u64 {
        self.start
    }

    /// Returns the offset after the newest byte.
    pub fn end(&self) -> u64 {
        self.end
    }

    /// Returns which log the offsets are of.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Returns the size that held at an offset, columns and rows; none where nobody noted it.
    pub fn size_at(&self, offset: u64) -> Option<Size> {
        let next = self.sizes.partition_point(|mark| mark.offset <= offset);
        let mark = self.sizes.get(next.checked_sub(1)?)?;
        Some((mark.cols, mark.rows))
    }

    /// Reads the bytes between two offsets.
    pub fn read(&self, from: u64, to: u64) -> io::Result<Vec<u8>> {
        let (from, to) = (from.max(self.start), to.min(self.end));
        let length = usize::try_from(to.saturating_sub(from)).map_err(io::Error::other)?;
        let mut bytes = vec![0; length];
        self.log.read_exact_at(&mut bytes, from - self.start)?;
        Ok(bytes)
    }

    /// Cuts bytes that begin at `from` where the size changes: each piece with the size that holds for it.
    fn pieces<'a>(&self, from: u64, bytes: &'a [u8]) -> Vec<(Option<Size>, &'a [u8])> {
        let end = from + bytes.len() as u64;
        let mut pieces = Vec::new();
        let mut at = from;
        let mut rest = bytes;
        for mark in self
            .sizes
            .iter()
            .filter(|mark| mark.offset > from && mark.offset < end)
        {
            let (piece, after) = rest.split_at((mark.offset - at) as usize);
            pieces.push((self.size_at(at), piece));
            (at, rest) = (mark.offset, after);
        }
        pieces.push((self.size_at(at), rest));
        pieces
    }

    /// Draws bytes that begin at `from`.
    fn draw(&self, screen: &mut Screen, from: u64, bytes: &[u8]) {
        for (size, piece) in self.pieces(from, bytes) {
            if let Some((cols, rows)) = size {
                screen.resize(cols, rows);
            }
            screen.push(piece);
        }
    }
}

/// Says how many of `bytes` are whole sequences and characters, and what is open after them. A sequence too long to be held
/// back counts as come, and its kind is told.
fn whole_prefix(before: Option<Endless>, bytes: &[u8]) -> (usize, Option<Endless>) {
    struct Nowhere;
    impl Sink for Nowhere {}
    let mut parser = Parser::default();
    if let Some(endless) = before {
        parser.push(endless.opening(), &mut Nowhere);
    }
    parser.push(bytes, &mut Nowhere);
    match parser.open() {
        open if open <= STRING_LIMIT && open <= bytes.len() => (bytes.len() - open, None),
        _ => (bytes.len(), parser.endless()),
    }
}
