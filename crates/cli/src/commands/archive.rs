//! `clauderon archive` and `clauderon unarchive`: a session is put away, and taken out again.

use std::process::ExitCode;

use clap::Args;

use crate::context::Context;
use crate::output;

const ARCHIVE: &str = "\
Examples:
  clauderon archive fix";

const UNARCHIVE: &str = "\
`clauderon start` does it too.

Examples:
  clauderon unarchive fix";

/// Put a session away: its agent ends, and all of it is kept
#[derive(Debug, Args)]
#[command(after_help = ARCHIVE)]
pub struct Archive {
    /// The session's name or identifier
    session: String,
}

impl Archive {
    /// Puts it away.
    pub async fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let client = context.connect().await?;
        let session = client.archive_session(&self.session).await?;
        context.print(&session, |session| {
            output::escape(&format!("{}: archived", session.name))
        })?;
        Ok(ExitCode::SUCCESS)
    }
}

/// Take a session out of the archive
#[derive(Debug, Args)]
#[command(after_help = UNARCHIVE)]
pub struct Unarchive {
    /// The session's name or identifier
    session: String,
}

impl Unarchive {
    /// Takes it out.
    pub async fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let client = context.connect().await?;
        let session = client.unarchive_session(&self.session).await?;
        context.print(&session, |session| {
            output::escape(&format!("{}: no longer archived", session.name))
        })?;
        Ok(ExitCode::SUCCESS)
    }
}
