//! Carries each accepted connection to the egress socket, as it is, both ways. Buffers are bounded:
//! a side is read only when the other has taken everything.

mod flow;
mod upstream;

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::poll::{Poll, READ, WRITE};
use flow::Flow;

/// How long a connection waits for an egress socket that does not answer.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often it is tried.
const RETRY: Duration = Duration::from_millis(100);
/// More than any agent opens; the rest waits in the kernel's queue.
const MOST: usize = 4096;
/// Descriptors kept for everything but connections.
const RESERVE: u64 = 32;
const SCRATCH: usize = 64 * 1024;

pub struct Carrier {
    listener: TcpListener,
    listener_token: u64,
    first_token: u64,
    accepting: bool,
    /// When accepting is tried again after the system had no descriptor left.
    accept_again: Option<Instant>,
    egress: PathBuf,
    connections: Vec<Option<Connection>>,
    free: Vec<usize>,
    waiting: usize,
    next_try: Instant,
    most: usize,
    scratch: Box<[u8]>,
}

struct Connection {
    client: TcpStream,
    client_interest: Option<u32>,
    link: Link,
    up: Flow,
    down: Flow,
}

enum Link {
    Waiting {
        until: Instant,
    },
    Open {
        upstream: UnixStream,
        interest: Option<u32>,
    },
}

impl Carrier {
    pub fn listen(
        poll: &Poll,
        address: SocketAddr,
        egress: PathBuf,
        file_limit: u64,
        listener_token: u64,
        first_token: u64,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        poll.add(listener.as_raw_fd(), listener_token, READ)?;
        let most = usize::try_from(file_limit.saturating_sub(RESERVE) / 2)
            .unwrap_or(MOST)
            .clamp(1, MOST);
        Ok(Self {
            listener,
            listener_token,
            first_token,
            accepting: true,
            accept_again: None,
            egress,
            connections: Vec::new(),
            free: Vec::new(),
            waiting: 0,
            next_try: Instant::now(),
            most,
            scratch: vec![0; SCRATCH].into_boxed_slice(),
        })
    }

    /// Takes what waits at the door, as much as the file limit allows.
    pub fn accept(&mut self, poll: &Poll, now: Instant) {
        while self.connections.len() - self.free.len() < self.most {
            match self.listener.accept() {
                Ok((client, _)) => self.admit(poll, client, now),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                // Out of descriptors or memory: wait for better times instead of spinning.
                Err(error) if exhausted(&error) => {
                    self.accept_again = Some(now + RETRY);
                    break;
                }
                Err(_) => return,
            }
        }
        self.accepting = poll.remove(self.listener.as_raw_fd()).is_err();
    }

    /// Handles what happened to one end of one connection.
    pub fn handle(&mut self, poll: &Poll, token: u64, events: u32) {
        let number = (token - self.first_token) as usize;
        let (index, is_client) = (number / 2, number.is_multiple_of(2));
        let Some(Some(connection)) = self.connections.get_mut(index) else {
            return;
        };
        let alive = connection.pump(is_client, events, &mut self.scratch);
        if alive
            && connection
                .watch(poll, token - u64::from(!is_client))
                .is_ok()
        {
            return;
        }
        self.close(poll, index);
    }

    /// When [`Self::retry`] wants to be called.
    pub fn deadline(&self) -> Option<Instant> {
        let next_try = (self.waiting > 0).then_some(self.next_try);
        next_try.into_iter().chain(self.accept_again).min()
    }

    /// Tries the egress socket again for all that wait, and ends those that waited too long.
    pub fn retry(&mut self, poll: &Poll, now: Instant) {
        if self.accept_again.is_some_and(|at| now >= at) {
            self.accept_again = None;
            self.open_the_door(poll);
        }
        if self.waiting == 0 || now < self.next_try {
            return;
        }
        self.next_try = now + RETRY;
        let mut answering = true;
        for index in 0..self.connections.len() {
            let Some(Some(connection)) = self.connections.get(index) else {
                continue;
            };
            let Link::Waiting { until } = connection.link else {
                continue;
            };
            // One that does not answer is asked once a round, however many wait.
            if answering {
                answering = self.connect(poll, index);
            }
            if now >= until
                && matches!(&self.connections[index], Some(c) if matches!(c.link, Link::Waiting { .. }))
            {
                self.close(poll, index);
            }
        }
    }

    fn admit(&mut self, poll: &Poll, client: TcpStream, now: Instant) {
        let ready = client
            .set_nonblocking(true)
            .and_then(|()| client.set_nodelay(true));
        if ready.is_err() {
            return;
        }
        let index = self.free.pop().unwrap_or_else(|| {
            self.connections.push(None);
            self.connections.len() - 1
        });
        let mut connection = Connection {
            client,
            client_interest: None,
            link: Link::Waiting {
                until: now + PATIENCE,
            },
            up: Flow::default(),
            down: Flow::default(),
        };
        let watched = connection.watch(poll, self.token(index));
        self.connections[index] = Some(connection);
        self.waiting += 1;
        if watched.is_err() {
            self.close(poll, index);
        } else if self.waiting == 1 {
            self.next_try = now + RETRY;
            self.connect(poll, index);
        }
    }

    /// Whether the egress socket took the connection.
    fn connect(&mut self, poll: &Poll, index: usize) -> bool {
        let Ok(upstream) = upstream::connect(&self.egress) else {
            return false;
        };
        let token = self.token(index);
        let Some(connection) = &mut self.connections[index] else {
            return true;
        };
        connection.link = Link::Open {
            upstream,
            interest: None,
        };
        self.waiting -= 1;
        if connection.watch(poll, token).is_err() {
            self.close(poll, index);
        }
        true
    }

    fn close(&mut self, poll: &Poll, index: usize) {
        // Dropping closes both sockets, which also takes them out of epoll.
        let Some(connection) = self.connections[index].take() else {
            return;
        };
        self.waiting -= usize::from(matches!(connection.link, Link::Waiting { .. }));
        self.free.push(index);
        drop(connection);
        self.open_the_door(poll);
    }

    fn open_the_door(&mut self, poll: &Poll) {
        if !self.accepting {
            self.accepting = poll
                .add(self.listener.as_raw_fd(), self.listener_token, READ)
                .is_ok();
        }
    }

    fn token(&self, index: usize) -> u64 {
        self.first_token + 2 * index as u64
    }
}

impl Connection {
    /// Moves what can be moved; false when the connection is over.
    fn pump(&mut self, is_client: bool, events: u32, scratch: &mut [u8]) -> bool {
        // A waiting client is watched for its end alone.
        let Link::Open { upstream, .. } = &self.link else {
            return false;
        };
        let broken = events & !(READ | WRITE) != 0;
        let upwards = broken
            || if is_client {
                events & READ != 0
            } else {
                events & WRITE != 0
            };
        let downwards = broken
            || if is_client {
                events & WRITE != 0
            } else {
                events & READ != 0
            };
        if upwards && self.up.pump(&self.client, upstream, scratch).is_err() {
            return false;
        }
        if downwards && self.down.pump(upstream, &self.client, scratch).is_err() {
            return false;
        }
        !(self.up.is_over() && self.down.is_over())
    }

    /// Tells epoll what the connection now waits for. An end that waits for nothing is taken out:
    /// epoll would report its hang-up again and again.
    fn watch(&mut self, poll: &Poll, token: u64) -> io::Result<()> {
        let Link::Open { upstream, interest } = &mut self.link else {
            self.client_interest = Some(0);
            return poll.add(self.client.as_raw_fd(), token, 0);
        };
        let wants = |reads: &Flow, writes: &Flow| {
            (if reads.wants_to_read() { READ } else { 0 })
                | (if writes.wants_to_write() { WRITE } else { 0 })
        };
        set(
            poll,
            self.client.as_raw_fd(),
            token,
            &mut self.client_interest,
            wants(&self.up, &self.down),
        )?;
        set(
            poll,
            upstream.as_raw_fd(),
            token + 1,
            interest,
            wants(&self.down, &self.up),
        )
    }
}

fn set(poll: &Poll, fd: i32, token: u64, current: &mut Option<u32>, wanted: u32) -> io::Result<()> {
    match (*current, wanted) {
        (None, 0) => return Ok(()),
        (Some(now), wanted) if now == wanted && wanted != 0 => return Ok(()),
        (Some(_), 0) => poll.remove(fd)?,
        (Some(_), _) => poll.change(fd, token, wanted)?,
        (None, _) => poll.add(fd, token, wanted)?,
    }
    *current = (wanted != 0).then_some(wanted);
    Ok(())
}

fn exhausted(error: &io::Error) -> bool {
    matches!(
        error.raw_os_error(),
        Some(libc::EMFILE | libc::ENFILE | libc::ENOBUFS | libc::ENOMEM)
    )
}
