//! One connection to the holder: its own place in the log, its own pace.

use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use clauderon_holder::wire::{LIVE_END, encode_output};
use clauderon_holder::{Command, ExitRecord, FrameBuffer, Report, SizeMark, WireError};

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
    /// Keeps books: the agent never waits for it.
    follows: bool,
    /// The size that it was told last.
    told_size: Option<SizeMark>,
    told_exit: bool,
    /// A command waits until the agent takes input.
    blocked: bool,
    last_progress: Instant,
    came: Instant,
    /// It takes no more output; what it sent before it left is still to be read.
    deaf: bool,
    /// It sends no more.
    mute: bool,
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
            follows: false,
            told_size: None,
            told_exit: false,
            blocked: false,
            last_progress: now,
            came: now,
            deaf: false,
            mute: false,
        })
    }

    /// Whether nothing is left to do for it: what it sent before it left has been obeyed.
    pub fn is_gone(&self) -> bool {
        self.mute && !self.blocked
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
        !self.mute && !self.deaf && (owed || !self.out.is_empty())
    }

    /// How far it is behind, `None` where it does not look or has stopped looking.
    pub fn lag(&self, log: &Log, now: Instant) -> Option<u64> {
        if self.follows {
            return None;
        }
        let lag = log.end().saturating_sub(self.place?);
        (lag == 0 || now.saturating_duration_since(self.last_progress) < STALLED).then_some(lag)
    }

    pub fn attach(&mut self, from: u64, follows: bool, log: &Log, now: Instant) {
        if self.deaf {
            return;
        }
        let place = if from == LIVE_END { log.end() } else { from };
        self.place = Some(place.clamp(log.start(), log.end()));
        self.follows = follows;
        self.told_size = None;
        self.told_exit = false;
        self.last_progress = now;
    }

    pub fn tell(&mut self, report: &Report) {
        if !self.deaf {
            report.encode(&mut self.out);
        }
    }

    pub fn block(&mut self, blocked: bool) {
        self.blocked = blocked;
    }

    pub fn watch(&self, log: &Log, ended: bool, set: &mut PollSet) {
        if self.mute {
            return;
        }
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
            Ok(0) => self.mute = true,
            Ok(count) => self.frames.push(&scratch[..count]),
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
                ) => {}
            Err(_) => self.mute = true,
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
        self.mute = true;
    }

    /// Sends it nothing more.
    fn give_up(&mut self) {
        self.deaf = true;
        self.place = None;
        self.out = Vec::new();
        self.sent = 0;
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
            let until = self.tell_size(place, log);
            let room = scratch
                .len()
                .min(usize::try_from(until - place).unwrap_or(usize::MAX));
            match log.read_at(place, &mut scratch[..room]) {
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
                    self.mute = true;
                    return;
                }
            }
        }
    }

    /// Tells it the size that holds at `place`, unless it knows; returns the offset up to which that size holds.
    fn tell_size(&mut self, place: u64, log: &Log) -> u64 {
        let sizes = log.sizes();
        let next = sizes.partition_point(|mark| mark.offset <= place);
        if let Some(size) = next.checked_sub(1).map(|now| sizes[now])
            && self.told_size != Some(size)
        {
            self.told_size = Some(size);
            let (cols, rows) = (size.cols, size.rows);
            self.tell(&Report::Size { cols, rows });
        }
        sizes.get(next).map_or(u64::MAX, |mark| mark.offset)
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
                    self.give_up();
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use clauderon_holder::{Hello, LogFormat, Mode, SessionFiles};

    use super::*;

    #[test]
    fn what_was_typed_before_it_left_is_obeyed_after_a_broken_write() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("private")).unwrap();
        let files = SessionFiles::new(dir.path());
        let log = Log::open(&files, LogFormat::Raw, 1024 * 1024).unwrap();
        let hello = Hello {
            mode: Mode::Pty,
            offset_start: 0,
            offset_end: 0,
            running: true,
            pid: 1,
        };
        let (mut person, ours) = UnixStream::pair().unwrap();
        let now = Instant::now();
        let mut viewer = Viewer::new(1, ours, Report::Hello(hello), now).unwrap();
        let typed = Command::Input(b"\x1b".to_vec());
        let mut frame = Vec::new();
        typed.encode(&mut frame);
        person.write_all(&frame).unwrap();
        drop(person);

        let mut scratch = [0; 1024];
        viewer.send(&log, None, now, &mut scratch);
        assert!(!viewer.is_gone(), "it has not been heard yet");
        viewer.receive(&mut scratch);
        assert_eq!(viewer.peek().unwrap(), Some(typed));
        viewer.block(true);
        viewer.receive(&mut scratch);
        assert!(!viewer.is_gone(), "the agent has not taken it yet");
        viewer.consume();
        viewer.block(false);
        assert!(viewer.is_gone());
    }
}
