//! A daemon inside another program, the window: the same four stages on threads of their own.

use std::path::PathBuf;
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context as _, Result};
use clauderon_runtime::docker::discover::Surroundings;
use clauderon_vault::Shell;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use crate::{Config, GRACE, Paths, build, log_to_standard_error};

/// A daemon that serves from this process until it is told to end, or the API asks it to.
#[derive(Debug)]
pub struct Hosted {
    stop: CancellationToken,
    thread: JoinHandle<()>,
}

impl Hosted {
    /// Starts the daemon of the installation at `home` and waits until it serves.
    ///
    /// # Errors
    /// As [`crate::run`].
    pub async fn start(home: PathBuf) -> Result<Hosted> {
        log_to_standard_error();
        let stop = CancellationToken::new();
        let asked = stop.clone();
        let (started, serves) = oneshot::channel();
        let thread = std::thread::Builder::new()
            .name("clauderon-daemon".into())
            .spawn(move || host(home, asked, started))
            .context("start the daemon's thread")?;
        serves
            .await
            .context("the daemon ended while it started")??;
        Ok(Hosted { stop, thread })
    }

    /// Says whether it still serves.
    pub fn serves(&self) -> bool {
        !self.thread.is_finished()
    }

    /// Ends it and waits until its lock is free. Agents go on: their holders are processes of their own.
    pub fn end(self) {
        self.stop.cancel();
        if self.thread.join().is_err() {
            tracing::error!("the daemon panicked");
        }
    }
}

/// What the shell is asked for besides credentials: where engines are, and programs.
const VARIABLES: &[&str] = {
    let [host, context, config, colima, run] = Surroundings::VARIABLES;
    &[host, context, config, colima, run, "PATH"]
};

/// A desktop starts us with its own bare environment, so the person's login shell is asked what it has besides.
fn ask_shell() -> Shell {
    let shell = Shell::ask(VARIABLES);
    let asked = shell.clone();
    tokio::task::spawn_blocking(move || match asked.answer() {
        Ok(_) => {
            if let Some(path) = asked.plain("PATH") {
                clauderon_workspace::look_for_git_in(path);
            }
        }
        Err(error) => tracing::warn!(%error, "the login shell's variables are not known"),
    });
    shell
}

fn host(home: PathBuf, stop: CancellationToken, started: oneshot::Sender<Result<()>>) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    let runtime = match runtime.context("start the daemon's threads") {
        Ok(runtime) => runtime,
        Err(error) => {
            // Nobody waits any more: there is nobody to tell.
            let _ = started.send(Err(error));
            return;
        }
    };
    runtime.block_on(async move {
        let running = async {
            let paths = Paths::at(home)?;
            paths.prepare()?;
            let mut config = Config::load(&paths)?;
            config.shell = Some(ask_shell());
            Ok::<_, anyhow::Error>(build::build(paths, config, None).await?.spawn().await)
        };
        let mut running = match running.await {
            Ok(running) => running,
            Err(error) => {
                let _ = started.send(Err(error));
                return;
            }
        };
        let _ = started.send(Ok(()));
        tokio::select! {
            () = stop.cancelled() => {}
            () = running.asked_to_stop() => {}
        }
        if tokio::time::timeout(GRACE, running.drain()).await.is_err() {
            tracing::warn!("some connections did not end in time and were abandoned");
        }
    });
    runtime.shutdown_timeout(Duration::from_secs(1));
}
