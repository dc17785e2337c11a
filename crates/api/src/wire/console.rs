//! A session's console: output with its place in the log, input, size, signals and the end.
//!
//! A byte's place is its epoch and its offset. Offsets only grow, also over a stop and a start; the epoch changes only
//! where a log was lost and another began. Who attaches with a place gets exactly the rest; who has none, is too far
//! behind or comes from another epoch gets a snapshot: sizes and [`SNAPSHOT`] first, then [`PTY`] frames.

use bytes::{BufMut, Bytes, BytesMut};
use serde::{Deserialize, Serialize};

/// Stream number of a terminal's output.
pub const PTY: u8 = 0;
/// Stream number of standard output.
pub const STDOUT: u8 = 1;
/// Stream number of standard error.
pub const STDERR: u8 = 2;
/// Stream number of a terminal's snapshot: whoever gets one forgets what they show, and draws these bytes.
pub const SNAPSHOT: u8 = 3;

/// Bytes of output that a viewer who says what it has drawn is sent ahead of that.
pub const VIEWER_WINDOW: u64 = 1024 * 1024;

/// Bytes before the payload in a binary frame from the daemon: stream and offset.
const HEADER: usize = 9;

/// What the daemon says first on a console.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct ConsoleHello {
    /// The session's identifier.
    pub session: String,
    /// `interactive` has one stream, `print` has two.
    pub mode: super::Mode,
    /// Offset of the oldest byte still in the log.
    pub offset_start: u64,
    /// Offset after the newest byte in the log.
    pub offset_end: u64,
    /// Which log the offsets are of: a place of another epoch means nothing.
    pub epoch: u64,
    /// Width of the terminal; 0 in a `print` session.
    pub cols: u16,
    /// Height of the terminal; 0 in a `print` session.
    pub rows: u16,
    /// Whether the agent still runs.
    pub running: bool,
}

/// Where a viewer goes on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct ConsoleQuery {
    /// The `next` of the last frame that was drawn; without it a terminal begins with a snapshot and `print` output with
    /// its first byte.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<u64>,
    /// The epoch that `from` is of; without it, the one that is now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epoch: Option<u64>,
}

impl ConsoleQuery {
    /// Asks for what follows the log offset `from`.
    pub fn from_offset(from: u64) -> Self {
        Self {
            from: Some(from),
            epoch: None,
        }
    }

    /// Returns it as part of an address.
    pub(crate) fn to_query(self) -> String {
        let from = self.from.map(|from| format!("from={from}"));
        let epoch = self.epoch.map(|epoch| format!("epoch={epoch}"));
        from.into_iter().chain(epoch).collect::<Vec<_>>().join("&")
    }
}

/// How the agent ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
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
        /// [`PTY`], [`STDOUT`], [`STDERR`] or [`SNAPSHOT`].
        stream: u8,
        /// Offset in the log to attach from to get exactly what follows these bytes: the offset
        /// *after* them. A snapshot's bytes are fewer than those that it stands for.
        next: u64,
        /// The bytes.
        bytes: Bytes,
    },
    /// The terminal has this size from the next byte on.
    Size {
        /// Width.
        cols: u16,
        /// Height.
        rows: u16,
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
    /// How many bytes of output the viewer has drawn since it came. From the first one on, the
    /// viewer is never sent more than [`VIEWER_WINDOW`] bytes beyond the last.
    Parsed(u64),
}

/// A text frame from the daemon.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ConsoleText {
    /// The first frame.
    Hello(ConsoleHello),
    /// The terminal has this size from the next byte on: somebody resized it, or history was printed at another size.
    Size {
        /// Width.
        cols: u16,
        /// Height.
        rows: u16,
    },
    /// The agent ended; the last frame.
    Exit(Exit),
    /// The console broke, or there is none; the last frame.
    Error(crate::Error),
}

/// A text frame from the viewer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
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
    /// What the viewer has drawn; from the first such frame on, output waits for the next ones.
    Parsed {
        /// Bytes of output since the console was opened.
        bytes: u64,
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
