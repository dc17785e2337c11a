//! The WebSockets, as typed streams.

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use serde::de::DeserializeOwned;
use tokio::net::UnixStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::{self, Message};

use super::transport::AUTHORITY;
use crate::error::Error;
use crate::service::SignInEvent;
use crate::wire::{
    ConsoleClientText, ConsoleEvent, ConsoleHello, ConsoleInput, ConsoleText, ConversationEvent,
    FilesChanged, ServerEvent, decode_output,
};

type Socket = WebSocketStream<UnixStream>;

/// An open console.
#[derive(Debug)]
pub struct ConsoleSocket {
    hello: ConsoleHello,
    socket: Socket,
}

impl ConsoleSocket {
    pub(super) async fn open(stream: UnixStream, path: &str) -> Result<ConsoleSocket, Error> {
        let mut socket = upgrade(stream, path).await?;
        match receive(&mut socket).await? {
            Some(Message::Text(text)) => match parse(&text)? {
                ConsoleText::Hello(hello) => Ok(ConsoleSocket { hello, socket }),
                ConsoleText::Error(error) => Err(error),
                ConsoleText::Size { .. } | ConsoleText::Exit(_) => Err(unexpected()),
            },
            _ => Err(unexpected()),
        }
    }

    /// Returns what was known when it opened.
    pub fn hello(&self) -> &ConsoleHello {
        &self.hello
    }

    /// Waits for what comes next; `None` where the daemon closed the console. Safe to drop.
    ///
    /// # Errors
    /// Where the connection broke: the session goes on, attach again from the last `next`.
    pub async fn next(&mut self) -> Result<Option<ConsoleEvent>, Error> {
        loop {
            return match receive(&mut self.socket).await? {
                None => Ok(None),
                Some(Message::Binary(frame)) => {
                    decode_output(frame).map(Some).ok_or_else(unexpected)
                }
                Some(Message::Text(text)) => match parse(&text)? {
                    ConsoleText::Hello(_) => continue,
                    ConsoleText::Size { cols, rows } => Ok(Some(ConsoleEvent::Size { cols, rows })),
                    ConsoleText::Exit(exit) => Ok(Some(ConsoleEvent::Exit(exit))),
                    ConsoleText::Error(error) => Ok(Some(ConsoleEvent::Error(error))),
                },
                Some(_) => continue,
            };
        }
    }

    /// Sends keystrokes, a size or a signal.
    pub async fn send(&mut self, input: ConsoleInput) -> Result<(), Error> {
        let message = match input {
            ConsoleInput::Bytes(bytes) => Message::Binary(bytes),
            ConsoleInput::Resize { cols, rows } => text(&ConsoleClientText::Resize { cols, rows }),
            ConsoleInput::Signal(signal) => text(&ConsoleClientText::Signal { signal }),
            ConsoleInput::Parsed(bytes) => text(&ConsoleClientText::Parsed { bytes }),
        };
        self.socket.send(message).await.map_err(broken)
    }

    /// Sends keystrokes.
    pub async fn type_bytes(&mut self, bytes: impl Into<Bytes>) -> Result<(), Error> {
        self.send(ConsoleInput::Bytes(bytes.into())).await
    }
}

/// A sign-in under way.
#[derive(Debug)]
pub struct SignInSocket {
    socket: Socket,
}

impl SignInSocket {
    pub(super) async fn open(stream: UnixStream, path: &str) -> Result<SignInSocket, Error> {
        let socket = upgrade(stream, path).await?;
        Ok(SignInSocket { socket })
    }

    /// Waits for what comes next; `None` where it is over. Safe to drop.
    pub async fn next(&mut self) -> Result<Option<SignInEvent>, Error> {
        loop {
            match receive(&mut self.socket).await? {
                None => return Ok(None),
                Some(Message::Binary(bytes)) => return Ok(Some(SignInEvent::Output(bytes))),
                Some(Message::Text(text)) => {
                    return parse(&text).map(|text| Some(SignInEvent::Text(text)));
                }
                Some(_) => {}
            }
        }
    }

    /// Sends keystrokes.
    pub async fn type_bytes(&mut self, bytes: impl Into<Bytes>) -> Result<(), Error> {
        let message = Message::Binary(bytes.into());
        self.socket.send(message).await.map_err(broken)
    }
}

/// The watch stream.
#[derive(Debug)]
pub struct EventSocket {
    socket: Socket,
}

impl EventSocket {
    pub(super) async fn open(stream: UnixStream, path: &str) -> Result<EventSocket, Error> {
        let socket = upgrade(stream, path).await?;
        Ok(EventSocket { socket })
    }

    /// Waits for what comes next; `None` where the daemon closed it. Safe to drop.
    pub async fn next(&mut self) -> Result<Option<ServerEvent>, Error> {
        next_value(&mut self.socket).await
    }
}

/// The watch stream of one session's files.
#[derive(Debug)]
pub struct FilesSocket {
    socket: Socket,
}

impl FilesSocket {
    pub(super) async fn open(stream: UnixStream, path: &str) -> Result<FilesSocket, Error> {
        let socket = upgrade(stream, path).await?;
        Ok(FilesSocket { socket })
    }

    /// Waits for the next change; `None` where the daemon closed it. Safe to drop.
    pub async fn next(&mut self) -> Result<Option<FilesChanged>, Error> {
        next_value(&mut self.socket).await
    }
}

/// One session's conversation as it goes on.
#[derive(Debug)]
pub struct ConversationSocket {
    socket: Socket,
}

impl ConversationSocket {
    pub(super) async fn open(stream: UnixStream, path: &str) -> Result<ConversationSocket, Error> {
        let socket = upgrade(stream, path).await?;
        Ok(ConversationSocket { socket })
    }

    /// Waits for what is told next; `None` where the daemon closed it. Safe to drop.
    pub async fn next(&mut self) -> Result<Option<ConversationEvent>, Error> {
        next_value(&mut self.socket).await
    }
}

async fn next_value<T: DeserializeOwned>(socket: &mut Socket) -> Result<Option<T>, Error> {
    loop {
        match receive(socket).await? {
            None => return Ok(None),
            Some(Message::Text(text)) => return parse(&text).map(Some),
            Some(_) => {}
        }
    }
}

pub(super) async fn upgrade(stream: UnixStream, path: &str) -> Result<Socket, Error> {
    let uri = format!("ws://{AUTHORITY}{path}");
    match tokio_tungstenite::client_async(uri, stream).await {
        Ok((socket, _)) => Ok(socket),
        Err(tungstenite::Error::Http(response)) => {
            let status = response.status();
            let body = response.into_body().unwrap_or_default();
            Err(serde_json::from_slice(&body)
                .unwrap_or_else(|_| Error::failed(format!("The daemon answered {status}."))))
        }
        Err(why) => Err(broken(why)),
    }
}

pub(super) async fn receive(socket: &mut Socket) -> Result<Option<Message>, Error> {
    match socket.next().await {
        None | Some(Ok(Message::Close(_))) => Ok(None),
        Some(Ok(message)) => Ok(Some(message)),
        Some(Err(tungstenite::Error::ConnectionClosed)) => Ok(None),
        Some(Err(why)) => Err(broken(why)),
    }
}

fn parse<T: DeserializeOwned>(text: &str) -> Result<T, Error> {
    serde_json::from_str(text).map_err(|_| unexpected())
}

fn text(value: &ConsoleClientText) -> Message {
    let json = serde_json::to_string(value).expect("wire types are plain values");
    Message::Text(json.into())
}

pub(super) fn broken(why: tungstenite::Error) -> Error {
    Error::failed(format!("The connection to the daemon broke: {why}."))
}

fn unexpected() -> Error {
    Error::failed("The daemon sent something that this version does not know.")
        .hint("`clauderon daemon restart` starts the daemon of this version.")
}
