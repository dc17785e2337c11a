//! Carries what a service tells to one WebSocket, a text frame each, until either side ends.

use axum::extract::ws::{Message, WebSocket};
use serde::Serialize;
use tokio::sync::mpsc;

pub(super) async fn carry<T: Serialize>(mut socket: WebSocket, mut told: mpsc::Receiver<T>) {
    loop {
        let one = tokio::select! {
            one = told.recv() => one,
            received = socket.recv() => match received {
                Some(Ok(_)) => continue,
                Some(Err(_)) | None => return,
            },
        };
        let Some(one) = one else { return };
        let json = serde_json::to_string(&one).expect("wire types are plain values");
        if socket.send(Message::Text(json.into())).await.is_err() {
            return;
        }
    }
}
