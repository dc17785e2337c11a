//! From bytes of a log to events: a terminal's as they are, two streams cut at their frames.

use std::collections::VecDeque;

use bytes::{Buf as _, Bytes, BytesMut};
use clauderon_holder::Mode;
use clauderon_holder::files::LOG_FRAME_HEADER;

use super::{ConsoleEvent, PTY};

/// Takes bytes of a log in and gives events out.
#[derive(Debug)]
pub(super) struct Frames {
    mode: Mode,
    /// Bytes of a frame that is not whole yet.
    partial: BytesMut,
    /// The log offset after everything that was given out.
    next: u64,
    ready: VecDeque<ConsoleEvent>,
}

impl Frames {
    pub fn new(mode: Mode, offset: u64) -> Self {
        Self {
            mode,
            partial: BytesMut::new(),
            next: offset,
            ready: VecDeque::new(),
        }
    }

    /// Takes bytes that stand in the log at `offset`.
    pub fn push(&mut self, offset: u64, bytes: Bytes) {
        match self.mode {
            Mode::Pty => {
                self.next = offset + bytes.len() as u64;
                self.give(PTY, bytes);
            }
            Mode::Pipes => {
                // A viewer so slow that the log was shortened before it goes on at another frame.
                if self.next + self.partial.len() as u64 != offset {
                    self.partial.clear();
                    self.next = offset;
                }
                self.partial.extend_from_slice(&bytes);
                self.cut();
            }
        }
    }

    /// The log offset after everything that was given out.
    pub fn next(&self) -> u64 {
        self.next
    }

    /// Returns the next event, if a whole one is there.
    pub fn pop(&mut self) -> Option<ConsoleEvent> {
        self.ready.pop_front()
    }

    fn cut(&mut self) {
        while let Some((header, rest)) = self.partial.split_first_chunk::<LOG_FRAME_HEADER>() {
            let length = u32::from_le_bytes([header[1], header[2], header[3], header[4]]) as usize;
            if rest.len() < length {
                return;
            }
            let stream = header[0];
            self.partial.advance(LOG_FRAME_HEADER);
            let bytes = self.partial.split_to(length).freeze();
            self.next += (LOG_FRAME_HEADER + length) as u64;
            self.give(stream, bytes);
        }
    }

    fn give(&mut self, stream: u8, bytes: Bytes) {
        if bytes.is_empty() {
            return;
        }
        let next = self.next;
        self.ready.push_back(ConsoleEvent::Output {
            stream,
            next,
            bytes,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_of_two_streams_come_whole_with_the_offset_after_them() {
        let mut frames = Frames::new(Mode::Pipes, 100);
        let log = [&[1, 2, 0, 0, 0][..], b"ab", &[2, 1, 0, 0, 0], b"c"].concat();
        for (place, byte) in log.iter().enumerate() {
            frames.push(100 + place as u64, Bytes::copy_from_slice(&[*byte]));
        }
        let output = |stream, next, bytes| {
            Some(ConsoleEvent::Output {
                stream,
                next,
                bytes: Bytes::from_static(bytes),
            })
        };
        assert_eq!(frames.pop(), output(1, 107, b"ab"));
        assert_eq!(frames.pop(), output(2, 113, b"c"));
        assert_eq!(frames.pop(), None);
    }
}
