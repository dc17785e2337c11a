//! `clauderon stop`: a session ends its agent and keeps everything.

use std::process::ExitCode;

use clap::Args;

use crate::context::Context;
use crate::output;

const EXAMPLES: &str = "\
Examples:
  clauderon stop fix";

/// Stop a session; files, commits and conversation stay
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Stop {
    /// The session's name or identifier
    session: String,
}

impl Stop {
    /// Stops it.
    pub async fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let client = context.connect().await?;
        let session = client.stop_session(&self.session).await?;
        context.print(&session, |session| {
            output::escape(&format!("{}: {}", session.name, session.word()))
        })?;
        Ok(ExitCode::SUCCESS)
    }
}
