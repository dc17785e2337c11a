//! A session's workspace as the session's folder records it: enough to compare and bring back at any later time.

use std::fs;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use clauderon_runtime::Mount;
use clauderon_session::SessionName;
use serde::{Deserialize, Serialize};

use crate::Error;

/// The workspace of one session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Workspace {
    /// The session's folder; where the record was found, never what it says.
    #[serde(skip)]
    pub session_dir: PathBuf,
    /// The session's name, part of every reference.
    pub name: SessionName,
    /// The top of the person's repository.
    pub repository: PathBuf,
    /// The folder below it that was asked for.
    pub subdirectory: PathBuf,
    /// The objects folders that the workspace borrows from; none where the history was copied.
    pub objects: Vec<PathBuf>,
    /// The commit from which the session started.
    pub base: String,
    /// The branch on which it works.
    pub branch: String,
    /// The branch of the person's from which it started.
    pub base_branch: Option<String>,
    pub(crate) object_format: String,
    pub(crate) identity: (String, String),
    pub(crate) shallow: Option<Vec<u8>>,
}

/// An empty file that hides the source's own list of borrowed folders, whose host paths mean nothing inside.
const NOTHING: &str = "run/no-alternates";

impl Workspace {
    /// Reads the record that `create` wrote into a session's folder.
    pub fn load(session_dir: &Path) -> Result<Self, Error> {
        let bytes = fs::read(record(session_dir)).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => Error::NotAWorkspace(session_dir.to_owned()),
            _ => Error::io("read the workspace's record")(error),
        })?;
        let read: Self = serde_json::from_slice(&bytes)
            .map_err(|_| Error::NotAWorkspace(session_dir.to_owned()))?;
        Ok(Self {
            session_dir: session_dir.to_owned(),
            ..read
        })
    }

    /// Returns the folder that holds the files; never to be opened on the host.
    pub fn folder(&self) -> PathBuf {
        self.session_dir.join("workspace")
    }

    /// Returns what the session's own sandbox has to be given: the workspace and what it borrows.
    pub fn mounts(&self) -> Vec<Mount> {
        let mut mounts = vec![Mount::read_write(self.folder(), "/workspace")];
        mounts.extend(source_mounts(&self.objects, Some(&self.session_dir)));
        mounts
    }

    /// Returns the folder in which the agent starts.
    pub fn cwd(&self) -> PathBuf {
        Path::new("/workspace").join(&self.subdirectory)
    }

    pub(crate) fn reference(&self, last: &str) -> String {
        format!("refs/clauderon/{}/{last}", self.name)
    }

    /// Brings the record to the disk, when the start of the agent no longer has to wait for it.
    ///
    /// # Errors
    /// Fails where the disk does.
    pub fn keep(&self) -> std::io::Result<()> {
        fs::File::open(record(&self.session_dir))?.sync_all()
    }

    pub(crate) fn save(&self) -> std::io::Result<()> {
        let path = record(&self.session_dir);
        let folder = self.session_dir.join("private");
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)?;
        let bytes = serde_json::to_vec_pretty(self).expect("plain strings always serialise");
        let temporary = path.with_extension("new");
        let mut options = fs::OpenOptions::new();
        let mut file = options
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&temporary)?;
        std::io::Write::write_all(&mut file, &bytes)?;
        // Not synced: everybody's fresh files would have to reach the disk first. `keep` does it later.
        fs::rename(temporary, path)
    }

    /// Makes the empty file where the mounts need it.
    pub(crate) fn prepare_mounts(&self) -> std::io::Result<()> {
        if !self.objects.iter().any(|folder| borrows(folder)) {
            return Ok(());
        }
        let run = self.session_dir.join("run");
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o711)
            .create(run)?;
        fs::write(self.session_dir.join(NOTHING), "")
    }
}

fn record(session_dir: &Path) -> PathBuf {
    session_dir.join("private/workspace.json")
}

/// Returns where a sandbox finds an objects folder of the source.
pub(crate) fn source_target(number: usize) -> String {
    match number {
        0 => "/clauderon/source".to_owned(),
        _ => format!("/clauderon/source-{number}"),
    }
}

/// Returns the mounts of the objects folders, each read-only.
pub(crate) fn source_mounts(objects: &[PathBuf], session_dir: Option<&Path>) -> Vec<Mount> {
    let mut mounts = Vec::new();
    for (number, folder) in objects.iter().enumerate() {
        let target = source_target(number);
        mounts.push(Mount::read_only(folder, &target));
        if let (Some(dir), true) = (session_dir, borrows(folder)) {
            mounts.push(Mount::read_only(
                dir.join(NOTHING),
                format!("{target}/info/alternates"),
            ));
        }
    }
    mounts
}

fn borrows(folder: &Path) -> bool {
    folder.join("info/alternates").is_file()
}
