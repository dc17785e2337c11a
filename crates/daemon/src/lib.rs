//! The daemon: puts the parts together and keeps them alive. `Config` is read, `build` binds and opens without starting
//! anything, `run` serves, `drain` ends with a deadline. Agents outlive it; the next daemon takes them up again.

mod accounts;
mod audit;
mod books;
mod build;
mod clock;
mod config;
mod configuration;
mod console;
mod conversation;
mod credentials;
mod delivery;
pub mod demo;
mod desk;
mod doctor;
mod egress;
mod events;
mod failure;
mod files;
mod health;
mod hosted;
mod info;
mod instance;
mod network;
mod observer;
mod options;
mod paths;
mod programs;
mod reload;
mod repair;
mod room;
mod runtimes;
mod say;
mod service;
mod sessions;
mod standing;
mod storage;
mod uploads;
mod web;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::signal::unix::{SignalKind, signal};

pub use config::Config;
pub use hosted::Hosted;
pub use instance::AlreadyRuns;
pub use paths::Paths;
pub use repair::registry;
pub use web::Web;

/// How long an ending daemon waits for requests and connections.
const GRACE: Duration = Duration::from_secs(5);

/// Runs the daemon of the installation at `home` in the foreground until it is asked to end.
///
/// Where `web` asks for the page to be served, `announce` gets a link to it that works once.
///
/// # Errors
/// Says in one sentence what keeps it from running: a bad setting (naming it), a folder that cannot be written, or
/// [`AlreadyRuns`].
pub fn run(home: PathBuf, web: Option<Web>, announce: impl FnOnce(&str)) -> Result<()> {
    let paths = Paths::at(home)?;
    paths.prepare()?;
    let config = Config::load(&paths)?;
    log_to_standard_error();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .context("start the daemon's threads")?;
    let ended = runtime.block_on(serve(paths, config, web, announce));
    runtime.shutdown_timeout(Duration::from_secs(1));
    ended
}

/// Decisions and identities at `info`, hosts and paths at `debug` (`CLAUDERON_LOG=debug`); never bodies or headers.
fn log_to_standard_error() {
    let filter = tracing_subscriber::EnvFilter::try_from_env("CLAUDERON_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"));
    // A second daemon in one process, as in tests, keeps the first one's log.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(false)
        // A log on a full disk would otherwise complain to itself and panic over that.
        .log_internal_errors(false)
        .try_init();
}

async fn serve(
    paths: Paths,
    config: Config,
    web: Option<Web>,
    announce: impl FnOnce(&str),
) -> Result<()> {
    let built = build::build(paths, config, web).await?;
    if let Some(link) = built.link() {
        announce(&link);
    }
    let mut running = built.spawn().await;
    let mut terminate = signal(SignalKind::terminate()).context("listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("listen for SIGINT")?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
        () = running.asked_to_stop() => {}
    }
    if tokio::time::timeout(GRACE, running.drain()).await.is_err() {
        tracing::warn!("some connections did not end in time and were abandoned");
    }
    Ok(())
}
