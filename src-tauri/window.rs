//! The window's coming and going. Closing it ends nothing: it hides where a tray can bring it back, and minimises where
//! none can. Only "Quit" ends the app, and asks first where that would cut sessions off.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tauri::{AppHandle, Manager as _, WebviewWindow, Window};
use tauri_plugin_dialog::{DialogExt as _, MessageDialogButtons, MessageDialogResult};

use crate::desktop;
use crate::engine::Engine;
use crate::watch::Watched;

const LEAVE: &str = "Leave them running";
const QUIT: &str = "Quit anyway";
const CANCEL: &str = "Cancel";

/// How far the app is on its way out.
#[derive(Debug, Default)]
pub struct Quitting(Mutex<HowFar>);

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum HowFar {
    #[default]
    Not,
    Asked,
    Certain,
}

impl Quitting {
    /// Says whether the app is ending: nothing is shown any more.
    pub fn is_certain(&self) -> bool {
        *self.how_far() == HowFar::Certain
    }

    /// Begins to ask the person, unless they are asked already.
    fn begin(&self) -> bool {
        let mut how_far = self.how_far();
        let begins = *how_far == HowFar::Not;
        if begins {
            *how_far = HowFar::Asked;
        }
        begins
    }

    fn set(&self, to: HowFar) {
        *self.how_far() = to;
    }

    fn how_far(&self) -> MutexGuard<'_, HowFar> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Brings the window up and to the front.
pub fn show(app: &AppHandle) {
    let Some(window) = main(app) else { return };
    let shown = window
        .show()
        .and_then(|()| window.unminimize())
        .and_then(|()| window.set_focus());
    if let Err(error) = shown {
        tracing::warn!(%error, "the window cannot be shown");
    }
}

/// Puts the window away.
pub fn close(window: &Window) {
    let has_tray = window.app_handle().tray_by_id("main").is_some();
    let put_away = match has_tray && desktop::shows_trays() {
        true => window.hide(),
        false => window.minimize(),
    };
    if let Err(error) = put_away {
        tracing::warn!(%error, "the window cannot be put away");
    }
}

/// Says whether the person could see the window now.
pub fn is_seen(app: &AppHandle) -> bool {
    main(app).is_some_and(|window| {
        window.is_visible().unwrap_or(false)
            && !window.is_minimized().unwrap_or(false)
            && window.is_focused().unwrap_or(false)
    })
}

/// Ends the app. Where sessions run and the daemon would end with us, the person says what becomes of them.
pub fn quit(app: &AppHandle) {
    if !app.state::<Quitting>().begin() {
        return;
    }
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        let engine = app.state::<Engine>();
        let running = app.state::<Watched>().running();
        let answer = match running > 0 && engine.is_ours().await {
            true => ask(&app, running).await,
            false => Answer::Quit,
        };
        let quitting = app.state::<Quitting>();
        let ended = match answer {
            Answer::Stay => return quitting.set(HowFar::Not),
            Answer::Leave => {
                quitting.set(HowFar::Certain);
                engine.hand_over().await
            }
            Answer::Quit => {
                quitting.set(HowFar::Certain);
                engine.end().await;
                Ok(())
            }
        };
        if let Err(error) = ended {
            quitting.set(HowFar::Not);
            tracing::error!(error = format!("{error:#}"), "no daemon takes over");
            return complain(&app, &format!("No daemon could take over: {error:#}."));
        }
        app.exit(0);
    });
}

enum Answer {
    Leave,
    Quit,
    Stay,
}

async fn ask(app: &AppHandle, running: usize) -> Answer {
    let (sessions, they) = match running {
        1 => ("One session runs.".to_owned(), "it"),
        more => (format!("{more} sessions run."), "them"),
    };
    let (send, receive) = tokio::sync::oneshot::channel();
    app.dialog()
        .message(format!(
            "{sessions} You can leave {they} running without a window. If you quit, nothing is lost, but {they_wait} for the network until Clauderon runs again.",
            they_wait = match running {
                1 => "it waits",
                _ => "they wait",
            }
        ))
        .title("Quit Clauderon?")
        .buttons(MessageDialogButtons::YesNoCancelCustom(
            LEAVE.into(),
            QUIT.into(),
            CANCEL.into(),
        ))
        .show_with_result(move |result| {
            // The app ended while it was asked.
            let _ = send.send(result);
        });
    match receive.await {
        Ok(MessageDialogResult::Yes) => Answer::Leave,
        Ok(MessageDialogResult::No) => Answer::Quit,
        Ok(MessageDialogResult::Custom(label)) if label == LEAVE => Answer::Leave,
        Ok(MessageDialogResult::Custom(label)) if label == QUIT => Answer::Quit,
        _ => Answer::Stay,
    }
}

fn complain(app: &AppHandle, sentence: &str) {
    app.dialog()
        .message(sentence)
        .title("Clauderon")
        .show(|_| {});
}

fn main(app: &AppHandle) -> Option<WebviewWindow> {
    app.get_webview_window("main")
}
