//! The desktop window: what only a window can do. Everything else is the daemon's and the page's.

mod bridge;
mod desktop;
mod drop;
mod engine;
#[cfg(test)]
mod fixtures;
mod instance;
mod notify;
mod page;
mod tray;
mod watch;
mod window;

use std::path::PathBuf;
use std::sync::Mutex;

use anyhow::{Context as _, Result, bail};
use tauri::{Manager as _, RunEvent, WindowEvent, webview::PageLoadEvent};

use engine::Engine;
use instance::Launch;

/// Opens the window and returns when the app is quit, or at once where another window of this installation was shown instead.
///
/// # Errors
/// Says in one sentence what keeps it from opening: no display, as a rule.
pub fn run() -> Result<()> {
    let home = home()?;
    let instance = match instance::launch(&home)? {
        Launch::First(instance) => instance,
        Launch::Second => return Ok(()),
    };
    desktop::reach()?;
    let dragged = Mutex::new(Vec::new());
    let app = tauri::Builder::default()
        .plugin(tauri_plugin_dialog::init())
        .manage(Engine::new(home))
        .manage(bridge::Open::default())
        .manage(bridge::Uploads::default())
        .manage(page::Page::default())
        .manage(watch::Watched::default())
        .manage(window::Quitting::default())
        .invoke_handler(tauri::generate_handler![
            bridge::api_request,
            bridge::api_stream,
            bridge::socket_open,
            bridge::socket_send,
            bridge::socket_close,
            bridge::upload_open,
            bridge::upload_end,
            page::shell_listen,
            page::shell_showing,
            page::shell_wanted,
            page::shell_pick_folder,
            page::shell_open_link,
            page::shell_open_file,
            page::shell_dropped,
        ])
        .on_page_load(|webview, load| {
            if load.event() == PageLoadEvent::Started {
                page::reloaded(&webview.state(), &webview.state());
            }
        })
        .on_window_event(move |window, event| match event {
            WindowEvent::CloseRequested { api, .. } => {
                api.prevent_close();
                window::close(window);
            }
            WindowEvent::DragDrop(event) => {
                let scale = window.scale_factor().unwrap_or(1.0);
                let Ok(mut before) = dragged.lock() else {
                    return;
                };
                if let Some(drag) = drop::Drag::of(event, scale, &mut before) {
                    window.state::<page::Page>().dragged(drag);
                }
            }
            _ => {}
        })
        .setup(|app| {
            let shown = app.handle().clone();
            instance.listen(move || {
                let stays = !shown.state::<window::Quitting>().is_certain();
                if stays {
                    window::show(&shown);
                }
                stays
            });
            tauri::async_runtime::spawn(watch::follow(app.handle().clone()));
            Ok(())
        })
        .build(tauri::generate_context!())
        .context("open a window")?;
    app.run(|app, event| {
        if let RunEvent::Exit = event {
            let engine = app.state::<Engine>();
            tauri::async_runtime::block_on(engine.end());
        }
    });
    Ok(())
}

/// `CLAUDERON_HOME`, else `~/.clauderon`.
fn home() -> Result<PathBuf> {
    let chosen = std::env::var_os("CLAUDERON_HOME").filter(|home| !home.is_empty());
    let home = match chosen.map(PathBuf::from) {
        Some(home) => home,
        None => std::env::home_dir()
            .context("find your home folder: neither CLAUDERON_HOME nor HOME is set")?
            .join(".clauderon"),
    };
    if !home.is_absolute() {
        bail!(
            "CLAUDERON_HOME is {}, which is not an absolute path",
            home.display()
        );
    }
    Ok(home)
}
