//! One connection to the holder: its own place in the log, its own pace.

use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use clauderon_holder::wire::{LIVE_END, encode_output};
use clauderon_holder::{Command, ExitRecord, FrameBuffer, Report, WireError};

use crate::log::Log;
use crate::sys::PollSet;

/// Unsent bytes above which nothing more is taken from, or made for, this viewer.
const ROOM: usize = 256 * 1024;
/// Pieces of the log sent in one go before others have their turn.
const TURN: usize = 8;
/// A viewer that took nothing for this long has stopped looking, and holds nobody up.
const STALLED: Duration = Duration::from_secs(2);
/// How long one that came just before the end may take to say what it wants.
pub const FIRST_WORD: Duration = Duration::from_millis(500);

pub struct Viewer {
    pub id: u64,
    stream: UnixStream,
    frames: FrameBuffer,
    out: Vec<u8>,
    sent: usize,
    place: Option<u64>,
    told_exit: bool,
    /// A command waits until the agent takes input.
    blocked: bool,
    last_progress: Instant,
    came: Instant,
    gone: bool,
}

impl Viewer {
    pub fn new(id: u64, stream: UnixStream, hello: Report, now: Instant) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        let mut out = Vec::new();
        hello.encode(&mut out);
        Ok(Self {
            id,
            stream,
            frames: FrameBuffer::default(),
            out,
            sent: 0,
            place: None,
            told_exit: false,
            blocked: false,
            last_progress: now,
            came: now,
            gone: false,
        })
    }

    pub fn is_gone(&self) -> bool {
        self.gone
    }

    pub fn has_room(&self) -> bool {
        self.out.len() - self.sent < ROOM
    }

    /// Whether it still has output, or word of the end, to get.
    pub fn is_owed(&self, now: Instant) -> bool {
        let owed = match self.place {
            Some(_) => !self.told_exit,
            None => now.saturating_duration_since(self.came) < FIRST_WORD,
        };
        !self.gone && (owed || !self.out.is_empty())
    }

    /// How far it is behind, `None` where it does not look or has stopped looking.
    pub fn lag(&self, log: &Log, now: Instant) -> Option<u64> {
        let lag = log.end().saturating_sub(self.place?);
        (lag == 0 || now.saturating_duration_since(self.last_progress) < STALLED).then_some(lag)
    }

    pub fn attach(&mut self, from: u64, log: &Log, now: Instant) {
        let place = if from == LIVE_END { log.end() } else { from };
        self.place = Some(place.clamp(log.start(), log.end()));
        self.told_exit = false;
        self.last_progress = now;
    }

    pub fn tell(&mut self, report: &Report) {
        report.encode(&mut self.out);
    }

    pub fn block(&mut self, blocked: bool) {
        self.blocked = blocked;
    }

    pub fn watch(&self, log: &Log, ended: bool, set: &mut PollSet) {
        let behind = self
            .place
            .is_some_and(|place| place < log.end() || (ended && !self.told_exit));
        let output = if behind || !self.out.is_empty() {
            libc::POLLOUT
        } else {
            0
        };
        let input = if self.blocked || !self.has_room() {
            0
        } else {
            libc::POLLIN
        };
        if output | input != 0 {
            set.add(self.fd(), output | input);
        }
    }

    pub fn fd(&self) -> RawFd {
        self.stream.as_raw_fd()
    }

    /// Takes what it sent; whole commands come from [`Self::peek`].
    pub fn receive(&mut self, scratch: &mut [u8]) {
        match (&self.stream).read(scratch) {
            Ok(0) => self.gone = true,
            Ok(count) => self.frames.push(&scratch[..count]),
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
                ) => {}
            Err(_) => self.gone = true,
        }
    }

    /// The next whole command.
    pub fn peek(&self) -> Result<Option<Command>, WireError> {
        match self.frames.peek()? {
            Some((kind, payload)) => Command::decode(kind, payload).map(Some),
            None => Ok(None),
        }
    }

    /// Drops the command that [`Self::peek`] showed.
    pub fn consume(&mut self) {
        self.frames.consume();
    }

    /// One that does not speak the protocol is let go.
    pub fn dismiss(&mut self) {
        self.gone = true;
    }

    /// Sends what it is owed, as far as it takes it.
    pub fn send(&mut self, log: &Log, exit: Option<&ExitRecord>, now: Instant, scratch: &mut [u8]) {
        for _ in 0..TURN {
            if !self.flush(now) {
                return;
            }
            let Some(place) = self.place else { return };
            // A rotation may have taken what it had not seen.
            let place = place.max(log.start());
            match log.read_at(place, scratch) {
                Ok(0) => {
                    if let (Some(record), false) = (exit, self.told_exit) {
                        self.told_exit = true;
                        self.tell(&Report::Exit(record.clone()));
                        continue;
                    }
                    return;
                }
                Ok(count) => {
                    encode_output(&mut self.out, place, &scratch[..count]);
                    self.place = Some(place + count as u64);
                }
                Err(error) => {
                    crate::sys::note(&format!("the log cannot be read: {error}"));
                    self.gone = true;
                    return;
                }
            }
        }
    }

    /// True when nothing is left unsent.
    fn flush(&mut self, now: Instant) -> bool {
        while self.sent < self.out.len() {
            match (&self.stream).write(&self.out[self.sent..]) {
                Ok(count) => {
                    self.sent += count;
                    self.last_progress = now;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return false,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => {
                    self.gone = true;
                    return false;
                }
            }
        }
        self.out = Vec::new();
        self.sent = 0;
        self.last_progress = now;
        true
    }
}
