//! A viewer of one session's console: the holder while it lives, the files that it left afterwards.
//!
//! Never changes the log. A viewer that goes away changes nothing for the agent or for another viewer.

mod frames;
mod live;
mod past;
mod view;

use std::io;
use std::path::Path;

use bytes::Bytes;
use clauderon_holder::{ExitRecord, Hello, Mode, SessionFiles};

pub use live::ConsoleInput;
pub use view::{Place, View};

/// Stream number of a terminal's output.
pub const PTY: u8 = 0;
/// Stream number of a snapshot: its bytes are drawn on an empty terminal.
pub const SNAPSHOT: u8 = 3;

/// What a console shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConsoleEvent {
    /// Bytes that the agent printed.
    Output {
        /// [`PTY`], [`SNAPSHOT`], or 1 for standard output and 2 for standard error.
        stream: u8,
        /// The log offset after these bytes: to attach from there gives exactly what follows.
        next: u64,
        /// The bytes.
        bytes: Bytes,
    },
    /// The terminal has this size from the next byte on.
    Size {
        /// Columns.
        cols: u16,
        /// Rows.
        rows: u16,
    },
    /// Something that the person should know, one sentence.
    Notice(String),
    /// The engine does not answer: nobody knows how the agent fares; one sentence.
    Away(String),
    /// The agent ended; nothing comes after it.
    Exit(ExitRecord),
}

/// One view of a session's console.
#[derive(Debug)]
pub struct Console {
    files: SessionFiles,
    hello: Hello,
    source: Source,
}

#[derive(Debug)]
enum Source {
    Live(live::Live),
    Past(past::Past),
}

impl Console {
    /// Opens the console of the session in `session_dir`, showing from the log offset `from` on; `u64::MAX` shows only what
    /// is new. An offset that the log no longer has shows from the oldest that it has.
    ///
    /// # Errors
    /// Fails where neither a holder answers nor a log is there.
    pub async fn attach(session_dir: &Path, from: u64) -> io::Result<Self> {
        let mut console = Self::open(session_dir).await?;
        console.show_from(from, false).await?;
        Ok(console)
    }

    /// Opens the console for keeping books, without the agent ever waiting for it: shows from the log offset that `from` gives
    /// for the log's end. Frames of two streams begin where no byte count tells, so of those only what is new is shown.
    ///
    /// # Errors
    /// Fails where neither a holder answers nor a log is there.
    pub async fn follow(session_dir: &Path, from: impl FnOnce(u64) -> u64) -> io::Result<Self> {
        let mut console = Self::open(session_dir).await?;
        let from = match console.is_terminal() {
            false => u64::MAX,
            true => from(console.hello.offset_end),
        };
        console.show_from(from, true).await?;
        Ok(console)
    }

    /// Opens the console without showing anything yet.
    async fn open(session_dir: &Path) -> io::Result<Self> {
        let files = SessionFiles::new(session_dir);
        let (hello, source) = match live::Live::connect(&files).await {
            Ok((hello, live)) => (hello, Source::Live(live)),
            Err(error) if is_absence(&error) => {
                let (hello, past) = past::Past::open(&files)?;
                (hello, Source::Past(past))
            }
            Err(error) => return Err(error),
        };
        Ok(Self {
            files,
            hello,
            source,
        })
    }

    async fn show_from(&mut self, from: u64, follows: bool) -> io::Result<()> {
        if let Source::Live(live) = &mut self.source {
            match live.attach(&self.hello, from, follows).await {
                Err(error) if is_absence(&error) => {
                    let (hello, past) = past::Past::open(&self.files)?;
                    (self.hello, self.source) = (hello, Source::Past(past));
                }
                other => return other,
            }
        }
        match &mut self.source {
            Source::Live(_) => Ok(()),
            Source::Past(past) => past.attach(&self.hello, from),
        }
    }

    /// Returns what the console was when it was opened.
    pub fn hello(&self) -> &Hello {
        &self.hello
    }

    /// Says whether the agent meets a person on a terminal.
    pub fn is_terminal(&self) -> bool {
        self.hello.mode == Mode::Pty
    }

    /// Returns a way to type; none where the agent has ended.
    pub fn input(&mut self) -> Option<ConsoleInput> {
        match &mut self.source {
            Source::Live(live) => Some(live.input()),
            Source::Past(_) => None,
        }
    }

    /// Waits for the next event; `None` after the agent's end, or where the holder went away and left no record of one.
    pub async fn next(&mut self) -> Option<ConsoleEvent> {
        if let Source::Live(live) = &mut self.source {
            if let Some(event) = live.next().await {
                return Some(event);
            }
            // What it had written but not sent is in its files.
            let rest = live.rest()?;
            let (hello, mut past) = past::Past::open(&self.files).ok()?;
            past.attach(&hello, rest).ok()?;
            self.source = Source::Past(past);
        }
        match &mut self.source {
            Source::Live(_) => None,
            Source::Past(past) => past.next(),
        }
    }
}

/// A holder that is gone leaves a socket that refuses, or none.
fn is_absence(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::UnexpectedEof
            | io::ErrorKind::BrokenPipe
    )
}
