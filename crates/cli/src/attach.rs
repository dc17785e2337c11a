//! A session's terminal inside the person's own: history first, then both ways until they part.
//!
//! Bytes from the agent pass the filter before the terminal, and however this ends, the terminal is
//! put back.

mod keys;
pub mod print;
mod raw;
mod sequences;
mod streams;
mod viewer;

use std::io::IsTerminal;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clauderon_api::client::ConsoleSocket;
use clauderon_api::{Client, Error, ErrorCode, Session};

pub use raw::size;

use crate::context::Context;
use crate::output;
use viewer::{Ended, Viewer};

/// How long a console that broke is sought again.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often.
const INTERVAL: Duration = Duration::from_millis(100);

/// Says whether there is a terminal to attach.
pub fn possible() -> bool {
    std::io::stdin().is_terminal() && std::io::stdout().is_terminal()
}

/// Attaches until the person detaches or the agent ends.
pub async fn session(
    context: &Context,
    client: Client,
    session: &Session,
) -> anyhow::Result<ExitCode> {
    let console = client.console(&session.id, Some(0)).await?;
    context.say(&format!("Attached to {}; Ctrl-] detaches.", session.name));
    let ended = Viewer::new(context, &session.id, console)?.run().await;
    let name = output::escape(&session.name);
    match ended? {
        Ended::Detached => {
            output::note(&format!("Detached; `clauderon attach {name}` comes back."));
            Ok(ExitCode::SUCCESS)
        }
        Ended::Signal(number) => Ok(ExitCode::from(128 + number)),
        Ended::Exited(exit) => {
            let cause = if exit.oom { ", out of memory" } else { "" };
            output::note(&format!(
                "The agent ended with exit code {}{cause}; `clauderon start {name}` goes on.",
                exit.code
            ));
            Ok(print::code(&exit))
        }
    }
}

/// Opens the console again from `from`, starting a daemon where none is left.
async fn reconnect(context: &Context, id: &str, from: u64) -> anyhow::Result<ConsoleSocket> {
    let begun = Instant::now();
    loop {
        let error = match context.connect().await {
            Ok(client) => match client.console(id, Some(from)).await {
                Ok(console) => return Ok(console),
                Err(error) => anyhow::Error::from(error),
            },
            Err(error) => error,
        };
        let gone = error
            .downcast_ref::<Error>()
            .is_some_and(|error| error.code == ErrorCode::NotFound);
        if gone || begun.elapsed() > PATIENCE {
            return Err(error);
        }
        tokio::time::sleep(INTERVAL).await;
    }
}
