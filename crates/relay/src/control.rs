//! The holder's way in: run something beside the agent, or signal what runs. The descriptor is
//! closed on exec, and a process that is not dumpable cannot be asked for it.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

use serde::{Deserialize, Serialize};

use crate::poll::check;

const LONGEST: usize = 64 * 1024;

#[derive(Deserialize)]
#[serde(untagged)]
pub enum Request {
    Run {
        id: u64,
        argv: Vec<String>,
        #[serde(default)]
        env: Option<BTreeMap<String, String>>,
        #[serde(default)]
        cwd: Option<String>,
    },
    /// For the agent, or for what was run with this id.
    Signal {
        #[serde(default)]
        id: Option<u64>,
        signal: i32,
    },
}

#[derive(Serialize)]
#[serde(untagged)]
pub enum Answer<'a> {
    Started { id: u64, pid: i32 },
    Ended { id: u64, exit: i32 },
    Refused { id: u64, exit: i32, error: &'a str },
}

pub struct Control {
    socket: OwnedFd,
}

pub enum Received {
    Request(Request, Vec<OwnedFd>),
    /// Not a request, or nothing at the moment.
    Nothing,
    /// The holder is gone.
    End,
}

impl Control {
    pub fn take(fd: RawFd) -> io::Result<Self> {
        // SAFETY: the descriptor was handed over for this purpose on the command line; F_GETFD proves it open.
        let socket = unsafe {
            check(libc::fcntl(fd, libc::F_GETFD))?;
            check(libc::fcntl(fd, libc::F_SETFD, libc::FD_CLOEXEC))?;
            OwnedFd::from_raw_fd(fd)
        };
        Ok(Self { socket })
    }

    pub fn fd(&self) -> RawFd {
        self.socket.as_raw_fd()
    }

    pub fn answer(&self, answer: &Answer) {
        let bytes = serde_json::to_vec(answer).expect("numbers and text always serialise");
        // SAFETY: the buffer outlives the call. A holder that is gone needs no answer.
        unsafe {
            libc::send(
                self.fd(),
                bytes.as_ptr().cast(),
                bytes.len(),
                libc::MSG_NOSIGNAL | libc::MSG_DONTWAIT,
            );
        }
    }

    pub fn receive(&self) -> Received {
        let mut bytes = vec![0; LONGEST];
        // Room for three descriptors, aligned as their header wants.
        let mut ancillary = [0u64; 8];
        let mut part = libc::iovec {
            iov_base: bytes.as_mut_ptr().cast(),
            iov_len: bytes.len(),
        };
        // SAFETY: all buffers outlive the call; received descriptors are owned by nobody else.
        let (count, fds) = unsafe {
            let mut message: libc::msghdr = std::mem::zeroed();
            message.msg_iov = &raw mut part;
            message.msg_iovlen = 1;
            message.msg_control = ancillary.as_mut_ptr().cast();
            message.msg_controllen = size_of_val(&ancillary) as _;
            let flags = libc::MSG_CMSG_CLOEXEC | libc::MSG_DONTWAIT;
            let count = libc::recvmsg(self.fd(), &raw mut message, flags);
            (
                count,
                if count > 0 {
                    descriptors(&message)
                } else {
                    Vec::new()
                },
            )
        };
        match count {
            0 => Received::End,
            count if count > 0 => match serde_json::from_slice(&bytes[..count as usize]) {
                Ok(request) => Received::Request(request, fds),
                Err(_) => Received::Nothing,
            },
            _ => match io::Error::last_os_error().kind() {
                io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted => Received::Nothing,
                _ => Received::End,
            },
        }
    }
}

/// # Safety
/// The message must have been filled by a successful `recvmsg`.
unsafe fn descriptors(message: &libc::msghdr) -> Vec<OwnedFd> {
    let mut fds = Vec::new();
    // SAFETY: the kernel wrote the headers that the macros walk along.
    unsafe {
        let header = libc::CMSG_FIRSTHDR(message);
        if !header.is_null()
            && (*header).cmsg_level == libc::SOL_SOCKET
            && (*header).cmsg_type == libc::SCM_RIGHTS
        {
            let data = libc::CMSG_DATA(header).cast::<RawFd>();
            let count =
                ((*header).cmsg_len as usize - libc::CMSG_LEN(0) as usize) / size_of::<RawFd>();
            for index in 0..count {
                fds.push(OwnedFd::from_raw_fd(data.add(index).read_unaligned()));
            }
        }
    }
    fds
}
