//! Writes responses to the agent.
//!
//! A head is written once; what follows is framed by it. Every piece is flushed at once, so that an agent sees each
//! event when it came.

use std::{fmt::Write as _, io};

use bytes::Bytes;
use clauderon_policy::Refusal;
use http::{HeaderMap, HeaderName, Method, StatusCode, Version, header};
use tokio::{
    io::{AsyncWrite, AsyncWriteExt},
    time::timeout,
};

use crate::{head::Head, limits};

/// Headers that concern one connection and are never passed on.
pub(crate) const HOP_BY_HOP: [HeaderName; 9] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    HeaderName::from_static("proxy-connection"),
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// Removes the headers that concern one connection, and those that `Connection` names.
pub(crate) fn strip_hop_by_hop(headers: &mut HeaderMap) {
    let values = headers
        .get_all(header::CONNECTION)
        .into_iter()
        .filter_map(|v| v.to_str().ok());
    let named: Vec<HeaderName> = values
        .flat_map(|v| v.split(','))
        .filter_map(|n| n.trim().parse().ok())
        .collect();
    for name in HOP_BY_HOP.iter().chain(&named) {
        headers.remove(name);
    }
}

/// How far the answer to one request has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Nothing,
    Counted(u64),
    Chunked,
    UntilClose,
    Complete,
}

/// The answer to one request.
pub(crate) struct Answer<'a, W> {
    io: &'a mut W,
    version: Version,
    bodiless: bool,
    keep_alive: bool,
    stage: Stage,
    /// How many bytes of body have been written.
    pub written: u64,
}

impl<'a, W: AsyncWrite + Unpin> Answer<'a, W> {
    pub fn new(io: &'a mut W, request: &Head) -> Self {
        Self {
            io,
            version: request.version,
            bodiless: request.method == Method::HEAD,
            keep_alive: request.keep_alive(),
            stage: Stage::Nothing,
            written: 0,
        }
    }

    /// Answers what could not be read as a request; the connection ends with it.
    pub fn to_nothing_readable(io: &'a mut W) -> Self {
        let version = Version::HTTP_11;
        Self {
            io,
            version,
            bodiless: false,
            keep_alive: false,
            stage: Stage::Nothing,
            written: 0,
        }
    }

    /// Tells whether anything of the final answer has been written.
    pub fn has_begun(&self) -> bool {
        self.stage != Stage::Nothing
    }

    /// Tells whether the connection can carry another request after this answer.
    pub fn keeps_alive(&self) -> bool {
        self.keep_alive && self.stage == Stage::Complete
    }

    /// Ends the connection after this answer.
    pub fn close_after(&mut self) {
        self.keep_alive = false;
    }

    /// Invites the agent to send its body.
    pub async fn invite(&mut self) -> io::Result<()> {
        self.put(b"HTTP/1.1 100 Continue\r\n\r\n").await
    }

    /// Answers with a refusal as JSON.
    pub async fn refuse(&mut self, status: StatusCode, refusal: &Refusal) -> io::Result<()> {
        self.whole(
            status,
            Some("application/json"),
            refusal.to_json().into_bytes(),
        )
        .await
    }

    /// Answers with a whole body of ours.
    pub async fn whole(
        &mut self,
        status: StatusCode,
        kind: Option<&str>,
        body: Vec<u8>,
    ) -> io::Result<()> {
        let mut headers = HeaderMap::new();
        if let Some(kind) = kind.and_then(|kind| kind.parse().ok()) {
            headers.insert(header::CONTENT_TYPE, kind);
        }
        self.head(status, headers, Some(body.len() as u64)).await?;
        self.piece(Bytes::from(body)).await?;
        self.end().await
    }

    /// Writes the head of an answer whose body has this length, where it is known.
    pub async fn head(
        &mut self,
        status: StatusCode,
        mut headers: HeaderMap,
        length: Option<u64>,
    ) -> io::Result<()> {
        strip_hop_by_hop(&mut headers);
        let empty = status == StatusCode::NO_CONTENT || status == StatusCode::NOT_MODIFIED;
        if !self.bodiless && !empty {
            headers.remove(header::CONTENT_LENGTH);
        }
        let mut lines = format!(
            "HTTP/1.1 {} {}\r\n",
            status.as_str(),
            status.canonical_reason().unwrap_or("")
        );
        let stage = match length {
            _ if self.bodiless || empty => Stage::Complete,
            Some(0) => {
                lines.push_str("content-length: 0\r\n");
                Stage::Complete
            }
            Some(length) => {
                write!(lines, "content-length: {length}\r\n").expect("a string takes all");
                Stage::Counted(length)
            }
            None if self.version == Version::HTTP_10 => {
                self.keep_alive = false;
                Stage::UntilClose
            }
            None => {
                lines.push_str("transfer-encoding: chunked\r\n");
                Stage::Chunked
            }
        };
        match (self.keep_alive, self.version) {
            (false, _) => lines.push_str("connection: close\r\n"),
            (true, Version::HTTP_10) => lines.push_str("connection: keep-alive\r\n"),
            (true, _) => {}
        }
        let mut bytes = lines.into_bytes();
        for (name, value) in &headers {
            bytes.extend_from_slice(name.as_str().as_bytes());
            bytes.extend_from_slice(b": ");
            bytes.extend_from_slice(value.as_bytes());
            bytes.extend_from_slice(b"\r\n");
        }
        bytes.extend_from_slice(b"\r\n");
        self.stage = stage;
        self.put(&bytes).await
    }

    /// Writes a piece of the body.
    pub async fn piece(&mut self, bytes: Bytes) -> io::Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        let size = bytes.len() as u64;
        match self.stage {
            Stage::Nothing | Stage::Complete => return Ok(()),
            Stage::Counted(left) if size > left => {
                return Err(io::Error::other("the body is longer than its head said"));
            }
            Stage::Counted(left) => {
                self.put(&bytes).await?;
                self.stage = if left == size {
                    Stage::Complete
                } else {
                    Stage::Counted(left - size)
                };
            }
            Stage::Chunked => {
                let mut chunk = Vec::with_capacity(bytes.len() + 16);
                chunk.extend_from_slice(format!("{size:x}\r\n").as_bytes());
                chunk.extend_from_slice(&bytes);
                chunk.extend_from_slice(b"\r\n");
                self.put(&chunk).await?;
            }
            Stage::UntilClose => self.put(&bytes).await?,
        }
        self.written += size;
        Ok(())
    }

    /// Ends the body.
    pub async fn end(&mut self) -> io::Result<()> {
        match self.stage {
            Stage::Chunked => self.put(b"0\r\n\r\n").await?,
            Stage::Counted(_) => {
                return Err(io::Error::other("the body is shorter than its head said"));
            }
            Stage::Nothing | Stage::UntilClose | Stage::Complete => {}
        }
        self.stage = Stage::Complete;
        Ok(())
    }

    async fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        let writing = async {
            self.io.write_all(bytes).await?;
            self.io.flush().await
        };
        timeout(limits::WRITE_IDLE, writing)
            .await
            .map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?
    }
}
