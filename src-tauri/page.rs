//! What the app and its page say to each other beside the API: intents from tray and notifications, drops, pickers.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use clauderon_api::{Error, ErrorCode};
use serde::Serialize;
use tauri::ipc::{Channel, Response};
use tauri::{AppHandle, State};
use tauri_plugin_dialog::DialogExt as _;

use crate::bridge::Open;
use crate::drop::Drag;
use crate::engine::Engine;
use crate::notify::Wanted;

/// The largest dropped file that is read.
const LIMIT: u64 = 100 << 20;
/// How many intents wait for a page that is still loading.
const WAITING: usize = 16;

/// Something that the page is to show, as `ui/src/shell/shell.ts` spells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Intent {
    /// One session.
    OpenSession {
        /// Its identifier.
        id: String,
    },
    /// A prompt box for a repository.
    QuickStart {
        /// Its folder.
        repository: Option<PathBuf>,
    },
    /// The dialog for a new session.
    New,
}

/// A message to the page.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "about", content = "what", rename_all = "kebab-case")]
enum Message {
    Intent(Intent),
    Drop(Drag),
}

/// The page, as the app knows it.
#[derive(Debug, Default)]
pub struct Page(Mutex<Known>);

#[derive(Default)]
struct Known {
    channel: Option<Channel<serde_json::Value>>,
    waiting: Vec<Intent>,
    showing: Option<String>,
    wanted: Wanted,
    dropped: Vec<PathBuf>,
}

impl std::fmt::Debug for Known {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Known").finish_non_exhaustive()
    }
}

impl Page {
    /// Asks the page to show something, now or as soon as it listens.
    pub fn intend(&self, intent: Intent) {
        let mut known = self.known();
        let sent = known.send(&Message::Intent(intent.clone()));
        if !sent && known.waiting.len() < WAITING {
            known.waiting.push(intent);
        }
    }

    /// Tells the page of a drag, and remembers what was dropped: only that may it read.
    pub fn dragged(&self, drag: Drag) {
        let mut known = self.known();
        if let Some(paths) = drag.dropped() {
            known.dropped = paths;
        }
        known.send(&Message::Drop(drag));
    }

    /// Returns the session that the page shows.
    pub fn showing(&self) -> Option<String> {
        self.known().showing.clone()
    }

    /// Returns which notifications the person wants, as the page last said.
    pub fn wanted(&self) -> Wanted {
        self.known().wanted
    }

    /// Forgets the page: another is being loaded in its place.
    pub fn gone(&self) {
        let mut known = self.known();
        known.channel = None;
        known.showing = None;
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn send(&mut self, message: &Message) -> bool {
        let message = serde_json::to_value(message).expect("messages are plain values");
        self.channel
            .as_ref()
            .is_some_and(|channel| channel.send(message).is_ok())
    }
}

/// Listens for intents and drops; what a page before it opened is closed.
#[tauri::command]
pub fn shell_listen(page: State<'_, Page>, channel: Channel<serde_json::Value>) {
    let mut known = page.known();
    known.channel = Some(channel);
    for intent in std::mem::take(&mut known.waiting) {
        known.send(&Message::Intent(intent));
    }
}

/// Says which session the page shows, so that it does not notify.
#[tauri::command]
pub fn shell_showing(page: State<'_, Page>, session: Option<String>) {
    page.known().showing = session;
}

/// Says which notifications the person wants.
#[tauri::command]
pub fn shell_wanted(page: State<'_, Page>, wanted: Wanted) {
    page.known().wanted = wanted;
}

/// Opens the system's folder picker.
#[tauri::command]
pub async fn shell_pick_folder(app: AppHandle, title: String) -> Option<PathBuf> {
    let (send, receive) = tokio::sync::oneshot::channel();
    app.dialog()
        .file()
        .set_title(title)
        .pick_folder(move |folder| {
            // The page went away while the picker was open.
            let _ = send.send(folder);
        });
    receive.await.ok()??.into_path().ok()
}

/// Opens an address in the person's browser. The page has asked them.
#[tauri::command]
pub fn shell_open_link(url: String) -> Result<(), Error> {
    if !is_link(&url) {
        return Err(refused("Only web addresses are opened."));
    }
    open::that_detached(url).map_err(|why| Error::failed(format!("No browser opens: {why}.")))
}

/// Opens a file of a session's workspace in the program that the system has for it. The page has asked the person.
#[tauri::command]
pub fn shell_open_file(engine: State<'_, Engine>, path: PathBuf) -> Result<(), Error> {
    let file = workspace_file(engine.home(), &path)?;
    open::that_detached(file).map_err(|why| Error::failed(format!("No program opens it: {why}.")))
}

/// Reads a file that was just dropped on the window, and no other.
#[tauri::command]
pub async fn shell_dropped(page: State<'_, Page>, path: PathBuf) -> Result<Response, Error> {
    if !page.known().dropped.contains(&path) {
        return Err(refused(
            "Only a file that was dropped on the window is read.",
        ));
    }
    let read = move || {
        let meta = std::fs::metadata(&path)?;
        if !meta.is_file() || meta.len() > LIMIT {
            return Err(std::io::Error::other(
                "it is a folder, or larger than 100 MB",
            ));
        }
        std::fs::read(&path)
    };
    let bytes = tokio::task::spawn_blocking(read)
        .await
        .map_err(|_| Error::failed("The file cannot be read."))?
        .map_err(|why| Error::failed(format!("The file cannot be read: {why}.")))?;
    Ok(Response::new(bytes))
}

/// Closes what the page before this one opened.
pub fn reloaded(page: &Page, open: &Open) {
    page.gone();
    open.clear();
}

fn is_link(url: &str) -> bool {
    let plain = url.bytes().all(|byte| byte.is_ascii_graphic());
    plain && (url.starts_with("https://") || url.starts_with("http://"))
}

/// Finds a file below a session's workspace that opening cannot run: an agent may have put it there.
fn workspace_file(home: &Path, path: &Path) -> Result<PathBuf, Error> {
    use std::os::unix::fs::PermissionsExt as _;
    let sessions = home
        .join("sessions")
        .canonicalize()
        .map_err(|_| refused("There is no such file."))?;
    let file = path
        .canonicalize()
        .map_err(|_| refused("There is no such file."))?;
    let inside = file
        .strip_prefix(&sessions)
        .ok()
        .and_then(|below| below.components().nth(1))
        .is_some_and(|part| part.as_os_str() == "workspace");
    if !inside {
        return Err(refused("Only files of a session's workspace are opened."));
    }
    let meta = file
        .metadata()
        .map_err(|_| refused("There is no such file."))?;
    let runs = meta.permissions().mode() & 0o111 != 0
        || file
            .extension()
            .is_some_and(|extension| RUN.iter().any(|runs| extension.eq_ignore_ascii_case(runs)));
    match meta.is_file() && !runs {
        true => Ok(file),
        false => Err(refused(
            "This could run a program; it is not opened from here.",
        )),
    }
}

/// What a desktop runs rather than shows.
const RUN: [&str; 14] = [
    "desktop", "appimage", "sh", "bash", "py", "jar", "run", "command", "app", "pkg", "deb", "rpm",
    "exe", "html",
];

fn refused(sentence: &str) -> Error {
    Error::new(ErrorCode::Refused, sentence)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn only_web_addresses_are_links() {
        for (url, is) in [
            ("https://example.com/a?b#c", true),
            ("http://127.0.0.1:3000", true),
            ("file:///etc/passwd", false),
            ("javascript:alert(1)", false),
            ("-https://x", false),
            ("https://x y", false),
        ] {
            assert_eq!(is_link(url), is, "{url}");
        }
    }

    #[test]
    fn only_files_of_a_workspace_that_run_nothing_are_opened() {
        let home = tempfile::tempdir().unwrap();
        let session = home.path().join("sessions/abc");
        std::fs::create_dir_all(session.join("workspace")).unwrap();
        std::fs::create_dir_all(session.join("private")).unwrap();
        for name in [
            "workspace/a.txt",
            "workspace/b.desktop",
            "workspace/tool",
            "private/key",
        ] {
            std::fs::write(session.join(name), "x").unwrap();
        }
        let tool = session.join("workspace/tool");
        std::fs::set_permissions(&tool, std::fs::Permissions::from_mode(0o755)).unwrap();
        std::os::unix::fs::symlink("../private/key", session.join("workspace/link")).unwrap();
        for (name, opens) in [
            ("workspace/a.txt", true),
            ("workspace/b.desktop", false),
            ("workspace/tool", false),
            ("workspace/link", false),
            ("workspace/none", false),
            ("workspace", false),
            ("private/key", false),
        ] {
            let found = workspace_file(home.path(), &session.join(name));
            assert_eq!(found.is_ok(), opens, "{name}");
        }
    }

    #[test]
    fn intents_are_spelled_as_the_page_reads_them() {
        let spelled =
            serde_json::to_value(Message::Intent(Intent::OpenSession { id: "a".into() })).unwrap();
        assert_eq!(
            spelled,
            serde_json::json!({"about": "intent", "what": {"kind": "open-session", "id": "a"}})
        );
        let spelled = serde_json::to_value(Intent::QuickStart {
            repository: Some("/r".into()),
        })
        .unwrap();
        assert_eq!(
            spelled,
            serde_json::json!({"kind": "quick-start", "repository": "/r"})
        );
    }
}
