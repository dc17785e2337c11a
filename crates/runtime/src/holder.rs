//! Starts the process that holds a session's terminal, and asks it things over its socket.
//!
//! The holder gets an empty environment, its own session and its own kernel keyring, so that nothing of the daemon's
//! can be found from inside what it starts. This module never reads terminal output: that is the terminal crate's.

use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use clauderon_holder::{
    Announcement, Command, ExecRequest as WireExec, FrameBuffer, Hello, Report, SessionFiles, Spec,
    wire,
};
use clauderon_session::Mode;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::time::timeout;

use crate::{ExecOutput, ExecRequest, RuntimeError, Started};

/// How long a holder may take to start its sandbox; an engine under load needs most of it.
const START: Duration = Duration::from_secs(60);
/// How long a holder may take to say hello.
const HELLO: Duration = Duration::from_secs(5);
/// How much longer than the grace an orderly stop may take.
const STOP_MARGIN: Duration = Duration::from_secs(10);

/// Writes the order and starts a holder with it; returns once the holder says that the sandbox was started.
pub async fn spawn(program: &Path, spec: &Spec) -> Result<Started, RuntimeError> {
    let private = spec.dir.join("private");
    let order = private.join("holder.json");
    let text =
        serde_json::to_vec_pretty(spec).expect("a holder's spec is plain data with text keys");
    write_private(&order, &text)?;
    let log = OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(private.join("holder.log"))
        .map_err(|error| RuntimeError::io("open the holder's log", error))?;
    let mut command = tokio::process::Command::new(program);
    command
        .arg(&order)
        .env_clear()
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(log);
    // SAFETY: only async-signal-safe system calls between fork and exec.
    unsafe {
        command.pre_exec(|| {
            if libc::setsid() < 0 {
                return Err(io::Error::last_os_error());
            }
            fresh_keyring();
            Ok(())
        });
    }
    let mut child = command.spawn().map_err(|error| {
        RuntimeError::Holder(format!(
            "{} could not be started: {error}",
            program.display()
        ))
    })?;
    let mut answer = Vec::new();
    let mut stdout = child
        .stdout
        .take()
        .expect("standard output was asked to be a pipe");
    let read = timeout(START, stdout.read_to_end(&mut answer)).await;
    match read {
        Ok(Ok(_)) => {}
        Ok(Err(error)) => return Err(RuntimeError::io("read the holder's answer", error)),
        Err(_) => {
            // A holder that never answered holds nothing a person could still reach.
            let _ = child.start_kill();
            return Err(RuntimeError::Holder(format!("no answer within {START:?}")));
        }
    }
    match serde_json::from_slice(&answer) {
        Ok(Announcement::Ready { pid, .. }) => Ok(Started { holder_pid: pid }),
        Ok(Announcement::Failed { error }) => Err(RuntimeError::Holder(error)),
        Err(_) => Err(RuntimeError::Holder(
            "it ended without an answer; see private/holder.log".into(),
        )),
    }
}

/// Says how an agent's streams are wired in each mode.
pub fn wiring(mode: Mode) -> clauderon_holder::Mode {
    match mode {
        Mode::Interactive => clauderon_holder::Mode::Pty,
        Mode::Print => clauderon_holder::Mode::Pipes,
    }
}

/// Joins a new, empty session keyring, so that the caller's is not inherited. Async-signal-safe.
pub fn fresh_keyring() {
    #[cfg(target_os = "linux")]
    {
        const KEYCTL_JOIN_SESSION_KEYRING: libc::c_long = 1;
        // A kernel without keyrings has none to share: failure needs no answer.
        // SAFETY: a null name asks for an anonymous keyring; no memory is passed.
        unsafe {
            libc::syscall(
                libc::SYS_keyctl,
                KEYCTL_JOIN_SESSION_KEYRING,
                std::ptr::null::<libc::c_char>(),
            )
        };
    }
}

/// Writes a file that only the caller can read.
pub fn write_private(path: &Path, bytes: &[u8]) -> Result<(), RuntimeError> {
    let doing = || format!("write {}", path.display());
    let _ = fs::remove_file(path);
    let mut file = OpenOptions::new()
        .create_new(true)
        .write(true)
        .mode(0o600)
        .open(path)
        .map_err(|error| RuntimeError::io(doing(), error))?;
    io::Write::write_all(&mut file, bytes).map_err(|error| RuntimeError::io(doing(), error))
}

/// A connection to a living holder.
pub struct Client {
    stream: UnixStream,
    frames: FrameBuffer,
    /// What the holder said on connect.
    pub hello: Hello,
}

impl Client {
    /// Connects to the holder of a session folder; `None` where no holder lives.
    pub async fn connect(dir: &Path) -> Result<Option<Self>, RuntimeError> {
        let socket = SessionFiles::new(dir).socket();
        let stream = match UnixStream::connect(&socket).await {
            Ok(stream) => stream,
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused
                ) =>
            {
                return Ok(None);
            }
            Err(error) => return Err(RuntimeError::io("connect to the session's holder", error)),
        };
        let mut frames = FrameBuffer::default();
        let mut stream = stream;
        let first = timeout(HELLO, next(&mut stream, &mut frames)).await;
        match first {
            Ok(Ok(Some(Report::Hello(hello)))) => Ok(Some(Self {
                stream,
                frames,
                hello,
            })),
            // It ended between connect and hello.
            Ok(Ok(None)) => Ok(None),
            Ok(Ok(Some(_))) => Err(RuntimeError::Holder("it did not say hello first".into())),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(RuntimeError::Holder(format!("no hello within {HELLO:?}"))),
        }
    }

    async fn send(&mut self, command: &Command) -> Result<(), RuntimeError> {
        let mut bytes = Vec::new();
        command.encode(&mut bytes);
        self.stream
            .write_all(&bytes)
            .await
            .map_err(|error| RuntimeError::io("write to the session's holder", error))
    }

    async fn next(&mut self) -> Result<Option<Report>, RuntimeError> {
        next(&mut self.stream, &mut self.frames).await
    }

    /// Asks for an orderly end and waits for it; kills the holder, and with it the sandbox, where that takes too long.
    pub async fn stop(mut self, grace: Duration) -> Result<(), RuntimeError> {
        let grace_ms = u32::try_from(grace.as_millis()).unwrap_or(u32::MAX);
        self.send(&Command::Attach {
            from: wire::LIVE_END,
        })
        .await?;
        self.send(&Command::Stop { grace_ms }).await?;
        let ended = timeout(grace + STOP_MARGIN, async {
            while let Ok(Some(report)) = self.next().await {
                if matches!(report, Report::Exit(_)) {
                    break;
                }
            }
        });
        if ended.await.is_ok() {
            return Ok(());
        }
        let peer = self.stream.peer_cred().ok().and_then(|peer| peer.pid());
        let Some(pid) = peer.and_then(rustix::process::Pid::from_raw) else {
            return Err(RuntimeError::Holder("it did not stop the sandbox".into()));
        };
        rustix::process::kill_process(pid, rustix::process::Signal::KILL)
            .map_err(|error| RuntimeError::io("kill the session's holder", error.into()))
    }

    /// Runs a program beside the agent and collects what it writes.
    pub async fn exec(mut self, request: ExecRequest) -> Result<ExecOutput, RuntimeError> {
        let program = request.argv.first().cloned().unwrap_or_default();
        let order = WireExec {
            argv: request.argv,
            env: request.env,
            cwd: Some(request.cwd.display().to_string()),
        };
        self.send(&Command::Exec(order)).await?;
        let limit = request.timeout;
        let collected = timeout(limit, self.collect(&program, request.max_output)).await;
        collected.unwrap_or(Err(RuntimeError::TimedOut { program, limit }))
    }

    async fn collect(
        &mut self,
        program: &str,
        max_output: usize,
    ) -> Result<ExecOutput, RuntimeError> {
        let mut output = ExecOutput {
            code: 0,
            stdout: Vec::new(),
            stderr: Vec::new(),
        };
        while let Some(report) = self.next().await? {
            match report {
                Report::ExecOutput { stream, bytes } => {
                    let kept = if stream == 2 {
                        &mut output.stderr
                    } else {
                        &mut output.stdout
                    };
                    if kept.len() + bytes.len() > max_output {
                        return Err(RuntimeError::OutputTooLarge {
                            program: program.into(),
                            limit: max_output,
                        });
                    }
                    kept.extend_from_slice(&bytes);
                }
                Report::ExecExit(code) => return Ok(ExecOutput { code, ..output }),
                Report::Error(text) => return Err(RuntimeError::Holder(text)),
                Report::Exit(_) => return Err(RuntimeError::NotRunning),
                Report::Hello(_)
                | Report::Output { .. }
                | Report::Size { .. }
                | Report::Notice(_)
                | Report::Away(_) => {}
            }
        }
        Err(RuntimeError::NotRunning)
    }
}

async fn next(
    stream: &mut UnixStream,
    frames: &mut FrameBuffer,
) -> Result<Option<Report>, RuntimeError> {
    let mut bytes = [0_u8; 16 << 10];
    loop {
        let report = frames
            .next(Report::decode)
            .map_err(|error| RuntimeError::Holder(error.to_string()))?;
        if report.is_some() {
            return Ok(report);
        }
        match stream.read(&mut bytes).await {
            Ok(0) => return Ok(None),
            Ok(count) => frames.push(&bytes[..count]),
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => return Ok(None),
            Err(error) => return Err(RuntimeError::io("read from the session's holder", error)),
        }
    }
}
