//! A viewer of one session's console: the holder while it lives, the files that it left afterwards.
//!
//! Never changes the log. A viewer that goes away changes nothing for the agent or for another viewer.

mod frames;
mod live;
mod past;

use std::io;
use std::path::Path;

use bytes::Bytes;
use clauderon_holder::{ExitRecord, Hello, Mode, SessionFiles};

pub use live::ConsoleInput;

/// Stream number of a terminal's output.
pub const PTY: u8 = 0;

/// What a console shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConsoleEvent {
    /// Bytes that the agent printed.
    Output {
        /// [`PTY`], or 1 for standard output and 2 for standard error.
        stream: u8,
        /// The log offset after these bytes: to attach from there gives exactly what follows.
        next: u64,
        /// The bytes.
        bytes: Bytes,
    },
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
        let files = SessionFiles::new(session_dir);
        match live::Live::connect(&files, from).await {
            Ok((hello, live)) => Ok(Self {
                files,
                hello,
                source: Source::Live(live),
            }),
            Err(error) if is_absence(&error) => {
                let (hello, past) = past::Past::open(&files, from)?;
                Ok(Self {
                    files,
                    hello,
                    source: Source::Past(past),
                })
            }
            Err(error) => Err(error),
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
            Source::Live(live) => live.input(),
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
            let (_, past) = past::Past::open(&self.files, rest).ok()?;
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
