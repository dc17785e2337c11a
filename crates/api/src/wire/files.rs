//! A session's files, as a browser of them needs: folders, one file, both sides of a change, and what was put in.

use serde::{Deserialize, Serialize};

/// Which file or folder of the workspace.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct PathQuery {
    /// Relative to the workspace, with `/` between its parts; empty for the workspace itself.
    #[serde(default)]
    pub path: String,
}

/// The content of one folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct FolderView {
    /// Its path, relative to the workspace.
    pub path: String,
    /// Folders first, then by name.
    pub entries: Vec<FolderEntry>,
    /// Whether there were more entries than are sent.
    #[serde(default)]
    pub truncated: bool,
}

/// A file or folder in a folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct FolderEntry {
    /// Its name. Bytes that are not UTF-8 are replaced.
    pub name: String,
    /// What it is.
    pub kind: EntryKind,
    /// Its size in bytes, of a file.
    pub bytes: u64,
    /// When it last changed, in milliseconds since 1970.
    pub modified_ms: u64,
}

/// What a folder's entry is. Links are named and never followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "lowercase")]
pub enum EntryKind {
    /// A folder.
    Folder,
    /// A file.
    File,
    /// A symbolic link.
    Link,
    /// A socket, pipe or device.
    Other,
}

/// What git says of the files that differ from the base commit, by path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct StatusView {
    /// One row a changed file.
    pub files: Vec<FileMark>,
}

/// A changed file's mark.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct FileMark {
    /// Its path, relative to the workspace.
    pub path: String,
    /// What became of it.
    pub mark: Mark,
}

/// What became of a file since the base commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "lowercase")]
pub enum Mark {
    /// It is new, committed or not.
    Added,
    /// Its content differs.
    Modified,
    /// It is gone.
    Deleted,
    /// It has another path.
    Renamed,
}

/// One file for a reader.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct FileView {
    /// Its path, relative to the workspace.
    pub path: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// When it last changed, in milliseconds since 1970.
    pub modified_ms: u64,
    /// What can be shown of it.
    pub content: FileContent,
}

/// What can be shown of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum FileContent {
    /// Its text.
    Text {
        /// UTF-8; the first 1 MiB.
        text: String,
        /// Whether there is more.
        truncated: bool,
    },
    /// A picture that a page can show; its bytes come from the raw endpoint.
    Image {
        /// `image/png`, `image/jpeg`, `image/gif` or `image/webp`; never a format that can hold scripts.
        mime: String,
    },
    /// Bytes without a view.
    Binary,
    /// A link, and where it says it leads; never followed.
    Link {
        /// Its text.
        target: String,
    },
}

/// A changed file before and now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct FileSides {
    /// Its path now, or at the base where it is gone.
    pub path: String,
    /// Its text at the base; none where it did not exist or is no text.
    pub before: Option<String>,
    /// Its text now; none where it is gone or is no text.
    pub now: Option<String>,
    /// Whether a side was left out because it is no text or larger than 1 MiB.
    #[serde(default)]
    pub left_out: bool,
}

/// Where an upload goes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct UploadQuery {
    /// The file's own name; made safe by the daemon.
    pub name: String,
}

/// A file that was put into a session. The request's body is the file, at most 100 MB.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Upload {
    /// Its safe name.
    pub name: String,
    /// Its path as the agent sees it, below `/clauderon/uploads`.
    pub path: String,
    /// Its size in bytes.
    pub bytes: u64,
}

/// Text for the agent, typed into its terminal.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct SayText {
    /// The text; it arrives as one bracketed paste.
    pub text: String,
    /// Whether Enter follows.
    #[serde(default)]
    pub send: bool,
}

/// A frame of the files' watch stream: these folders may have changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct FilesChanged {
    /// Folders relative to the workspace; empty means all of them.
    pub folders: Vec<String>,
    /// Whether commits, references or the index may have changed. Marks and differences are worth asking for again then, as
    /// they are whenever a folder changed.
    pub git: bool,
    /// What the person should know where not every folder can be watched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub note: Option<String>,
}
