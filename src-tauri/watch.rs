//! Follows the daemon's events for what lives outside the page: the tray and the notifications.

use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use clauderon_api::{Client, Error, Network, ServerEvent, Session, State};
use tauri::{AppHandle, Manager as _};

use crate::engine::Engine;
use crate::notify::{Notice, Notices, system::Notifier};
use crate::page::{Intent, Page};
use crate::tray::{self, Tray, Wish};
use crate::window;

/// How long to wait for a daemon that went away.
const AGAIN: Duration = Duration::from_millis(500);

/// What is known of the sessions.
#[derive(Debug, Default)]
pub struct Watched(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    sessions: Vec<Session>,
    paused: bool,
    tray: Option<Tray>,
}

impl Watched {
    /// Returns how many agents run.
    pub fn running(&self) -> usize {
        self.known()
            .sessions
            .iter()
            .filter(|session| matches!(session.state, State::Running | State::Starting))
            .count()
    }

    fn hear(&self, event: ServerEvent) {
        let mut known = self.known();
        match event {
            ServerEvent::State {
                sessions,
                network_paused,
                ..
            } => {
                known.sessions = sessions;
                known.paused = network_paused;
            }
            ServerEvent::Network { paused, .. } => known.paused = paused,
            ServerEvent::Disk { .. } => {}
            ServerEvent::Session { session, .. } => {
                match known.sessions.iter_mut().find(|old| old.id == session.id) {
                    Some(old) => *old = *session,
                    None => known.sessions.push(*session),
                }
            }
            ServerEvent::Removed { id, .. } => known.sessions.retain(|session| session.id != id),
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Follows for as long as the app lives. It starts the daemon where none answers.
pub async fn follow(app: AppHandle) {
    let mut notices = Notices::default();
    loop {
        if let Err(error) = watch(&app, &mut notices).await {
            tracing::warn!(%error, "the daemon does not answer");
        }
        tokio::time::sleep(AGAIN).await;
    }
}

async fn watch(app: &AppHandle, notices: &mut Notices) -> Result<(), Error> {
    let client = app.state::<Engine>().client().await?;
    let mut events = client.events().await?;
    let mut recent = recent(&client).await;
    loop {
        let deadline = notices.deadline().map(tokio::time::Instant::from_std);
        let event = tokio::select! {
            event = events.next() => event?,
            () = sleep_until(deadline) => {
                tell(app, notices);
                continue;
            }
        };
        let Some(event) = event else { return Ok(()) };
        notices.hear(&event, Instant::now());
        let is_new = matches!(&event, ServerEvent::Session { session, .. } if !recent.contains(&session.repository));
        app.state::<Watched>().hear(event);
        if is_new {
            recent = self::recent(&client).await;
        }
        draw(app, &recent);
    }
}

async fn sleep_until(deadline: Option<tokio::time::Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

async fn recent(client: &Client) -> Vec<PathBuf> {
    // The tray lives without them.
    let rows = client.recent_repositories().await.unwrap_or_default();
    rows.into_iter().map(|row| row.path).collect()
}

fn tell(app: &AppHandle, notices: &mut Notices) {
    let showing = match window::is_seen(app) {
        true => app.state::<Page>().showing(),
        false => None,
    };
    let wanted = app.state::<Page>().wanted();
    for notice in notices.due(Instant::now(), showing.as_deref(), wanted) {
        show_notice(app, notice);
    }
}

/// Makes or changes the tray, on the main thread, where menus live.
fn draw(app: &AppHandle, recent: &[PathBuf]) {
    let watched = app.state::<Watched>();
    let mut known = watched.known();
    let now = tray::tray(&known.sessions, recent, known.paused);
    if known.tray.as_ref() == Some(&now) {
        return;
    }
    let before = known.tray.replace(now.clone());
    drop(known);
    let handle = app.clone();
    let drawn = app.run_on_main_thread(move || {
        let drawn = match &before {
            None => make(&handle, &now),
            Some(before) => tray::show::update(&handle, before, &now),
        };
        if let Err(error) = drawn {
            tracing::warn!(%error, "the tray cannot be drawn");
        }
    });
    if let Err(error) = drawn {
        tracing::debug!(%error, "the app is ending");
    }
}

/// Makes the tray. The library that draws it is looked for at run time, and its absence is a panic there.
fn make(app: &AppHandle, now: &Tray) -> tauri::Result<()> {
    let made = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        tray::show::make(app, now, wish)
    }));
    match made {
        Ok(made) => made.map(|_| ()),
        Err(_) => {
            tracing::warn!("no tray: the system's library for it is missing");
            Ok(())
        }
    }
}

/// Does what was chosen from the tray.
fn wish(app: &AppHandle, wish: Wish) {
    let page = app.state::<Page>();
    match wish {
        Wish::Show => window::show(app),
        Wish::Open(id) => {
            page.intend(Intent::OpenSession { id });
            window::show(app);
        }
        Wish::Start(repository) => {
            page.intend(Intent::QuickStart {
                repository: Some(repository),
            });
            window::show(app);
        }
        Wish::New => {
            page.intend(Intent::New);
            window::show(app);
        }
        Wish::Pause => pause(app),
        Wish::Quit => window::quit(app),
    }
}

fn pause(app: &AppHandle) {
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        let paused = !app.state::<Watched>().known().paused;
        let engine = app.state::<Engine>();
        let set = async { engine.client().await?.set_network(Network { paused }).await };
        if let Err(error) = set.await {
            tracing::warn!(%error, "the network was not paused");
        }
    });
}

thread_local! {
    /// Lives on the main thread, where its clicks arrive.
    static NOTIFIER: std::cell::OnceCell<Option<Notifier>> = const { std::cell::OnceCell::new() };
}

fn show_notice(app: &AppHandle, notice: Notice) {
    let handle = app.clone();
    let shown = app.run_on_main_thread(move || {
        NOTIFIER.with(|notifier| {
            let opens = handle.clone();
            let notifier = notifier.get_or_init(|| {
                Notifier::connect(move |session| {
                    opens.state::<Page>().intend(Intent::OpenSession {
                        id: session.to_owned(),
                    });
                    window::show(&opens);
                })
            });
            if let Some(notifier) = notifier {
                notifier.show(&notice);
            }
        });
    });
    if let Err(error) = shown {
        tracing::debug!(%error, "the app is ending");
    }
}
