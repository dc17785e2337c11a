//! `clauderon attach`: a session's terminal in this one.

use std::process::ExitCode;

use clap::Args;
use clauderon_api::Mode;

use crate::attach::{self, print};
use crate::context::Context;
use crate::failure;

const EXAMPLES: &str = "\
Ctrl-] detaches; every other key goes to the agent.

Examples:
  clauderon attach fix";

/// Attach this terminal to a session
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Attach {
    /// The session's name or identifier
    session: String,
}

impl Attach {
    /// Shows the history, then carries both ways.
    pub async fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let client = context.connect().await?;
        let session = client.session(&self.session).await?;
        if session.mode == Mode::Print {
            return print::answer(context, client, &session.id).await;
        }
        if !attach::possible() {
            return Err(failure::usage(
                "Attaching needs a terminal, and standard input or output is none.",
                format!(
                    "`clauderon logs {}` prints what the agent printed.",
                    session.name
                ),
            ));
        }
        attach::session(context, client, &session).await
    }
}
