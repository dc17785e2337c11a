//! Requests and WebSockets as they stand, for a page that speaks the API itself and only needs a way to the daemon.

use bytes::Bytes;
use futures_util::stream::BoxStream;
use futures_util::{SinkExt, Stream, StreamExt};
use http::header::{CONTENT_TYPE, HOST};
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use tokio::net::UnixStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

use super::transport::{self, AUTHORITY};
use super::{Client, socket};
use crate::error::Error;

/// An answer on its way.
pub struct Carried {
    /// Its status.
    pub status: StatusCode,
    /// Its media type, or nothing.
    pub media_type: String,
    /// Its body.
    pub body: BoxStream<'static, Result<Bytes, Error>>,
}

/// What is said on a WebSocket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// Text.
    Text(String),
    /// Bytes.
    Binary(Bytes),
}

/// A WebSocket whose messages nobody here reads.
pub struct RawSocket(WebSocketStream<UnixStream>);

impl Client {
    /// Sends a request whose body is `body`, and hands back whatever is answered.
    pub async fn carry(
        &self,
        method: Method,
        path: &str,
        media_type: Option<&str>,
        body: impl Stream<Item = Bytes> + Send + 'static,
    ) -> Result<Carried, Error> {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, AUTHORITY);
        if let Some(media_type) = media_type {
            request = request.header(CONTENT_TYPE, media_type);
        }
        let body = body.map(|bytes| Ok::<_, std::convert::Infallible>(Frame::data(bytes)));
        let request = request
            .body(BodyExt::boxed_unsync(StreamBody::new(body)))
            .map_err(|why| Error::usage(format!("This request cannot be sent: {why}.")))?;
        let response = transport::exchange(self.socket(), request).await?;
        let media_type = response.headers().get(CONTENT_TYPE);
        Ok(Carried {
            status: response.status(),
            media_type: media_type
                .and_then(|value| value.to_str().ok())
                .unwrap_or_default()
                .to_owned(),
            body: transport::bytes(response),
        })
    }

    /// Opens the WebSocket at `path`.
    pub async fn open_socket(&self, path: &str) -> Result<RawSocket, Error> {
        let stream = transport::dial(self.socket()).await?;
        socket::upgrade(stream, path).await.map(RawSocket)
    }
}

impl RawSocket {
    /// Waits for the next message; `None` where the daemon closed the socket. Safe to drop.
    pub async fn next(&mut self) -> Result<Option<Said>, Error> {
        loop {
            match socket::receive(&mut self.0).await? {
                None => return Ok(None),
                Some(Message::Text(text)) => return Ok(Some(Said::Text(text.to_string()))),
                Some(Message::Binary(bytes)) => return Ok(Some(Said::Binary(bytes))),
                Some(_) => {}
            }
        }
    }

    /// Sends a message.
    pub async fn send(&mut self, frame: Said) -> Result<(), Error> {
        let message = match frame {
            Said::Text(text) => Message::Text(text.into()),
            Said::Binary(bytes) => Message::Binary(bytes),
        };
        self.0.send(message).await.map_err(socket::broken)
    }
}
