//! A bubblewrap sandbox that lives and dies with the holder.

mod child;
mod launch;

use std::fs::{self, File};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::PathBuf;
use std::time::Instant;

use clauderon_holder::{Mode, Sandbox, Spec};

use crate::exec::Execs;
use crate::feed::Feed;
use crate::held::{Ended, Held};
use crate::sys::{self, PollSet};

const READ: usize = 32 * 1024;

pub struct Bubblewrap {
    pid: i32,
    wiring: Wiring,
    feed: Feed,
    execs: Option<Execs>,
    cgroups: Vec<PathBuf>,
    status: Option<i32>,
    scratch: Box<[u8]>,
}

enum Wiring {
    Terminal {
        master: File,
        open: bool,
    },
    Pipes {
        stdin: Option<File>,
        outputs: [Option<File>; 2],
    },
}

/// The ends that the sandbox gets.
pub struct Inside {
    pub stdin: OwnedFd,
    pub stdout: OwnedFd,
    pub stderr: OwnedFd,
    pub is_terminal: bool,
}

impl Bubblewrap {
    pub fn start(spec: &Spec) -> Result<Self, String> {
        let Sandbox::Bubblewrap { argv, cgroups, .. } = &spec.sandbox else {
            return Err("the spec is not for bubblewrap".into());
        };
        let (wiring, inside, feed) = wire(spec)?;
        let (control, control_inside) = match argv.iter().any(|word| word.contains("{control}")) {
            true => sys::packet_pair().map(|(ours, theirs)| (Some(ours), Some(theirs))),
            false => Ok((None, None)),
        }
        .map_err(|error| format!("cannot make the control socket: {error}"))?;
        let pid = launch::launch(spec, inside, control_inside)?;
        Ok(Self {
            pid,
            wiring,
            feed,
            execs: control.map(Execs::new),
            cgroups: cgroups.clone(),
            status: None,
            scratch: vec![0; READ].into_boxed_slice(),
        })
    }

    fn read_outputs(&mut self, set: &PollSet, sink: &mut dyn FnMut(u8, &[u8])) {
        // Once bwrap was reaped, everything inside is dead: what is left is read without waiting.
        let ended = self.status.is_some();
        match &mut self.wiring {
            Wiring::Terminal { master, open } => {
                if *open && (ended || set.is_ready(master.as_raw_fd())) {
                    *open = drain(master, ended, 1, &mut self.scratch, sink);
                }
            }
            Wiring::Pipes { outputs, .. } => {
                for (index, output) in outputs.iter_mut().enumerate() {
                    let Some(file) = output else { continue };
                    if (ended || set.is_ready(file.as_raw_fd()))
                        && !drain(file, ended, index as u8 + 1, &mut self.scratch, sink)
                    {
                        *output = None;
                    }
                }
            }
        }
    }

    fn write_input(&mut self) {
        let result = match &mut self.wiring {
            Wiring::Terminal { master, .. } => self.feed.pump(&*master).map(|_| false),
            Wiring::Pipes {
                stdin: Some(file), ..
            } => self.feed.pump(&*file),
            Wiring::Pipes { stdin: None, .. } => Ok(false),
        };
        // An agent that closed its input wants no more of it.
        if result.unwrap_or(true) {
            if let Wiring::Pipes { stdin, .. } = &mut self.wiring {
                *stdin = None;
            }
            self.feed = Feed::default();
        }
    }

    fn reap(&mut self) {
        let mut status = 0;
        // SAFETY: the status outlives the call.
        if self.status.is_none()
            && unsafe { libc::waitpid(self.pid, &raw mut status, libc::WNOHANG) } == self.pid
        {
            self.status = Some(status);
        }
    }

    fn out_of_memory(&self) -> bool {
        self.cgroups
            .iter()
            .filter_map(|path| path.parent())
            .any(|group| {
                ["memory.events", "memory.oom_control"]
                    .iter()
                    .filter_map(|name| fs::read_to_string(group.join(name)).ok())
                    .any(|text| {
                        text.lines()
                            .filter_map(|line| line.strip_prefix("oom_kill "))
                            .any(|count| count != "0")
                    })
            })
    }
}

impl Held for Bubblewrap {
    fn watch(&self, output: bool, set: &mut PollSet) {
        match &self.wiring {
            Wiring::Terminal { master, open } if *open => {
                let input = if self.feed.is_pending() {
                    libc::POLLOUT
                } else {
                    0
                };
                let events = input | if output { libc::POLLIN } else { 0 };
                if events != 0 {
                    set.add(master.as_raw_fd(), events);
                }
            }
            Wiring::Terminal { .. } => {}
            Wiring::Pipes { stdin, outputs } => {
                if let (Some(file), true) = (stdin, self.feed.is_pending()) {
                    set.add(file.as_raw_fd(), libc::POLLOUT);
                }
                if output {
                    outputs
                        .iter()
                        .flatten()
                        .for_each(|file| set.add(file.as_raw_fd(), libc::POLLIN));
                }
            }
        }
    }

    fn turn(
        &mut self,
        set: &PollSet,
        _now: Instant,
        sink: &mut dyn FnMut(u8, &[u8]),
    ) -> Option<Ended> {
        self.reap();
        self.read_outputs(set, sink);
        if self.feed.is_pending() {
            self.write_input();
        }
        let status = self.status?;
        let signal = libc::WIFSIGNALED(status).then(|| libc::WTERMSIG(status));
        let code = signal.map_or_else(|| libc::WEXITSTATUS(status), |signal| 128 + signal);
        Some(Ended {
            code,
            signal,
            oom: self.out_of_memory(),
            error: None,
        })
    }

    fn feed(&mut self) -> &mut Feed {
        &mut self.feed
    }

    fn resize(&mut self, cols: u16, rows: u16) -> Result<(), String> {
        match &self.wiring {
            Wiring::Terminal { master, .. } => sys::set_size(master, cols, rows)
                .map_err(|error| format!("cannot resize the terminal: {error}")),
            Wiring::Pipes { .. } => Err("there is no terminal to resize".into()),
        }
    }

    fn signal(&mut self, signal: i32) -> Result<(), String> {
        match &self.execs {
            Some(execs) => execs
                .signal_agent(signal)
                .map_err(|error| format!("cannot signal the agent: {error}")),
            None if matches!(signal, libc::SIGTERM | libc::SIGKILL) => {
                self.kill();
                Ok(())
            }
            None => Err("this sandbox has no way to signal the agent".into()),
        }
    }

    fn kill(&mut self) {
        if self.status.is_none() {
            // SAFETY: a child that was not reaped keeps its id; what is inside ends with it.
            unsafe { libc::kill(self.pid, libc::SIGKILL) };
        }
    }

    fn is_bound_to_holder(&self) -> bool {
        true
    }

    fn execs(&mut self) -> Option<&mut Execs> {
        self.execs.as_mut()
    }
}

/// Reads once, or to the end where all writers are dead; false when nothing will follow.
fn drain(
    file: &File,
    to_the_end: bool,
    stream: u8,
    scratch: &mut [u8],
    sink: &mut dyn FnMut(u8, &[u8]),
) -> bool {
    loop {
        match sys::read_some(file, scratch) {
            Some(0) => return false,
            Some(count) => sink(stream, &scratch[..count]),
            None => return true,
        }
        if !to_the_end {
            return true;
        }
    }
}

fn wire(spec: &Spec) -> Result<(Wiring, Inside, Feed), String> {
    match spec.mode {
        Mode::Pty => {
            wire_terminal(spec).map_err(|error| format!("cannot make a terminal: {error}"))
        }
        Mode::Pipes => {
            let feed = match &spec.stdin {
                None => None,
                Some(path) => {
                    let cannot = |error| format!("cannot read {}: {error}", path.display());
                    Some(Feed::from_file(File::open(path).map_err(cannot)?))
                }
            };
            wire_pipes(feed).map_err(|error| format!("cannot make pipes: {error}"))
        }
    }
}

fn wire_terminal(spec: &Spec) -> io::Result<(Wiring, Inside, Feed)> {
    let (cols, rows) = spec.size();
    let (master, slave) = sys::open_terminal(cols, rows)?;
    if let Sandbox::Bubblewrap {
        user: Some(user), ..
    } = &spec.sandbox
    {
        std::os::unix::fs::fchown(&slave, Some(user.uid), Some(user.gid))?;
    }
    let (stdin, stdout) = (slave.try_clone()?, slave.try_clone()?);
    let inside = Inside {
        stdin,
        stdout,
        stderr: slave,
        is_terminal: true,
    };
    Ok((
        Wiring::Terminal { master, open: true },
        inside,
        Feed::default(),
    ))
}

fn wire_pipes(feed: Option<Feed>) -> io::Result<(Wiring, Inside, Feed)> {
    let (stdout, stdout_inside) = io::pipe()?;
    let (stderr, stderr_inside) = io::pipe()?;
    sys::set_nonblocking(&stdout)?;
    sys::set_nonblocking(&stderr)?;
    let (stdin, stdin_inside, feed) = match feed {
        None => (None, File::open("/dev/null")?.into(), Feed::default()),
        Some(feed) => {
            let (inside, ours) = io::pipe()?;
            sys::set_nonblocking(&ours)?;
            (Some(File::from(OwnedFd::from(ours))), inside.into(), feed)
        }
    };
    let outputs = [stdout, stderr].map(|reader| Some(File::from(OwnedFd::from(reader))));
    let inside = Inside {
        stdin: stdin_inside,
        stdout: stdout_inside.into(),
        stderr: stderr_inside.into(),
        is_terminal: false,
    };
    Ok((Wiring::Pipes { stdin, outputs }, inside, feed))
}
