//! Reads one request body from the agent by its declared framing.
//!
//! Must never read past the body's end, and never accept chunk extensions or trailers: both are places where two
//! readers disagree.

use bytes::{Buf, Bytes, BytesMut};
use tokio::{io::AsyncRead, time::timeout};

use crate::{
    head::{Framing, Incoming},
    limits,
};

/// Why a body could not be read to its end.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// The stream ended or failed within the body.
    #[error("the connection ended inside a request body")]
    Ended,
    /// The agent sent nothing for too long.
    #[error("the request body did not arrive in time")]
    Slow,
    /// The chunks are not strict.
    #[error("the request body is malformed: {0}")]
    Malformed(&'static str),
    /// The body is larger than what may be held.
    #[error("the request body is too large")]
    TooLarge,
}

#[derive(Debug)]
enum State {
    Counted(u64),
    ChunkSize,
    ChunkData(u64),
    ChunkEnd,
    LastLine,
    Done,
}

/// Where a body stands between two reads.
#[derive(Debug)]
pub struct Body(State);

impl Body {
    /// Begins a body.
    pub fn new(framing: Framing) -> Self {
        Self(match framing {
            Framing::None | Framing::Length(0) => State::Done,
            Framing::Length(n) => State::Counted(n),
            Framing::Chunked => State::ChunkSize,
        })
    }

    /// Tells whether the whole body has been read.
    pub fn is_done(&self) -> bool {
        matches!(self.0, State::Done)
    }

    /// Reads the next piece; `None` is the end of the body.
    pub async fn next<R: AsyncRead + Unpin>(
        &mut self,
        from: &mut Incoming<R>,
    ) -> Result<Option<Bytes>, BodyError> {
        loop {
            match self.step(from)? {
                Step::Piece(bytes) => return Ok(Some(bytes)),
                Step::End => return Ok(None),
                Step::Again => {}
                Step::More => match timeout(limits::BODY_IDLE, from.fill()).await {
                    Err(_) => return Err(BodyError::Slow),
                    Ok(Ok(n)) if n > 0 => {}
                    Ok(_) => return Err(BodyError::Ended),
                },
            }
        }
    }

    fn step<R>(&mut self, from: &mut Incoming<R>) -> Result<Step, BodyError> {
        let buffer = &mut from.buffer;
        match self.0 {
            State::Done => Ok(Step::End),
            State::Counted(_) | State::ChunkData(_) if buffer.is_empty() => Ok(Step::More),
            State::Counted(left) => {
                let (piece, left) = piece(buffer, left);
                self.0 = if left == 0 {
                    State::Done
                } else {
                    State::Counted(left)
                };
                Ok(Step::Piece(piece))
            }
            State::ChunkData(left) => {
                let (piece, left) = piece(buffer, left);
                self.0 = if left == 0 {
                    State::ChunkEnd
                } else {
                    State::ChunkData(left)
                };
                Ok(Step::Piece(piece))
            }
            State::ChunkSize => match chunk_size(buffer)? {
                None => Ok(Step::More),
                Some((size, used)) => {
                    buffer.advance(used);
                    self.0 = if size == 0 {
                        State::LastLine
                    } else {
                        State::ChunkData(size)
                    };
                    Ok(Step::Again)
                }
            },
            State::ChunkEnd | State::LastLine => {
                if buffer.len() < 2 {
                    return Ok(Step::More);
                }
                if buffer[..2] != *b"\r\n" {
                    return Err(BodyError::Malformed(
                        "a chunk does not end where it says, or has trailers",
                    ));
                }
                buffer.advance(2);
                self.0 = if matches!(self.0, State::LastLine) {
                    State::Done
                } else {
                    State::ChunkSize
                };
                Ok(Step::Again)
            }
        }
    }
}

/// Takes what is there of the `left` bytes, and says how many are still to come.
fn piece(buffer: &mut BytesMut, left: u64) -> (Bytes, u64) {
    let size = usize::try_from(left).map_or(buffer.len(), |left| left.min(buffer.len()));
    let piece = buffer.split_to(size).freeze();
    (piece, left - size as u64)
}

enum Step {
    Piece(Bytes),
    End,
    Again,
    More,
}

/// Reads `hexadecimal CR LF` at the beginning of the bytes: the size and the length of the line.
fn chunk_size(bytes: &[u8]) -> Result<Option<(u64, usize)>, BodyError> {
    const BAD: BodyError = BodyError::Malformed("a chunk size");
    let digits = bytes.iter().take_while(|b| b.is_ascii_hexdigit()).count();
    if digits > 8 {
        return Err(BAD);
    }
    match bytes.get(digits..) {
        None | Some([]) | Some([b'\r']) if digits > 0 || bytes.is_empty() => Ok(None),
        Some([b'\r', b'\n', ..]) if digits > 0 => {
            let text = std::str::from_utf8(&bytes[..digits]).expect("hexadecimal digits are ASCII");
            let size = u64::from_str_radix(text, 16).expect("at most 8 hexadecimal digits");
            Ok(Some((size, digits + 2)))
        }
        _ => Err(BAD),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use bytes::BytesMut;

    use super::*;

    async fn read(framing: Framing, bytes: &[u8]) -> Result<(Vec<u8>, Vec<u8>), BodyError> {
        let mut from = Incoming::new(tokio_test_reader(bytes), BytesMut::new());
        let mut body = Body::new(framing);
        let mut out = Vec::new();
        while let Some(piece) = body.next(&mut from).await? {
            out.extend_from_slice(&piece);
        }
        Ok((out, from.buffer.to_vec()))
    }

    /// Gives one byte a read, the worst case for a reader.
    fn tokio_test_reader(bytes: &[u8]) -> impl AsyncRead + Unpin + use<> {
        let (client, server) = tokio::io::duplex(1);
        let bytes = bytes.to_vec();
        tokio::spawn(async move {
            let mut client = client;
            drop(tokio::io::AsyncWriteExt::write_all(&mut client, &bytes).await);
        });
        server
    }

    #[tokio::test]
    async fn reads_exactly_the_body() {
        let (body, _) = read(Framing::Length(3), b"abcGET /").await.unwrap();
        assert_eq!(body, b"abc");
        let (body, _) = read(Framing::Chunked, b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\nGET")
            .await
            .unwrap();
        assert_eq!(body, b"abcde");
        assert_eq!(read(Framing::None, b"GET").await.unwrap().0, b"");
    }

    #[tokio::test]
    async fn refuses_loose_chunks() {
        for bad in [
            &b"3;a=b\r\nabc\r\n0\r\n\r\n"[..],
            b"3\nabc\r\n0\r\n\r\n",
            b"\r\n",
            b"3 \r\nabc\r\n0\r\n\r\n",
            b"0x3\r\nabc\r\n0\r\n\r\n",
            b"-3\r\nabc\r\n0\r\n\r\n",
            b"3\r\nabcd\r\n0\r\n\r\n",
            b"0\r\nTrailer: x\r\n\r\n",
            b"fffffffff\r\n",
        ] {
            let result = read(Framing::Chunked, bad).await;
            assert!(
                matches!(result, Err(BodyError::Malformed(_))),
                "{:?}: {result:?}",
                String::from_utf8_lossy(bad)
            );
        }
        assert!(matches!(
            read(Framing::Chunked, b"3\r\nab").await,
            Err(BodyError::Ended)
        ));
    }
}
