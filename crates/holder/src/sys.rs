//! The few system calls that the standard library does not offer.

use std::fs::File;
use std::io::{self, Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Closes what the starter's own starter had open: a holder outlives them, and would keep their locks and pipes.
pub fn close_inherited() {
    // SAFETY: nothing of this process is open yet but the standard three.
    unsafe { libc::syscall(libc::SYS_close_range, 3, u32::MAX, 0) };
}

/// Turns a -1 into the error it stands for.
pub fn check(result: i32) -> io::Result<i32> {
    if result < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(result)
    }
}

/// One line for the person who reads `holder.log`.
pub fn note(sentence: &str) {
    let _ = writeln!(io::stderr(), "clauderon-holder: {sentence}");
}

pub fn now_ms() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_millis() as u64)
}

pub fn set_nonblocking(fd: &impl AsRawFd) -> io::Result<()> {
    // SAFETY: flags of an open descriptor.
    unsafe {
        let flags = check(libc::fcntl(fd.as_raw_fd(), libc::F_GETFL))?;
        check(libc::fcntl(
            fd.as_raw_fd(),
            libc::F_SETFL,
            flags | libc::O_NONBLOCK,
        ))
        .map(drop)
    }
}

/// A read that would block is `None`, an end or a terminal that hung up is 0.
pub fn read_some(mut file: impl Read, bytes: &mut [u8]) -> Option<usize> {
    loop {
        match file.read(bytes) {
            Ok(count) => return Some(count),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return None,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return Some(0),
        }
    }
}

/// What is waited for in one round.
#[derive(Default)]
pub struct PollSet {
    fds: Vec<libc::pollfd>,
}

impl PollSet {
    pub fn clear(&mut self) {
        self.fds.clear();
    }

    pub fn add(&mut self, fd: RawFd, events: i16) {
        self.fds.push(libc::pollfd {
            fd,
            events,
            revents: 0,
        });
    }

    pub fn wait(&mut self, deadline: Option<Instant>) -> io::Result<()> {
        let timeout = deadline.map_or(-1, |at| {
            let rest = at.saturating_duration_since(Instant::now());
            // One more, so that the wait is never a little too short.
            if rest.is_zero() {
                0
            } else {
                rest.min(Duration::from_secs(60)).as_millis() as i32 + 1
            }
        });
        // SAFETY: the buffer outlives the call and its true length is given.
        let result = unsafe {
            libc::poll(
                self.fds.as_mut_ptr(),
                self.fds.len() as libc::nfds_t,
                timeout,
            )
        };
        match check(result) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                self.fds.iter_mut().for_each(|fd| fd.revents = 0);
                Ok(())
            }
            other => other.map(drop),
        }
    }

    /// Whether anything happened to the descriptor that it was added for, an error included.
    pub fn is_ready(&self, fd: RawFd) -> bool {
        self.fds
            .iter()
            .any(|entry| entry.fd == fd && entry.revents != 0)
    }
}

/// The signals a holder handles, as a descriptor.
pub struct Signals {
    file: File,
}

impl Signals {
    pub fn take() -> io::Result<Self> {
        let mut set = MaybeUninit::<libc::sigset_t>::uninit();
        // SAFETY: sigemptyset initialises the set; the descriptor is new and owned here alone.
        unsafe {
            for ignored in [
                libc::SIGHUP,
                libc::SIGINT,
                libc::SIGQUIT,
                libc::SIGPIPE,
                libc::SIGTTOU,
                libc::SIGTTIN,
            ] {
                libc::signal(ignored, libc::SIG_IGN);
            }
            libc::sigemptyset(set.as_mut_ptr());
            libc::sigaddset(set.as_mut_ptr(), libc::SIGCHLD);
            libc::sigaddset(set.as_mut_ptr(), libc::SIGTERM);
            check(libc::sigprocmask(
                libc::SIG_BLOCK,
                set.as_ptr(),
                std::ptr::null_mut(),
            ))?;
            let fd = check(libc::signalfd(
                -1,
                set.as_ptr(),
                libc::SFD_CLOEXEC | libc::SFD_NONBLOCK,
            ))?;
            Ok(Self {
                file: File::from_raw_fd(fd),
            })
        }
    }

    pub fn fd(&self) -> RawFd {
        self.file.as_raw_fd()
    }

    /// The number of the next signal.
    pub fn next(&self) -> Option<i32> {
        let mut bytes = [0; size_of::<libc::signalfd_siginfo>()];
        let count = (&self.file).read(&mut bytes).ok()?;
        // The number is the structure's first field.
        (count == bytes.len()).then(|| i32::from_ne_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
    }
}

/// Undoes [`Signals::take`] between fork and exec.
pub fn restore_signals() {
    let mut none = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: sigemptyset initialises the set; no handler is installed.
    unsafe {
        for signal in 1..32 {
            libc::signal(signal, libc::SIG_DFL);
        }
        libc::sigemptyset(none.as_mut_ptr());
        libc::sigprocmask(libc::SIG_SETMASK, none.as_ptr(), std::ptr::null_mut());
    }
}

/// A pseudo-terminal of this size: its master without blocking, and the other end.
pub fn open_terminal(cols: u16, rows: u16) -> io::Result<(File, OwnedFd)> {
    // SAFETY: each descriptor is new and owned here alone; the structures outlive their calls.
    unsafe {
        let flags = libc::O_RDWR | libc::O_NOCTTY | libc::O_CLOEXEC;
        let master = File::from_raw_fd(check(libc::posix_openpt(flags))?);
        check(libc::unlockpt(master.as_raw_fd()))?;
        // By the master and not by a path, which another mount of /dev/pts could answer.
        let slave = OwnedFd::from_raw_fd(check(libc::ioctl(
            master.as_raw_fd(),
            libc::TIOCGPTPEER,
            flags,
        ))?);
        let mut settings = MaybeUninit::<libc::termios>::uninit();
        check(libc::tcgetattr(slave.as_raw_fd(), settings.as_mut_ptr()))?;
        let mut settings = settings.assume_init();
        settings.c_iflag |= libc::IUTF8;
        check(libc::tcsetattr(
            slave.as_raw_fd(),
            libc::TCSANOW,
            &raw const settings,
        ))?;
        set_size(&master, cols, rows)?;
        set_nonblocking(&master)?;
        Ok((master, slave))
    }
}

pub fn set_size(master: &File, cols: u16, rows: u16) -> io::Result<()> {
    let size = libc::winsize {
        ws_row: rows,
        ws_col: cols,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    // SAFETY: the structure outlives the call.
    check(unsafe { libc::ioctl(master.as_raw_fd(), libc::TIOCSWINSZ, &raw const size) }).map(drop)
}

/// Two connected packet sockets, both closed on exec, neither blocking.
pub fn packet_pair() -> io::Result<(OwnedFd, OwnedFd)> {
    let mut fds = [0; 2];
    let kind = libc::SOCK_SEQPACKET | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
    // SAFETY: the array outlives the call, and the descriptors are owned here alone.
    unsafe {
        check(libc::socketpair(libc::AF_UNIX, kind, 0, fds.as_mut_ptr()))?;
        Ok((OwnedFd::from_raw_fd(fds[0]), OwnedFd::from_raw_fd(fds[1])))
    }
}

/// Sends one packet with up to three descriptors.
pub fn send_packet(socket: &OwnedFd, bytes: &[u8], fds: &[RawFd]) -> io::Result<()> {
    let mut ancillary = [0u64; 8];
    let mut part = libc::iovec {
        iov_base: bytes.as_ptr().cast_mut().cast(),
        iov_len: bytes.len(),
    };
    // SAFETY: all buffers outlive the call; the ancillary one has room for three descriptors.
    unsafe {
        let mut message: libc::msghdr = std::mem::zeroed();
        message.msg_iov = &raw mut part;
        message.msg_iovlen = 1;
        if !fds.is_empty() {
            debug_assert!(fds.len() <= 3);
            message.msg_control = ancillary.as_mut_ptr().cast();
            message.msg_controllen = libc::CMSG_SPACE(size_of_val(fds) as u32) as _;
            let header = libc::CMSG_FIRSTHDR(&raw const message);
            (*header).cmsg_level = libc::SOL_SOCKET;
            (*header).cmsg_type = libc::SCM_RIGHTS;
            (*header).cmsg_len = libc::CMSG_LEN(size_of_val(fds) as u32) as _;
            std::ptr::copy_nonoverlapping(fds.as_ptr(), libc::CMSG_DATA(header).cast(), fds.len());
        }
        let sent = libc::sendmsg(
            socket.as_raw_fd(),
            &raw const message,
            libc::MSG_NOSIGNAL | libc::MSG_DONTWAIT,
        );
        check(sent as i32).map(drop)
    }
}
