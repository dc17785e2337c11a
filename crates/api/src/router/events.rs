//! The watch stream: the whole state, then changes; whoever lags gets the whole state again.

use std::sync::Arc;

use axum::extract::State;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::response::Response;
use tokio::sync::broadcast::error::RecvError;

use super::Shared;
use crate::error::Error;
use crate::service::{Service, Subscription};
use crate::wire::ServerEvent;

/// Subscribes before upgrading, so that a failure is a plain error.
pub(super) async fn events(
    State(service): Shared,
    upgrade: WebSocketUpgrade,
) -> Result<Response, Error> {
    let subscription = service.subscribe().await?;
    Ok(upgrade.on_upgrade(|socket| carry(socket, service, subscription)))
}

async fn carry(mut socket: WebSocket, service: Arc<dyn Service>, first: Subscription) {
    let mut subscription = first;
    loop {
        let Subscription {
            seq,
            sessions,
            network_paused,
            disk_full,
            mut changes,
        } = subscription;
        let state = ServerEvent::State {
            seq,
            sessions,
            network_paused,
            disk_full,
        };
        if send(&mut socket, &state).await.is_err() {
            return;
        }
        loop {
            let change = tokio::select! {
                change = changes.recv() => change,
                received = socket.recv() => match received {
                    Some(Ok(_)) => continue,
                    Some(Err(_)) | None => return,
                },
            };
            match change {
                Ok(change) if change.seq() <= seq => {}
                Ok(change) => {
                    if send(&mut socket, &change).await.is_err() {
                        return;
                    }
                }
                Err(RecvError::Lagged(_)) => break,
                Err(RecvError::Closed) => return,
            }
        }
        subscription = match service.subscribe().await {
            Ok(again) => again,
            Err(_) => return,
        };
    }
}

async fn send(socket: &mut WebSocket, event: &ServerEvent) -> Result<(), axum::Error> {
    let json = serde_json::to_string(event).expect("wire types are plain values");
    socket.send(Message::Text(json.into())).await
}
