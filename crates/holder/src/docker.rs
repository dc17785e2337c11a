//! A container of a Docker engine: the holder is an attach client that outlives the daemon. If the
//! engine goes away the holder waits for it, since the container may still run.

mod engine;

use std::fs::File;
use std::io::Read;
use std::net::Shutdown;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use clauderon_holder::files::LOG_FRAME_MAX;
use clauderon_holder::{Mode, Sandbox, Spec};

use crate::exec::Execs;
use crate::feed::Feed;
use crate::held::{Ended, Held};
use crate::sys::{self, PollSet};
use engine::{Engine, State};

const READ: usize = 32 * 1024;
/// How a program ends that was killed.
const KILLED: i32 = 128 + libc::SIGKILL;
const FIRST_RETRY: Duration = Duration::from_millis(20);
const LAST_RETRY: Duration = Duration::from_secs(1);
/// How long a program may take to draw itself for another size; one that draws nothing then never does.
const DRAWS: Duration = Duration::from_secs(5);
/// How long it says nothing when it has drawn itself.
const DRAWN: Duration = Duration::from_millis(500);
/// What is said while the engine does not answer.
const AWAY: &str = "its Docker engine does not answer; the session goes on, or says how it ended, once the engine is back";
/// What is said of an agent that did not end by itself.
const TAKEN_ALONG: &str =
    "its Docker engine was stopped or restarted, which ended the agent; a start goes on with it";
/// Bytes before each piece of output where there is no terminal.
const HEADER: usize = 8;

pub struct Docker {
    engine: Engine,
    mode: Mode,
    link: Link,
    feed: Feed,
    /// Output that came with the engine's answer.
    early: Vec<u8>,
    /// What arrived of a header in pipes mode, and what its payload still lacks.
    header: Vec<u8>,
    stream: u8,
    missing: usize,
    /// The terminal's size, where it is known.
    size: Option<(u16, u16)>,
    /// What is still to be done until the program has drawn itself again.
    redraw: Option<Redraw>,
    /// It was killed by us.
    killed: bool,
    /// Requests whose answers nobody needs; closing them early could cancel them.
    asked: Vec<UnixStream>,
    scratch: Box<[u8]>,
}

/// A size that changes and changes back makes a program draw all of itself, if it notices the one before the other comes.
#[derive(Clone, Copy)]
enum Redraw {
    /// It gets another size at this time.
    Narrow { at: Instant },
    /// It gets its own size back at this time, which comes closer once it has drawn itself.
    Back { at: Instant, latest: Instant },
}

impl Redraw {
    fn at(self) -> Instant {
        match self {
            Redraw::Narrow { at } | Redraw::Back { at, .. } => at,
        }
    }

    fn put_off(self, until: Instant) -> Self {
        match self {
            Redraw::Narrow { .. } => Redraw::Narrow { at: until },
            Redraw::Back { .. } => Redraw::Back {
                at: until,
                latest: until,
            },
        }
    }
}

enum Link {
    Attached {
        stream: UnixStream,
        since: Instant,
        retry: Duration,
    },
    Lost {
        at: Instant,
        retry: Duration,
        /// The engine was asked and did not answer.
        away: bool,
    },
}

impl Docker {
    pub fn start(spec: &Spec) -> Result<Self, String> {
        let Sandbox::Docker {
            socket,
            container,
            start,
        } = &spec.sandbox
        else {
            return Err("the spec is not for Docker".into());
        };
        let engine = Engine::new(socket, container)?;
        let feed = match (&spec.stdin, spec.mode) {
            (Some(path), Mode::Pipes) => Feed::from_file(
                File::open(path)
                    .map_err(|error| format!("cannot read {}: {error}", path.display()))?,
            ),
            _ => {
                let mut feed = Feed::default();
                if spec.mode == Mode::Pipes && *start {
                    feed.close();
                }
                feed
            }
        };
        // Attached first, so that no byte is lost.
        let (stream, early) = engine.attach()?;
        if *start {
            engine.start()?;
        }
        let mut docker = Self {
            engine,
            mode: spec.mode,
            link: Link::Attached {
                stream,
                since: Instant::now(),
                retry: FIRST_RETRY,
            },
            feed,
            early,
            header: Vec::new(),
            stream: 1,
            missing: 0,
            size: None,
            redraw: None,
            killed: false,
            asked: Vec::new(),
            scratch: vec![0; READ].into_boxed_slice(),
        };
        if spec.mode == Mode::Pty && *start {
            let (cols, rows) = spec.size();
            docker.size = Some((cols, rows));
            // Awaited, so that the first viewer finds the size; an agent that has ended already needs none.
            if let Err(sentence) = docker.engine.resize(cols, rows) {
                sys::note(&sentence);
            }
        }
        Ok(docker)
    }

    fn read(&mut self, set: &PollSet, now: Instant, sink: &mut dyn FnMut(u8, &[u8])) {
        let Link::Attached { stream, .. } = &self.link else {
            return;
        };
        if !set.is_ready(stream.as_raw_fd()) {
            return;
        }
        match sys::read_some(stream, &mut self.scratch) {
            None => {}
            Some(0) => self.lose(now),
            Some(count) => {
                if let Some(Redraw::Back { at, latest }) = &mut self.redraw {
                    *at = (*latest).min(now + DRAWN);
                }
                let bytes = std::mem::take(&mut self.scratch);
                self.log(&bytes[..count], sink);
                self.scratch = bytes;
            }
        }
    }

    /// The link is gone, mostly because the container ended; one that held for a while is tried again at once.
    fn lose(&mut self, now: Instant) {
        let Link::Attached { since, retry, .. } = &self.link else {
            return;
        };
        let retry = match now - *since > LAST_RETRY {
            true => FIRST_RETRY,
            false => *retry,
        };
        self.link = Link::Lost {
            at: now,
            retry,
            away: false,
        };
        self.header.clear();
        self.missing = 0;
    }

    fn log(&mut self, bytes: &[u8], sink: &mut dyn FnMut(u8, &[u8])) {
        match self.mode {
            Mode::Pty => sink(1, bytes),
            Mode::Pipes => self.split(bytes, sink),
        }
    }

    /// Takes the engine's frames apart: stream, three zero bytes, length in big endian, payload.
    fn split(&mut self, mut bytes: &[u8], sink: &mut dyn FnMut(u8, &[u8])) {
        while !bytes.is_empty() {
            if self.missing > 0 {
                let (payload, rest) =
                    bytes.split_at(self.missing.min(bytes.len()).min(LOG_FRAME_MAX));
                sink(self.stream, payload);
                self.missing -= payload.len();
                bytes = rest;
                continue;
            }
            let (part, rest) = bytes.split_at((HEADER - self.header.len()).min(bytes.len()));
            self.header.extend_from_slice(part);
            bytes = rest;
            if let [stream, _, _, _, a, b, c, d] = self.header[..] {
                self.stream = if stream == 2 { 2 } else { 1 };
                self.missing = u32::from_be_bytes([a, b, c, d]) as usize;
                self.header.clear();
            }
        }
    }

    fn write(&mut self) {
        let Link::Attached { stream, .. } = &self.link else {
            return;
        };
        match self.feed.pump(stream) {
            Ok(false) => {}
            Ok(true) => {
                let _ = stream.shutdown(Shutdown::Write);
                self.feed = Feed::default();
            }
            // What was typed is kept for the next link.
            Err(_) => self.lose(Instant::now()),
        }
    }

    /// After the link was lost: the container ended, or the engine did, or only the link.
    fn look_again(&mut self, now: Instant) -> Option<Ended> {
        let Link::Lost { at, retry, away } = self.link else {
            return None;
        };
        if now < at {
            return None;
        }
        let next = (retry * 2).min(LAST_RETRY);
        match self.engine.inspect() {
            Ok(State::Ended { code, oom, error }) => Some(Ended {
                code,
                signal: None,
                oom: oom || (code == KILLED && !self.killed && self.was_out_of_memory()),
                error: error.or_else(|| (away && code != 0).then(|| TAKEN_ALONG.to_owned())),
            }),
            Ok(State::Absent) => {
                let error = Some("the container was removed".to_owned());
                Some(Ended {
                    code: 255,
                    signal: None,
                    oom: false,
                    error,
                })
            }
            Ok(State::Running) => {
                self.link = match self.engine.attach() {
                    Ok((stream, _)) => Link::Attached {
                        stream,
                        since: now,
                        retry: next,
                    },
                    Err(_) => Link::Lost {
                        at: now + next,
                        retry: next,
                        away,
                    },
                };
                if away && self.size.is_some() {
                    self.redraw = Some(Redraw::Narrow { at: now });
                }
                None
            }
            Err(sentence) => {
                if !away {
                    sys::note(&sentence);
                }
                self.link = Link::Lost {
                    at: now + next,
                    retry: next,
                    away: true,
                };
                None
            }
        }
    }

    fn was_out_of_memory(&self) -> bool {
        self.engine.saw_out_of_memory().unwrap_or_else(|sentence| {
            sys::note(&sentence);
            false
        })
    }

    /// What the agent drew while the engine was away is lost, so it has to draw all of it again.
    fn go_on_drawing(&mut self, now: Instant) {
        let (Some(step), Some((cols, rows))) = (self.redraw, self.size) else {
            return;
        };
        if now < step.at() {
            return;
        }
        let latest = now + DRAWS;
        let (cols, next) = match step {
            Redraw::Narrow { .. } => (
                cols.saturating_sub(1).max(1),
                Some(Redraw::Back { at: latest, latest }),
            ),
            Redraw::Back { .. } => (cols, None),
        };
        self.redraw = self.engine.resize(cols, rows).map_or_else(
            |sentence| {
                sys::note(&sentence);
                Some(step.put_off(now + LAST_RETRY))
            },
            |()| next,
        );
    }

    fn ask(&mut self, path: &str) -> Result<(), String> {
        self.asked.push(self.engine.post(path)?);
        Ok(())
    }
}

impl Held for Docker {
    fn watch(&self, output: bool, set: &mut PollSet) {
        self.asked
            .iter()
            .for_each(|stream| set.add(stream.as_raw_fd(), libc::POLLIN));
        let Link::Attached { stream, .. } = &self.link else {
            return;
        };
        let input = if self.feed.is_pending() {
            libc::POLLOUT
        } else {
            0
        };
        let events = input | if output { libc::POLLIN } else { 0 };
        if events != 0 {
            set.add(stream.as_raw_fd(), events);
        }
    }

    fn turn(
        &mut self,
        set: &PollSet,
        now: Instant,
        sink: &mut dyn FnMut(u8, &[u8]),
    ) -> Option<Ended> {
        self.asked.retain_mut(|stream| {
            !set.is_ready(stream.as_raw_fd())
                || !matches!(stream.read(&mut [0; 512]), Ok(0) | Err(_))
        });
        let early = std::mem::take(&mut self.early);
        if !early.is_empty() {
            self.log(&early, sink);
        }
        self.read(set, now, sink);
        if self.feed.is_pending() {
            self.write();
        }
        self.go_on_drawing(now);
        self.look_again(now)
    }

    fn deadline(&self) -> Option<Instant> {
        let link = match self.link {
            Link::Attached { .. } => (!self.early.is_empty()).then(Instant::now),
            Link::Lost { at, .. } => Some(at),
        };
        let redraw = self.redraw.map(Redraw::at);
        link.into_iter().chain(redraw).min()
    }

    fn feed(&mut self) -> &mut Feed {
        &mut self.feed
    }

    fn resize(&mut self, cols: u16, rows: u16) -> Result<(), String> {
        match self.mode {
            Mode::Pty => {
                self.size = Some((cols, rows));
                self.ask(&engine::resize_path(cols, rows))
            }
            Mode::Pipes => Err("there is no terminal to resize".into()),
        }
    }

    fn signal(&mut self, signal: i32) -> Result<(), String> {
        self.ask(&format!("kill?signal={signal}"))
    }

    fn kill(&mut self) {
        self.killed = true;
        if let Err(sentence) = self.signal(libc::SIGKILL) {
            sys::note(&sentence);
        }
    }

    fn is_bound_to_holder(&self) -> bool {
        false
    }

    fn away(&self) -> Option<&'static str> {
        matches!(self.link, Link::Lost { away: true, .. }).then_some(AWAY)
    }

    fn execs(&mut self) -> Option<&mut Execs> {
        None
    }
}
