//! What happens between fork and exec of a throw-away sandbox: its control groups, a keyring of its own, and, for a root
//! caller, a stage of mount sources that the sandbox user can reach and the step down to that user.
//!
//! Nothing here may allocate or lock: the child of a threaded process has only async-signal-safe calls.

use std::ffi::CString;
use std::io::{self, Write};
use std::os::fd::RawFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI32, Ordering};

use super::STAGE;
use crate::User;
use crate::mounts::Checked;

/// What the child does between fork and exec. Everything it needs was allocated before.
pub struct Setup {
    /// Descriptors that the program inherits.
    pub inherited: Vec<RawFd>,
    /// `cgroup.procs` files to join.
    pub groups: Vec<CString>,
    /// Mount sources to make reachable, for a root caller.
    pub stage: Option<Staging>,
    /// Whom to become, for a root caller.
    pub user: Option<User>,
}

impl Setup {
    /// Does it; only async-signal-safe system calls.
    pub fn apply(&self) -> io::Result<()> {
        // SAFETY: plain system calls with pointers into memory that outlives them.
        unsafe {
            for &number in &self.inherited {
                check(libc::fcntl(number, libc::F_SETFD, 0))?;
            }
            for procs in &self.groups {
                join(procs);
            }
            crate::holder::fresh_keyring();
            if let Some(stage) = &self.stage {
                stage.mount()?;
            }
            if let Some(user) = self.user {
                check(libc::setgroups(0, std::ptr::null()))?;
                check(libc::setgid(user.gid))?;
                check(libc::setuid(user.uid))?;
            }
            libc::umask(0o022);
        }
        Ok(())
    }
}

/// Joins a control group. A group that vanished limits nothing; the sandbox itself does not depend on it.
unsafe fn join(procs: &CString) {
    unsafe {
        let file = libc::open(procs.as_ptr(), libc::O_WRONLY | libc::O_CLOEXEC);
        if file >= 0 {
            libc::write(file, c"0".as_ptr().cast(), 1);
            libc::close(file);
        }
    }
}

/// Mount sources made reachable for an unprivileged user, in a mount namespace of the child's own.
pub struct Staging {
    sources: Vec<(CString, CString, bool)>,
    open: Vec<AtomicI32>,
}

impl Staging {
    /// Prepares every path before the fork.
    pub fn new(mounts: &[Checked]) -> Self {
        let sources: Vec<_> = mounts
            .iter()
            .enumerate()
            .map(|(index, mount)| {
                (
                    c_path(&mount.source),
                    c_path(&PathBuf::from(STAGE).join(index.to_string())),
                    mount.folder,
                )
            })
            .collect();
        let open = sources.iter().map(|_| AtomicI32::new(-1)).collect();
        Self { sources, open }
    }

    /// Opens every source first, since the stage may cover some of them, without following a link that replaced a
    /// judged path; then binds each opened source to its place.
    unsafe fn mount(&self) -> io::Result<()> {
        unsafe {
            check(libc::unshare(libc::CLONE_NEWNS))?;
            let root = c"/".as_ptr();
            check(libc::mount(
                std::ptr::null(),
                root,
                std::ptr::null(),
                libc::MS_REC | libc::MS_PRIVATE,
                std::ptr::null(),
            ))?;
            for ((source, _, _), open) in self.sources.iter().zip(&self.open) {
                let file = libc::open(
                    source.as_ptr(),
                    libc::O_PATH | libc::O_NOFOLLOW | libc::O_CLOEXEC,
                );
                check(file)?;
                open.store(file, Ordering::Relaxed);
            }
            let stage = STAGE_C.as_ptr();
            let flags = libc::MS_NOSUID | libc::MS_NODEV;
            check(libc::mount(
                c"tmpfs".as_ptr(),
                stage,
                c"tmpfs".as_ptr(),
                flags,
                c"mode=0755,size=1m".as_ptr().cast(),
            ))?;
            for ((_, place, folder), open) in self.sources.iter().zip(&self.open) {
                if *folder {
                    check(libc::mkdir(place.as_ptr(), 0o755))?;
                } else {
                    let file = libc::open(
                        place.as_ptr(),
                        libc::O_CREAT | libc::O_WRONLY | libc::O_CLOEXEC,
                        0o644,
                    );
                    check(file)?;
                    libc::close(file);
                }
                let from = DescriptorPath::new(open.load(Ordering::Relaxed));
                let kind = libc::MS_BIND | libc::MS_REC;
                check(libc::mount(
                    from.as_ptr(),
                    place.as_ptr(),
                    std::ptr::null(),
                    kind,
                    std::ptr::null(),
                ))?;
            }
        }
        Ok(())
    }
}

const STAGE_C: &std::ffi::CStr = c"/tmp";

/// `/proc/self/fd/<n>` written without allocating.
struct DescriptorPath([u8; 32]);

impl DescriptorPath {
    fn new(number: RawFd) -> Self {
        let mut path = [0_u8; 32];
        let mut rest = &mut path[..];
        // A descriptor's number always fits; the last byte stays zero.
        let _ = write!(rest, "/proc/self/fd/{number}");
        Self(path)
    }

    fn as_ptr(&self) -> *const libc::c_char {
        self.0.as_ptr().cast()
    }
}

fn check(result: libc::c_int) -> io::Result<()> {
    if result < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(())
    }
}

/// A path as the system takes it.
pub fn c_path(path: &Path) -> CString {
    CString::new(path.as_os_str().as_bytes()).expect("the system's own paths hold no NUL")
}
