//! `clauderon start`: a stopped session goes on.

use std::process::ExitCode;

use clap::Args;

use crate::context::Context;
use crate::output;

const EXAMPLES: &str = "\
Examples:
  clauderon start fix && clauderon attach fix";

/// Start a stopped session again, with its files and its conversation
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Start {
    /// The session's name or identifier
    session: String,
}

impl Start {
    /// Starts it.
    pub async fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let client = context.connect().await?;
        let session = client.start_session(&self.session).await?;
        context.print(&session, |session| {
            output::escape(&format!("{}: {}", session.name, session.word()))
        })?;
        Ok(ExitCode::SUCCESS)
    }
}
