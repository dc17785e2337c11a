//! Messages to an agent.

use axum::Json;
use axum::extract::State;

use super::Shared;
use super::extract::{Body, Parameters, Session};
use crate::error::Error;
use crate::wire::{ChangeMessage, MessageQuery, MessageView, SendMessage};

pub(super) async fn list(
    State(service): Shared,
    Session(session): Session,
) -> Result<Json<Vec<MessageView>>, Error> {
    service.messages(&session).await.map(Json)
}

pub(super) async fn send(
    State(service): Shared,
    Session(session): Session,
    Body(message): Body<SendMessage>,
) -> Result<Json<MessageView>, Error> {
    service.send_message(&session, message).await.map(Json)
}

pub(super) async fn change(
    State(service): Shared,
    Session(session): Session,
    Body(change): Body<ChangeMessage>,
) -> Result<Json<MessageView>, Error> {
    service.change_message(&session, change).await.map(Json)
}

pub(super) async fn withdraw(
    State(service): Shared,
    Session(session): Session,
    Parameters(which): Parameters<MessageQuery>,
) -> Result<Json<MessageView>, Error> {
    service
        .withdraw_message(&session, &which.id)
        .await
        .map(Json)
}
