//! One viewer's console: between the session's log and the API's socket, without keeping a byte.
//!
//! What waits for a slow viewer is bounded by the queue here; beyond it the view falls behind in the log, and then shows a
//! snapshot instead.

use std::sync::Arc;

use bytes::Bytes;
use clauderon_api::{self as api, Error};
use clauderon_store::SessionDir;
use clauderon_terminal::{Console, ConsoleEvent, ConsoleInput, Place, View};
use futures_util::stream::{self, BoxStream, StreamExt as _};
use tokio::sync::{mpsc, watch};

use crate::conversation::Talk;
use crate::delivery::Keyboard;
use crate::sessions::Session;

/// Events that wait for a viewer; then the viewer's own place in the log waits.
const QUEUE: usize = 16;

/// Opens a console at a place, or with a snapshot.
pub async fn open(session: &Session, query: api::ConsoleQuery) -> Result<api::Console, Error> {
    let place = query.from.map(|offset| Place {
        offset,
        epoch: query.epoch,
    });
    let opened = View::open(session.paths.path(), place).await;
    let mut view = opened.map_err(|error| cannot_open(session.spec.name.as_str(), &error))?;
    let hello = view.hello();
    let (cols, rows) = view.size();
    let hello = api::ConsoleHello {
        session: session.spec.id.to_string(),
        mode: session.spec.mode,
        offset_start: hello.offset_start,
        offset_end: hello.offset_end,
        epoch: view.epoch(),
        cols,
        rows,
        running: hello.running,
    };
    let input = view.input();
    let (send_event, events) = mpsc::channel(QUEUE);
    let (send_input, typed) = mpsc::channel(QUEUE);
    let (send_parsed, parsed) = watch::channel(None);
    tokio::spawn(show(view, send_event, parsed));
    tokio::spawn(type_in(
        input,
        session.delivery.keyboard().clone(),
        session.talk.clone(),
        typed,
        send_parsed,
    ));
    Ok(api::Console {
        hello,
        events,
        input: send_input,
    })
}

/// Opens a view of what a running session prints from now on, and a way to type into it.
pub async fn live(paths: &SessionDir, name: &str) -> Result<(Console, ConsoleInput), Error> {
    let mut console = attach(paths, name, u64::MAX).await?;
    match console.input() {
        Some(input) => Ok((console, input)),
        None => Err(Error::conflict(format!("session {name} does not run"))),
    }
}

/// Streams what the agent printed, as raw bytes.
pub async fn logs(
    session: &Session,
    query: api::LogsQuery,
) -> Result<BoxStream<'static, Result<Bytes, Error>>, Error> {
    let console = attach(&session.paths, session.spec.name.as_str(), 0).await?;
    let end = console.hello().offset_end;
    // Frames of two streams cannot be entered in the middle, so those are counted from the start.
    let from = query.tail.map_or(0, |tail| end.saturating_sub(tail));
    let follow = query.follow;
    let pieces = stream::unfold((console, 0), move |(mut console, reached)| async move {
        if !follow && reached >= end {
            return None;
        }
        loop {
            match console.next().await? {
                event @ ConsoleEvent::Output { next, .. } => return Some((event, (console, next))),
                ConsoleEvent::Size { .. } | ConsoleEvent::Notice(_) | ConsoleEvent::Away(_) => {}
                ConsoleEvent::Exit(_) => return None,
            }
        }
    });
    let wanted = query.stream;
    Ok(pieces
        .filter_map(move |event| {
            let ConsoleEvent::Output {
                stream,
                next,
                bytes,
            } = event
            else {
                return std::future::ready(None);
            };
            let skipped = from.saturating_sub(next - bytes.len() as u64);
            let shown = next > from && wanted.is_none_or(|wanted| wanted == stream);
            let piece = bytes.slice(usize::try_from(skipped).unwrap_or(0).min(bytes.len())..);
            std::future::ready(shown.then_some(Ok(piece)))
        })
        .boxed())
}

async fn attach(paths: &SessionDir, name: &str, from: u64) -> Result<Console, Error> {
    Console::attach(paths.path(), from)
        .await
        .map_err(|error| cannot_open(name, &error))
}

fn cannot_open(name: &str, error: &std::io::Error) -> Error {
    match error.kind() {
        std::io::ErrorKind::NotFound => {
            Error::conflict(format!("session {name} has not printed anything yet"))
        }
        _ => Error::failed(format!("the console could not be opened: {error}")),
    }
}

async fn show(
    mut view: View,
    events: mpsc::Sender<api::ConsoleEvent>,
    mut parsed: watch::Receiver<Option<u64>>,
) {
    let mut sent = 0;
    loop {
        // Before the next event is taken, so that a view that fell behind meanwhile shows a snapshot instead.
        let next = async {
            room(&mut parsed, sent).await;
            view.next().await
        };
        let event = tokio::select! {
            event = next => event,
            () = events.closed() => return,
        };
        let Some(event) = event else { return };
        let event = match event {
            ConsoleEvent::Output {
                stream,
                next,
                bytes,
            } => {
                sent += bytes.len() as u64;
                api::ConsoleEvent::Output {
                    stream,
                    next,
                    bytes,
                }
            }
            ConsoleEvent::Size { cols, rows } => api::ConsoleEvent::Size { cols, rows },
            // The session's own notices and state say it, to whoever looks and whoever does not.
            ConsoleEvent::Notice(_) | ConsoleEvent::Away(_) => continue,
            ConsoleEvent::Exit(exit) => api::ConsoleEvent::Exit(api::Exit {
                code: exit.code,
                signal: exit.signal,
                oom: exit.oom,
            }),
        };
        if events.send(event).await.is_err() {
            return;
        }
    }
}

/// Waits while a viewer that says what it has drawn is behind by the whole window. The output waits in the log meanwhile.
async fn room(parsed: &mut watch::Receiver<Option<u64>>, sent: u64) {
    let in_time = |drawn: &Option<u64>| drawn.is_none_or(|drawn| sent < drawn + api::VIEWER_WINDOW);
    // A viewer that can say nothing any more is leaving; its socket ends the rest.
    let _ = parsed.wait_for(in_time).await;
}

/// Goes on after the agent takes no more input: the viewer still says what it has drawn of the last output.
async fn type_in(
    mut input: Option<ConsoleInput>,
    keyboard: Arc<Keyboard>,
    talk: Arc<Talk>,
    mut typed: mpsc::Receiver<api::ConsoleInput>,
    parsed: watch::Sender<Option<u64>>,
) {
    while let Some(one) = typed.recv().await {
        if let api::ConsoleInput::Parsed(bytes) = one {
            parsed.send_replace(Some(bytes));
            continue;
        }
        let Some(open) = &mut input else { continue };
        let written = match one {
            api::ConsoleInput::Bytes(bytes) => {
                let _hand = keyboard.press(&bytes).await;
                talk.pressed(&bytes);
                open.write(&bytes).await
            }
            api::ConsoleInput::Resize { cols, rows } => open.resize(cols, rows).await,
            api::ConsoleInput::Signal(signal) => open.signal(signal).await,
            api::ConsoleInput::Parsed(_) => Ok(()),
        };
        if written.is_err() {
            input = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt as _;

    fn waits(drawn: Option<u64>, sent: u64) -> bool {
        let (_sender, mut parsed) = watch::channel(drawn);
        room(&mut parsed, sent).now_or_never().is_none()
    }

    #[test]
    fn output_waits_for_a_viewer_that_is_a_window_behind() {
        assert!(!waits(None, u64::MAX / 2), "says nothing");
        assert!(!waits(Some(0), api::VIEWER_WINDOW - 1));
        assert!(waits(Some(0), api::VIEWER_WINDOW));
        assert!(!waits(Some(1), api::VIEWER_WINDOW));
    }
}
