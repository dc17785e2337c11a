//! A person's terminal: a real PTY with a program in it, its bytes gathered until something is seen.

use std::io::{Read as _, Write as _};
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::wait::PATIENCE;

/// The question where the cursor is, which every terminal answers; Codex hears nothing for two seconds where none does.
const WHERE: &[u8] = b"\x1b[6n";
/// Somewhere.
const HERE: &[u8] = b"\x1b[1;1R";

/// A program in a PTY.
pub struct Terminal {
    master: std::fs::File,
    child: Child,
    seen: Vec<u8>,
    /// So much of what was seen has been searched for questions.
    searched: usize,
    answered: usize,
}

impl Terminal {
    /// Starts a program in a new PTY of this size, as its controlling terminal.
    pub fn open(mut command: Command, cols: u16, rows: u16) -> Self {
        let (master, slave) = pty(cols, rows);
        let duplicate = || Stdio::from(slave.try_clone().expect("a descriptor can be duplicated"));
        command
            .stdin(duplicate())
            .stdout(duplicate())
            .stderr(duplicate())
            .env("TERM", "xterm-256color");
        // SAFETY: both calls are async-signal-safe and touch only the child.
        unsafe {
            command.pre_exec(|| {
                libc::setsid();
                libc::ioctl(0, libc::TIOCSCTTY, 0);
                Ok(())
            });
        }
        let child = command.spawn().expect("the program starts");
        Self {
            master: master.into(),
            child,
            seen: Vec::new(),
            searched: 0,
            answered: 0,
        }
    }

    /// Types bytes.
    pub fn type_in(&mut self, bytes: &[u8]) {
        self.master
            .write_all(bytes)
            .expect("the terminal takes input");
    }

    /// Changes the size, which signals the program.
    pub fn resize(&self, cols: u16, rows: u16) {
        set_size(self.master.as_raw_fd(), cols, rows);
    }

    /// Forgets what was seen so far.
    pub fn forget(&mut self) {
        self.seen.clear();
        self.searched = 0;
    }

    /// Reads until `text` has appeared since the last `forget`; fails the test when its patience ends.
    #[track_caller]
    pub fn wait_for(&mut self, text: &str) {
        let deadline = Instant::now() + PATIENCE;
        while !self.shows(text) {
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(
                !left.is_zero() && self.read_some(left),
                "{text:?} did not appear; the terminal showed:\n{}",
                self.text()
            );
        }
    }

    /// Reads until the program has asked where the cursor is and been answered: it hears what is typed from then on.
    #[track_caller]
    pub fn wait_until_asked(&mut self) {
        let deadline = Instant::now() + PATIENCE;
        while self.answered == 0 {
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(
                !left.is_zero() && self.read_some(left),
                "nobody asked where the cursor is; the terminal showed:\n{}",
                self.text()
            );
        }
    }

    /// Reads until the program ends and returns its exit code.
    #[track_caller]
    pub fn wait_end(&mut self) -> i32 {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "the program did not end:\n{}", self.text());
            if !self.read_some(left) {
                break;
            }
        }
        self.child
            .wait()
            .expect("the child is ours")
            .code()
            .unwrap_or(-1)
    }

    /// Returns what was seen since the last `forget`, without escape sequences and white space runs.
    pub fn text(&self) -> String {
        plain(&self.seen)
    }

    /// Returns the raw bytes seen since the last `forget`.
    pub fn bytes(&self) -> &[u8] {
        &self.seen
    }

    /// Returns the process id of the program.
    pub fn pid(&self) -> i32 {
        self.child.id() as i32
    }

    fn shows(&self, text: &str) -> bool {
        let squeeze = |text: &str| {
            text.chars()
                .filter(|c| !c.is_whitespace())
                .collect::<String>()
        };
        squeeze(&self.text()).contains(&squeeze(text))
    }

    /// Reads what is there or comes within `patience`; `false` at the end.
    fn read_some(&mut self, patience: Duration) -> bool {
        let mut poll = libc::pollfd {
            fd: self.master.as_raw_fd(),
            events: libc::POLLIN,
            revents: 0,
        };
        // SAFETY: one descriptor, owned by `master`, for the time of the call.
        let ready = unsafe { libc::poll(&mut poll, 1, patience.as_millis() as i32) };
        if ready <= 0 {
            return true;
        }
        let mut buffer = [0; 65536];
        match self.master.read(&mut buffer) {
            Ok(0) | Err(_) => false,
            Ok(count) => {
                self.seen.extend_from_slice(&buffer[..count]);
                self.answer();
                true
            }
        }
    }

    fn answer(&mut self) {
        while let Some(at) = find(&self.seen[self.searched..], WHERE) {
            self.searched += at + WHERE.len();
            self.answered += 1;
            self.type_in(HERE);
        }
        // A question may have come in part.
        let rest = (WHERE.len() - 1).min(self.seen.len() - self.searched);
        self.searched = self.seen.len() - rest;
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes
        .windows(wanted.len())
        .position(|window| window == wanted)
}

fn pty(cols: u16, rows: u16) -> (OwnedFd, OwnedFd) {
    let (mut master, mut slave) = (0, 0);
    // SAFETY: openpty fills in two descriptors that nobody else owns.
    let result = unsafe {
        libc::openpty(
            &mut master,
            &mut slave,
            std::ptr::null_mut(),
            std::ptr::null(),
            std::ptr::null(),
        )
    };
    assert_eq!(result, 0, "a PTY can be opened");
    set_size(master, cols, rows);
    // SAFETY: just opened, owned by nobody else.
    unsafe {
        libc::fcntl(master, libc::F_SETFD, libc::FD_CLOEXEC);
        libc::fcntl(slave, libc::F_SETFD, libc::FD_CLOEXEC);
        (OwnedFd::from_raw_fd(master), OwnedFd::from_raw_fd(slave))
    }
}

fn set_size(fd: i32, cols: u16, rows: u16) {
    let size = libc::winsize {
        ws_row: rows,
        ws_col: cols,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    // SAFETY: the descriptor is a terminal and `size` outlives the call.
    unsafe { libc::ioctl(fd, libc::TIOCSWINSZ, &size) };
}

/// Takes escape sequences out: enough for looking for words, not an emulator.
fn plain(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let mut out = String::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '\x1b' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('[') => while chars.next().is_some_and(|c| !('@'..='~').contains(&c)) {},
            Some(']' | 'P' | '_' | '^') => {
                while let Some(c) = chars.next() {
                    if c == '\x07' || (c == '\x1b' && chars.next().is_some()) {
                        break;
                    }
                }
            }
            _ => {}
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_words_between_escape_sequences() {
        assert_eq!(
            plain(b"\x1b]0;title\x07a\x1b[1;31mb\x1b[0m\x1bPq\x1b\\c"),
            "abc"
        );
    }
}
