//! What the child does between fork and exec: terminal, limits, staged mounts, keyring, user,
//! descriptors. Any step that fails ends it with a sentence; nothing runs with a step left out.

use std::ffi::{CStr, CString, OsStr};
use std::fs::File;
use std::io::{self, PipeWriter, Write};
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::ptr;

use super::launch::{Plan, StagePlan, StagedBind};
use crate::sys::{self, check};

const KEYCTL_JOIN_SESSION_KEYRING: i32 = 1;

/// Never returns: becomes bwrap, or says on the pipe why not.
pub fn become_sandbox(plan: &Plan, mut report: PipeWriter) -> ! {
    let Err((what, error)) = prepare_and_exec(plan);
    let _ = write!(report, "cannot {what}: {error}");
    // SAFETY: ends the child without running anything of the parent's.
    unsafe { libc::_exit(126) }
}

fn prepare_and_exec(plan: &Plan) -> Result<std::convert::Infallible, (String, io::Error)> {
    let at = |what: &'static str| move |error| (what.to_owned(), error);
    sys::restore_signals();
    take_terminal(plan).map_err(at("take the terminal"))?;
    for (file, path) in &plan.cgroups {
        let mut file = file;
        file.write_all(b"0")
            .map_err(|error| (format!("join {}", path.display()), error))?;
    }
    if let Some(stage) = &plan.stage {
        set_the_stage(stage)?;
    }
    drop_to_user(plan).map_err(at("become the sandbox's user"))?;
    new_keyring().map_err(at("take a new session keyring"))?;
    keep_only_named(plan).map_err(at("pass descriptors on"))?;
    let mut argv: Vec<*const libc::c_char> = plan.argv.iter().map(|word| word.as_ptr()).collect();
    argv.push(ptr::null());
    // Empty: what the sandbox's first process gets stays readable inside, whatever bwrap clears.
    let environment = [ptr::null::<libc::c_char>()];
    // SAFETY: all strings and both null-terminated lists outlive the call.
    unsafe {
        libc::umask(0o022);
        libc::chdir(c"/".as_ptr());
        libc::execve(plan.program.as_ptr(), argv.as_ptr(), environment.as_ptr());
    }
    Err((
        format!("run {}", plan.program.to_string_lossy()),
        io::Error::last_os_error(),
    ))
}

/// A session of its own with the terminal as its controlling one, then 0, 1 and 2.
fn take_terminal(plan: &Plan) -> io::Result<()> {
    let inside = &plan.inside;
    // SAFETY: plain calls on descriptors that are open.
    unsafe {
        check(libc::setsid())?;
        if inside.is_terminal {
            check(libc::ioctl(inside.stdin.as_raw_fd(), libc::TIOCSCTTY, 0))?;
        }
        check(libc::dup2(inside.stdin.as_raw_fd(), 0))?;
        check(libc::dup2(inside.stdout.as_raw_fd(), 1))?;
        check(libc::dup2(inside.stderr.as_raw_fd(), 2))?;
    }
    Ok(())
}

fn set_the_stage(stage: &StagePlan) -> Result<(), (String, io::Error)> {
    let at = |what: &'static str| move |error| (what.to_owned(), error);
    // SAFETY: the flags name a namespace, no memory.
    check(unsafe { libc::unshare(libc::CLONE_NEWNS) }).map_err(at("make a mount namespace"))?;
    mount(c"none", c"/", None, libc::MS_REC | libc::MS_PRIVATE, None)
        .map_err(at("make the mounts private"))?;
    let sources = stage
        .binds
        .iter()
        .map(open_again)
        .collect::<io::Result<Vec<_>>>()
        .map_err(at("open what is to be staged"))?;
    let flags = libc::MS_NOSUID | libc::MS_NODEV;
    mount(
        c"tmpfs",
        &stage.dir,
        Some(c"tmpfs"),
        flags,
        Some(c"mode=0755,size=1m"),
    )
    .map_err(at("mount the stage"))?;
    for (bind, source) in stage.binds.iter().zip(&sources) {
        let staged = make_place(&bind.target, bind.is_dir).and_then(|()| {
            mount(
                &CString::new(format!("/proc/self/fd/{}", source.as_raw_fd()))?,
                &bind.target,
                None,
                libc::MS_BIND | libc::MS_REC,
                None,
            )
        });
        staged.map_err(|error| (format!("stage {}", bind.target.to_string_lossy()), error))?;
    }
    Ok(())
}

/// Opens a source anew: a descriptor from before the mount namespace was ours cannot be bound. Before the stage is
/// mounted, since that may hide it; and only what was judged, not what has taken its place.
fn open_again(bind: &StagedBind) -> io::Result<File> {
    let path = Path::new(OsStr::from_bytes(bind.source.to_bytes()));
    let source = File::options()
        .read(true)
        .custom_flags(libc::O_PATH | libc::O_NOFOLLOW | libc::O_CLOEXEC)
        .open(path)?;
    let (now, judged) = (source.metadata()?, bind.judged.metadata()?);
    match (now.dev(), now.ino()) == (judged.dev(), judged.ino()) {
        true => Ok(source),
        false => Err(io::Error::other("it was replaced meanwhile")),
    }
}

fn make_place(target: &CStr, is_dir: bool) -> io::Result<()> {
    // SAFETY: the path outlives the calls, and the new descriptor is closed at once.
    unsafe {
        if is_dir {
            return check(libc::mkdir(target.as_ptr(), 0o755)).map(drop);
        }
        let fd = check(libc::open(
            target.as_ptr(),
            libc::O_CREAT | libc::O_EXCL | libc::O_CLOEXEC,
            0o644,
        ))?;
        libc::close(fd);
    }
    Ok(())
}

fn mount(
    source: &CStr,
    target: &CStr,
    kind: Option<&CStr>,
    flags: libc::c_ulong,
    data: Option<&CStr>,
) -> io::Result<()> {
    let pointer = |text: Option<&CStr>| text.map_or(ptr::null(), CStr::as_ptr);
    // SAFETY: all strings outlive the call.
    check(unsafe {
        libc::mount(
            source.as_ptr(),
            target.as_ptr(),
            pointer(kind),
            flags,
            pointer(data).cast(),
        )
    })
    .map(drop)
}

fn drop_to_user(plan: &Plan) -> io::Result<()> {
    let Some(user) = plan.user else { return Ok(()) };
    // SAFETY: plain calls; groups first, while they are still allowed.
    unsafe {
        check(libc::setgroups(0, ptr::null()))?;
        check(libc::setresgid(user.gid, user.gid, user.gid))?;
        check(libc::setresuid(user.uid, user.uid, user.uid)).map(drop)
    }
}

/// The starter's session keyring would be readable inside. A kernel or container that has no
/// keyrings for us has none for the sandbox either.
fn new_keyring() -> io::Result<()> {
    // SAFETY: joins a new anonymous keyring, no memory is passed.
    let result = unsafe {
        libc::syscall(
            libc::SYS_keyctl,
            KEYCTL_JOIN_SESSION_KEYRING,
            ptr::null::<libc::c_char>(),
        )
    };
    match check(result as i32) {
        Err(error) if matches!(error.raw_os_error(), Some(libc::ENOSYS | libc::EPERM)) => Ok(()),
        other => other.map(drop),
    }
}

/// Closes everything on exec but the standard three and what bwrap is told about.
fn keep_only_named(plan: &Plan) -> io::Result<()> {
    // SAFETY: plain calls on descriptors that are open.
    unsafe {
        check(libc::syscall(
            libc::SYS_close_range,
            3,
            u32::MAX,
            libc::CLOSE_RANGE_CLOEXEC,
        ) as i32)?;
        for fd in &plan.keep {
            check(libc::fcntl(*fd, libc::F_SETFD, 0))?;
        }
    }
    Ok(())
}
