//! The daemon behind the window: the one that already runs, or one in this very process.
//!
//! Everything goes over the daemon's own socket in both cases, so that there is one way, and nothing is lost when one daemon
//! takes over from another. A crash of the window ends no session: holders and containers are not its children's children.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result};
use clauderon_api::{Client, Error};
use clauderon_daemon::{AlreadyRuns, Hosted};
use tokio::net::UnixStream;
use tokio::sync::Mutex;

/// How long another daemon may take to answer that holds the lock already.
const PATIENCE: Duration = Duration::from_secs(10);
const INTERVAL: Duration = Duration::from_millis(20);

/// The way to the daemon.
#[derive(Debug)]
pub struct Engine {
    home: PathBuf,
    client: Client,
    hosted: Mutex<Option<Hosted>>,
}

impl Engine {
    /// Makes the way to the daemon of the installation at `home`; starts nothing.
    pub fn new(home: PathBuf) -> Engine {
        Engine {
            client: Client::at(home.join("clauderon.sock")),
            home,
            hosted: Mutex::new(None),
        }
    }

    /// Returns the installation's folder.
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// Returns a client of a daemon that answers, starting one in this process where none does.
    pub async fn client(&self) -> Result<Client, Error> {
        if self.answers().await {
            return Ok(self.client.clone());
        }
        let mut hosted = self.hosted.lock().await;
        // Whoever came first has started it.
        if self.answers().await {
            return Ok(self.client.clone());
        }
        if let Some(ended) = hosted.take() {
            // It was asked to end over the API; its last connections may still be draining.
            tokio::task::spawn_blocking(move || ended.end())
                .await
                .map_err(|_| Error::failed("The daemon did not end."))?;
        }
        match Hosted::start(self.home.clone()).await {
            Ok(started) => *hosted = Some(started),
            Err(error) if error.is::<AlreadyRuns>() => self.wait().await?,
            Err(error) => {
                return Err(
                    Error::failed(format!("The daemon does not start: {error:#}."))
                        .hint("`clauderon doctor` says what is missing."),
                );
            }
        }
        Ok(self.client.clone())
    }

    /// Says whether the daemon ends with this process.
    pub async fn is_ours(&self) -> bool {
        self.hosted
            .lock()
            .await
            .as_ref()
            .is_some_and(Hosted::serves)
    }

    /// Ends the daemon, where it is ours. Agents go on without one, but their requests wait.
    pub async fn end(&self) {
        if let Some(hosted) = self.hosted.lock().await.take() {
            // A panic was logged; there is nobody left to tell.
            let _ = tokio::task::spawn_blocking(move || hosted.end()).await;
        }
    }

    /// Ends the daemon, where it is ours, and lets one without a window take over.
    pub async fn hand_over(&self) -> Result<()> {
        self.end().await;
        let program = std::env::current_exe()
            .context("find this program")?
            .with_file_name("clauderon");
        let log = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.home.join("logs/daemon.log"))
            .context("open the daemon's log")?;
        Command::new(program)
            .args(["daemon", "--detached"])
            .env("CLAUDERON_HOME", &self.home)
            .current_dir(&self.home)
            .stdin(Stdio::null())
            .stdout(log.try_clone().context("share the daemon's log")?)
            .stderr(log)
            .spawn()
            .context("start a daemon without a window")?;
        self.wait().await?;
        Ok(())
    }

    async fn answers(&self) -> bool {
        UnixStream::connect(self.client.socket()).await.is_ok()
    }

    async fn wait(&self) -> Result<(), Error> {
        let answered = async {
            while !self.answers().await {
                tokio::time::sleep(INTERVAL).await;
            }
        };
        tokio::time::timeout(PATIENCE, answered).await.map_err(|_| {
            Error::failed("Another daemon holds this installation and does not answer.")
        })
    }
}
