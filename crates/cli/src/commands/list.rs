//! `clauderon list`: the sessions.

use std::process::ExitCode;

use clap::Args;
use clauderon_api::Session;

use super::network;
use crate::context::Context;
use crate::output;

const EXAMPLES: &str = "\
Examples:
  clauderon list
  clauderon list --json | jq -r '.[] | select(.status.status == \"idle\") | .name'";

/// Characters of what a session does.
const MOST: usize = 48;

/// List the sessions
#[derive(Debug, Args)]
#[command(visible_alias = "ls", after_help = EXAMPLES)]
pub struct List {}

impl List {
    /// Prints them.
    pub async fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let client = context.connect().await?;
        let sessions = client.sessions().await?;
        if client.network().await?.paused {
            output::note(network::PAUSED);
        }
        context.print(&sessions, |sessions| text(sessions, output::now_ms()))?;
        Ok(ExitCode::SUCCESS)
    }
}

fn text(sessions: &[Session], now_ms: u64) -> String {
    if sessions.is_empty() {
        return "No sessions. `clauderon create` makes one of the repository you are in."
            .to_owned();
    }
    let rows: Vec<[String; 7]> = sessions
        .iter()
        .map(|session| {
            [
                label(session),
                session.agent.to_string(),
                session.backend.to_string(),
                session.word(),
                since(session, now_ms),
                doing(session),
                session.repository.display().to_string(),
            ]
        })
        .collect();
    output::table(
        [
            "NAME",
            "AGENT",
            "SANDBOX",
            "STATE",
            "SINCE",
            "DOING",
            "REPOSITORY",
        ],
        &rows,
    )
}

/// Gives the name, and the title and pin that the person gave.
fn label(session: &Session) -> String {
    let pin = if session.pinned { "* " } else { "" };
    match &session.title {
        Some(title) => format!("{pin}{} ({title})", session.name),
        None => format!("{pin}{}", session.name),
    }
}

/// Says for how long it has been so.
fn since(session: &Session, now_ms: u64) -> String {
    match session.status.since_ms {
        0 => "-".to_owned(),
        since => output::ago(now_ms, since),
    }
}

/// Says on what it works, short enough for a column.
fn doing(session: &Session) -> String {
    let line = session.line().unwrap_or("-");
    match line.chars().count() > MOST {
        true => line.chars().take(MOST - 1).chain(['…']).collect(),
        false => line.to_owned(),
    }
}
