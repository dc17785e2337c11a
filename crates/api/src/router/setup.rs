//! Repairs: steps as they happen, then how it ended.

use axum::body::Body;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde::de::IntoDeserializer;
use serde::{Deserialize, de::value};

use super::extract::Session as Name;
use super::{NDJSON, Shared, line};
use crate::error::Error;
use crate::wire::Fix;

/// Repairs what the path names.
pub(super) async fn repair(State(service): Shared, Name(name): Name) -> Result<Response, Error> {
    let named: Result<Fix, value::Error> = Fix::deserialize(name.as_str().into_deserializer());
    let fix = named.map_err(|_| Error::not_found(format!("There is no repair named {name}.")))?;
    let lines = service.repair(fix).await?;
    let lines = stream::unfold(lines, |mut lines| async move {
        let next = lines.recv().await?;
        Some((Ok::<_, Error>(line(&next)), lines))
    });
    Ok(([(CONTENT_TYPE, NDJSON)], Body::from_stream(lines)).into_response())
}
