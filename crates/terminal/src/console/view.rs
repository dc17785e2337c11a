//! One viewer of a terminal: exactly the rest from its place where that is near, else a snapshot; and a snapshot again
//! whenever it falls too far behind. Nobody waits for it but itself.

use std::collections::VecDeque;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use bytes::Bytes;
use clauderon_holder::{Hello, Mode};

use super::{Console, ConsoleEvent, ConsoleInput, PTY, SNAPSHOT};
use crate::history::{self, History, Snapshot};

/// How far behind a viewer may be, in bytes of the log, and still get every one of them.
const FARTHEST: u64 = 2 * 1024 * 1024;

/// Where a viewer goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The offset after the last byte that it has.
    pub offset: u64,
    /// The log that the offset is of; none for whichever it is.
    pub epoch: Option<u64>,
}

/// A console as one viewer sees it.
#[derive(Debug)]
pub struct View {
    console: Console,
    epoch: u64,
    size: (u16, u16),
    /// Parts of a snapshot that were not shown yet.
    waiting: VecDeque<ConsoleEvent>,
    /// Bytes before here are in a snapshot.
    shown: u64,
    log: LogEnd,
}

impl View {
    /// Opens the console of the session in `session_dir`.
    ///
    /// # Errors
    /// Fails where neither a holder answers nor a log is there.
    pub async fn open(session_dir: &Path, place: Option<Place>) -> io::Result<Self> {
        let console = Console::open(session_dir).await?;
        let log = LogEnd::default();
        let mut view = Self {
            console,
            epoch: 0,
            size: (0, 0),
            waiting: VecDeque::new(),
            shown: 0,
            log,
        };
        match view.console.hello.mode {
            Mode::Pty => view.begin_terminal(place).await?,
            Mode::Pipes => {
                view.epoch = view.console.files.read_log_index()?.epoch;
                let from = place.filter(|place| view.is_of_this_log(*place));
                let from = from.map_or(0, |place| place.offset);
                view.console.show_from(from, false).await?;
            }
        }
        Ok(view)
    }

    /// Returns what the console was when it was opened.
    pub fn hello(&self) -> &Hello {
        self.console.hello()
    }

    /// Returns which log the offsets are of.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Returns the terminal's size when it was opened, columns and rows; zeros where there is no terminal.
    pub fn size(&self) -> (u16, u16) {
        self.size
    }

    /// Returns a way to type; none where the agent has ended.
    pub fn input(&mut self) -> Option<ConsoleInput> {
        self.console.input()
    }

    /// Waits for the next event; `None` after the agent's end, or where the holder went away and left no record of one.
    pub async fn next(&mut self) -> Option<ConsoleEvent> {
        loop {
            if let Some(event) = self.waiting.pop_front() {
                return Some(event);
            }
            match self.console.next().await? {
                ConsoleEvent::Output {
                    stream: PTY,
                    next,
                    bytes,
                } => {
                    if let Some(event) = self.show(next, bytes).await {
                        return Some(event);
                    }
                }
                other => return Some(other),
            }
        }
    }

    async fn begin_terminal(&mut self, place: Option<Place>) -> io::Result<()> {
        let history = History::open(&self.console.files)?;
        self.epoch = history.epoch();
        self.size = history.size_at(history.end()).unwrap_or((80, 24));
        let reach = history.end().saturating_sub(FARTHEST).max(history.start());
        let near = place.filter(|place| {
            self.is_of_this_log(*place) && (reach..=history.end()).contains(&place.offset)
        });
        let from = match near {
            Some(place) => place.offset,
            None => self.resnap().await?,
        };
        self.console.show_from(from, false).await
    }

    fn is_of_this_log(&self, place: Place) -> bool {
        place.epoch.is_none_or(|epoch| epoch == self.epoch)
    }

    /// Shows output, unless it is in the snapshot already or there is so much after it that a snapshot is better.
    async fn show(&mut self, next: u64, bytes: Bytes) -> Option<ConsoleEvent> {
        if next <= self.shown {
            return None;
        }
        let known = self.shown.saturating_sub(next - bytes.len() as u64);
        let bytes = bytes.slice(usize::try_from(known).unwrap_or(0)..);
        let behind = self.log.end(&self.console).saturating_sub(next);
        if behind > FARTHEST && self.resnap().await.is_ok() {
            return None;
        }
        Some(ConsoleEvent::Output {
            stream: PTY,
            next,
            bytes,
        })
    }

    /// Takes a snapshot to be shown next, and returns where the log goes on after it.
    async fn resnap(&mut self) -> io::Result<u64> {
        let files = self.console.files.clone();
        let snapshot = tokio::task::spawn_blocking(move || history::take(&files))
            .await
            .map_err(io::Error::other)??;
        let next = snapshot.next;
        self.shown = next;
        self.waiting = events(snapshot);
        Ok(next)
    }
}

/// The first part makes a viewer forget what it shows, and the others go on from there.
fn events(snapshot: Snapshot) -> VecDeque<ConsoleEvent> {
    let mut events = VecDeque::new();
    for (index, part) in snapshot.parts.into_iter().enumerate() {
        let (cols, rows) = (part.cols, part.rows);
        events.push_back(ConsoleEvent::Size { cols, rows });
        events.push_back(ConsoleEvent::Output {
            stream: if index == 0 { SNAPSHOT } else { PTY },
            next: part.next,
            bytes: part.bytes,
        });
    }
    events
}

/// Where the log ends now, looked up without reading it.
#[derive(Debug, Default)]
struct LogEnd {
    file: Option<(u64, u64)>,
}

impl LogEnd {
    /// Returns the offset after the newest byte; 0 where nobody knows.
    fn end(&mut self, console: &Console) -> u64 {
        let Ok(metadata) = fs::metadata(console.files.log()) else {
            return 0;
        };
        let start = match self.file {
            Some((inode, start)) if inode == metadata.ino() => start,
            _ => {
                let Ok(index) = console.files.read_log_index() else {
                    return 0;
                };
                let start = index.start_of(metadata.ino());
                self.file = Some((metadata.ino(), start));
                start
            }
        };
        start + metadata.len()
    }
}
