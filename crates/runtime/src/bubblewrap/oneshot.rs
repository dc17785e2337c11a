//! Runs one program in a throw-away bubblewrap sandbox and collects its output, on the calling thread alone.
//!
//! The thread matters: bubblewrap's `--die-with-parent` follows the thread that started it, so the caller must be a
//! thread that lives until the program ends.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{MemfdFlags, memfd_create};
use rustix::pipe::{PipeFlags, pipe_with};

use super::cgroup::Group;
use super::layout::{LITTLE_ETC, Layout};
use super::stage::{Setup, Staging, c_path};
use super::{STAGE, filter};
use crate::mounts::Checked;
use crate::{Limits, OneShot, OneShotOutput, RuntimeError};

/// Runs it; `mounts` are the judged mounts of `one`.
pub fn run(
    bwrap: &Path,
    sized_tmpfs: bool,
    one: &OneShot,
    mounts: &[Checked],
) -> Result<OneShotOutput, RuntimeError> {
    let program = one.argv.first().cloned().unwrap_or_default();
    let io_error = |doing: &'static str| move |error: io::Error| RuntimeError::io(doing, error);
    let staged = rustix::process::geteuid().is_root();
    let filter = data_file(&filter::program()).map_err(io_error("make the filter's file"))?;
    let accounts = crate::accounts::files(one.user);
    let mut data = Vec::new();
    for (target, text) in &accounts {
        data.push((
            data_file(text.as_bytes()).map_err(io_error("make an account file"))?,
            *target,
        ));
    }
    let (status_read, status_write) = pipe_with(PipeFlags::CLOEXEC)
        .map_err(|error| RuntimeError::io("make a pipe", error.into()))?;
    let argv = Layout {
        bwrap,
        sized_tmpfs,
        etc: LITTLE_ETC,
        mounts,
        sources: super::sources(mounts, staged.then_some(STAGE)),
        data: data
            .iter()
            .map(|(file, target)| (file.as_raw_fd(), *target))
            .collect(),
        env: environment(one),
        cwd: &one.cwd,
        seccomp: filter.as_raw_fd().to_string(),
        options: vec![
            "--json-status-fd".into(),
            status_write.as_raw_fd().to_string(),
        ],
        command: one.argv.clone(),
    }
    .argv();
    let group = Group::make(&group_name(), &Limits::of_this_machine());
    let mut inherited: Vec<RawFd> = data.iter().map(|(file, _)| file.as_raw_fd()).collect();
    inherited.extend([filter.as_raw_fd(), status_write.as_raw_fd()]);
    let setup = Setup {
        inherited,
        groups: group.procs().iter().map(|path| c_path(path)).collect(),
        stage: staged.then(|| Staging::new(mounts)),
        user: staged.then_some(one.user),
    };
    let mut command = Command::new(&argv[0]);
    command
        .args(&argv[1..])
        .env_clear()
        .current_dir("/")
        .process_group(0);
    command.stdin(if one.stdin.is_some() {
        Stdio::piped()
    } else {
        Stdio::null()
    });
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    // SAFETY: `apply` makes only async-signal-safe system calls on memory prepared before the fork.
    unsafe { command.pre_exec(move || setup.apply()) };
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => {
            group.remove();
            return Err(RuntimeError::io("start a throw-away sandbox", error));
        }
    };
    drop(status_write);
    let collected = collect(&mut child, one, &program);
    if collected.is_err() {
        // Killing bwrap kills its process namespace, and with it everything that holds the pipes.
        let _ = child.kill();
    }
    let ended = child.wait();
    group.remove();
    let (stdout, stderr) = collected?;
    let ended = ended.map_err(io_error("wait for a throw-away sandbox"))?;
    let mut status = String::new();
    let _ = File::from(status_read)
        .take(4096)
        .read_to_string(&mut status);
    if !status.contains("\"exit-code\"") {
        let words = String::from_utf8_lossy(&stderr);
        let words = words.trim();
        let killed = ended
            .signal()
            .map(|signal| format!("killed by signal {signal}"));
        return Err(RuntimeError::Engine {
            doing: "start a throw-away sandbox",
            message: killed.unwrap_or_else(|| words.to_owned()),
        });
    }
    let code = ended
        .code()
        .unwrap_or_else(|| 128 + ended.signal().unwrap_or(0));
    Ok(OneShotOutput {
        code,
        stdout,
        stderr,
    })
}

fn environment(one: &OneShot) -> Vec<(String, String)> {
    let mut env = one.env.clone();
    env.entry("PATH".into())
        .or_insert_with(|| "/usr/local/bin:/usr/bin:/bin".into());
    env.into_iter().collect()
}

fn group_name() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!(
        "clauderon-once-{}-{}",
        std::process::id(),
        NEXT.fetch_add(1, Ordering::Relaxed)
    )
}

/// An unnamed file with these bytes, read from its beginning by whoever inherits it.
fn data_file(bytes: &[u8]) -> io::Result<File> {
    let mut file = File::from(memfd_create("clauderon", MemfdFlags::CLOEXEC)?);
    file.write_all(bytes)?;
    file.seek(SeekFrom::Start(0))?;
    Ok(file)
}

/// Feeds standard input and reads both outputs until they end, within time and size.
fn collect(
    child: &mut Child,
    one: &OneShot,
    program: &str,
) -> Result<(Vec<u8>, Vec<u8>), RuntimeError> {
    let deadline = Instant::now() + one.timeout;
    let timed_out = || RuntimeError::TimedOut {
        program: program.to_owned(),
        limit: one.timeout,
    };
    let poll_error = |error: io::Error| RuntimeError::io("read from a throw-away sandbox", error);
    let mut input = child
        .stdin
        .take()
        .map(|pipe| (pipe, one.stdin.as_deref().unwrap_or_default()));
    if let Some((pipe, _)) = &input {
        rustix::io::ioctl_fionbio(pipe, true).map_err(|error| poll_error(error.into()))?;
    }
    let mut outputs = [
        child
            .stdout
            .take()
            .map(|pipe| File::from(OwnedFd::from(pipe))),
        child
            .stderr
            .take()
            .map(|pipe| File::from(OwnedFd::from(pipe))),
    ];
    let mut kept = [Vec::new(), Vec::new()];
    let mut chunk = vec![0_u8; 64 << 10];
    while outputs.iter().any(Option::is_some) {
        let left = deadline
            .checked_duration_since(Instant::now())
            .ok_or_else(timed_out)?;
        let mut waits: Vec<PollFd<'_>> = outputs
            .iter()
            .flatten()
            .map(|file| PollFd::new(file, PollFlags::IN))
            .collect();
        if let Some((pipe, _)) = &input {
            waits.push(PollFd::new(pipe, PollFlags::OUT));
        }
        let wait = rustix::event::Timespec {
            tv_sec: left.as_secs() as _,
            tv_nsec: left.subsec_nanos() as _,
        };
        match poll(&mut waits, Some(&wait)) {
            Ok(0) => return Err(timed_out()),
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(poll_error(error.into())),
        }
        let ready: Vec<bool> = waits
            .iter()
            .map(|wait| !wait.revents().is_empty())
            .collect();
        drop(waits);
        let mut ready = ready.into_iter();
        for (output, kept) in outputs.iter_mut().zip(&mut kept) {
            let Some(file) = output else { continue };
            if !ready.next().unwrap_or(false) {
                continue;
            }
            let count = file.read(&mut chunk).map_err(poll_error)?;
            if count == 0 {
                *output = None;
            } else if kept.len() + count > one.max_output {
                return Err(RuntimeError::OutputTooLarge {
                    program: program.to_owned(),
                    limit: one.max_output,
                });
            } else {
                kept.extend_from_slice(&chunk[..count]);
            }
        }
        if ready.next().unwrap_or(false) {
            input = feed(input);
        }
    }
    let [stdout, stderr] = kept;
    Ok((stdout, stderr))
}

/// Writes what fits; `None` once all is written or nobody reads.
fn feed(
    input: Option<(std::process::ChildStdin, &[u8])>,
) -> Option<(std::process::ChildStdin, &[u8])> {
    let (mut pipe, rest) = input?;
    match pipe.write(rest) {
        Ok(count) if count < rest.len() => Some((pipe, &rest[count..])),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Some((pipe, rest)),
        _ => None,
    }
}
