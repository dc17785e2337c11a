//! One window an installation: a second launch shows the first and ends. One that meets a window on its way out waits and
//! takes its place, so that a launch always ends with a window.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

/// How long the first window may take to say that it heard.
const PATIENCE: Duration = Duration::from_secs(3);
/// How long a window may take to end: its daemon drains first.
const LEAVING: Duration = Duration::from_secs(20);
const INTERVAL: Duration = Duration::from_millis(20);
/// What the first window says when it has shown itself. One that is ending says nothing.
const SHOWN: &str = "shown\n";

/// The right to be the window, given back when the process ends.
#[derive(Debug)]
pub struct Instance {
    _lock: File,
    listener: UnixListener,
}

/// Who we are.
#[derive(Debug)]
pub enum Launch {
    /// The window.
    First(Instance),
    /// A second one; the first was asked to show itself.
    Second,
}

/// Becomes the window of the installation at `home`, or shows the one there is.
pub fn launch(home: &Path) -> Result<Launch> {
    std::fs::create_dir_all(home).with_context(|| format!("make {}", home.display()))?;
    std::fs::set_permissions(home, std::fs::Permissions::from_mode(0o700))
        .with_context(|| format!("narrow {}", home.display()))?;
    let path = home.join("window.lock");
    let lock = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(&path)
        .with_context(|| format!("open {}", path.display()))?;
    let socket = home.join("window.sock");
    let begun = Instant::now();
    loop {
        match lock.try_lock() {
            Ok(()) => break,
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("lock {}", path.display()));
            }
        }
        match show(&socket) {
            Ok(true) => return Ok(Launch::Second),
            Err(error) if is_deaf(&error) => {
                return Err(error)
                    .context("Clauderon runs already, and its window does not answer");
            }
            // It is on its way out: its place is free in a moment.
            Ok(false) | Err(_) => {}
        }
        if begun.elapsed() >= LEAVING {
            bail!("Clauderon is still quitting; open it again in a moment");
        }
        std::thread::sleep(INTERVAL);
    }
    // Left by a window that crashed; we hold the lock.
    let _ = std::fs::remove_file(&socket);
    let listener =
        UnixListener::bind(&socket).with_context(|| format!("open {}", socket.display()))?;
    Ok(Launch::First(Instance {
        _lock: lock,
        listener,
    }))
}

impl Instance {
    /// Calls `show` for each later launch, for as long as the process lives. It says whether the window is shown.
    pub fn listen(self, show: impl Fn() -> bool + Send + 'static) {
        std::thread::spawn(move || {
            // The lock goes along, and with it the right to be the window.
            let instance = self;
            for stream in instance.listener.incoming() {
                let Ok(mut stream) = stream else { continue };
                if show() {
                    // The other launch has given up waiting: no harm.
                    let _ = stream.write_all(SHOWN.as_bytes());
                }
            }
        });
    }
}

/// Asks the first window to show itself, and returns whether it did.
fn show(socket: &Path) -> std::io::Result<bool> {
    let mut stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer == SHOWN)
}

/// Says whether the window is there and hears nothing, as one does that hangs.
fn is_deaf(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::sync::mpsc;

    #[test]
    fn a_second_launch_shows_the_first() {
        let home = tempfile::tempdir().unwrap();
        let Launch::First(first) = launch(home.path()).unwrap() else {
            panic!("nobody was there before");
        };
        let (shown, shows) = mpsc::channel();
        first.listen(move || shown.send(()).is_ok());
        assert!(matches!(launch(home.path()).unwrap(), Launch::Second));
        shows.recv_timeout(PATIENCE).unwrap();
    }

    #[test]
    fn what_a_crashed_window_left_is_in_nobodys_way() {
        let home = tempfile::tempdir().unwrap();
        drop(UnixListener::bind(home.path().join("window.sock")).unwrap());
        assert!(matches!(launch(home.path()).unwrap(), Launch::First(_)));
    }

    #[test]
    fn a_launch_that_meets_a_window_on_its_way_out_takes_its_place() {
        let home = tempfile::tempdir().unwrap();
        let Launch::First(leaving) = launch(home.path()).unwrap() else {
            panic!("nobody was there before");
        };
        let (asked, asks) = mpsc::channel();
        std::thread::scope(|scope| {
            scope.spawn(move || {
                // It hears of the launch while it drains, and then its process ends.
                drop(leaving.listener.accept().unwrap());
                asked.send(()).unwrap();
                drop(leaving);
            });
            assert!(matches!(launch(home.path()).unwrap(), Launch::First(_)));
        });
        asks.recv().unwrap();
    }
}
