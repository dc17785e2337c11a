//! A sign-in over a WebSocket: binary frames are the program's output and the person's keys, text frames everything else.

use axum::extract::State;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::response::Response;
use futures_util::SinkExt;
use futures_util::StreamExt;

use super::Shared;
use super::console::from_viewer;
use super::extract::Session as Name;
use crate::error::Error;
use crate::service::{SignIn, SignInEvent};

/// Starts the sign-in before upgrading, so that one which cannot begin is a plain error.
pub(super) async fn sign_in(
    State(service): Shared,
    Name(name): Name,
    upgrade: WebSocketUpgrade,
) -> Result<Response, Error> {
    let sign_in = service.sign_in(&name).await?;
    Ok(upgrade.on_upgrade(|socket| carry(socket, sign_in)))
}

async fn carry(socket: WebSocket, sign_in: SignIn) {
    let (mut sink, stream) = socket.split();
    let SignIn { mut events, input } = sign_in;
    let to_viewer = async {
        while let Some(event) = events.recv().await {
            let message = match event {
                SignInEvent::Output(bytes) => Message::Binary(bytes),
                SignInEvent::Text(text) => {
                    let json = serde_json::to_string(&text).expect("wire types are plain values");
                    Message::Text(json.into())
                }
            };
            if sink.send(message).await.is_err() {
                return;
            }
        }
        // The viewer may be gone already.
        let _ = sink.close().await;
    };
    tokio::select! {
        () = to_viewer => {}
        () = from_viewer(stream, input) => {}
    }
}
