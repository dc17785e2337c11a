//! A session's files: raw bytes in, raw bytes out, and the stream of what changes.

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::extract::ws::WebSocketUpgrade;
use axum::http::HeaderMap;
use axum::http::header::{
    CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS,
};
use axum::response::{IntoResponse, Json, Response};
use futures_util::{StreamExt, stream};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use tokio::sync::mpsc;

use super::Shared;
use super::extract::{Parameters, Session};
use super::told;
use crate::error::Error;
use crate::wire::{PathQuery, Upload, UploadQuery};

/// How much of a refused body is still taken, in bytes: whoever sends hears the reason only when all is sent.
const DISCARDED: usize = 1 << 30;

/// Streams the body into the session; the service counts its bytes.
pub(super) async fn upload(
    State(service): Shared,
    Session(session): Session,
    Parameters(query): Parameters<UploadQuery>,
    body: Body,
) -> Result<Json<Upload>, Error> {
    let (sender, receiver) = mpsc::channel(8);
    let bytes = stream::unfold(receiver, |mut receiver| async move {
        Some((receiver.recv().await?, receiver))
    });
    let (taken, ()) = tokio::join!(
        service.upload(&session, &query.name, bytes.boxed()),
        forward(body, sender)
    );
    taken.map(Json)
}

/// Hands the body on piece by piece, and goes on taking it where nobody wants it any more.
async fn forward(body: Body, sender: mpsc::Sender<Result<Bytes, Error>>) {
    let mut parts = body.into_data_stream();
    let mut discarded = 0;
    while let Some(part) = parts.next().await {
        let part = part.map_err(|why| Error::failed(format!("The upload broke off: {why}.")));
        let length = part.as_ref().map_or(0, Bytes::len);
        if sender.send(part).await.is_err() {
            discarded += length;
        }
        if discarded > DISCARDED {
            return;
        }
    }
}

/// Sends a file so that no browser takes it for a page.
pub(super) async fn raw(
    State(service): Shared,
    Session(session): Session,
    Parameters(at): Parameters<PathQuery>,
) -> Result<Response, Error> {
    let file = service.raw_file(&session, &at.path).await?;
    let name = utf8_percent_encode(&file.name, NON_ALPHANUMERIC);
    let disposition = format!("attachment; filename*=UTF-8''{name}");
    let mut headers = HeaderMap::new();
    let mut set = |name, value: &str| {
        if let Ok(value) = value.parse() {
            headers.insert(name, value);
        }
    };
    set(CONTENT_TYPE, &file.mime);
    set(CONTENT_LENGTH, &file.bytes.to_string());
    set(CONTENT_DISPOSITION, &disposition);
    set(X_CONTENT_TYPE_OPTIONS, "nosniff");
    Ok((headers, Body::from_stream(file.content)).into_response())
}

/// Watches before upgrading, so that an unknown session is a plain 404.
pub(super) async fn events(
    State(service): Shared,
    Session(session): Session,
    upgrade: WebSocketUpgrade,
) -> Result<Response, Error> {
    let changes = service.watch_files(&session).await?;
    Ok(upgrade.on_upgrade(|socket| told::carry(socket, changes)))
}
