//! A session's files as a viewer sees them: folders, one file, its bytes. Everything is opened beneath the workspace
//! without following a link, so that an agent that swaps a folder for a link shows nothing but itself.
//!
//! Calls block on the disk alone, never on a pipe or device.

pub(crate) mod beneath;
#[cfg(target_os = "linux")]
mod kernel;
pub(crate) mod path;

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::Duration;

use rustix::fs::{Dir, FileType, Stat};

use crate::{Error, Workspace};
use beneath::Found;
use path::WorkPath;

/// Most entries of one folder that are listed.
pub const MOST_ENTRIES: usize = 5_000;
/// Most bytes of a text that are shown.
pub const MOST_TEXT: usize = 1 << 20;

/// The workspace's files.
#[derive(Debug)]
pub struct Files {
    root: OwnedFd,
}

/// The content of one folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder {
    /// Folders first, then by name.
    pub entries: Vec<Entry>,
    /// Whether there are more than are listed.
    pub truncated: bool,
}

/// What lies in a folder under one name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its name; bytes that are not UTF-8 are replaced.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// Its size in bytes, of a plain file.
    pub bytes: u64,
    /// When it last changed, in milliseconds since 1970.
    pub modified_ms: u64,
}

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A folder.
    Folder,
    /// A plain file.
    File,
    /// A link.
    Link,
    /// A socket, pipe or device.
    Other,
}

/// One file, as far as it can be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// Its size in bytes.
    pub bytes: u64,
    /// When it last changed, in milliseconds since 1970.
    pub modified_ms: u64,
    /// What can be shown of it.
    pub content: Content,
}

/// What can be shown of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// Text, cut at [`MOST_TEXT`].
    Text {
        /// The text.
        text: String,
        /// Whether there is more.
        truncated: bool,
    },
    /// A picture of this type.
    Image(&'static str),
    /// Anything else.
    Binary,
    /// A link with this text.
    Link(String),
}

/// A plain file, open, to be read from its start.
#[derive(Debug)]
pub struct Raw {
    /// The file.
    pub file: File,
    /// Its size in bytes when it was opened.
    pub bytes: u64,
    /// The type of a picture that a page can show.
    pub image: Option<&'static str>,
}

impl Files {
    /// Opens the workspace.
    pub fn open(workspace: &Workspace) -> Result<Self, Error> {
        Self::beneath(&workspace.folder())
    }

    /// Opens another folder that an agent writes to. Its own path is the host's.
    pub fn beneath(folder: &Path) -> Result<Self, Error> {
        let root = beneath::root(folder);
        Ok(Self {
            root: root.map_err(Error::io("open the session's files"))?,
        })
    }

    /// Lists one folder, without git's own.
    pub fn folder(&self, path: &str) -> Result<Folder, Error> {
        match self.find(path)? {
            Found::Folder(folder) => list(folder).map_err(unreadable(path)),
            _ => Err(Error::NotAFolder(path.to_owned())),
        }
    }

    /// Shows one file.
    pub fn file(&self, path: &str) -> Result<Shown, Error> {
        match self.find(path)? {
            Found::File(file, stat) => show(file, &stat).map_err(unreadable(path)),
            Found::Link(target, stat) => Ok(Shown {
                bytes: size(&stat),
                modified_ms: modified_ms(&stat),
                content: Content::Link(target),
            }),
            Found::Folder(_) | Found::Other => Err(Error::NotAFile(path.to_owned())),
        }
    }

    /// Opens one file to be sent as it is.
    pub fn raw(&self, path: &str) -> Result<Raw, Error> {
        let Found::File(mut file, stat) = self.find(path)? else {
            return Err(Error::NotAFile(path.to_owned()));
        };
        let mut start = [0; LONGEST_MARK];
        let count = peek(&mut file, &mut start).map_err(unreadable(path))?;
        Ok(Raw {
            image: image(&start[..count]),
            bytes: size(&stat),
            file,
        })
    }

    fn find(&self, path: &str) -> Result<Found, Error> {
        let parsed = WorkPath::parse(path)?;
        beneath::find(&self.root, &parsed).map_err(unreadable(path))
    }
}

fn list(folder: OwnedFd) -> io::Result<Folder> {
    let names = Dir::read_from(&folder)?;
    let mut entries = Vec::new();
    let mut truncated = false;
    for name in names {
        let name = name?;
        let name = name.file_name();
        let text = name.to_string_lossy();
        if matches!(&*text, "." | "..") || path::is_git(&text) {
            continue;
        }
        if entries.len() == MOST_ENTRIES {
            truncated = true;
            break;
        }
        // What was removed meanwhile is not listed.
        let Ok(stat) = beneath::look(&folder, name) else {
            continue;
        };
        entries.push(entry(text.into_owned(), &stat));
    }
    entries.sort_by_cached_key(|entry| {
        let folder_first = entry.kind != Kind::Folder;
        (folder_first, entry.name.to_lowercase(), entry.name.clone())
    });
    Ok(Folder { entries, truncated })
}

fn entry(name: String, stat: &Stat) -> Entry {
    let kind = match FileType::from_raw_mode(stat.st_mode) {
        FileType::Directory => Kind::Folder,
        FileType::RegularFile => Kind::File,
        FileType::Symlink => Kind::Link,
        _ => Kind::Other,
    };
    Entry {
        name,
        kind,
        bytes: if kind == Kind::File { size(stat) } else { 0 },
        modified_ms: modified_ms(stat),
    }
}

fn show(mut file: File, stat: &Stat) -> io::Result<Shown> {
    let mut start = Vec::new();
    // One more byte tells whether there is more.
    let most = MOST_TEXT as u64 + 1;
    (&mut file).take(most).read_to_end(&mut start)?;
    Ok(Shown {
        bytes: size(stat),
        modified_ms: modified_ms(stat),
        content: content(start),
    })
}

fn content(mut start: Vec<u8>) -> Content {
    if let Some(mime) = image(&start) {
        return Content::Image(mime);
    }
    let truncated = start.len() > MOST_TEXT;
    start.truncate(MOST_TEXT);
    match text(start, truncated) {
        Some(text) => Content::Text { text, truncated },
        None => Content::Binary,
    }
}

/// Reads UTF-8 without NULs. In a cut text the last character may be a part of one, which is left out.
pub(crate) fn text(mut bytes: Vec<u8>, cut: bool) -> Option<String> {
    if bytes.contains(&0) {
        return None;
    }
    if let (true, Err(error)) = (cut, std::str::from_utf8(&bytes))
        && error.error_len().is_none()
    {
        bytes.truncate(error.valid_up_to());
    }
    String::from_utf8(bytes).ok()
}

/// The longest start of a file that tells a picture's type.
const LONGEST_MARK: usize = 12;

/// Tells a picture by its first bytes. SVG is none: it can hold scripts.
fn image(start: &[u8]) -> Option<&'static str> {
    match start {
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some("image/png"),
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some("image/gif"),
        [
            b'R',
            b'I',
            b'F',
            b'F',
            _,
            _,
            _,
            _,
            b'W',
            b'E',
            b'B',
            b'P',
            ..,
        ] => Some("image/webp"),
        _ => None,
    }
}

/// Reads a file's first bytes and stands at its start again.
fn peek(file: &mut File, start: &mut [u8]) -> io::Result<usize> {
    use std::os::unix::fs::FileExt as _;
    file.read_at(start, 0)
}

fn size(stat: &Stat) -> u64 {
    u64::try_from(stat.st_size).unwrap_or(0)
}

fn modified_ms(stat: &Stat) -> u64 {
    let seconds = u64::try_from(stat.st_mtime).unwrap_or(0);
    let since = Duration::new(seconds, stat.st_mtime_nsec as u32);
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// Says in the person's words why something could not be opened or read.
fn unreadable(path: &str) -> impl FnOnce(io::Error) -> Error {
    use rustix::io::Errno;
    let path = path.to_owned();
    move |error| match Errno::from_io_error(&error) {
        Some(Errno::NOENT | Errno::NAMETOOLONG) => Error::NotThere(path),
        Some(Errno::LOOP | Errno::NOTDIR) => Error::ThroughALink(path),
        _ => Error::Io {
            doing: format!("read {path}"),
            source: error,
        },
    }
}

#[cfg(test)]
mod tests;
