//! `clauderon delete`: a session and its workspace go.

use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use clap::Args;
use serde_json::json;

use crate::context::Context;
use crate::{failure, output};

const EXAMPLES: &str = "\
What was pulled stays in the source repository.

Examples:
  clauderon delete fix
  clauderon delete --yes fix other";

/// Delete sessions and their workspaces
#[derive(Debug, Args)]
#[command(visible_alias = "rm", after_help = EXAMPLES)]
pub struct Delete {
    /// The sessions' names or identifiers
    #[arg(required = true, value_name = "SESSION")]
    sessions: Vec<String>,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
}

impl Delete {
    /// Asks, then deletes.
    pub async fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let client = context.connect().await?;
        // All must exist before the first goes.
        let mut found = Vec::new();
        for name in &self.sessions {
            found.push(client.session(name).await?);
        }
        if !self.yes && !confirmed(&self.sessions.join(", "))? {
            return Ok(ExitCode::FAILURE);
        }
        for session in &found {
            client.delete_session(&session.id).await?;
        }
        let names: Vec<&str> = found.iter().map(|session| session.name.as_str()).collect();
        context.print(&json!({ "deleted": names }), |_| {
            output::escape(&format!("Deleted {}.", names.join(", ")))
        })?;
        Ok(ExitCode::SUCCESS)
    }
}

fn confirmed(names: &str) -> anyhow::Result<bool> {
    if !std::io::stdin().is_terminal() {
        return Err(failure::usage(
            "Deleting asks first, and nobody is there to answer.",
            "Add --yes to delete without a question.",
        ));
    }
    let mut error = std::io::stderr().lock();
    write!(
        error,
        "Delete {} with all uncommitted and unpulled work? [y/N] ",
        output::escape(names)
    )?;
    error.flush()?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}
