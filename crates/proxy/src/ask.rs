//! A question of our own to a service: does it take this credential? It goes the way that every agent's request goes, with the
//! same upstream settings, address check and verified TLS; no session is part of it.

use bytes::Bytes;
use clauderon_policy::Check;
use clauderon_vault::Secret;
use http::{HeaderMap, HeaderName, HeaderValue, Request, header};
use http_body_util::{BodyExt as _, Limited};
use tokio::time::timeout;

use crate::{
    credential::header_for,
    limits,
    proxy::Proxy,
    upstream::{Unsent, UpstreamBody},
};

/// What a service said.
pub struct Told {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body; empty where it is longer than what an answer to a check is.
    pub body: Bytes,
}

/// Why a service said nothing.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// The credential or the question cannot be sent.
    #[error("the credential cannot be sent in a header")]
    Unusable,
    /// No connection, or it broke.
    #[error("{0}")]
    Unreachable(String),
    /// It takes too long.
    #[error("it did not answer in time")]
    Slow,
}

impl Proxy {
    /// Asks a service once, without following where it points, and gives up after 20 seconds.
    ///
    /// # Errors
    /// Says in words without the credential why there is no answer.
    pub async fn ask(&self, check: &Check, secret: &Secret) -> Result<Told, AskError> {
        let asking = self.ask_now(check, secret);
        timeout(limits::ASK_TIME, asking)
            .await
            .map_err(|_| AskError::Slow)?
    }

    async fn ask_now(&self, check: &Check, secret: &Secret) -> Result<Told, AskError> {
        let request = question(check, secret)?;
        let mut link = self
            .upstream()
            .connect(&check.target, true, true)
            .await
            .map_err(|error| AskError::Unreachable(error.to_string()))?;
        let answer = link.send(request).await.map_err(|unsent| match unsent {
            Unsent::Whole(_) => AskError::Unreachable("the connection was closed".to_owned()),
            Unsent::Lost(error) => AskError::Unreachable(error.to_string()),
        })?;
        let (head, body) = answer.into_parts();
        let body = Limited::new(body, limits::ASK_BODY).collect().await;
        Ok(Told {
            status: head.status.as_u16(),
            headers: head.headers,
            body: body.map(|body| body.to_bytes()).unwrap_or_default(),
        })
    }
}

fn question(check: &Check, secret: &Secret) -> Result<Request<UpstreamBody>, AskError> {
    let unusable = |_| AskError::Unusable;
    let (name, value) =
        header_for(check.scheme, secret.expose()).map_err(|_| AskError::Unusable)?;
    let mut request = Request::get(&check.path)
        .header(header::HOST, check.target.host.as_str())
        .header(header::USER_AGENT, "clauderon")
        .header(name, value);
    for (name, value) in &check.headers {
        let name = HeaderName::try_from(name).map_err(|_| AskError::Unusable)?;
        request = request.header(name, HeaderValue::try_from(value).map_err(unusable)?);
    }
    request
        .body(UpstreamBody::None)
        .map_err(|_| AskError::Unusable)
}
