//! The frames on a holder's socket: `[type u8][length u32 LE][payload]` both ways.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::files::ExitRecord;
use crate::spec::Mode;

/// The longest payload either side accepts.
pub const MAX_PAYLOAD: usize = 1024 * 1024;
/// Attaching from here means: only what comes from now on.
pub const LIVE_END: u64 = u64::MAX;

const HEADER: usize = 5;

/// What a client asks of a holder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Send output from this log offset on, [`LIVE_END`] for new output alone.
    Attach {
        /// The first offset wanted.
        from: u64,
    },
    /// As [`Command::Attach`], for one who keeps books rather than looks: the agent never waits for it.
    Follow {
        /// The first offset wanted.
        from: u64,
    },
    /// Bytes for the agent's input.
    Input(Vec<u8>),
    /// The terminal's new size.
    Resize {
        /// Columns.
        cols: u16,
        /// Rows.
        rows: u16,
    },
    /// A signal for the agent's process group.
    Signal(i32),
    /// SIGTERM now, SIGKILL after the grace.
    Stop {
        /// Milliseconds between the two.
        grace_ms: u32,
    },
    /// End of the agent's input (pipes mode).
    CloseStdin,
    /// Run something beside the agent (bubblewrap); the answer comes on this connection, one at a time.
    Exec(ExecRequest),
}

/// A program to run inside, beside the agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExecRequest {
    /// Program and arguments.
    pub argv: Vec<String>,
    /// Its whole environment; `None` for the agent's own.
    #[serde(default)]
    pub env: Option<BTreeMap<String, String>>,
    /// Its folder; `None` for the agent's own.
    #[serde(default)]
    pub cwd: Option<String>,
}

/// What a holder tells a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Report {
    /// Sent at once on connect.
    Hello(Hello),
    /// Bytes of the log.
    Output {
        /// The log offset of the first byte.
        offset: u64,
        /// The bytes: raw in pty mode, pieces of log frames in pipes mode.
        bytes: Vec<u8>,
    },
    /// The agent ended; all its output was sent before.
    Exit(ExitRecord),
    /// Output of an [`Command::Exec`].
    ExecOutput {
        /// 1 standard output, 2 standard error.
        stream: u8,
        /// The bytes.
        bytes: Vec<u8>,
    },
    /// End of an [`Command::Exec`].
    ExecExit(i32),
    /// A command that could not be done, one sentence.
    Error(String),
    /// The terminal has this size from the next byte on.
    Size {
        /// Columns.
        cols: u16,
        /// Rows.
        rows: u16,
    },
    /// Something the person should know, one sentence.
    Notice(String),
    /// The engine does not answer, so nobody knows how the agent fares; one sentence. Said again to whoever connects meanwhile.
    Away(String),
}

/// The state of a holder when a client connects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// Terminal or pipes.
    pub mode: Mode,
    /// The oldest offset the log still has.
    pub offset_start: u64,
    /// The offset the next byte will get.
    pub offset_end: u64,
    /// Whether the agent still runs.
    pub running: bool,
    /// The holder's own process id.
    pub pid: u32,
}

/// A frame that no peer of this version sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WireError {
    /// A payload longer than [`MAX_PAYLOAD`].
    TooLong(usize),
    /// An unknown type, or a payload that does not fit it.
    Malformed(u8),
}

impl std::fmt::Display for WireError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::TooLong(length) => write!(f, "a frame of {length} bytes is too long"),
            Self::Malformed(kind) => write!(f, "a frame of type {kind} is malformed"),
        }
    }
}

impl std::error::Error for WireError {}

impl Command {
    /// Appends the frame to `out`. Input must not be longer than [`MAX_PAYLOAD`].
    pub fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Attach { from } => frame(out, 1, &[&from.to_le_bytes()]),
            Self::Input(bytes) => frame(out, 2, &[bytes]),
            Self::Resize { cols, rows } => {
                frame(out, 3, &[&cols.to_le_bytes(), &rows.to_le_bytes()])
            }
            Self::Signal(signal) => frame(out, 4, &[&signal.to_le_bytes()]),
            Self::Stop { grace_ms } => frame(out, 5, &[&grace_ms.to_le_bytes()]),
            Self::CloseStdin => frame(out, 6, &[]),
            Self::Exec(request) => frame(out, 7, &[&json(request)]),
            Self::Follow { from } => frame(out, 8, &[&from.to_le_bytes()]),
        }
    }

    /// Reads one frame's payload.
    pub fn decode(kind: u8, payload: &[u8]) -> Result<Self, WireError> {
        let command = match kind {
            1 => array(payload).map(|bytes| Self::Attach {
                from: u64::from_le_bytes(bytes),
            }),
            2 => Some(Self::Input(payload.to_vec())),
            3 => array(payload).map(|[c0, c1, r0, r1]| Self::Resize {
                cols: u16::from_le_bytes([c0, c1]),
                rows: u16::from_le_bytes([r0, r1]),
            }),
            4 => array(payload).map(|bytes| Self::Signal(i32::from_le_bytes(bytes))),
            5 => array(payload).map(|bytes| Self::Stop {
                grace_ms: u32::from_le_bytes(bytes),
            }),
            6 => Some(Self::CloseStdin),
            7 => serde_json::from_slice(payload).ok().map(Self::Exec),
            8 => array(payload).map(|bytes| Self::Follow {
                from: u64::from_le_bytes(bytes),
            }),
            _ => None,
        };
        command.ok_or(WireError::Malformed(kind))
    }
}

impl Report {
    /// Appends the frame to `out`.
    pub fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Hello(hello) => frame(out, 16, &[&json(hello)]),
            Self::Output { offset, bytes } => encode_output(out, *offset, bytes),
            Self::Exit(record) => frame(out, 18, &[&json(record)]),
            Self::ExecOutput { stream, bytes } => frame(out, 19, &[&[*stream], bytes]),
            Self::ExecExit(code) => frame(out, 20, &[&code.to_le_bytes()]),
            Self::Error(text) => frame(out, 21, &[text.as_bytes()]),
            Self::Size { cols, rows } => {
                frame(out, 22, &[&cols.to_le_bytes(), &rows.to_le_bytes()])
            }
            Self::Notice(text) => frame(out, 23, &[text.as_bytes()]),
            Self::Away(text) => frame(out, 24, &[text.as_bytes()]),
        }
    }

    /// Reads one frame's payload.
    pub fn decode(kind: u8, payload: &[u8]) -> Result<Self, WireError> {
        let report = match kind {
            16 => serde_json::from_slice(payload).ok().map(Self::Hello),
            17 => payload
                .split_first_chunk()
                .map(|(offset, bytes)| Self::Output {
                    offset: u64::from_le_bytes(*offset),
                    bytes: bytes.to_vec(),
                }),
            18 => serde_json::from_slice(payload).ok().map(Self::Exit),
            19 => payload
                .split_first()
                .map(|(stream, bytes)| Self::ExecOutput {
                    stream: *stream,
                    bytes: bytes.to_vec(),
                }),
            20 => array(payload).map(|bytes| Self::ExecExit(i32::from_le_bytes(bytes))),
            21 => Some(Self::Error(String::from_utf8_lossy(payload).into_owned())),
            22 => array(payload).map(|[c0, c1, r0, r1]| Self::Size {
                cols: u16::from_le_bytes([c0, c1]),
                rows: u16::from_le_bytes([r0, r1]),
            }),
            23 => Some(Self::Notice(String::from_utf8_lossy(payload).into_owned())),
            24 => Some(Self::Away(String::from_utf8_lossy(payload).into_owned())),
            _ => None,
        };
        report.ok_or(WireError::Malformed(kind))
    }
}

/// Appends an output frame without an intermediate copy of its bytes.
pub fn encode_output(out: &mut Vec<u8>, offset: u64, bytes: &[u8]) {
    frame(out, 17, &[&offset.to_le_bytes(), bytes]);
}

/// Bytes as they arrive, cut into whole frames.
#[derive(Debug, Default)]
pub struct FrameBuffer {
    bytes: Vec<u8>,
    taken: usize,
}

impl FrameBuffer {
    /// Adds what was read.
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.drain(..self.taken);
        self.taken = 0;
        self.bytes.extend_from_slice(bytes);
    }

    /// The type and payload of the next whole frame, left in place until [`Self::consume`].
    pub fn peek(&self) -> Result<Option<(u8, &[u8])>, WireError> {
        let Some((header, rest)) = self.bytes[self.taken..].split_first_chunk::<HEADER>() else {
            return Ok(None);
        };
        let length = u32::from_le_bytes([header[1], header[2], header[3], header[4]]) as usize;
        if length > MAX_PAYLOAD {
            return Err(WireError::TooLong(length));
        }
        Ok(rest.get(..length).map(|payload| (header[0], payload)))
    }

    /// Drops the frame that [`Self::peek`] shows.
    pub fn consume(&mut self) {
        if let Ok(Some((_, payload))) = self.peek() {
            self.taken += HEADER + payload.len();
        }
        if self.taken == self.bytes.len() {
            // One large paste must not stay allocated for the life of a connection.
            self.bytes = Vec::new();
            self.taken = 0;
        }
    }

    /// The next whole frame decoded by `decode`, [`Command::decode`] or [`Report::decode`].
    pub fn next<T>(
        &mut self,
        decode: impl Fn(u8, &[u8]) -> Result<T, WireError>,
    ) -> Result<Option<T>, WireError> {
        let Some((kind, payload)) = self.peek()? else {
            return Ok(None);
        };
        let decoded = decode(kind, payload)?;
        self.consume();
        Ok(Some(decoded))
    }
}

fn frame(out: &mut Vec<u8>, kind: u8, parts: &[&[u8]]) {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    debug_assert!(length <= MAX_PAYLOAD);
    out.reserve(HEADER + length);
    out.push(kind);
    out.extend_from_slice(&(length as u32).to_le_bytes());
    parts.iter().for_each(|part| out.extend_from_slice(part));
}

fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("a plain struct with text keys always serialises")
}

fn array<const N: usize>(payload: &[u8]) -> Option<[u8; N]> {
    payload.try_into().ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn check_command(command: Command) {
        let mut bytes = Vec::new();
        command.encode(&mut bytes);
        let mut buffer = FrameBuffer::default();
        for byte in &bytes {
            assert_eq!(buffer.next(Command::decode), Ok(None));
            buffer.push(&[*byte]);
        }
        assert_eq!(buffer.next(Command::decode), Ok(Some(command)));
        assert_eq!(buffer.next(Command::decode), Ok(None));
    }

    fn check_report(report: Report) {
        let mut bytes = Vec::new();
        report.encode(&mut bytes);
        let mut buffer = FrameBuffer::default();
        buffer.push(&bytes);
        assert_eq!(buffer.next(Report::decode), Ok(Some(report)));
    }

    #[test]
    fn every_frame_survives_the_wire_byte_by_byte() {
        check_command(Command::Attach { from: LIVE_END });
        check_command(Command::Follow { from: 9 });
        check_command(Command::Input(vec![0, 16, 255]));
        check_command(Command::Resize { cols: 300, rows: 7 });
        check_command(Command::Signal(-1));
        check_command(Command::Stop { grace_ms: 70_000 });
        check_command(Command::CloseStdin);
        check_command(Command::Exec(ExecRequest {
            argv: vec!["a b".into()],
            env: None,
            cwd: Some("/".into()),
        }));
        let hello = Hello {
            mode: Mode::Pipes,
            offset_start: 1,
            offset_end: 2,
            running: true,
            pid: 3,
        };
        check_report(Report::Hello(hello));
        check_report(Report::Output {
            offset: 1 << 40,
            bytes: vec![1, 2],
        });
        check_report(Report::Exit(ExitRecord {
            code: 1,
            signal: None,
            oom: true,
            at_ms: 9,
            error: None,
        }));
        check_report(Report::ExecOutput {
            stream: 2,
            bytes: vec![],
        });
        check_report(Report::ExecExit(-5));
        check_report(Report::Error("no".into()));
        check_report(Report::Size {
            cols: 300,
            rows: 70,
        });
        check_report(Report::Notice("full".into()));
        check_report(Report::Away("gone".into()));
    }

    #[test]
    fn refuses_a_frame_that_is_too_long_before_it_arrives() {
        let mut buffer = FrameBuffer::default();
        buffer.push(&[2, 255, 255, 255, 255]);
        assert_eq!(
            buffer.next(Command::decode),
            Err(WireError::TooLong(u32::MAX as usize))
        );
    }

    #[test]
    fn refuses_unknown_types_and_short_payloads() {
        let mut buffer = FrameBuffer::default();
        buffer.push(&[99, 0, 0, 0, 0]);
        assert_eq!(buffer.next(Command::decode), Err(WireError::Malformed(99)));
        assert_eq!(Command::decode(1, &[0; 7]), Err(WireError::Malformed(1)));
    }
}
