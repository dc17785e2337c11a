//! One viewer's console: between the session's log and the API's socket, without keeping a byte.

use bytes::Bytes;
use clauderon_api::{self as api, Error};
use clauderon_terminal::{Console, ConsoleEvent, ConsoleInput};
use futures_util::stream::{self, BoxStream, StreamExt as _};
use tokio::sync::mpsc;

use crate::sessions::Session;

/// Events that wait for a viewer; then the viewer's own place in the log waits.
const QUEUE: usize = 16;

/// Opens a console at the log offset `from`, or now.
pub async fn open(session: &Session, from: Option<u64>) -> Result<api::Console, Error> {
    let mut console = attach(session, from.unwrap_or(u64::MAX)).await?;
    let hello = console.hello();
    let hello = api::ConsoleHello {
        session: session.spec.id.to_string(),
        mode: session.spec.mode,
        offset_start: hello.offset_start,
        offset_end: hello.offset_end,
        running: hello.running,
    };
    let input = console.input();
    let (send_event, events) = mpsc::channel(QUEUE);
    let (send_input, typed) = mpsc::channel(QUEUE);
    tokio::spawn(show(console, send_event));
    tokio::spawn(type_in(input, typed));
    Ok(api::Console {
        hello,
        events,
        input: send_input,
    })
}

/// Streams what the agent printed, as raw bytes.
pub async fn logs(
    session: &Session,
    query: api::LogsQuery,
) -> Result<BoxStream<'static, Result<Bytes, Error>>, Error> {
    let console = attach(session, 0).await?;
    let end = console.hello().offset_end;
    // Frames of two streams cannot be entered in the middle, so those are counted from the start.
    let from = query.tail.map_or(0, |tail| end.saturating_sub(tail));
    let follow = query.follow;
    let pieces = stream::unfold((console, 0), move |(mut console, reached)| async move {
        if !follow && reached >= end {
            return None;
        }
        match console.next().await? {
            event @ ConsoleEvent::Output { next, .. } => Some((event, (console, next))),
            ConsoleEvent::Exit(_) => None,
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

async fn attach(session: &Session, from: u64) -> Result<Console, Error> {
    Console::attach(session.paths.path(), from)
        .await
        .map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => Error::conflict(format!(
                "session {} has not printed anything yet",
                session.spec.name.as_str()
            )),
            _ => Error::failed(format!("the console could not be opened: {error}")),
        })
}

async fn show(mut console: Console, events: mpsc::Sender<api::ConsoleEvent>) {
    while let Some(event) = console.next().await {
        let event = match event {
            ConsoleEvent::Output {
                stream,
                next,
                bytes,
            } => api::ConsoleEvent::Output {
                stream,
                next,
                bytes,
            },
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

async fn type_in(input: Option<ConsoleInput>, mut typed: mpsc::Receiver<api::ConsoleInput>) {
    let Some(mut input) = input else { return };
    while let Some(one) = typed.recv().await {
        let written = match one {
            api::ConsoleInput::Bytes(bytes) => input.write(&bytes).await,
            api::ConsoleInput::Resize { cols, rows } => input.resize(cols, rows).await,
            api::ConsoleInput::Signal(signal) => input.signal(signal).await,
        };
        if written.is_err() {
            return;
        }
    }
}
