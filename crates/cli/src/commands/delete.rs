//! `clauderon delete`: a session goes to the trash, or for good.

use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use clap::Args;
use serde_json::json;

use crate::context::Context;
use crate::{failure, output};

const EXAMPLES: &str = "\
A deleted session lies in the trash for 7 days; `clauderon trash restore NAME` brings it back with all its work.
What was pulled stays in the source repository.

Examples:
  clauderon delete fix
  clauderon delete --yes fix other
  clauderon delete --now fix          for good, without the trash";

/// Delete sessions; for 7 days they can be restored
#[derive(Debug, Args)]
#[command(visible_alias = "rm", after_help = EXAMPLES)]
pub struct Delete {
    /// The sessions' names or identifiers
    #[arg(required = true, value_name = "SESSION")]
    sessions: Vec<String>,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
    /// Delete for good, with all uncommitted and unpulled work
    #[arg(long)]
    now: bool,
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
        if !self.yes && !confirmed(&self.question())? {
            return Ok(ExitCode::FAILURE);
        }
        for session in &found {
            client.delete_session(&session.id).await?;
            if self.now {
                client.purge_session(&session.id).await?;
            }
        }
        let names: Vec<&str> = found.iter().map(|session| session.name.as_str()).collect();
        context.print(&json!({ "deleted": names }), |_| {
            let names = names.join(", ");
            output::escape(&match self.now {
                true => format!("Deleted {names} for good."),
                false => format!(
                    "Deleted {names}. `clauderon trash restore {}` brings it back within 7 days.",
                    found[0].name
                ),
            })
        })?;
        Ok(ExitCode::SUCCESS)
    }

    fn question(&self) -> String {
        let names = self.sessions.join(", ");
        match self.now {
            true => format!("Delete {names} for good, with all uncommitted and unpulled work?"),
            false => format!("Delete {names}? (It can be restored for 7 days.)"),
        }
    }
}

/// Asks; an empty answer means no.
pub fn confirmed(question: &str) -> anyhow::Result<bool> {
    if !std::io::stdin().is_terminal() {
        return Err(failure::usage(
            "Deleting asks first, and nobody is there to answer.",
            "Add --yes to delete without a question.",
        ));
    }
    let mut error = std::io::stderr().lock();
    write!(error, "{} [y/N] ", output::escape(question))?;
    error.flush()?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}
