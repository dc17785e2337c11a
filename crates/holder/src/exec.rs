//! Programs beside the agent: asked of the relay inside, their output sent to whoever asked.

use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};

use clauderon_holder::{ExecRequest, Report};
use serde::Deserialize;
use serde_json::json;

use crate::sys::{self, PollSet};

const LONGEST_REQUEST: usize = 60 * 1024;
/// Reads that empty any pipe.
const LEFT: usize = 32;

pub struct Execs {
    control: OwnedFd,
    running: Vec<Exec>,
    last_id: u64,
    /// The relay is gone; its hang-up must not be reported again and again.
    ended: bool,
}

struct Exec {
    id: u64,
    viewer: u64,
    outputs: [Option<File>; 2],
    exit: Option<i32>,
}

#[derive(Deserialize)]
struct Answer {
    id: u64,
    #[serde(default)]
    exit: Option<i32>,
    #[serde(default)]
    error: Option<String>,
}

impl Execs {
    pub fn new(control: OwnedFd) -> Self {
        Self {
            control,
            running: Vec::new(),
            last_id: 0,
            ended: false,
        }
    }

    pub fn start(&mut self, viewer: u64, request: &ExecRequest) -> Result<(), String> {
        if self.running.iter().any(|exec| exec.viewer == viewer) {
            return Err("this connection runs something already".into());
        }
        let id = self.last_id + 1;
        let message =
            json!({"id": id, "argv": request.argv, "env": request.env, "cwd": request.cwd})
                .to_string();
        if message.len() > LONGEST_REQUEST {
            return Err("the command line is too long".into());
        }
        let cannot = |error: io::Error| format!("cannot ask the sandbox: {error}");
        let null = File::open("/dev/null").map_err(cannot)?;
        let (stdout, stdout_inside) = io::pipe().map_err(cannot)?;
        let (stderr, stderr_inside) = io::pipe().map_err(cannot)?;
        let fds = [
            null.as_raw_fd(),
            stdout_inside.as_raw_fd(),
            stderr_inside.as_raw_fd(),
        ];
        sys::set_nonblocking(&stdout)
            .and_then(|()| sys::set_nonblocking(&stderr))
            .map_err(cannot)?;
        sys::send_packet(&self.control, message.as_bytes(), &fds).map_err(cannot)?;
        self.last_id = id;
        let outputs = [stdout, stderr].map(|reader| Some(File::from(OwnedFd::from(reader))));
        self.running.push(Exec {
            id,
            viewer,
            outputs,
            exit: None,
        });
        Ok(())
    }

    pub fn signal_agent(&self, signal: i32) -> io::Result<()> {
        sys::send_packet(
            &self.control,
            json!({ "signal": signal }).to_string().as_bytes(),
            &[],
        )
    }

    /// Whoever asked is gone.
    pub fn abandon(&mut self, viewer: u64) {
        for exec in self.running.iter().filter(|exec| exec.viewer == viewer) {
            let message = json!({"id": exec.id, "signal": libc::SIGKILL}).to_string();
            let _ = sys::send_packet(&self.control, message.as_bytes(), &[]);
        }
        self.running.retain(|exec| exec.viewer != viewer);
    }

    /// Waits for answers, and for output of those whose viewer has `room`.
    pub fn watch(&self, room: impl Fn(u64) -> bool, set: &mut PollSet) {
        if !self.ended {
            set.add(self.control.as_raw_fd(), libc::POLLIN);
        }
        for exec in self.running.iter().filter(|exec| room(exec.viewer)) {
            exec.outputs
                .iter()
                .flatten()
                .for_each(|file| set.add(file.as_raw_fd(), libc::POLLIN));
        }
    }

    pub fn turn(&mut self, set: &PollSet, scratch: &mut [u8], send: &mut dyn FnMut(u64, Report)) {
        if set.is_ready(self.control.as_raw_fd()) {
            self.take_answers(send);
        }
        for exec in &mut self.running {
            for (index, output) in exec.outputs.iter_mut().enumerate() {
                let Some(file) = output else { continue };
                if !set.is_ready(file.as_raw_fd()) && exec.exit.is_none() {
                    continue;
                }
                let stream = index as u8 + 1;
                // Once it ended, all that is left in the pipe is taken, and no more: what it left
                // running keeps the pipe open, and nobody waits for that.
                let reads = if exec.exit.is_some() { LEFT } else { 1 };
                for _ in 0..reads {
                    let Some(file) = output else { break };
                    match sys::read_some(&*file, scratch) {
                        Some(count @ 1..) => {
                            send(
                                exec.viewer,
                                Report::ExecOutput {
                                    stream,
                                    bytes: scratch[..count].to_vec(),
                                },
                            );
                        }
                        None if exec.exit.is_none() => break,
                        _ => {
                            *output = None;
                            break;
                        }
                    }
                }
            }
            if let (Some(code), [None, None]) = (exec.exit, &exec.outputs) {
                send(exec.viewer, Report::ExecExit(code));
            }
        }
        self.running
            .retain(|exec| exec.exit.is_none() || exec.outputs.iter().any(Option::is_some));
    }

    fn take_answers(&mut self, send: &mut dyn FnMut(u64, Report)) {
        let mut bytes = [0u8; 8192];
        loop {
            // SAFETY: the buffer outlives the call.
            let count = unsafe {
                libc::recv(
                    self.control.as_raw_fd(),
                    bytes.as_mut_ptr().cast(),
                    bytes.len(),
                    libc::MSG_DONTWAIT,
                )
            };
            if count <= 0 {
                self.ended |= count == 0;
                return;
            }
            let Ok(answer) = serde_json::from_slice::<Answer>(&bytes[..count as usize]) else {
                continue;
            };
            let Some(exec) = self.running.iter_mut().find(|exec| exec.id == answer.id) else {
                continue;
            };
            exec.exit = answer.exit.or(exec.exit);
            if let Some(error) = answer.error {
                send(exec.viewer, Report::Error(error));
            }
        }
    }
}
