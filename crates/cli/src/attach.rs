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
use clauderon_api::{Client, ConsoleQuery, Error, ErrorCode, Session, State, UpdateSession};

pub use raw::size;
pub use streams::input;

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
    let console = client.console(&session.id, ConsoleQuery::default()).await?;
    context.say(&format!("Attached to {}; Ctrl-] detaches.", session.name));
    let ended = Viewer::new(context, &session.id, console)?.run().await;
    let name = output::escape(&session.name);
    match ended? {
        Ended::Detached => {
            seen(context, &session.id, false).await;
            output::note(&format!("Detached; `clauderon attach {name}` comes back."));
            Ok(ExitCode::SUCCESS)
        }
        Ended::Signal(number) => Ok(ExitCode::from(128 + number)),
        Ended::Exited(exit) => {
            seen(context, &session.id, true).await;
            let cause = if exit.oom { ", out of memory" } else { "" };
            output::note(&format!(
                "The agent ended with exit code {}{cause}; `clauderon start {name}` goes on.",
                exit.code
            ));
            Ok(print::code(&exit))
        }
    }
}

/// Says that the person saw what was printed up to now, the end included. Where no daemon is left that is nobody's loss.
pub async fn seen(context: &Context, id: &str, ended: bool) {
    let Some(client) = context.running().await else {
        return;
    };
    let change = UpdateSession {
        seen: Some(true),
        ..UpdateSession::default()
    };
    // The console may tell of the end a moment before the session knows of it.
    for _ in 0..20 {
        match client.update_session(id, &change).await {
            Ok(session) if !ended || is_over(&session) => return,
            Ok(_) => tokio::time::sleep(INTERVAL / 4).await,
            Err(_) => return,
        }
    }
}

fn is_over(session: &Session) -> bool {
    !matches!(session.state, State::Running | State::Stopping)
}

/// Opens the console again at a place, starting a daemon where none is left.
async fn reconnect(
    context: &Context,
    id: &str,
    place: ConsoleQuery,
) -> anyhow::Result<ConsoleSocket> {
    let begun = Instant::now();
    loop {
        let error = match context.connect().await {
            Ok(client) => match client.console(id, place).await {
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
