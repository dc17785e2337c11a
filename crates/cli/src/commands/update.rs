//! `clauderon rename`, `pin`, `unpin` and `posture`: what a person decides about a session.

use std::process::ExitCode;

use clap::Args;
use clauderon_api::{Posture, Session, UpdateSession};

use crate::context::Context;
use crate::output;

const RENAME: &str = "\
The title is what lists show. Commands take the name, which stays, as does the branch.

Examples:
  clauderon rename fix \"Login test\"
  clauderon rename fix \"\"              the name again";

const PIN: &str = "\
Examples:
  clauderon pin fix";

const UNPIN: &str = "\
Examples:
  clauderon unpin fix";

const POSTURE: &str = "\
Holds from the next request on, also on connections that are open.
`locked` is the model alone, `balanced` adds the session's repository and the read paths of code and package hosts,
`open` adds any public https host, without a credential.

Examples:
  clauderon posture fix locked";

/// Give a session a title
#[derive(Debug, Args)]
#[command(after_help = RENAME)]
pub struct Rename {
    /// The session's name or identifier
    session: String,
    /// The title; empty to go back to the name
    title: String,
}

impl Rename {
    /// Gives it.
    pub async fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let change = UpdateSession {
            title: Some(self.title),
            ..UpdateSession::default()
        };
        update(context, &self.session, change, |session| {
            let title = session.title.as_ref().unwrap_or(&session.name);
            format!("{}: \"{title}\"", session.name)
        })
        .await
    }
}

/// Keep a session at the top of its group
#[derive(Debug, Args)]
#[command(after_help = PIN)]
pub struct Pin {
    /// The session's name or identifier
    session: String,
}

impl Pin {
    /// Pins it.
    pub async fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let change = pinned(true);
        update(context, &self.session, change, |session| {
            format!("{}: pinned", session.name)
        })
        .await
    }
}

/// Let a session take its place again
#[derive(Debug, Args)]
#[command(after_help = UNPIN)]
pub struct Unpin {
    /// The session's name or identifier
    session: String,
}

impl Unpin {
    /// Unpins it.
    pub async fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let change = pinned(false);
        update(context, &self.session, change, |session| {
            format!("{}: not pinned", session.name)
        })
        .await
    }
}

/// Change how much a session may reach
#[derive(Debug, Args)]
#[command(name = "posture", after_help = POSTURE)]
pub struct ChangePosture {
    /// The session's name or identifier
    session: String,
    /// How much it may reach
    #[arg(value_parser = ["locked", "balanced", "open"])]
    posture: String,
}

impl ChangePosture {
    /// Changes it.
    pub async fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let posture: Posture = self.posture.parse()?;
        let change = UpdateSession {
            posture: Some(posture),
            ..UpdateSession::default()
        };
        update(context, &self.session, change, |session| {
            format!(
                "{}: {} from the next request on",
                session.name, session.posture
            )
        })
        .await
    }
}

fn pinned(pinned: bool) -> UpdateSession {
    UpdateSession {
        pinned: Some(pinned),
        ..UpdateSession::default()
    }
}

async fn update(
    context: &Context,
    session: &str,
    change: UpdateSession,
    text: impl FnOnce(&Session) -> String,
) -> anyhow::Result<ExitCode> {
    let client = context.connect().await?;
    let session = client.update_session(session, &change).await?;
    context.print(&session, |session| output::escape(&text(session)))?;
    Ok(ExitCode::SUCCESS)
}
