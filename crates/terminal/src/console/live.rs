//! A console whose holder lives.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use clauderon_holder::{Command, ExitRecord, FrameBuffer, Hello, Report, SessionFiles};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::Mutex;

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
    writer: Writer,
    buffer: FrameBuffer,
    frames: Frames,
    exit: Option<ExitRecord>,
    told_exit: bool,
    ended: bool,
}

/// Commands of several, whole.
type Writer = Arc<Mutex<OwnedWriteHalf>>;

/// Typing into a session.
#[derive(Debug, Clone)]
pub struct ConsoleInput(Writer);

impl Live {
    /// Meets the holder; nothing is shown before [`Self::attach`].
    pub async fn connect(files: &SessionFiles) -> io::Result<(Hello, Self)> {
        let stream = UnixStream::connect(files.socket()).await?;
        let (mut reader, writer) = stream.into_split();
        let mut buffer = FrameBuffer::default();
        let hello = loop {
            match read_report(&mut reader, &mut buffer).await? {
                Some(Report::Hello(hello)) => break hello,
                Some(_) => {}
                None => return Err(io::ErrorKind::UnexpectedEof.into()),
            }
        };
        let frames = Frames::new(hello.mode, hello.offset_end);
        Ok((
            hello,
            Self {
                reader,
                writer: Arc::new(Mutex::new(writer)),
                buffer,
                frames,
                exit: None,
                told_exit: false,
                ended: false,
            },
        ))
    }

    /// Asks for what follows; as a bookkeeper where `follows`, for whom the agent never waits.
    pub async fn attach(&mut self, hello: &Hello, from: u64, follows: bool) -> io::Result<()> {
        let command = match follows {
            true => Command::Follow { from },
            false => Command::Attach { from },
        };
        self.frames = Frames::new(hello.mode, from.clamp(hello.offset_start, hello.offset_end));
        send(&self.writer, &command).await
    }

    pub fn input(&mut self) -> ConsoleInput {
        ConsoleInput(self.writer.clone())
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
                Ok(Some(Report::Size { cols, rows })) => {
                    return Some(ConsoleEvent::Size { cols, rows });
                }
                Ok(Some(Report::Notice(sentence))) => return Some(ConsoleEvent::Notice(sentence)),
                Ok(Some(Report::Away(sentence))) => return Some(ConsoleEvent::Away(sentence)),
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
            send(&self.0, &Command::Input(piece.to_vec())).await?;
        }
        Ok(())
    }

    /// Gives the terminal a new size.
    pub async fn resize(&mut self, cols: u16, rows: u16) -> io::Result<()> {
        send(&self.0, &Command::Resize { cols, rows }).await
    }

    /// Sends the agent a signal.
    pub async fn signal(&mut self, signal: i32) -> io::Result<()> {
        send(&self.0, &Command::Signal(signal)).await
    }
}

async fn send(writer: &Writer, command: &Command) -> io::Result<()> {
    let mut bytes = Vec::new();
    command.encode(&mut bytes);
    writer.lock().await.write_all(&bytes).await
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
