//! An answer as a value: status, headers and a body that may be slow, cut or sent in pieces. Playing it is `connection`'s task.

use std::io::Write as _;
use std::time::Duration;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use serde_json::Value;

use crate::script::Reflection;

/// A whole HTTP answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    /// Silence before the head.
    pub wait: Duration,
    pub body: Body,
    /// What the same question gets after a number of tries.
    pub at_last: Option<Box<AtLast>>,
}

/// Another answer to a question that was asked often enough.
#[derive(Debug)]
pub(crate) struct AtLast {
    /// A name for the question: each try has the same one.
    pub question: String,
    /// How many tries get the first answer.
    pub tries: usize,
    pub answer: Answer,
}

/// What follows the head.
#[derive(Debug)]
pub(crate) enum Body {
    Full(Bytes),
    Pieces {
        pieces: Vec<Bytes>,
        pause: Duration,
        cut_after: Option<usize>,
    },
}

impl Answer {
    /// An answer with a JSON body.
    pub fn json(status: u16, value: &Value) -> Self {
        Self::full(status, "application/json", value.to_string())
    }

    /// An answer with a body of that media type.
    pub fn full(status: u16, media: &str, body: impl Into<Bytes>) -> Self {
        Self {
            status,
            headers: vec![("content-type".to_owned(), media.to_owned())],
            wait: Duration::ZERO,
            body: Body::Full(body.into()),
            at_last: None,
        }
    }

    /// A stream of server-sent events, each with a pause before it.
    pub fn events(pieces: Vec<Bytes>, pause: Duration, cut_after: Option<usize>) -> Self {
        let headers = vec![
            (
                "content-type".to_owned(),
                "text/event-stream; charset=utf-8".to_owned(),
            ),
            ("cache-control".to_owned(), "no-cache".to_owned()),
        ];
        Self {
            status: 200,
            headers,
            wait: Duration::ZERO,
            body: Body::Pieces {
                pieces,
                pause,
                cut_after,
            },
            at_last: None,
        }
    }

    /// A JSON body in the shape that a reflection asks for.
    pub fn reflected(how: Reflection, value: &Value) -> Self {
        let plain = value.to_string().into_bytes();
        match how {
            Reflection::Plain => Self::full(200, "application/json", plain),
            Reflection::Gzip => {
                Self::full(200, "application/json", gzip(&plain)).with("content-encoding", "gzip")
            }
            Reflection::Deflate => Self::full(200, "application/json", zlib(&plain))
                .with("content-encoding", "deflate"),
            Reflection::Split => {
                let pieces = plain
                    .iter()
                    .map(|byte| Bytes::copy_from_slice(&[*byte]))
                    .collect();
                let body = Body::Pieces {
                    pieces,
                    pause: Duration::ZERO,
                    cut_after: None,
                };
                Self {
                    body,
                    ..Self::full(200, "application/json", "")
                }
            }
        }
    }

    /// The same answer with one header set.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers
            .retain(|(other, _)| !other.eq_ignore_ascii_case(name));
        self.headers
            .push((name.to_ascii_lowercase(), value.to_owned()));
        self
    }
}

/// Cuts a text into at most about 512 pieces, none shorter than a few words, for a stream that looks like one.
pub(crate) fn pieces(text: &str) -> Vec<&str> {
    let size = (text.len() / 512).max(24);
    let mut rest = text;
    let mut pieces = Vec::new();
    while !rest.is_empty() {
        let mut end = size.min(rest.len());
        while !rest.is_char_boundary(end) {
            end += 1;
        }
        let (piece, tail) = rest.split_at(end);
        pieces.push(piece);
        rest = tail;
    }
    pieces
}

/// A short name for a request: the same bytes always have the same one.
pub(crate) fn fingerprint(body: &[u8]) -> String {
    // FNV-1a: stable over builds and platforms, which the standard hasher does not promise.
    let hash = body.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("{hash:016x}")
}

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder
        .write_all(plain)
        .and_then(|()| encoder.finish())
        .expect("writing into memory does not fail")
}

fn zlib(plain: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder
        .write_all(plain)
        .and_then(|()| encoder.finish())
        .expect("writing into memory does not fail")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_the_text_again() {
        for text in [
            "",
            "a",
            "ünïcödé ünïcödé ünïcödé ünïcödé",
            &"x".repeat(100_000),
        ] {
            let cut = pieces(text);
            assert_eq!(cut.concat(), text);
            assert!(cut.len() <= 520, "{}", cut.len());
        }
    }

    #[test]
    fn equal_requests_have_equal_names() {
        assert_eq!(fingerprint(b"abc"), fingerprint(b"abc"));
        assert_ne!(fingerprint(b"abc"), fingerprint(b"abd"));
    }

    #[test]
    fn setting_a_header_replaces_it() {
        let answer = Answer::full(200, "a/b", "").with("Content-Type", "c/d");
        assert_eq!(
            answer.headers,
            [("content-type".to_owned(), "c/d".to_owned())]
        );
    }
}
