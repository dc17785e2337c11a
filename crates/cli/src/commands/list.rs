//! `clauderon list`: the sessions.

use std::process::ExitCode;

use clap::Args;
use clauderon_api::{Session, State};

use crate::context::Context;
use crate::output;

const EXAMPLES: &str = "\
Examples:
  clauderon list
  clauderon list --json | jq -r '.[] | select(.state == \"running\") | .name'";

/// List the sessions
#[derive(Debug, Args)]
#[command(visible_alias = "ls", after_help = EXAMPLES)]
pub struct List {}

impl List {
    /// Prints them.
    pub async fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let sessions = context.connect().await?.sessions().await?;
        context.print(&sessions, |sessions| text(sessions, output::now_ms()))?;
        Ok(ExitCode::SUCCESS)
    }
}

fn text(sessions: &[Session], now_ms: u64) -> String {
    if sessions.is_empty() {
        return "No sessions. `clauderon create` makes one of the repository you are in."
            .to_owned();
    }
    let rows: Vec<[String; 6]> = sessions
        .iter()
        .map(|session| {
            [
                session.name.clone(),
                session.agent.to_string(),
                session.backend.to_string(),
                state(session),
                output::ago(now_ms, session.created_ms),
                session.repository.display().to_string(),
            ]
        })
        .collect();
    output::table(
        ["NAME", "AGENT", "SANDBOX", "STATE", "AGE", "REPOSITORY"],
        &rows,
    )
}

/// Says a session's state in a word or a short sentence; of a running one what the agent does.
pub fn state(session: &Session) -> String {
    match &session.state {
        State::Running => format!("running, {}", session.attention.as_str()),
        State::Exited { code } => format!("exited ({code})"),
        State::Failed { reason } => format!("failed: {reason}"),
        State::Unknown { reason } => format!("unknown: {reason}"),
        other => other.as_str().to_owned(),
    }
}
