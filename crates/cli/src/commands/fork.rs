//! `clauderon fork`: another session with a copy of a session's files and conversation.

use std::process::ExitCode;

use clap::Args;
use clauderon_api::{Created, ForkSession};

use crate::attach;
use crate::context::Context;
use crate::output;

const EXAMPLES: &str = "\
Examples:
  clauderon fork fix                                        fix-fork knows what fix knows, and goes its own way
  clauderon fork fix --name other --prompt \"try it in C\"    with a prompt to go on with

The new session has a clone, a branch, a sandbox and a conversation of its own. It gets the files as they are now,
uncommitted and untracked ones too, all commits, and what was said so far. What was granted to the first session alone,
its messages that wait, and its uploads stay behind. Nothing that one of the two does changes the other.";

/// Fork a session: another one with a copy of its files and its conversation
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Fork {
    /// The session's name or identifier
    session: String,
    /// The new session's name [default: the session's own, with -fork]
    #[arg(long)]
    name: Option<String>,
    /// What the new session's agent shall do at once
    #[arg(long, allow_hyphen_values = true)]
    prompt: Option<String>,
}

impl Fork {
    /// Forks it and leaves the new one running.
    pub async fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let client = context.connect().await?;
        let (cols, rows) = attach::size().unwrap_or_default();
        let request = ForkSession {
            name: self.name,
            prompt: self.prompt,
            cols,
            rows,
        };
        let forked = client
            .fork_session(&self.session, &request, |step| context.say(step))
            .await?;
        for notice in &forked.notices {
            output::note(&output::escape(notice));
        }
        context.print(&forked, text)?;
        Ok(ExitCode::SUCCESS)
    }
}

fn text(forked: &Created) -> String {
    let name = output::escape(&forked.session.name);
    format!(
        "{name}\n\nclauderon attach {name}   to talk to it\nclauderon chat {name}     to see its conversation"
    )
}
