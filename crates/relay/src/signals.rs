//! Signals as events. What another process sends goes on to the agent; what the terminal sends
//! (Ctrl-C before the agent has the foreground) must not end the first process of the sandbox.

use std::fs::File;
use std::io::{self, Read};
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, FromRawFd, RawFd};

use crate::poll::check;

const HANDLED: [i32; 7] = [
    libc::SIGCHLD,
    libc::SIGTERM,
    libc::SIGHUP,
    libc::SIGINT,
    libc::SIGQUIT,
    libc::SIGUSR1,
    libc::SIGUSR2,
];
const IGNORED: [i32; 4] = [libc::SIGTSTP, libc::SIGTTIN, libc::SIGTTOU, libc::SIGPIPE];

pub enum Signal {
    Child,
    Forward(i32),
}

pub struct Signals {
    file: File,
}

impl Signals {
    pub fn take() -> io::Result<Self> {
        for signal in IGNORED {
            // SAFETY: ignoring a signal installs no handler.
            unsafe { libc::signal(signal, libc::SIG_IGN) };
        }
        let mut set = MaybeUninit::<libc::sigset_t>::uninit();
        // SAFETY: sigemptyset initialises the set; the others read it.
        let fd = unsafe {
            libc::sigemptyset(set.as_mut_ptr());
            for signal in HANDLED {
                libc::sigaddset(set.as_mut_ptr(), signal);
            }
            check(libc::sigprocmask(
                libc::SIG_BLOCK,
                set.as_ptr(),
                std::ptr::null_mut(),
            ))?;
            check(libc::signalfd(
                -1,
                set.as_ptr(),
                libc::SFD_CLOEXEC | libc::SFD_NONBLOCK,
            ))?
        };
        // SAFETY: a new descriptor that nobody else owns.
        Ok(Self {
            file: unsafe { File::from_raw_fd(fd) },
        })
    }

    pub fn fd(&self) -> RawFd {
        self.file.as_raw_fd()
    }

    /// The next signal that means something, `None` when there is none at the moment.
    pub fn next(&mut self) -> Option<Signal> {
        loop {
            let mut bytes = [0; size_of::<libc::signalfd_siginfo>()];
            if self.file.read(&mut bytes).ok()? != bytes.len() {
                return None;
            }
            // SAFETY: the kernel filled the whole plain structure.
            let info: libc::signalfd_siginfo =
                unsafe { std::ptr::read_unaligned(bytes.as_ptr().cast()) };
            let signal = info.ssi_signo as i32;
            match signal {
                libc::SIGCHLD => return Some(Signal::Child),
                // Codes above 0 are the kernel's own: the terminal typed it.
                libc::SIGINT | libc::SIGQUIT if info.ssi_code > 0 => {}
                _ => return Some(Signal::Forward(signal)),
            }
        }
    }
}

/// Gives a child the dispositions and the mask it would have had without the relay. Runs between
/// fork and exec; the standard library resets neither.
pub fn restore_for_child() {
    // SAFETY: async-signal-safe calls on a set of this function; no handler is installed.
    unsafe {
        for signal in IGNORED {
            libc::signal(signal, libc::SIG_DFL);
        }
        let mut none = MaybeUninit::<libc::sigset_t>::uninit();
        libc::sigemptyset(none.as_mut_ptr());
        libc::sigprocmask(libc::SIG_SETMASK, none.as_ptr(), std::ptr::null_mut());
    }
}
