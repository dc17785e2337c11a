//! `clauderon pull`: a session's work comes into the source repository.

use std::process::ExitCode;

use clap::Args;
use clauderon_api::PullView;

use crate::context::Context;
use crate::output;

const EXAMPLES: &str = "\
Fetches commits, and uncommitted work as a commit of its own; merges nothing.

Examples:
  clauderon pull fix
  clauderon pull fix && git diff HEAD...refs/clauderon/fix/head
  clauderon pull fix --json | jq -r '.merge[]'      the commands that merge it";

/// Fetch a session's commits and uncommitted work into the source repository
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Pull {
    /// The session's name or identifier
    session: String,
}

impl Pull {
    /// Pulls, then says how to merge.
    pub async fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let pulled = context.connect().await?.pull(&self.session).await?;
        context.print(&pulled, text)?;
        Ok(ExitCode::SUCCESS)
    }
}

fn text(pulled: &PullView) -> String {
    let commits = match pulled.commits {
        0 => "No new commits".to_owned(),
        1 => "1 commit".to_owned(),
        many => format!("{many} commits"),
    };
    let mut lines = vec![format!("{commits} in {}", pulled.reference)];
    if let Some(wip) = &pulled.wip {
        lines.push(format!("Uncommitted work in {wip}"));
    }
    lines.extend(pulled.notices.iter().cloned());
    lines.push("To merge:".to_owned());
    lines.extend(pulled.merge.iter().map(|command| format!("  {command}")));
    let lines: Vec<String> = lines.iter().map(|line| output::escape(line)).collect();
    lines.join("\n")
}
