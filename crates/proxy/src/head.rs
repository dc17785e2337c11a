//! Reads one request head, strictly.
//!
//! Must never accept what two readers could understand differently: bare line ends, folded lines, two lengths,
//! a length beside chunks. What is accepted is written anew upstream, never passed on as bytes.

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Version, header};
use tokio::{
    io::{AsyncRead, AsyncReadExt},
    time::{Instant, timeout_at},
};

use crate::limits;

/// How the body of a request is delimited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// No body at all.
    None,
    /// Exactly this many bytes.
    Length(u64),
    /// Chunks up to an empty one.
    Chunked,
}

/// A request head.
#[derive(Debug)]
pub struct Head {
    /// The method.
    pub method: Method,
    /// The request target as it was sent.
    pub target: String,
    /// HTTP/1.0 or HTTP/1.1.
    pub version: Version,
    /// The header lines.
    pub headers: HeaderMap,
    /// What follows the head.
    pub framing: Framing,
}

impl Head {
    /// Tells whether the client expects the connection to stay open.
    pub fn keep_alive(&self) -> bool {
        let says = |word| connection_says(&self.headers, word);
        if self.version == Version::HTTP_10 {
            says("keep-alive")
        } else {
            !says("close")
        }
    }

    /// Tells whether the client waits for `100 Continue` before it sends the body.
    pub fn expects_continue(&self) -> bool {
        self.framing != Framing::None
            && self
                .headers
                .get(header::EXPECT)
                .is_some_and(|v| v.as_bytes().eq_ignore_ascii_case(b"100-continue"))
    }

    /// Tells whether the client asks for a WebSocket; other upgrades are merely not passed on.
    pub fn wants_websocket(&self) -> bool {
        let mut asked = self
            .headers
            .get_all(header::UPGRADE)
            .into_iter()
            .filter_map(|v| v.to_str().ok());
        asked.any(|v| v.to_ascii_lowercase().contains("websocket"))
    }
}

fn connection_says(headers: &HeaderMap, word: &str) -> bool {
    let values = headers
        .get_all(header::CONNECTION)
        .into_iter()
        .filter_map(|v| v.to_str().ok());
    values
        .flat_map(|v| v.split(','))
        .any(|part| part.trim().eq_ignore_ascii_case(word))
}

/// Why no head came.
#[derive(Debug, thiserror::Error)]
pub enum HeadError {
    /// The stream ended or failed within the head.
    #[error("the connection ended inside a request head")]
    Ended,
    /// The head did not arrive in time.
    #[error("the request head did not arrive in time")]
    Slow,
    /// The head is larger than allowed.
    #[error("the request head is too large")]
    TooLarge,
    /// The head is not strict HTTP/1.
    #[error("the request head is malformed: {0}")]
    Malformed(&'static str),
}

/// The agent's side of a connection, read through a buffer of ours.
pub struct Incoming<R> {
    io: R,
    pub(crate) buffer: BytesMut,
}

impl<R: AsyncRead + Unpin> Incoming<R> {
    /// Reads from the stream, after bytes that were read before.
    pub fn new(io: R, buffer: BytesMut) -> Self {
        Self { io, buffer }
    }

    /// Returns the stream and the bytes that were read but not used.
    pub fn into_parts(self) -> (R, BytesMut) {
        (self.io, self.buffer)
    }

    /// Reads some more bytes; 0 is the end of the stream.
    pub async fn fill(&mut self) -> std::io::Result<usize> {
        self.buffer.reserve(16 * 1024);
        self.io.read_buf(&mut self.buffer).await
    }

    /// Waits for the first byte of the next request; false is a quiet end of the stream.
    pub async fn readable(&mut self) -> bool {
        !self.buffer.is_empty() || matches!(self.fill().await, Ok(n) if n > 0)
    }

    /// Reads one whole head of at most `most` bytes within the head deadline.
    pub async fn head(&mut self, most: usize) -> Result<Head, HeadError> {
        let deadline = Instant::now() + limits::HEAD_TIME;
        let mut searched = 0;
        loop {
            if let Some(end) = end_of_head(&self.buffer, searched) {
                if end > most {
                    return Err(HeadError::TooLarge);
                }
                return parse(&self.buffer.split_to(end).freeze());
            }
            if self.buffer.len() >= most {
                return Err(HeadError::TooLarge);
            }
            refuse_early(&self.buffer)?;
            searched = self.buffer.len().saturating_sub(3);
            match timeout_at(deadline, self.fill()).await {
                Err(_) => return Err(HeadError::Slow),
                Ok(Ok(n)) if n > 0 => {}
                Ok(_) => return Err(HeadError::Ended),
            }
        }
    }
}

/// Finds the end of the head: the place after the first empty line.
fn end_of_head(bytes: &[u8], from: usize) -> Option<usize> {
    memchr::memmem::find(&bytes[from..], b"\r\n\r\n").map(|at| from + at + 4)
}

/// Refuses at the first bytes what can never become a request, such as a TLS record or a bare line feed.
fn refuse_early(bytes: &[u8]) -> Result<(), HeadError> {
    if bytes.first().is_some_and(|b| !b.is_ascii_uppercase()) {
        return Err(HeadError::Malformed("it does not begin with a method"));
    }
    lines_end_strictly(bytes)
}

fn lines_end_strictly(bytes: &[u8]) -> Result<(), HeadError> {
    for (at, byte) in bytes.iter().enumerate() {
        let strict = match byte {
            0 => false,
            b'\n' => at > 0 && bytes[at - 1] == b'\r',
            b'\r' => bytes.get(at + 1).is_none_or(|next| *next == b'\n'),
            _ => true,
        };
        if !strict {
            return Err(HeadError::Malformed("a line does not end in CR LF"));
        }
    }
    Ok(())
}

/// Parses a whole head, from its first byte to its empty line.
pub fn parse(bytes: &Bytes) -> Result<Head, HeadError> {
    refuse_early(bytes)?;
    if bytes
        .windows(3)
        .any(|w| w[..2] == *b"\r\n" && matches!(w[2], b' ' | b'\t'))
    {
        return Err(HeadError::Malformed("a header is folded over lines"));
    }
    let mut lines = [httparse::EMPTY_HEADER; limits::HEADERS];
    let mut request = httparse::Request::new(&mut lines);
    match request.parse(bytes) {
        Ok(httparse::Status::Complete(n)) if n == bytes.len() => {}
        Err(httparse::Error::TooManyHeaders) => return Err(HeadError::TooLarge),
        _ => return Err(HeadError::Malformed("it is not HTTP/1")),
    }
    let version = match request.version {
        Some(0) => Version::HTTP_10,
        _ => Version::HTTP_11,
    };
    let method = request
        .method
        .and_then(|m| Method::from_bytes(m.as_bytes()).ok());
    let method = method.ok_or(HeadError::Malformed("the method"))?;
    let target = request.path.unwrap_or_default().to_owned();
    if target.is_empty() || !target.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(HeadError::Malformed("the target"));
    }
    let mut headers = HeaderMap::with_capacity(request.headers.len());
    for line in request.headers.iter() {
        let name = HeaderName::from_bytes(line.name.as_bytes())
            .map_err(|_| HeadError::Malformed("a header name"))?;
        let value = HeaderValue::from_bytes(line.value)
            .map_err(|_| HeadError::Malformed("a header value"))?;
        headers.append(name, value);
    }
    let framing = framing(version, &headers)?;
    if headers.get_all(header::HOST).iter().count() > 1 {
        return Err(HeadError::Malformed("more than one Host"));
    }
    Ok(Head {
        method,
        target,
        version,
        headers,
        framing,
    })
}

fn framing(version: Version, headers: &HeaderMap) -> Result<Framing, HeadError> {
    let mut lengths = headers.get_all(header::CONTENT_LENGTH).iter();
    let mut encodings = headers.get_all(header::TRANSFER_ENCODING).iter();
    match (
        lengths.next(),
        lengths.next(),
        encodings.next(),
        encodings.next(),
    ) {
        (None, _, None, _) => Ok(Framing::None),
        (Some(length), None, None, _) => {
            let text = length.to_str().unwrap_or_default();
            let digits =
                !text.is_empty() && text.len() <= 18 && text.bytes().all(|b| b.is_ascii_digit());
            if !digits {
                return Err(HeadError::Malformed("the content length"));
            }
            Ok(Framing::Length(
                text.parse().expect("at most 18 digits fit into 64 bits"),
            ))
        }
        (None, _, Some(encoding), None) => {
            let chunked = encoding.as_bytes().eq_ignore_ascii_case(b"chunked");
            if !chunked || version == Version::HTTP_10 {
                return Err(HeadError::Malformed("the transfer encoding"));
            }
            Ok(Framing::Chunked)
        }
        _ => Err(HeadError::Malformed("more than one length")),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn check(head: &str, accepted: bool) {
        let result = parse(&Bytes::copy_from_slice(head.as_bytes()));
        assert_eq!(result.is_ok(), accepted, "{head:?}: {result:?}");
    }

    #[test]
    fn accepts_only_strict_heads() {
        check("GET / HTTP/1.1\r\nHost: a\r\n\r\n", true);
        check("CONNECT a:443 HTTP/1.0\r\n\r\n", true);
        check(
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n",
            true,
        );
        check(
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
            true,
        );
        for bad in [
            "GET / HTTP/1.1\nHost: a\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\n\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n",
            "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\0b\r\n\r\n",
            "GET /é HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET / HTTP/2.0\r\nHost: a\r\n\r\n",
            "PRI * HTTP/2.0\r\n\r\n",
            "get / HTTP/1.1\r\n\r\n",
            "\x16\x03\x01\r\n\r\n",
            "POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
            "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n",
            "POST / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n",
            "POST / HTTP/1.1\r\nContent-Length: 5, 5\r\n\r\n",
            "POST / HTTP/1.1\r\nContent-Length: +5\r\n\r\n",
            "POST / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n",
            "POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
            "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n",
            "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
        ] {
            check(bad, false);
        }
    }

    #[tokio::test]
    async fn refuses_ten_thousand_headers_and_endless_lines() {
        let many = format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(10_000));
        let long = format!("GET /{} HTTP/1.1\r\n\r\n", "a".repeat(100_000));
        for bytes in [many, long] {
            let head = Incoming::new(bytes.as_bytes(), BytesMut::new())
                .head(limits::GATE_HEAD)
                .await;
            assert!(matches!(head, Err(HeadError::TooLarge)), "{head:?}");
        }
        check(
            &format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(101)),
            false,
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_head_ends_at_the_deadline() {
        let (mut client, server) = tokio::io::duplex(64);
        tokio::io::AsyncWriteExt::write_all(&mut client, b"GET / HT")
            .await
            .unwrap();
        let head = Incoming::new(server, BytesMut::new())
            .head(limits::GATE_HEAD)
            .await;
        assert!(matches!(head, Err(HeadError::Slow)), "{head:?}");
    }
}
