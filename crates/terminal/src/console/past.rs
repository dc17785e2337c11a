//! A console whose holder is gone: its log and the record of the agent's end.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};

use bytes::Bytes;
use clauderon_holder::{ExitRecord, Hello, LogFormat, Mode, SessionFiles};

use super::ConsoleEvent;
use super::frames::Frames;

/// Bytes read from the log at a time.
const READ: usize = 64 * 1024;

/// A log that nobody writes any more.
#[derive(Debug)]
pub(super) struct Past {
    log: File,
    offset: u64,
    frames: Frames,
    exit: Option<ExitRecord>,
}

impl Past {
    /// Opens the log; nothing is shown before [`Self::attach`].
    pub fn open(files: &SessionFiles) -> io::Result<(Hello, Self)> {
        let (log, start, format) = files.open_log()?;
        let end = start + log.metadata()?.len();
        let mode = match format {
            LogFormat::Raw => Mode::Pty,
            LogFormat::Frames => Mode::Pipes,
        };
        let hello = Hello {
            mode,
            offset_start: start,
            offset_end: end,
            running: false,
            pid: 0,
        };
        Ok((
            hello,
            Self {
                log,
                offset: end,
                frames: Frames::new(mode, end),
                exit: files.read_exit()?,
            },
        ))
    }

    /// Goes to the place from which the log is shown.
    pub fn attach(&mut self, hello: &Hello, from: u64) -> io::Result<()> {
        self.offset = from.clamp(hello.offset_start, hello.offset_end);
        self.frames = Frames::new(hello.mode, self.offset);
        let place = self.offset - hello.offset_start;
        self.log.seek(SeekFrom::Start(place)).map(drop)
    }

    pub fn next(&mut self) -> Option<ConsoleEvent> {
        loop {
            if let Some(event) = self.frames.pop() {
                return Some(event);
            }
            let mut bytes = vec![0; READ];
            match self.log.read(&mut bytes) {
                Ok(0) | Err(_) => return self.exit.take().map(ConsoleEvent::Exit),
                Ok(count) => {
                    bytes.truncate(count);
                    self.frames.push(self.offset, Bytes::from(bytes));
                    self.offset += count as u64;
                }
            }
        }
    }
}
