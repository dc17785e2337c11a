//! How several messages travel as one: each is its length (four bytes, little endian), its kind and its bytes. The page has
//! the same few lines in `ui/src/api/tauri.ts`.

use bytes::Bytes;
use clauderon_api::Error;
use clauderon_api::client::Said;

const TEXT: u8 = 0;
const BINARY: u8 = 1;
const STATUS: u8 = 2;
const CLOSE: u8 = 3;

/// Length and kind.
const HEAD: usize = 5;

/// A message to the page.
#[derive(Debug, Clone, Copy)]
pub enum Frame<'a> {
    /// Text of a WebSocket.
    Text(&'a str),
    /// Bytes of a WebSocket or of an answer.
    Binary(&'a [u8]),
    /// The status of an answer, before its bytes.
    Status(u16),
    /// The end, with the reason in a sentence where it is not the ordinary one.
    Close(&'a str),
}

/// Appends a frame.
pub fn pack(into: &mut Vec<u8>, frame: Frame<'_>) {
    let status;
    let (kind, bytes) = match frame {
        Frame::Text(text) => (TEXT, text.as_bytes()),
        Frame::Binary(bytes) => (BINARY, bytes),
        Frame::Status(code) => {
            status = code.to_le_bytes();
            (STATUS, status.as_slice())
        }
        Frame::Close(why) => (CLOSE, why.as_bytes()),
    };
    let length = u32::try_from(bytes.len()).expect("no message has 4 GiB");
    into.extend_from_slice(&length.to_le_bytes());
    into.push(kind);
    into.extend_from_slice(bytes);
}

/// Takes apart what the page sent.
pub fn unpack(bytes: &Bytes) -> Result<Vec<Said>, Error> {
    let mut rest = bytes.clone();
    let mut all = Vec::new();
    while !rest.is_empty() {
        if rest.len() < HEAD {
            return Err(torn());
        }
        let head = rest.split_to(HEAD);
        let length = u32::from_le_bytes([head[0], head[1], head[2], head[3]]) as usize;
        if rest.len() < length {
            return Err(torn());
        }
        let payload = rest.split_to(length);
        all.push(match head[4] {
            TEXT => Said::Text(String::from_utf8(payload.into()).map_err(|_| torn())?),
            BINARY => Said::Binary(payload),
            _ => return Err(torn()),
        });
    }
    Ok(all)
}

/// Begins an answer: its status, the length of its media type (one byte) and the media type; the body follows.
pub fn answer(status: u16, media_type: &str) -> Vec<u8> {
    let media_type = media_type.get(..usize::from(u8::MAX)).unwrap_or(media_type);
    let mut answer = status.to_le_bytes().to_vec();
    answer.push(u8::try_from(media_type.len()).unwrap_or(0));
    answer.extend_from_slice(media_type.as_bytes());
    answer
}

fn torn() -> Error {
    Error::usage("The message cannot be read.")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_is_packed_comes_apart_again() {
        let mut packed = Vec::new();
        pack(&mut packed, Frame::Text("{\"a\":1}"));
        pack(&mut packed, Frame::Binary(b"\x1b[A"));
        pack(&mut packed, Frame::Binary(b""));
        assert_eq!(
            unpack(&packed.into()).unwrap(),
            [
                Said::Text("{\"a\":1}".into()),
                Said::Binary(Bytes::from_static(b"\x1b[A")),
                Said::Binary(Bytes::new())
            ]
        );
    }

    #[test]
    fn a_torn_message_is_refused() {
        for torn in [
            &b"\x01"[..],
            b"\x05\0\0\0\x01ab",
            b"\x01\0\0\0\x09a",
            b"\x01\0\0\0\0\xff",
            b"\xff\xff\xff\xff\x01",
        ] {
            assert!(unpack(&Bytes::copy_from_slice(torn)).is_err(), "{torn:?}");
        }
    }
}
