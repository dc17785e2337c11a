//! One attached terminal: a loop over what the agent prints, what the person types, size and
//! signals.

use bytes::Bytes;
use clauderon_api::client::ConsoleSocket;
use clauderon_api::{ConsoleEvent, ConsoleInput, ConsoleQuery, Exit, SNAPSHOT};
use clauderon_terminal::filter::Filter;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;

use super::keys::before_detach;
use super::raw::{Raw, size};
use super::reconnect;
use super::sequences::{Cutter, Modes, Piece};
use super::streams::{Output, input};
use crate::context::Context;

/// How an attachment ended.
#[derive(Debug)]
pub enum Ended {
    /// The person pressed the detach key, or the terminal closed.
    Detached,
    /// A signal asked this process to end.
    Signal(u8),
    /// The agent ended.
    Exited(Exit),
}

/// An attached terminal.
pub struct Viewer<'a> {
    context: &'a Context,
    id: &'a str,
    console: ConsoleSocket,
    screen: Screen,
    output: Output,
    typed: mpsc::Receiver<Bytes>,
    // Dropped last: the terminal is cooked again only when all is written.
    raw: Raw,
}

/// What the agent's bytes become before the terminal.
#[derive(Default)]
struct Screen {
    filter: Filter,
    cutter: Cutter,
    modes: Modes,
    /// The offset of the next byte.
    at: u64,
    /// The log that the offset is of.
    epoch: u64,
    /// Below this it is history.
    live_from: u64,
}

impl<'a> Viewer<'a> {
    /// Takes the terminal.
    pub fn new(context: &'a Context, id: &'a str, console: ConsoleSocket) -> anyhow::Result<Self> {
        let hello = console.hello();
        let screen = Screen {
            epoch: hello.epoch,
            live_from: hello.offset_end,
            ..Screen::default()
        };
        Ok(Viewer {
            context,
            id,
            raw: Raw::enter()?,
            screen,
            output: Output::start(),
            typed: input(),
            console,
        })
    }

    /// Carries both ways, then puts the terminal back.
    pub async fn run(mut self) -> anyhow::Result<Ended> {
        let ended = self.carry().await;
        self.output.write(self.screen.modes.leave()).await;
        // What the agent drew below its cursor would show through the shell's next lines.
        self.output.write(b"\r\n\x1b[J".to_vec()).await;
        self.output.finish();
        drop(self.raw);
        ended
    }

    async fn carry(&mut self) -> anyhow::Result<Ended> {
        let mut resized = signal(SignalKind::window_change())?;
        let mut ending = Ending::new()?;
        let mut pending: Vec<u8> = Vec::new();
        let mut redrawn = self.screen.live_from == 0 || self.has_new_size();
        self.fit().await;
        loop {
            if !redrawn && self.screen.at >= self.screen.live_from {
                redrawn = true;
                self.redraw().await;
            }
            tokio::select! {
                room = self.output.room(), if !pending.is_empty() => match room {
                    Some(room) => {
                        room.send(std::mem::take(&mut pending));
                    }
                    None => return Ok(Ended::Detached),
                },
                event = self.console.next(), if pending.is_empty() => match event {
                    Ok(Some(ConsoleEvent::Output { stream, next, bytes })) => {
                        if stream == SNAPSHOT {
                            pending = self.screen.forget();
                        }
                        pending.extend(self.screen.show(next, &bytes));
                    }
                    // A person's own terminal keeps its size; the agent has been told which.
                    Ok(Some(ConsoleEvent::Size { .. })) => {}
                    Ok(Some(ConsoleEvent::Exit(exit))) => return Ok(Ended::Exited(exit)),
                    Ok(Some(ConsoleEvent::Error(error))) => return Err(error.into()),
                    Ok(None) | Err(_) => {
                        if let Some(ended) = self.come_back(&mut ending).await? {
                            return Ok(ended);
                        }
                    }
                },
                typed = self.typed.recv() => match typed {
                    Some(typed) => match before_detach(&typed) {
                        Some(before) => {
                            self.send(ConsoleInput::Bytes(Bytes::copy_from_slice(before))).await;
                            return Ok(Ended::Detached);
                        }
                        None => self.send(ConsoleInput::Bytes(typed)).await,
                    },
                    None => return Ok(Ended::Detached),
                },
                _ = resized.recv() => self.fit().await,
                number = ending.recv() => return Ok(Ended::Signal(number)),
            }
        }
    }

    /// Sends input; where the connection is broken, the next read notices.
    async fn send(&mut self, input: ConsoleInput) {
        let empty = matches!(&input, ConsoleInput::Bytes(bytes) if bytes.is_empty());
        if !empty {
            let _ = self.console.send(input).await;
        }
    }

    async fn fit(&mut self) {
        if let Some((cols, rows)) = size() {
            self.send(ConsoleInput::Resize { cols, rows }).await;
        }
    }

    /// Whether this terminal has another size than the agent's, so that fitting alone makes it paint anew.
    fn has_new_size(&self) -> bool {
        let hello = self.console.hello();
        size().is_some_and(|size| size != (hello.cols, hello.rows))
    }

    /// Makes the agent paint anew: only a real change of size does, so a row comes and goes.
    async fn redraw(&mut self) {
        if let Some((cols, rows)) = size() {
            let taller = rows.saturating_add(1);
            self.send(ConsoleInput::Resize { cols, rows: taller }).await;
            self.send(ConsoleInput::Resize { cols, rows }).await;
        }
    }

    /// Waits for a daemon again; the person can leave meanwhile.
    async fn come_back(&mut self, ending: &mut Ending) -> anyhow::Result<Option<Ended>> {
        self.output
            .write(status(
                "The daemon went away; attaching again. Ctrl-] leaves.",
            ))
            .await;
        let quiet = Context {
            talkative: false,
            ..self.context.clone()
        };
        let place = ConsoleQuery {
            from: Some(self.screen.at),
            epoch: Some(self.screen.epoch),
        };
        let back = reconnect(&quiet, self.id, place);
        tokio::pin!(back);
        let console = loop {
            tokio::select! {
                console = &mut back => break console?,
                typed = self.typed.recv() => match typed {
                    Some(typed) if before_detach(&typed).is_none() => {}
                    _ => return Ok(Some(Ended::Detached)),
                },
                number = ending.recv() => return Ok(Some(Ended::Signal(number))),
            }
        };
        self.screen.epoch = console.hello().epoch;
        self.console = console;
        self.output.write(status("")).await;
        let redrawn = self.has_new_size();
        self.fit().await;
        if !redrawn {
            self.redraw().await;
        }
        Ok(None)
    }
}

impl Screen {
    /// Forgets what was shown: returns what puts the terminal back and moves what is on it up, out of the way.
    fn forget(&mut self) -> Vec<u8> {
        let rows = size().map_or(24, |(_, rows)| rows);
        let mut clean = self.filter.finish();
        clean.extend(self.modes.leave());
        clean.extend(format!("\x1b[{rows};1H").bytes());
        clean.extend(b"\r\n".repeat(rows.into()));
        clean.extend(b"\x1b[H");
        (self.filter, self.cutter, self.modes) = Default::default();
        clean
    }

    /// Returns what of `bytes` the terminal gets; `next` is the offset after them.
    fn show(&mut self, next: u64, bytes: &[u8]) -> Vec<u8> {
        self.at = next;
        let mut result = Vec::new();
        for piece in self.cutter.feed(&self.filter.feed(bytes)) {
            match piece {
                Piece::Text(text) => result.extend(text),
                Piece::Sequence(sequence) => {
                    self.modes.see(&sequence);
                    result.extend(sequence);
                }
            }
        }
        result
    }
}

/// The signals that ask a process to end.
struct Ending {
    hangup: Signal,
    interrupt: Signal,
    terminate: Signal,
}

impl Ending {
    fn new() -> std::io::Result<Ending> {
        Ok(Ending {
            hangup: signal(SignalKind::hangup())?,
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    async fn recv(&mut self) -> u8 {
        tokio::select! {
            _ = self.hangup.recv() => 1,
            _ = self.interrupt.recv() => 2,
            _ = self.terminate.recv() => 15,
        }
    }
}

/// Draws the status line: the last row, reversed, with the cursor left where it was.
fn status(text: &str) -> Vec<u8> {
    let rows = size().map_or(24, |(_, rows)| rows);
    if text.is_empty() {
        return format!("\x1b7\x1b[{rows};1H\x1b[2K\x1b8").into_bytes();
    }
    format!("\x1b7\x1b[{rows};1H\x1b[0;7m {text} \x1b[0m\x1b[K\x1b8").into_bytes()
}
