//! The console over a WebSocket: binary frames are bytes, text frames are everything else.

use axum::extract::State;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::response::Response;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use tokio::sync::mpsc;

use super::Shared;
use super::extract::{Parameters, Session};
use crate::error::Error;
use crate::service::Console;
use crate::wire::{
    ConsoleClientText, ConsoleEvent, ConsoleInput, ConsoleQuery, ConsoleText, encode_output,
};

/// Opens the console before upgrading, so that an unknown session is a plain 404.
pub(super) async fn console(
    State(service): Shared,
    Session(name): Session,
    Parameters(query): Parameters<ConsoleQuery>,
    upgrade: WebSocketUpgrade,
) -> Result<Response, Error> {
    let console = service.console(&name, query).await?;
    Ok(upgrade.on_upgrade(|socket| carry(socket, console)))
}

/// Carries both ways until the viewer leaves or the agent's output has ended.
async fn carry(socket: WebSocket, console: Console) {
    let (sink, stream) = socket.split();
    let Console {
        hello,
        events,
        input,
    } = console;
    let shown = async {
        if to_viewer(sink, ConsoleText::Hello(hello), events)
            .await
            .is_err()
        {
            // Who left may have typed before; its end is where what it sent ends.
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        () = shown => {}
        () = from_viewer(stream, input) => {}
    }
}

async fn to_viewer(
    mut sink: SplitSink<WebSocket, Message>,
    hello: ConsoleText,
    mut events: mpsc::Receiver<ConsoleEvent>,
) -> Result<(), axum::Error> {
    sink.send(text(&hello)).await?;
    while let Some(event) = events.recv().await {
        let message = match event {
            ConsoleEvent::Output {
                stream,
                next,
                bytes,
            } => Message::Binary(encode_output(stream, next, &bytes)),
            ConsoleEvent::Size { cols, rows } => text(&ConsoleText::Size { cols, rows }),
            ConsoleEvent::Exit(exit) => text(&ConsoleText::Exit(exit)),
            ConsoleEvent::Error(error) => text(&ConsoleText::Error(error)),
        };
        sink.send(message).await?;
    }
    sink.close().await
}

pub(super) async fn from_viewer(
    mut stream: SplitStream<WebSocket>,
    input: mpsc::Sender<ConsoleInput>,
) {
    while let Some(Ok(message)) = stream.next().await {
        let Some(message) = read(message) else {
            continue;
        };
        if input.send(message).await.is_err() {
            // The agent takes no more input, but its last output is still on the way.
            return std::future::pending().await;
        }
    }
}

/// Unknown text frames are skipped: a newer viewer may say more than we know.
fn read(message: Message) -> Option<ConsoleInput> {
    match message {
        Message::Binary(bytes) => Some(ConsoleInput::Bytes(bytes)),
        Message::Text(text) => match serde_json::from_str(&text).ok()? {
            ConsoleClientText::Resize { cols, rows } => Some(ConsoleInput::Resize { cols, rows }),
            ConsoleClientText::Signal { signal } => Some(ConsoleInput::Signal(signal)),
            ConsoleClientText::Parsed { bytes } => Some(ConsoleInput::Parsed(bytes)),
        },
        Message::Ping(_) | Message::Pong(_) | Message::Close(_) => None,
    }
}

fn text(value: &ConsoleText) -> Message {
    let json = serde_json::to_string(value).expect("wire types are plain values");
    Message::Text(json.into())
}
