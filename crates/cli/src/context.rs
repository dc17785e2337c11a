//! What every command has: the home folder, how to print, and the way to the daemon.

use std::io::IsTerminal;
use std::path::PathBuf;

use clauderon_api::{Client, Error};

use crate::commands::Cli;
use crate::{failure, launch, output};

/// The layers that only the command line reads: environment and global flags.
#[derive(Debug, Clone)]
pub struct Context {
    /// `CLAUDERON_HOME`, else `~/.clauderon`.
    pub home: PathBuf,
    /// Whether to print JSON.
    pub json: bool,
    /// Whether to say each step: asked for, or standard error is a terminal.
    pub talkative: bool,
}

impl Context {
    /// Reads the environment and the global flags.
    pub fn new(cli: &Cli) -> anyhow::Result<Context> {
        Ok(Context {
            home: home()?,
            json: cli.json,
            talkative: cli.verbose || std::io::stderr().is_terminal(),
        })
    }

    /// Returns the daemon's socket.
    pub fn socket(&self) -> PathBuf {
        self.home.join("clauderon.sock")
    }

    /// Returns a client of the running daemon, starting one where none answers.
    pub async fn connect(&self) -> anyhow::Result<Client> {
        if let Some(client) = self.running().await {
            return Ok(client);
        }
        launch::daemon(self).await
    }

    /// Returns a client of the daemon if one answers.
    pub async fn running(&self) -> Option<Client> {
        Client::connect(self.socket()).await.ok()
    }

    /// Says a step on standard error, where somebody watches.
    pub fn say(&self, step: &str) {
        if self.talkative {
            output::note(&output::escape(step));
        }
    }

    /// Prints a value: as JSON, or as the text that `text` makes of it.
    pub fn print<T: serde::Serialize>(
        &self,
        value: &T,
        text: impl FnOnce(&T) -> String,
    ) -> anyhow::Result<()> {
        if self.json {
            return output::json(value);
        }
        let text = text(value);
        if !text.is_empty() {
            output::line(&text)?;
        }
        Ok(())
    }
}

fn home() -> anyhow::Result<PathBuf> {
    let chosen = std::env::var_os("CLAUDERON_HOME").filter(|home| !home.is_empty());
    if let Some(home) = chosen.map(PathBuf::from) {
        if home.is_absolute() {
            return Ok(home);
        }
        return Err(failure::usage(
            format!(
                "CLAUDERON_HOME is {}, which is not an absolute path.",
                home.display()
            ),
            "Give the whole path, beginning with `/`.",
        ));
    }
    match std::env::home_dir().filter(|home| home.is_absolute()) {
        Some(home) => Ok(home.join(".clauderon")),
        None => Err(Error::usage("Neither CLAUDERON_HOME nor HOME is set.")
            .hint("Set CLAUDERON_HOME to the folder that Clauderon may keep its data in.")
            .into()),
    }
}
