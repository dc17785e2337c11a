//! Where a holder leaves things in the session folder, and how its log is read without it.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::spec::Mode;

/// Bytes of a log frame before its payload in pipes mode: stream, then length in little endian.
pub const LOG_FRAME_HEADER: usize = 5;
/// The longest payload of one log frame.
pub const LOG_FRAME_MAX: usize = 64 * 1024;

/// The paths of one session's folder that holders write.
#[derive(Debug, Clone)]
pub struct SessionFiles {
    dir: PathBuf,
}

impl SessionFiles {
    /// Names the files of the session folder `dir`.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into() }
    }

    /// The folder itself.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// All that the agent printed, bounded: raw bytes of a terminal, or frames of two streams.
    pub fn log(&self) -> PathBuf {
        self.dir.join("terminal.log")
    }

    /// The socket that viewers connect to while the holder lives.
    pub fn socket(&self) -> PathBuf {
        self.dir.join("private/holder.sock")
    }

    /// How the agent ended; absent while it runs.
    pub fn exit(&self) -> PathBuf {
        self.dir.join("private/exit.json")
    }

    /// The holder's process id, locked while it lives.
    pub fn pid(&self) -> PathBuf {
        self.dir.join("private/holder.pid")
    }

    /// Which offset the log's first byte has, after a rotation.
    pub fn log_index(&self) -> PathBuf {
        self.dir.join("private/log.json")
    }

    /// Reads how the agent ended, `None` where no record is.
    pub fn read_exit(&self) -> io::Result<Option<ExitRecord>> {
        match fs::read(self.exit()) {
            Ok(bytes) => Ok(Some(serde_json::from_slice(&bytes)?)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Reads what the log holds; without a record of it, a terminal's raw bytes from offset 0.
    pub fn read_log_index(&self) -> io::Result<LogIndex> {
        match fs::read(self.log_index()) {
            Ok(bytes) => Ok(serde_json::from_slice(&bytes)?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(LogIndex::default()),
            Err(error) => Err(error),
        }
    }

    /// Opens the log for reading, with the offset of its first byte and its format.
    pub fn open_log(&self) -> io::Result<(File, u64, LogFormat)> {
        let file = File::open(self.log())?;
        let index = self.read_log_index()?;
        let start = index.start_of(file.metadata()?.ino());
        Ok((file, start, index.format))
    }
}

/// How the agent ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExitRecord {
    /// The agent's exit code, 128 and the signal's number where a signal ended it.
    pub code: i32,
    /// The signal that ended the sandbox itself, where one did.
    pub signal: Option<i32>,
    /// Whether it ran out of memory.
    pub oom: bool,
    /// When, in milliseconds since 1970.
    pub at_ms: u64,
    /// What the holder knows beyond the code, one sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// What the bytes of a log are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// A terminal's raw bytes.
    #[default]
    Raw,
    /// Frames of standard output (1) and standard error (2).
    Frames,
}

impl From<Mode> for LogFormat {
    fn from(mode: Mode) -> Self {
        match mode {
            Mode::Pty => Self::Raw,
            Mode::Pipes => Self::Frames,
        }
    }
}

/// Which offset each file that is or was the log begins at. A rotation replaces the file, so both
/// are listed by inode before it: whichever a crash leaves in place, its offsets are known.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct LogIndex {
    /// What the log holds.
    #[serde(default)]
    pub format: LogFormat,
    /// Files, newest last.
    #[serde(default)]
    pub files: Vec<LogFile>,
}

/// One file of a [`LogIndex`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogFile {
    /// Its inode.
    pub inode: u64,
    /// The log offset of its first byte.
    pub start: u64,
}

impl LogIndex {
    /// The offset of the first byte of the log file with this inode; a folder that was copied has
    /// other inodes, and then the newest entry is meant.
    pub fn start_of(&self, inode: u64) -> u64 {
        self.files
            .iter()
            .find(|file| file.inode == inode)
            .or(self.files.last())
            .map_or(0, |file| file.start)
    }
}
