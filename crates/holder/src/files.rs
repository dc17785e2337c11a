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

    /// The terminal's size by log offset: a line a change, `offset cols rows`.
    pub fn sizes(&self) -> PathBuf {
        self.dir.join("private/sizes")
    }

    /// Screens kept by whoever reads the log, a file each named by its log offset. The holder only looks at the names, to
    /// shorten the log where a screen is known.
    pub fn checkpoints(&self) -> PathBuf {
        self.dir.join("private/checkpoints")
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
        let (file, index, start) = self.open_log_of()?;
        Ok((file, start, index.format))
    }

    /// Returns the offset after the log's last byte; 0 where there is no log.
    pub fn log_end(&self) -> u64 {
        let end = |(log, start, _): (File, u64, LogFormat)| Ok(start + log.metadata()?.len());
        self.open_log().and_then(end).unwrap_or(0)
    }

    /// Opens the log for reading, with its record and the offset of its first byte.
    pub fn open_log_of(&self) -> io::Result<(File, LogIndex, u64)> {
        let file = File::open(self.log())?;
        let index = self.read_log_index()?;
        let start = index.start_of(file.metadata()?.ino());
        Ok((file, index, start))
    }

    /// Reads the sizes that the terminal had, in the order of their offsets. A line that a crash tore is left out.
    pub fn read_sizes(&self) -> io::Result<Vec<SizeMark>> {
        let text = match fs::read_to_string(self.sizes()) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut marks: Vec<SizeMark> = Vec::new();
        for mark in text.split_inclusive('\n').filter_map(SizeMark::parse) {
            if marks.last().is_none_or(|last| last.offset <= mark.offset) {
                marks.push(mark);
            }
        }
        Ok(marks)
    }

    /// Lists the log offsets of the checkpoints, oldest first.
    pub fn checkpoint_offsets(&self) -> io::Result<Vec<u64>> {
        let folder = match fs::read_dir(self.checkpoints()) {
            Ok(folder) => folder,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut offsets: Vec<u64> = folder
            .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
            .collect();
        offsets.sort_unstable();
        Ok(offsets)
    }
}

/// From which log offset on the terminal had a size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SizeMark {
    /// The offset of the first byte that was printed at this size.
    pub offset: u64,
    /// Columns.
    pub cols: u16,
    /// Rows.
    pub rows: u16,
}

impl SizeMark {
    /// Returns its line in the record of sizes.
    pub fn line(&self) -> String {
        format!("{} {} {}\n", self.offset, self.cols, self.rows)
    }

    fn parse(line: &str) -> Option<Self> {
        let mut words = line.strip_suffix('\n')?.split(' ');
        let mark = Self {
            offset: words.next()?.parse().ok()?,
            cols: words.next()?.parse().ok()?,
            rows: words.next()?.parse().ok()?,
        };
        words.next().is_none().then_some(mark)
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
    /// When the log was begun, in milliseconds since 1970. Its offsets only grow, so that it changes only where a log was
    /// lost and another began.
    #[serde(default)]
    pub epoch: u64,
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
    /// Whether a file with this inode is or was the log.
    pub fn knows(&self, inode: u64) -> bool {
        self.files.iter().any(|file| file.inode == inode)
    }

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
