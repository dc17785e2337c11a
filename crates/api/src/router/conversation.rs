//! A session's conversation as it goes on.

use axum::extract::State;
use axum::extract::ws::WebSocketUpgrade;
use axum::response::Response;

use super::Shared;
use super::extract::Session;
use super::told;
use crate::error::Error;

/// Follows before upgrading, so that an unknown session is a plain 404.
pub(super) async fn events(
    State(service): Shared,
    Session(session): Session,
    upgrade: WebSocketUpgrade,
) -> Result<Response, Error> {
    let news = service.follow_conversation(&session).await?;
    Ok(upgrade.on_upgrade(|socket| told::carry(socket, news)))
}
