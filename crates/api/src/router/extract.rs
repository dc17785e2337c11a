//! Reads the parts of a request, so that every mistake in one is answered as an [`Error`].

use axum::body::to_bytes;
use axum::extract::{FromRequest, FromRequestParts, Json, Path, Query, Request};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;
use zeroize::Zeroize as _;

use crate::error::Error;

/// The session that the path names.
pub(super) struct Session(pub String);

impl<S: Send + Sync> FromRequestParts<S> for Session {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        let Path(name) = Path::from_request_parts(parts, state)
            .await
            .map_err(|why| Error::usage(format!("The session's name cannot be read: {why}.")))?;
        Ok(Session(name))
    }
}

/// The query, as a value.
pub(super) struct Parameters<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Parameters<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        let Query(value) = Query::from_request_parts(parts, state)
            .await
            .map_err(|why| Error::usage(format!("The query cannot be read: {why}.")))?;
        Ok(Parameters(value))
    }
}

/// The JSON body, as a value.
pub(super) struct Body<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Error;

    async fn from_request(request: Request, state: &S) -> Result<Self, Error> {
        let Json(value) = Json::from_request(request, state)
            .await
            .map_err(|why| Error::usage(format!("The request cannot be read: {why}.")))?;
        Ok(Body(value))
    }
}

/// A JSON body that holds a credential: its bytes are overwritten as far as they are ours, and what is wrong with it is never
/// said in its own words.
pub(super) struct SecretBody<T>(pub T);

/// The largest such body, in bytes.
const MOST: usize = 64 * 1024;

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for SecretBody<T> {
    type Rejection = Error;

    async fn from_request(request: Request, _: &S) -> Result<Self, Error> {
        let unread = |_| Error::usage("The request cannot be read, or is too long.");
        let bytes = to_bytes(request.into_body(), MOST).await.map_err(unread)?;
        let value = serde_json::from_slice(&bytes)
            .map_err(|_| Error::usage("The request is not what this endpoint takes."));
        if let Ok(mut bytes) = bytes.try_into_mut() {
            bytes.zeroize();
        }
        value.map(SecretBody)
    }
}
