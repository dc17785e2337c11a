//! Putting an agent onto this machine: fetch, check, unpack, move into place. No script of a package ever runs.
//!
//! The folder of a version appears by one rename after everything in it was written down, so that it is whole or absent.

mod archive;
mod download;

use std::fs::{self, File, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clauderon_session::Agent;
use tempfile::TempDir;
use thiserror::Error;

use crate::pin::Pin;

/// Where an agent's archive comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A package registry, by its https base address.
    Registry(String),
    /// An archive on this machine.
    Archive(PathBuf),
}

/// How far an installation is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// What will be fetched; said before the first byte moves. The size is absent where it was never measured.
    Fetching {
        /// The version.
        version: String,
        /// The archive's size.
        bytes: Option<u64>,
    },
    /// Bytes that are here.
    Fetched {
        /// How many.
        bytes: u64,
        /// Of how many.
        of: Option<u64>,
    },
    /// The checksum is being compared.
    Checking,
    /// The archive is being unpacked.
    Unpacking,
}

/// An agent that is here and whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installed {
    /// Its version.
    pub version: String,
    /// Its folder, to be mounted at `/clauderon/agent`.
    pub dir: PathBuf,
}

/// Why an agent was not installed. Nothing of it remains.
#[derive(Debug, Error)]
pub enum InstallError {
    /// The agent is not made for this processor.
    #[error("{} is not made for this processor ({})", .0.title(), std::env::consts::ARCH)]
    NoPin(Agent),
    /// The registry's address is not https.
    #[error("the registry's address must begin with https://, not {0:?}")]
    NotHttps(String),
    /// There is no program to download with.
    #[error(
        "curl is needed to download an agent: install it, or give the archive with --archive FILE"
    )]
    NoCurl,
    /// The download failed.
    #[error("could not download {url}: {reason}")]
    Download {
        /// The address.
        url: String,
        /// What curl says.
        reason: String,
    },
    /// The archive is not the one of this release.
    #[error("{} is not {} {version} as pinned in this release: its checksum is sha512-{found}", .archive.display(), .agent.title())]
    WrongArchive {
        /// The archive.
        archive: PathBuf,
        /// The agent.
        agent: Agent,
        /// The pinned version.
        version: String,
        /// Its checksum in base64.
        found: String,
    },
    /// The archive holds something that must not be unpacked.
    #[error("the archive of {} is refused: {reason}", .agent.title())]
    BadArchive {
        /// The agent.
        agent: Agent,
        /// What was found in it.
        reason: String,
    },
    /// Somebody else installs an agent at this moment.
    #[error("another installation of an agent is running; try again when it has ended")]
    Busy,
    /// The caller gave up.
    #[error("the installation was cancelled")]
    Cancelled,
    /// A file could not be read or written.
    #[error("could not {doing}: {source}")]
    Io {
        /// What was being done.
        doing: String,
        /// Why it failed.
        source: io::Error,
    },
}

impl InstallError {
    fn io(doing: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let doing = doing.into();
        move |source| Self::Io { doing, source }
    }
}

/// Returns the agent of this release, if it is installed.
pub fn installed(home: &Path, agent: Agent) -> Option<Installed> {
    present(home, &Pin::of(agent)?)
}

/// Returns one version of an agent, if it lies where that version belongs; the one of this release where none is named.
pub fn installed_version(home: &Path, agent: Agent, version: Option<&str>) -> Option<Installed> {
    let pin = Pin::of(agent)?;
    let version = version.map_or(pin.version.as_str(), |version| version);
    let plain =
        |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-' | '_' | '+');
    if version.starts_with('.') || !version.chars().all(plain) {
        return None;
    }
    let version = version.to_owned();
    present(home, &Pin { version, ..pin })
}

fn present(home: &Path, pin: &Pin) -> Option<Installed> {
    let dir = pin.dir(home);
    dir.join(&pin.program).is_file().then(|| Installed {
        version: pin.version.clone(),
        dir,
    })
}

/// Installs the agent of this release below `home`, unless it is there. Dropping the future cancels it.
pub async fn install(
    home: &Path,
    agent: Agent,
    source: Source,
    progress: impl FnMut(Progress) + Send,
) -> Result<Installed, InstallError> {
    let pin = Pin::of(agent).ok_or(InstallError::NoPin(agent))?;
    install_pin(home, pin, source, Path::new("curl"), progress).await
}

async fn install_pin(
    home: &Path,
    pin: Pin,
    source: Source,
    curl: &Path,
    mut progress: impl FnMut(Progress) + Send,
) -> Result<Installed, InstallError> {
    if let Some(found) = present(home, &pin) {
        return Ok(found);
    }
    let stage = Arc::new(Stage::open(home)?);
    let size = match &source {
        Source::Registry(_) => pin.bytes,
        Source::Archive(path) => fs::metadata(path).ok().map(|found| found.len()),
    };
    progress(Progress::Fetching {
        version: pin.version.clone(),
        bytes: size,
    });
    let archive = stage.dir.path().join("archive.tgz");
    let origin = match source {
        Source::Registry(base) => {
            let url = pin.url(&base);
            download::fetch(curl, &url, &archive, pin.bytes, &mut progress).await?;
            PathBuf::from(url)
        }
        Source::Archive(path) => {
            let (from, to) = (path.clone(), archive.clone());
            blocking(move |_| archive::copy(&from, &to)).await?;
            path
        }
    };
    progress(Progress::Checking);
    let checked = (archive.clone(), pin.clone());
    blocking(move |cancelled| archive::check(&checked.0, &origin, &checked.1, cancelled)).await?;
    progress(Progress::Unpacking);
    let home = home.to_path_buf();
    // The stage moves along: a cancelled caller leaves it to be removed when the work has stopped.
    blocking(move |cancelled| {
        let unpacked = stage.dir.path().join("unpacked");
        archive::unpack(&archive, &unpacked, &pin, cancelled)?;
        place(&unpacked, &pin.dir(&home), cancelled)?;
        present(&home, &pin).ok_or_else(|| InstallError::BadArchive {
            agent: pin.agent,
            reason: format!("{} is missing", pin.program),
        })
    })
    .await
}

/// Moves a finished folder into its place, durably.
fn place(unpacked: &Path, target: &Path, cancelled: &AtomicBool) -> Result<(), InstallError> {
    let versions = target
        .parent()
        .expect("a version's folder lies in the agent's");
    make_dir(versions)?;
    if cancelled.load(Ordering::Relaxed) {
        return Err(InstallError::Cancelled);
    }
    // What stands there without its program is a leftover that no rename of ours made.
    match fs::remove_dir_all(target) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(InstallError::io(format!("remove {}", target.display()))(
                error,
            ));
        }
        _ => {}
    }
    fs::rename(unpacked, target)
        .map_err(InstallError::io(format!("move to {}", target.display())))?;
    sync_dir(versions)
}

fn sync_dir(dir: &Path) -> Result<(), InstallError> {
    File::open(dir)
        .and_then(|dir| dir.sync_all())
        .map_err(InstallError::io(format!("write down {}", dir.display())))
}

/// Makes a folder that a sandbox's own user can pass through: what is in it is public.
fn make_dir(dir: &Path) -> Result<(), InstallError> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o755)
        .create(dir)
        .and_then(|()| fs::set_permissions(dir, fs::Permissions::from_mode(0o755)))
        .map_err(InstallError::io(format!("create {}", dir.display())))
}

/// The one place where an installation is half-made; it vanishes with its owner.
struct Stage {
    // Removed before the lock is given back: fields are dropped in this order.
    dir: TempDir,
    _lock: Lock,
}

/// Unlocks by name: closing alone would leave the lock with a child that another thread is just starting.
struct Lock(File);

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing the file is the fallback.
        let _ = self.0.unlock();
    }
}

const STAGE: &str = ".partial-";

impl Stage {
    fn open(home: &Path) -> Result<Self, InstallError> {
        let agents = home.join("agents");
        make_dir(&agents)?;
        let path = agents.join(".lock");
        let lock =
            File::create(&path).map_err(InstallError::io(format!("open {}", path.display())))?;
        let lock = Lock(lock);
        match lock.0.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(InstallError::Busy),
            Err(TryLockError::Error(error)) => {
                return Err(InstallError::io(format!("lock {}", path.display()))(error));
            }
        }
        sweep(&agents);
        let dir = tempfile::Builder::new()
            .prefix(STAGE)
            .tempdir_in(&agents)
            .map_err(InstallError::io(format!(
                "create a folder in {}",
                agents.display()
            )))?;
        Ok(Self { dir, _lock: lock })
    }
}

/// Removes what a killed installation left. The lock is held, so none of it is in use.
fn sweep(agents: &Path) {
    for entry in fs::read_dir(agents).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(STAGE) {
            // Best effort: what cannot be removed now is tried again next time.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// Runs long work on a thread of its own; when the caller goes away the work is told to stop.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce(&AtomicBool) -> Result<T, InstallError> + Send + 'static,
) -> Result<T, InstallError> {
    struct TellOnDrop(Arc<AtomicBool>);
    impl Drop for TellOnDrop {
        fn drop(&mut self) {
            self.0.store(true, Ordering::Relaxed);
        }
    }
    let cancelled = Arc::new(AtomicBool::new(false));
    let _tell = TellOnDrop(Arc::clone(&cancelled));
    match tokio::task::spawn_blocking(move || work(&cancelled)).await {
        Ok(result) => result,
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        Err(_) => Err(InstallError::Cancelled),
    }
}

#[cfg(test)]
mod tests;
