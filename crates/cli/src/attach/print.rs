//! A session with pipes: the agent's own standard output, standard error and exit code, byte for
//! byte, and nothing of ours.

use std::io::Write;
use std::process::ExitCode;

use clauderon_api::{Client, ConsoleEvent, ConsoleInput, ConsoleQuery, Exit, STDERR};
use tokio::signal::unix::{SignalKind, signal};

use super::reconnect;
use crate::context::Context;

/// Copies from the beginning to the end and returns the agent's exit code.
pub async fn answer(context: &Context, client: Client, id: &str) -> anyhow::Result<ExitCode> {
    let mut from = 0;
    let mut console = client.console(id, ConsoleQuery::from_offset(from)).await?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupted = 0;
    loop {
        let event = tokio::select! {
            event = console.next() => event,
            _ = interrupt.recv() => {
                interrupted += 1;
                // The second Ctrl-C is for us: an agent may take the first one lightly.
                if interrupted > 1 {
                    return Ok(ExitCode::from(130));
                }
                let _ = console.send(ConsoleInput::Signal(libc::SIGINT)).await;
                continue;
            }
            _ = terminate.recv() => {
                let _ = console.send(ConsoleInput::Signal(libc::SIGTERM)).await;
                continue;
            }
        };
        match event {
            Ok(Some(ConsoleEvent::Output {
                stream,
                next,
                bytes,
            })) => {
                from = next;
                copy(stream, &bytes)?;
            }
            Ok(Some(ConsoleEvent::Size { .. })) => {}
            Ok(Some(ConsoleEvent::Exit(exit))) => {
                super::seen(context, id, true).await;
                return Ok(code(&exit));
            }
            Ok(Some(ConsoleEvent::Error(error))) => return Err(error.into()),
            Ok(None) | Err(_) => {
                context.say("The daemon went away; attaching again…");
                console = reconnect(context, id, ConsoleQuery::from_offset(from)).await?;
            }
        }
    }
}

fn copy(stream: u8, bytes: &[u8]) -> std::io::Result<()> {
    if stream == STDERR {
        return std::io::stderr().lock().write_all(bytes);
    }
    crate::output::raw(bytes)
}

/// Returns the agent's exit code as ours.
pub fn code(exit: &Exit) -> ExitCode {
    ExitCode::from(u8::try_from(exit.code & 0xff).expect("eight bits fit"))
}
