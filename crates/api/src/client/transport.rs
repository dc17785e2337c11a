//! HTTP over the unix socket: send a request, turn an error answer into an [`Error`], stream a body.

use std::io;
use std::path::Path;

use bytes::Bytes;
use futures_util::stream::{self, BoxStream};
use futures_util::{Stream, StreamExt, TryStreamExt};
use http::header::{CONTENT_TYPE, HOST};
use http::{Request, Response};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::net::UnixStream;

use super::Client;
use crate::endpoint::Endpoint;
use crate::error::Error;

/// The name that stands in `Host`: the socket has no address.
pub(super) const AUTHORITY: &str = "clauderon";

/// A request's body.
pub(super) enum Body {
    None,
    Json(Bytes),
    Stream(BoxStream<'static, io::Result<Bytes>>),
}

/// A body on its way: whole, or piece by piece.
type Outgoing = UnsyncBoxBody<Bytes, io::Error>;

impl Body {
    pub(super) fn json(value: &impl Serialize) -> Body {
        let json = serde_json::to_vec(value).expect("wire types are plain values");
        Body::Json(json.into())
    }
}

impl Client {
    pub(super) async fn json<T: DeserializeOwned>(
        &self,
        endpoint: Endpoint,
        session: &str,
        body: Body,
    ) -> Result<T, Error> {
        let path = endpoint.path_for(session);
        let response = self.send(endpoint, &path, body).await?;
        value(endpoint, response).await
    }

    pub(super) async fn send(
        &self,
        endpoint: Endpoint,
        path: &str,
        body: Body,
    ) -> Result<Response<Incoming>, Error> {
        let response = exchange(&self.socket, request(endpoint, path, body)).await?;
        if response.status().is_success() {
            return Ok(response);
        }
        let status = response.status();
        let body = response
            .into_body()
            .collect()
            .await
            .map_err(cut)?
            .to_bytes();
        Err(serde_json::from_slice(&body).unwrap_or_else(|_| {
            Error::failed(format!(
                "The daemon answered {status} to {}.",
                endpoint.name()
            ))
        }))
    }
}

/// Sends one request over a connection of its own.
pub(super) async fn exchange<B>(
    socket: &Path,
    request: Request<B>,
) -> Result<Response<Incoming>, Error>
where
    B: hyper::body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let stream = dial(socket).await?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(cut)?;
    // Ends with the response's body, which holds the connection's other end.
    tokio::spawn(connection);
    sender.send_request(request).await.map_err(cut)
}

fn request(endpoint: Endpoint, path: &str, body: Body) -> Request<Outgoing> {
    let request = Request::builder()
        .method(endpoint.method())
        .uri(path)
        .header(HOST, AUTHORITY);
    let request = match body {
        Body::None => request.body(whole(Bytes::new())),
        Body::Json(json) => request
            .header(CONTENT_TYPE, "application/json")
            .body(whole(json)),
        Body::Stream(pieces) => request
            .header(CONTENT_TYPE, "application/octet-stream")
            .body(StreamBody::new(pieces.map_ok(Frame::data)).boxed_unsync()),
    };
    request.expect("paths come from the table, their parts are encoded")
}

fn whole(bytes: Bytes) -> Outgoing {
    Full::new(bytes)
        .map_err(|never| match never {})
        .boxed_unsync()
}

pub(super) async fn dial(socket: &Path) -> Result<UnixStream, Error> {
    UnixStream::connect(socket).await.map_err(|why| {
        Error::failed(format!("No daemon answers on {}: {why}.", socket.display()))
            .hint("`clauderon daemon` starts one in the foreground and says what is wrong.")
    })
}

/// Reads a body as one JSON value.
pub(super) async fn value<T: DeserializeOwned>(
    endpoint: Endpoint,
    response: Response<Incoming>,
) -> Result<T, Error> {
    let body = response.into_body().collect().await.map_err(cut)?;
    serde_json::from_slice(&body.to_bytes()).map_err(|why| strange(endpoint, &why))
}

/// Streams a body's bytes.
pub(super) fn bytes(response: Response<Incoming>) -> BoxStream<'static, Result<Bytes, Error>> {
    let data = response.into_body().into_data_stream();
    data.map(|chunk| chunk.map_err(cut)).boxed()
}

/// Streams a body's lines, one JSON value each.
pub(super) fn lines<T: DeserializeOwned + 'static>(
    response: Response<Incoming>,
) -> BoxStream<'static, Result<T, Error>> {
    let start = (bytes(response), Vec::new());
    stream::try_unfold(start, |(mut chunks, mut buffer)| async move {
        loop {
            if let Some(end) = buffer.iter().position(|&byte| byte == b'\n') {
                let rest = buffer.split_off(end + 1);
                let value = serde_json::from_slice(&buffer).map_err(|why| {
                    Error::failed(format!("The daemon sent a strange line: {why}."))
                })?;
                return Ok(Some((value, (chunks, rest))));
            }
            match next(&mut chunks).await? {
                Some(chunk) => buffer.extend_from_slice(&chunk),
                None => return Ok(None),
            }
        }
    })
    .boxed()
}

/// Returns the next item of a stream of results, turned inside out.
pub(super) async fn next<T>(
    stream: &mut (impl Stream<Item = Result<T, Error>> + Unpin),
) -> Result<Option<T>, Error> {
    stream.next().await.transpose()
}

/// Appends `query` as a query string. Its fields are plain: strings, numbers, booleans.
pub(super) fn with_query(path: String, query: &impl Serialize) -> String {
    let serde_json::Value::Object(fields) =
        serde_json::to_value(query).expect("wire types are plain values")
    else {
        return path;
    };
    let pairs: Vec<String> = fields
        .iter()
        .filter_map(|(key, value)| {
            let value = match value {
                serde_json::Value::Null => return None,
                serde_json::Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            let value =
                percent_encoding::utf8_percent_encode(&value, percent_encoding::NON_ALPHANUMERIC);
            Some(format!("{key}={value}"))
        })
        .collect();
    format!("{path}?{}", pairs.join("&"))
}

fn cut(why: hyper::Error) -> Error {
    Error::failed(format!("The connection to the daemon broke: {why}."))
}

fn strange(endpoint: Endpoint, why: &serde_json::Error) -> Error {
    Error::failed(format!(
        "The daemon's answer to {} is not what this version expects: {why}.",
        endpoint.name()
    ))
    .hint("`clauderon daemon restart` starts the daemon of this version.")
}
