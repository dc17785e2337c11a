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
const FIRST_RETRY: Duration = Duration::from_millis(20);
const LAST_RETRY: Duration = Duration::from_secs(1);
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
    /// Requests whose answers nobody needs; closing them early could cancel them.
    asked: Vec<UnixStream>,
    scratch: Box<[u8]>,
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
        told: bool,
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
        let docker = Self {
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
            asked: Vec::new(),
            scratch: vec![0; READ].into_boxed_slice(),
        };
        if spec.mode == Mode::Pty && *start {
            let cols = if spec.cols == 0 { 80 } else { spec.cols };
            let rows = if spec.rows == 0 { 24 } else { spec.rows };
            // Awaited, so that the first viewer finds the size; an agent that has ended already needs none.
            if let Err(sentence) = docker.engine.resize(cols, rows) {
                sys::note(&sentence);
            }
        }
        Ok(docker)
    }

    fn read(&mut self, set: &PollSet, now: Instant, sink: &mut dyn FnMut(u8, &[u8])) {
        let Link::Attached {
            stream,
            since,
            retry,
        } = &self.link
        else {
            return;
        };
        if !set.is_ready(stream.as_raw_fd()) {
            return;
        }
        match sys::read_some(stream, &mut self.scratch) {
            None => {}
            Some(0) => {
                // Mostly because the container ended; a link that held for a while is tried again at once.
                let retry = if now - *since > LAST_RETRY {
                    FIRST_RETRY
                } else {
                    *retry
                };
                self.link = Link::Lost {
                    at: now,
                    retry,
                    told: false,
                };
                self.header.clear();
                self.missing = 0;
            }
            Some(count) => {
                let bytes = std::mem::take(&mut self.scratch);
                self.log(&bytes[..count], sink);
                self.scratch = bytes;
            }
        }
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
            // The reading side notices that the link is gone.
            Err(_) => self.feed = Feed::default(),
        }
    }

    /// After the link was lost: the container ended, or the engine did, or only the link.
    fn look_again(&mut self, now: Instant) -> Option<Ended> {
        let Link::Lost { at, retry, told } = &mut self.link else {
            return None;
        };
        if now < *at {
            return None;
        }
        let next = (*retry * 2).min(LAST_RETRY);
        match self.engine.inspect() {
            Ok(State::Ended { code, oom, error }) => Some(Ended {
                code,
                signal: None,
                oom,
                error,
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
                        told: true,
                    },
                };
                None
            }
            Err(sentence) => {
                if !*told {
                    sys::note(&sentence);
                }
                self.link = Link::Lost {
                    at: now + next,
                    retry: next,
                    told: true,
                };
                None
            }
        }
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
        self.look_again(now)
    }

    fn deadline(&self) -> Option<Instant> {
        match self.link {
            Link::Attached { .. } => (!self.early.is_empty()).then(Instant::now),
            Link::Lost { at, .. } => Some(at),
        }
    }

    fn feed(&mut self) -> &mut Feed {
        &mut self.feed
    }

    fn resize(&mut self, cols: u16, rows: u16) -> Result<(), String> {
        match self.mode {
            Mode::Pty => self.ask(&engine::resize_path(cols, rows)),
            Mode::Pipes => Err("there is no terminal to resize".into()),
        }
    }

    fn signal(&mut self, signal: i32) -> Result<(), String> {
        self.ask(&format!("kill?signal={signal}"))
    }

    fn kill(&mut self) {
        if let Err(sentence) = self.signal(libc::SIGKILL) {
            sys::note(&sentence);
        }
    }

    fn is_bound_to_holder(&self) -> bool {
        false
    }

    fn execs(&mut self) -> Option<&mut Execs> {
        None
    }
}
