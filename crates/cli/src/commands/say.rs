//! `clauderon say`: text for a session's agent, typed into its terminal.

use std::io::Read as _;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use clauderon_api::SayText;

use crate::context::Context;

const EXAMPLES: &str = "\
The text arrives as one paste, whatever it holds, and Enter follows, whatever the agent does just then. `clauderon send`
waits for its turn and says whether the agent took it.

Examples:
  clauderon say fix 'Run the tests again'
  clauderon say fix --no-send 'Look at '
  git diff | clauderon say fix -";

/// Type text into a session's terminal and send it
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Say {
    /// The session's name or identifier
    session: String,
    /// The text; `-` reads it from standard input
    text: String,
    /// Leave the text in the prompt, without Enter
    #[arg(long)]
    no_send: bool,
}

impl Say {
    /// Says it.
    pub async fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let text = text(self.text)?;
        let send = !self.no_send;
        let client = context.connect().await?;
        client.say(&self.session, &SayText { text, send }).await?;
        context.print(&serde_json::json!({"said": self.session}), |_| {
            String::new()
        })?;
        Ok(ExitCode::SUCCESS)
    }
}

/// Takes a text, or what standard input holds.
pub fn text(typed: String) -> anyhow::Result<String> {
    if typed != "-" {
        return Ok(typed);
    }
    let mut text = String::new();
    let read = std::io::stdin().read_to_string(&mut text);
    read.context("read the text from standard input")?;
    Ok(text)
}
