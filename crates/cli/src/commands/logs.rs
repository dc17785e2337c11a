//! `clauderon logs`: what a session's agent printed.

use std::process::ExitCode;

use clap::Args;
use clauderon_api::{LogsQuery, STDERR, STDOUT};
use clauderon_terminal::filter::Filter;
use futures_util::StreamExt;

use super::chat::Chat;
use crate::context::Context;
use crate::{failure, output};

const EXAMPLES: &str = "\
The bytes are the agent's own; what could harm a terminal is removed only before a terminal.

Examples:
  clauderon logs fix
  clauderon logs --follow fix
  clauderon logs --stderr fix > errors.txt
  clauderon logs --json fix             what was said and done, one item a line: as `clauderon chat --json`";

/// Print what a session's agent printed
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Logs {
    /// The session's name or identifier
    session: String,
    /// Go on until the agent ends
    #[arg(short, long)]
    follow: bool,
    /// Only the last so many bytes
    #[arg(long, value_name = "BYTES")]
    tail: Option<u64>,
    /// Only standard output, of a session made with --print
    #[arg(long, conflicts_with = "stderr")]
    stdout: bool,
    /// Only standard error, of a session made with --print
    #[arg(long)]
    stderr: bool,
}

impl Logs {
    /// Prints them as they come.
    pub async fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        if context.json && (self.tail.is_some() || self.stdout || self.stderr) {
            return Err(failure::usage(
                "As JSON the log is the conversation, of which there are no bytes or streams to choose.",
                "Leave --json out, or --tail, --stdout and --stderr.",
            ));
        }
        if context.json {
            return Chat::log(self.session, self.follow).run(context).await;
        }
        let query = LogsQuery {
            tail: self.tail,
            stream: match (self.stdout, self.stderr) {
                (true, _) => Some(STDOUT),
                (_, true) => Some(STDERR),
                _ => None,
            },
            follow: self.follow,
        };
        let client = context.connect().await?;
        let mut bytes = client.logs(&self.session, &query).await?;
        let mut filter = output::to_terminal().then(Filter::new);
        while let Some(chunk) = bytes.next().await {
            let chunk = chunk?;
            match &mut filter {
                Some(filter) => output::raw(&filter.feed(&chunk))?,
                None => output::raw(&chunk)?,
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}
