//! A session's files for a viewer: the workspace crate opens them, this says them in the API's words.

use std::sync::Arc;

use bytes::Bytes;
use clauderon_api::{self as api, Error, RawFile};
use clauderon_workspace::{
    Content, Files, Folder, Kind, Mark, Marked, Raw, Risky, Shown, Sides, Watch,
};
use futures_util::stream::{self, BoxStream, StreamExt as _};
use tokio::io::AsyncReadExt as _;
use tokio::sync::mpsc;

use crate::failure;
use crate::sessions::Session;

/// How much of a file is read at once.
const PIECE: usize = 64 << 10;

/// Lists one folder.
pub async fn folder(session: Arc<Session>, path: &str) -> Result<api::FolderView, Error> {
    let listed = look(session, path, Files::folder).await?;
    Ok(folder_view(path, listed))
}

/// Shows one file.
pub async fn file(session: Arc<Session>, path: &str) -> Result<api::FileView, Error> {
    let shown = look(session, path, Files::file).await?;
    Ok(file_view(path, shown))
}

/// Sends one file as it is.
pub async fn raw(session: Arc<Session>, path: &str) -> Result<RawFile, Error> {
    let raw = look(session, path, Files::raw).await?;
    Ok(RawFile {
        name: path.rsplit('/').next().unwrap_or_default().to_owned(),
        bytes: raw.bytes,
        mime: raw.image.unwrap_or("application/octet-stream").to_owned(),
        content: pieces(raw),
    })
}

/// Names the files that differ from the base commit.
pub async fn status(session: &Session) -> Result<api::StatusView, Error> {
    let workspace = &session.workspace;
    let marked = session
        .with_sandboxes(async |sandboxes| clauderon_workspace::status(sandboxes, workspace).await)
        .await?;
    Ok(api::StatusView {
        files: marked.into_iter().map(mark).collect(),
    })
}

/// Shows one file before and now.
pub async fn sides(session: &Session, path: &str) -> Result<api::FileSides, Error> {
    let workspace = &session.workspace;
    let Sides {
        before,
        now,
        left_out,
    } = session
        .with_sandboxes(async |sandboxes| {
            clauderon_workspace::sides(sandboxes, workspace, path).await
        })
        .await?;
    Ok(api::FileSides {
        path: path.to_owned(),
        before,
        now,
        left_out,
    })
}

/// Watches the workspace for as long as somebody listens.
pub async fn watch(session: &Session) -> Result<mpsc::Receiver<api::FilesChanged>, Error> {
    let watch = Watch::begin(&session.workspace).await;
    let watch = watch.map_err(failure::workspace)?;
    // What waits for a slow listener is gathered where the kernel keeps it.
    let (told, changes) = mpsc::channel(1);
    tokio::spawn(tell(watch, told));
    Ok(changes)
}

async fn tell(mut watch: Watch, told: mpsc::Sender<api::FilesChanged>) {
    loop {
        let change = tokio::select! {
            () = told.closed() => return,
            change = watch.next() => change,
        };
        let Some(change) = change else { return };
        let change = api::FilesChanged {
            folders: change.folders,
            git: change.git,
            note: change.note,
        };
        if told.send(change).await.is_err() {
            return;
        }
    }
}

/// Says which changed file acts by itself once it is merged.
pub fn risky(risky: Risky) -> api::RiskyFile {
    api::RiskyFile {
        path: risky.path,
        why: risky.risk.words().to_owned(),
    }
}

/// Does what blocks on the disk where it keeps nobody waiting.
async fn look<T: Send + 'static>(
    session: Arc<Session>,
    path: &str,
    how: impl FnOnce(&Files, &str) -> Result<T, clauderon_workspace::Error> + Send + 'static,
) -> Result<T, Error> {
    let path = path.to_owned();
    let look = move || how(&Files::open(&session.workspace)?, &path);
    tokio::task::spawn_blocking(look)
        .await
        .map_err(|_| Error::failed("Reading the workspace broke off."))?
        .map_err(failure::workspace)
}

/// Reads a file to the size it had when it was opened: an agent may go on writing to it for ever.
fn pieces(raw: Raw) -> BoxStream<'static, Result<Bytes, Error>> {
    let start = (tokio::fs::File::from_std(raw.file), raw.bytes);
    stream::try_unfold(start, |(mut file, left)| async move {
        if left == 0 {
            return Ok(None);
        }
        let most = usize::try_from(left).unwrap_or(PIECE).min(PIECE);
        let mut piece = vec![0; most];
        let count = file
            .read(&mut piece)
            .await
            .map_err(|error| Error::failed(format!("The file could not be read: {error}.")))?;
        if count == 0 {
            return Err(Error::failed("The file became shorter while it was read."));
        }
        piece.truncate(count);
        Ok(Some((Bytes::from(piece), (file, left - count as u64))))
    })
    .boxed()
}

fn folder_view(path: &str, folder: Folder) -> api::FolderView {
    let entry = |entry: clauderon_workspace::Entry| api::FolderEntry {
        name: entry.name,
        kind: match entry.kind {
            Kind::Folder => api::EntryKind::Folder,
            Kind::File => api::EntryKind::File,
            Kind::Link => api::EntryKind::Link,
            Kind::Other => api::EntryKind::Other,
        },
        bytes: entry.bytes,
        modified_ms: entry.modified_ms,
    };
    api::FolderView {
        path: path.to_owned(),
        entries: folder.entries.into_iter().map(entry).collect(),
        truncated: folder.truncated,
    }
}

fn file_view(path: &str, shown: Shown) -> api::FileView {
    api::FileView {
        path: path.to_owned(),
        bytes: shown.bytes,
        modified_ms: shown.modified_ms,
        content: match shown.content {
            Content::Text { text, truncated } => api::FileContent::Text { text, truncated },
            Content::Image(mime) => api::FileContent::Image {
                mime: mime.to_owned(),
            },
            Content::Binary => api::FileContent::Binary,
            Content::Link(target) => api::FileContent::Link { target },
        },
    }
}

fn mark(marked: Marked) -> api::FileMark {
    api::FileMark {
        path: marked.path,
        mark: match marked.mark {
            Mark::Added => api::Mark::Added,
            Mark::Modified => api::Mark::Modified,
            Mark::Deleted => api::Mark::Deleted,
            Mark::Renamed => api::Mark::Renamed,
        },
    }
}
