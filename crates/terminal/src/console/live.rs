//! A console whose holder lives.

use std::io;

use bytes::Bytes;
use clauderon_holder::{Command, ExitRecord, FrameBuffer, Hello, Report, SessionFiles};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};

use super::ConsoleEvent;
use super::frames::Frames;

/// Bytes read from the holder at a time.
const READ: usize = 64 * 1024;
/// The longest piece of input in one frame.
const PIECE: usize = 64 * 1024;

/// A connection to a holder.
#[derive(Debug)]
pub(super) struct Live {
    reader: OwnedReadHalf,
    writer: Option<OwnedWriteHalf>,
    buffer: FrameBuffer,
    frames: Frames,
    exit: Option<ExitRecord>,
    told_exit: bool,
    ended: bool,
}

/// Typing into a session.
#[derive(Debug)]
pub struct ConsoleInput(OwnedWriteHalf);

impl Live {
    pub async fn connect(files: &SessionFiles, from: u64) -> io::Result<(Hello, Self)> {
        let stream = UnixStream::connect(files.socket()).await?;
        let (mut reader, mut writer) = stream.into_split();
        let mut buffer = FrameBuffer::default();
        let hello = loop {
            match read_report(&mut reader, &mut buffer).await? {
                Some(Report::Hello(hello)) => break hello,
                Some(_) => {}
                None => return Err(io::ErrorKind::UnexpectedEof.into()),
            }
        };
        send(&mut writer, &Command::Attach { from }).await?;
        let frames = Frames::new(hello.mode, from.clamp(hello.offset_start, hello.offset_end));
        Ok((
            hello,
            Self {
                reader,
                writer: Some(writer),
                buffer,
                frames,
                exit: None,
                told_exit: false,
                ended: false,
            },
        ))
    }

    pub fn input(&mut self) -> Option<ConsoleInput> {
        self.writer.take().map(ConsoleInput)
    }

    /// The offset from which the rest is to be read elsewhere; none where the end was told.
    pub fn rest(&self) -> Option<u64> {
        (!self.told_exit).then(|| self.frames.next())
    }

    pub async fn next(&mut self) -> Option<ConsoleEvent> {
        loop {
            if let Some(event) = self.frames.pop() {
                return Some(event);
            }
            if let Some(exit) = self.exit.take() {
                self.ended = true;
                self.told_exit = true;
                return Some(ConsoleEvent::Exit(exit));
            }
            if self.ended {
                return None;
            }
            match read_report(&mut self.reader, &mut self.buffer).await {
                Ok(Some(Report::Output { offset, bytes })) => {
                    self.frames.push(offset, Bytes::from(bytes));
                }
                Ok(Some(Report::Exit(exit))) => self.exit = Some(exit),
                Ok(Some(Report::Error(error))) => {
                    tracing::warn!(error, "the holder refused a command")
                }
                Ok(Some(_)) => {}
                Ok(None) | Err(_) => self.ended = true,
            }
        }
    }
}

impl ConsoleInput {
    /// Types bytes.
    pub async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        for piece in bytes.chunks(PIECE) {
            send(&mut self.0, &Command::Input(piece.to_vec())).await?;
        }
        Ok(())
    }

    /// Gives the terminal a new size.
    pub async fn resize(&mut self, cols: u16, rows: u16) -> io::Result<()> {
        send(&mut self.0, &Command::Resize { cols, rows }).await
    }

    /// Sends the agent a signal.
    pub async fn signal(&mut self, signal: i32) -> io::Result<()> {
        send(&mut self.0, &Command::Signal(signal)).await
    }
}

async fn send(writer: &mut OwnedWriteHalf, command: &Command) -> io::Result<()> {
    let mut bytes = Vec::new();
    command.encode(&mut bytes);
    writer.write_all(&bytes).await
}

async fn read_report(
    reader: &mut OwnedReadHalf,
    buffer: &mut FrameBuffer,
) -> io::Result<Option<Report>> {
    loop {
        match buffer.next(Report::decode) {
            Ok(Some(report)) => return Ok(Some(report)),
            Ok(None) => {}
            Err(error) => return Err(io::Error::other(error)),
        }
        let mut bytes = vec![0; READ];
        match reader.read(&mut bytes).await? {
            0 => return Ok(None),
            count => buffer.push(&bytes[..count]),
        }
    }
}
