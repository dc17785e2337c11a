//! A session's console: output with its place in the log, input, size, signals and the end.

use bytes::{BufMut, Bytes, BytesMut};
use serde::{Deserialize, Serialize};

/// Stream number of a terminal's output.
pub const PTY: u8 = 0;
/// Stream number of standard output.
pub const STDOUT: u8 = 1;
/// Stream number of standard error.
pub const STDERR: u8 = 2;

/// Bytes before the payload in a binary frame from the daemon: stream and offset.
const HEADER: usize = 9;

/// What the daemon says first on a console.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsoleHello {
    /// The session's identifier.
    pub session: String,
    /// `interactive` has one stream, `print` has two.
    pub mode: super::Mode,
    /// Offset of the oldest byte still in the log.
    pub offset_start: u64,
    /// Offset after the newest byte in the log.
    pub offset_end: u64,
    /// Whether the agent still runs.
    pub running: bool,
}

/// How the agent ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exit {
    /// The exit code; 128 and the signal where a signal ended it.
    pub code: i32,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// Whether the kernel ended it for want of memory.
    #[serde(default)]
    pub oom: bool,
}

/// Something that a console delivers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConsoleEvent {
    /// Bytes that the agent printed.
    Output {
        /// [`PTY`], [`STDOUT`] or [`STDERR`].
        stream: u8,
        /// Offset in the log to attach from to get exactly what follows these bytes: the offset
        /// *after* them.
        next: u64,
        /// The bytes.
        bytes: Bytes,
    },
    /// The agent ended; the last event.
    Exit(Exit),
    /// The console broke; the last event.
    Error(crate::Error),
}

/// Something that a console takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConsoleInput {
    /// Keystrokes or standard input.
    Bytes(Bytes),
    /// The viewer's size in characters.
    Resize {
        /// Width.
        cols: u16,
        /// Height.
        rows: u16,
    },
    /// A signal for the agent.
    Signal(i32),
}

/// A text frame from the daemon.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ConsoleText {
    /// The first frame.
    Hello(ConsoleHello),
    /// The agent ended; the last frame.
    Exit(Exit),
    /// The console broke, or there is none; the last frame.
    Error(crate::Error),
}

/// A text frame from the viewer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ConsoleClientText {
    /// The viewer's size in characters.
    Resize {
        /// Width.
        cols: u16,
        /// Height.
        rows: u16,
    },
    /// A signal for the agent.
    Signal {
        /// Its number.
        signal: i32,
    },
}

/// Packs output as a binary frame: stream, offset (little endian), bytes.
pub fn encode_output(stream: u8, next: u64, bytes: &[u8]) -> Bytes {
    let mut frame = BytesMut::with_capacity(HEADER + bytes.len());
    frame.put_u8(stream);
    frame.put_u64_le(next);
    frame.put_slice(bytes);
    frame.freeze()
}

/// Unpacks a binary frame; `None` where it is too short to be one.
pub fn decode_output(frame: Bytes) -> Option<ConsoleEvent> {
    let offset = frame.get(1..HEADER)?.try_into().ok()?;
    Some(ConsoleEvent::Output {
        stream: frame[0],
        next: u64::from_le_bytes(offset),
        bytes: frame.slice(HEADER..),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn output_frames_round_trip() {
        let event = decode_output(encode_output(STDERR, 1 << 40, b"hi\xff")).unwrap();
        let bytes = Bytes::from_static(b"hi\xff");
        let next = 1 << 40;
        assert_eq!(
            event,
            ConsoleEvent::Output {
                stream: STDERR,
                next,
                bytes
            }
        );
        assert_eq!(decode_output(Bytes::from_static(b"12345678")), None);
    }
}
