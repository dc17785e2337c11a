//! Connecting to the egress socket without ever waiting for it.

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixStream;
use std::path::Path;

use crate::poll::check;

/// Connects at once or fails: the standard library's call would block on a full queue.
pub fn connect(path: &Path) -> io::Result<UnixStream> {
    // SAFETY: an all-zero socket address is a valid value of this plain structure.
    let mut address: libc::sockaddr_un = unsafe { std::mem::zeroed() };
    address.sun_family = libc::AF_UNIX as libc::sa_family_t;
    let bytes = path.as_os_str().as_bytes();
    if bytes.len() >= address.sun_path.len() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    for (to, from) in address.sun_path.iter_mut().zip(bytes) {
        *to = *from as libc::c_char;
    }
    // SAFETY: the descriptor is new and owned here alone; the address outlives the call.
    unsafe {
        let kind = libc::SOCK_STREAM | libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC;
        let socket = OwnedFd::from_raw_fd(check(libc::socket(libc::AF_UNIX, kind, 0))?);
        let length = size_of::<libc::sockaddr_un>() as libc::socklen_t;
        check(libc::connect(
            socket.as_raw_fd(),
            (&raw const address).cast(),
            length,
        ))?;
        Ok(UnixStream::from(socket))
    }
}
