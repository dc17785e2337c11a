//! The one loop: signals, control, connections. It ends when the agent does.

use std::collections::HashMap;
use std::time::Instant;

use crate::agent::{self, Launch};
use crate::carry::Carrier;
use crate::control::{Answer, Control, Received, Request};
use crate::options::Options;
use crate::poll::{Poll, READ};
use crate::signals::{Signal, Signals};
use crate::{Refusal, say};

const LISTENER: u64 = 0;
const SIGNALS: u64 = 1;
const CONTROL: u64 = 2;
const CONNECTIONS: u64 = 16;

struct Relay {
    agent: i32,
    launch: Launch,
    file_limit: libc::rlimit,
    control: Option<Control>,
    /// Programs beside the agent: process id to request id.
    beside: HashMap<i32, u64>,
}

/// Runs the agent to its end and returns its exit code.
pub fn run(options: &Options) -> Result<i32, Refusal> {
    // SAFETY: plain switch: the agent runs as the same user and must not read or trace this process.
    unsafe { libc::prctl(libc::PR_SET_DUMPABLE, 0, 0, 0, 0) };
    // SAFETY: marks what was inherited by accident, so that the agent does not inherit it in turn.
    unsafe {
        libc::syscall(
            libc::SYS_close_range,
            3,
            u32::MAX,
            libc::CLOSE_RANGE_CLOEXEC,
        )
    };
    let launch = Launch::read(&options.launch)?;
    let file_limit = raise_file_limit();
    let mut signals = Signals::take().map_err(|error| cannot("take signals", &error))?;
    let mut poll = Poll::new().map_err(|error| cannot("make an event queue", &error))?;
    let watch = |fd, token| {
        poll.add(fd, token, READ)
            .map_err(|error| cannot("watch a descriptor", &error))
    };
    watch(signals.fd(), SIGNALS)?;
    let control = match options.control {
        Some(fd) => {
            Some(Control::take(fd).map_err(|error| cannot("use the control descriptor", &error))?)
        }
        None => None,
    };
    if let Some(control) = &control {
        watch(control.fd(), CONTROL)?;
    }
    let mut carrier = Carrier::listen(
        &poll,
        options.listen,
        options.egress.clone(),
        file_limit.rlim_max.max(file_limit.rlim_cur),
        LISTENER,
        CONNECTIONS,
    )
    .map_err(|error| cannot(&format!("listen on {}", options.listen), &error))?;

    let agent = agent::start(&launch, file_limit)?;
    let mut relay = Relay {
        agent,
        launch,
        file_limit,
        control,
        beside: HashMap::new(),
    };
    loop {
        let count = poll
            .wait(timeout(carrier.deadline()))
            .map_err(|error| cannot("wait for events", &error))?;
        let now = Instant::now();
        let mut knocking = false;
        for index in 0..count {
            match poll.event(index) {
                (SIGNALS, _) => {
                    if let Some(code) = relay.take_signals(&mut signals) {
                        relay.end_the_rest();
                        return Ok(code);
                    }
                }
                (LISTENER, _) => knocking = true,
                (CONTROL, _) => relay.take_request(&poll),
                (token, events) => carrier.handle(&poll, token, events),
            }
        }
        // Last, so that no event of this round is taken for one of a new connection.
        if knocking {
            carrier.accept(&poll, now);
        }
        carrier.retry(&poll, now);
    }
}

impl Relay {
    /// The agent's exit code once it ended.
    fn take_signals(&mut self, signals: &mut Signals) -> Option<i32> {
        while let Some(signal) = signals.next() {
            match signal {
                Signal::Forward(signal) => send(self.agent, signal),
                Signal::Child => {
                    if let Some(code) = self.reap() {
                        return Some(code);
                    }
                }
            }
        }
        None
    }

    /// Collects every child that ended, its own or inherited.
    fn reap(&mut self) -> Option<i32> {
        loop {
            let mut status = 0;
            // SAFETY: the status outlives the call.
            let pid =
                unsafe { libc::waitpid(-1, &raw mut status, libc::WNOHANG | libc::WUNTRACED) };
            if pid <= 0 {
                return None;
            }
            if libc::WIFSTOPPED(status) {
                if pid == self.agent {
                    agent::resume(pid);
                }
                continue;
            }
            let code = exit_code(status);
            if pid == self.agent {
                return Some(code);
            }
            if let (Some(id), Some(control)) = (self.beside.remove(&pid), &self.control) {
                control.answer(&Answer::Ended { id, exit: code });
            }
        }
    }

    fn take_request(&mut self, poll: &Poll) {
        let Some(control) = &self.control else { return };
        match control.receive() {
            Received::Nothing => {}
            Received::End => {
                let _ = poll.remove(control.fd());
                self.control = None;
            }
            Received::Request(Request::Signal { id: None, signal }, _) => send(self.agent, signal),
            Received::Request(
                Request::Signal {
                    id: Some(id),
                    signal,
                },
                _,
            ) => {
                self.beside
                    .iter()
                    .filter(|(_, beside)| **beside == id)
                    .for_each(|(pid, _)| send(*pid, signal));
            }
            Received::Request(Request::Run { id, argv, env, cwd }, fds) => {
                let env = env.as_ref().unwrap_or(&self.launch.env);
                let cwd = cwd.as_ref().unwrap_or(&self.launch.cwd);
                let started = <[_; 3]>::try_from(fds)
                    .map_err(|_| Refusal::new("three descriptors are needed"))
                    .and_then(|fds| agent::start_beside(&argv, env, cwd, fds, self.file_limit));
                match started {
                    Ok(pid) => {
                        control.answer(&Answer::Started { id, pid });
                        self.beside.insert(pid, id);
                    }
                    Err(refusal) => {
                        control.answer(&Answer::Refused {
                            id,
                            exit: refusal.code,
                            error: &refusal.sentence,
                        });
                    }
                }
            }
        }
    }

    /// As the first process of a sandbox, exiting is enough: the kernel ends all the others.
    fn end_the_rest(&self) {
        if std::process::id() != 1 {
            send(self.agent, libc::SIGKILL);
            self.beside.keys().for_each(|pid| send(*pid, libc::SIGKILL));
        }
    }
}

/// Signals the process group that `leader` leads.
fn send(leader: i32, signal: i32) {
    // SAFETY: a plain call on ids; the group may be gone.
    unsafe { libc::kill(-leader, signal) };
}

fn exit_code(status: i32) -> i32 {
    if libc::WIFSIGNALED(status) {
        128 + libc::WTERMSIG(status)
    } else {
        libc::WEXITSTATUS(status)
    }
}

/// Raises the soft limit to the hard one, and returns what was, for the children.
fn raise_file_limit() -> libc::rlimit {
    let mut before = libc::rlimit {
        rlim_cur: 1024,
        rlim_max: 1024,
    };
    // SAFETY: both structures outlive their calls.
    unsafe {
        libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut before);
        let raised = libc::rlimit {
            rlim_cur: before.rlim_max,
            rlim_max: before.rlim_max,
        };
        if libc::setrlimit(libc::RLIMIT_NOFILE, &raw const raised) != 0 {
            say("the limit of open files could not be raised");
        }
    }
    before
}

fn timeout(deadline: Option<Instant>) -> i32 {
    match deadline {
        None => -1,
        // One more, so that the wait is never a little too short.
        Some(at) => {
            at.saturating_duration_since(Instant::now())
                .as_millis()
                .min(60_000) as i32
                + 1
        }
    }
}

fn cannot(what: &str, error: &std::io::Error) -> Refusal {
    Refusal::new(format!("cannot {what}: {error}"))
}
