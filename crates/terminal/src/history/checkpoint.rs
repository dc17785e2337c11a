//! The screen as it was at some offsets of the log, so that nobody has to draw the whole log again.

use std::fs;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};

use clauderon_holder::SessionFiles;
use serde::{Deserialize, Serialize};

use super::{ENOUGH_BYTES, History, UNKNOWN, whole_prefix};
use crate::filter::parser::Endless;
use crate::screen::Screen;

/// Bytes of the log between two checkpoints, but where a sequence that is held back is longer.
pub const EVERY: u64 = 32 * 1024;
/// How far back every checkpoint is kept: a snapshot begins with one of these.
pub const DENSE: u64 = 2 * ENOUGH_BYTES;
/// And how many bytes apart the older ones are, for where the log is shortened.
pub const SPARSE: u64 = 4 * 1024 * 1024;
/// The form of the files; others are written anew.
const VERSION: u32 = 1;

/// A screen at an offset of the log.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Checkpoint {
    version: u32,
    epoch: u64,
    /// What stands in the log before here is drawn.
    pub offset: u64,
    pub cols: u16,
    pub rows: u16,
    /// Lines that had left the screen at the top.
    pub lines: u64,
    /// A sequence that began before here and had no end in sight.
    pub endless: Option<Endless>,
    /// What draws it on an empty terminal of its size.
    pub redraw: String,
}

impl Checkpoint {
    /// Returns the beginning of the log, where nothing is drawn yet.
    pub fn beginning(history: &History) -> Self {
        let (cols, rows) = history.size_at(history.start()).unwrap_or(UNKNOWN);
        Self {
            version: VERSION,
            epoch: history.epoch(),
            offset: history.start(),
            cols,
            rows,
            lines: 0,
            endless: None,
            redraw: String::new(),
        }
    }

    fn of(
        history: &History,
        screen: &Screen,
        offset: u64,
        endless: Option<Endless>,
        lines: u64,
    ) -> Self {
        let (cols, rows) = screen.size();
        Self {
            version: VERSION,
            epoch: history.epoch(),
            offset,
            cols,
            rows,
            lines,
            endless,
            redraw: String::from_utf8_lossy(&screen.redraw()).into_owned(),
        }
    }

    /// Returns its screen.
    pub fn screen(&self) -> Screen {
        let mut screen = Screen::new(self.cols, self.rows);
        screen.push(self.redraw.as_bytes());
        if let Some(endless) = self.endless {
            screen.push(endless.opening());
        }
        screen
    }
}

/// Writes the checkpoints that are due up to the log's end, and removes those that nobody needs any more.
///
/// # Errors
/// Fails where the log cannot be read or nothing can be written; the next call begins where this one ended.
pub fn advance(files: &SessionFiles) -> io::Result<()> {
    let history = History::open(files)?;
    let newest = all(files, &history).next();
    let newest = newest.unwrap_or_else(|| Checkpoint::beginning(&history));
    if history.end() < newest.offset + EVERY {
        return Ok(());
    }
    let mut screen = newest.screen();
    let drawn = screen.scrolled();
    let (mut at, mut endless) = (newest.offset, newest.endless);
    let mut last_kept = newest.offset;
    while let Some((bytes, open)) = step(&history, at, endless)? {
        history.draw(&mut screen, at, &bytes);
        (at, endless) = (at + bytes.len() as u64, open);
        if at + DENSE >= history.end() || at >= last_kept + SPARSE {
            let lines = newest.lines + screen.scrolled() - drawn;
            write(
                files,
                &Checkpoint::of(&history, &screen, at, endless, lines),
            )?;
            last_kept = at;
        }
    }
    prune(files, &history)
}

/// Reads up to the next checkpoint: whole sequences, and what is open after them; none where the log does not reach it yet.
fn step(
    history: &History,
    at: u64,
    endless: Option<Endless>,
) -> io::Result<Option<(Vec<u8>, Option<Endless>)>> {
    let mut to = at + EVERY;
    while to <= history.end() {
        let mut bytes = history.read(at, to)?;
        let (whole, open) = whole_prefix(endless, &bytes);
        if whole > 0 {
            bytes.truncate(whole);
            return Ok(Some((bytes, open)));
        }
        // All of it is the beginning of one sequence.
        to += EVERY;
    }
    Ok(None)
}

/// Reads the checkpoints of this log, the newest first.
pub(super) fn all(files: &SessionFiles, history: &History) -> impl Iterator<Item = Checkpoint> {
    let (start, end, epoch) = (history.start(), history.end(), history.epoch());
    let mut offsets = files.checkpoint_offsets().unwrap_or_default();
    offsets.retain(|offset| (start..=end).contains(offset));
    let folder = files.checkpoints();
    offsets.into_iter().rev().filter_map(move |offset| {
        let bytes = fs::read(folder.join(offset.to_string())).ok()?;
        let checkpoint: Checkpoint = serde_json::from_slice(&bytes).ok()?;
        let fits = checkpoint.version == VERSION
            && checkpoint.epoch == epoch
            && checkpoint.offset == offset;
        fits.then_some(checkpoint)
    })
}

fn write(files: &SessionFiles, checkpoint: &Checkpoint) -> io::Result<()> {
    static WRITERS: AtomicU64 = AtomicU64::new(0);
    let folder = files.checkpoints();
    match fs::create_dir(&folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    let writer = WRITERS.fetch_add(1, Ordering::Relaxed);
    let new = folder.join(format!("{}.{writer}.new", checkpoint.offset));
    let written = fs::write(&new, serde_json::to_vec(checkpoint)?)
        .and_then(|()| fs::rename(&new, folder.join(checkpoint.offset.to_string())));
    if written.is_err() {
        let _ = fs::remove_file(new);
    }
    written
}

/// Keeps what a snapshot begins with, and older ones far apart, for where the log is shortened.
fn prune(files: &SessionFiles, history: &History) -> io::Result<()> {
    let mut last_kept = None;
    for offset in files.checkpoint_offsets()? {
        let recent = offset + DENSE >= history.end();
        let apart = last_kept.is_none_or(|kept| offset >= kept + SPARSE);
        let known = (history.start()..=history.end()).contains(&offset);
        if known && (recent || apart) {
            last_kept = Some(offset);
        } else {
            fs::remove_file(files.checkpoints().join(offset.to_string()))?;
        }
    }
    Ok(())
}
