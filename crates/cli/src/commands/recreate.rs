//! `clauderon recreate`: a session's sandbox is made anew around the same work.

use std::process::ExitCode;

use clap::Args;

use crate::context::Context;
use crate::output;

const EXAMPLES: &str = "\
For a container that somebody removed or broke. Files, commits and conversation stay; what the agent installed outside
its workspace and home goes.

Examples:
  clauderon recreate fix";

/// Make a session's sandbox anew around the same work
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Recreate {
    /// The session's name or identifier
    session: String,
}

impl Recreate {
    /// Makes it.
    pub async fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let client = context.connect().await?;
        let session = client.recreate_session(&self.session).await?;
        context.print(&session, |session| {
            output::escape(&format!("{}: {}", session.name, session.word()))
        })?;
        Ok(ExitCode::SUCCESS)
    }
}
