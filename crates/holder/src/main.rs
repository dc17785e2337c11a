//! Holds one session's sandbox and terminal for as long as the agent runs, whatever happens to the
//! daemon and its viewers. It holds no secret, has one thread, and writes every byte to the log
//! before anyone sees it.

mod bubblewrap;
mod docker;
mod exec;
mod feed;
mod held;
mod hold;
mod log;
mod sys;
mod viewer;

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::ExitCode;

use clauderon_holder::{Announcement, Mode, Sandbox, SessionFiles, Spec};

use held::Held;
use log::Log;

fn main() -> ExitCode {
    sys::close_inherited();
    let Some(path) = std::env::args_os().nth(1) else {
        return refuse("a spec file must be named");
    };
    match begin(Path::new(&path)) {
        Ok(hold) => {
            announce(&Announcement::Ready {
                ready: true,
                pid: std::process::id(),
            });
            hold.run();
            ExitCode::SUCCESS
        }
        Err(sentence) => refuse(&sentence),
    }
}

/// Everything up to the moment when the sandbox runs and the socket answers.
fn begin(path: &Path) -> Result<hold::Hold, String> {
    let bytes =
        fs::read(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    let spec: Spec = serde_json::from_slice(&bytes)
        .map_err(|error| format!("{} is not a spec: {error}", path.display()))?;
    let files = SessionFiles::new(&spec.dir);
    let lock = lock(&files)?;
    let signals = sys::Signals::take().map_err(|error| format!("cannot take signals: {error}"))?;
    let mut log = Log::open(&files, spec.mode.into(), log::LIMIT)
        .map_err(|error| format!("cannot open the log: {error}"))?;
    let listener = listen(&files)?;
    remove(&files.exit())
        .map_err(|error| format!("cannot remove the last exit record: {error}"))?;
    let held: Box<dyn Held> = match &spec.sandbox {
        Sandbox::Bubblewrap { .. } => Box::new(bubblewrap::Bubblewrap::start(&spec)?),
        Sandbox::Docker { .. } => Box::new(docker::Docker::start(&spec)?),
    };
    let goes_on = matches!(&spec.sandbox, Sandbox::Docker { start: false, .. });
    if spec.mode == Mode::Pty && !goes_on {
        let (cols, rows) = spec.size();
        log.resized(cols, rows);
    }
    Ok(hold::Hold::new(
        spec.mode, files, lock, signals, log, listener, held,
    ))
}

/// Keeps a second holder away for as long as the file stays open.
fn lock(files: &SessionFiles) -> Result<File, String> {
    let cannot = |error: io::Error| format!("cannot write {}: {error}", files.pid().display());
    let mut file = File::options()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .mode(0o600)
        .open(files.pid())
        .map_err(cannot)?;
    if file.try_lock().is_err() {
        return Err("a holder runs for this session already".into());
    }
    file.set_len(0)
        .and_then(|()| writeln!(file, "{}", std::process::id()))
        .map_err(cannot)?;
    Ok(file)
}

fn listen(files: &SessionFiles) -> Result<UnixListener, String> {
    let path = files.socket();
    let cannot = |error: io::Error| format!("cannot listen on {}: {error}", path.display());
    remove(&path).map_err(cannot)?;
    let listener = UnixListener::bind(&path).map_err(cannot)?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).map_err(cannot)?;
    listener.set_nonblocking(true).map_err(cannot)?;
    Ok(listener)
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn refuse(sentence: &str) -> ExitCode {
    sys::note(sentence);
    announce(&Announcement::Failed {
        error: sentence.to_owned(),
    });
    ExitCode::FAILURE
}

/// Tells the starter how it went, then lets go of the pipe so that it can stop listening.
fn announce(announcement: &Announcement) {
    let mut line = serde_json::to_vec(announcement).expect("numbers and text always serialise");
    line.push(b'\n');
    let _ = io::stdout()
        .write_all(&line)
        .and_then(|()| io::stdout().flush());
    if let Ok(null) = File::options().write(true).open("/dev/null") {
        // SAFETY: replaces descriptor 1, which the standard library never closes.
        unsafe { libc::dup2(null.as_raw_fd(), 1) };
    }
}
