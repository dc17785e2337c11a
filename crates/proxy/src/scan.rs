//! Finds byte strings, in clear and in the spellings they travel in, across the borders of chunks.
//!
//! Used on both legs: requests are searched for placeholders, responses for the injected secret. The scanner
//! holds back exactly those last bytes that could be the beginning of a match, so that nothing of a match ever
//! leaves and nothing else is delayed.

use base64::{
    Engine,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};
use bytes::{Bytes, BytesMut};
use memchr::memmem;

/// The byte strings to look for.
pub struct Needles(Vec<memmem::Finder<'static>>);

impl Needles {
    /// Takes each text in clear, in both alphabets of base64 at every alignment, URL-encoded and in hexadecimal.
    pub fn spellings_of<'a>(texts: impl IntoIterator<Item = &'a str>) -> Self {
        let mut all: Vec<Vec<u8>> = texts
            .into_iter()
            .filter(|text| text.len() >= 8)
            .flat_map(spellings)
            .collect();
        all.sort();
        all.dedup();
        Self(
            all.iter()
                .map(|needle| memmem::Finder::new(needle).into_owned())
                .collect(),
        )
    }

    /// Tells whether any needle stands in the bytes.
    pub fn are_in(&self, haystack: &[u8]) -> bool {
        self.0.iter().any(|needle| needle.find(haystack).is_some())
    }

    /// Overwrites every occurrence with as many asterisks, and tells whether there was one.
    pub fn mask(&self, bytes: &mut [u8]) -> bool {
        let mut masked = false;
        for needle in &self.0 {
            while let Some(at) = needle.find(bytes) {
                bytes[at..at + needle.needle().len()].fill(b'*');
                masked = true;
            }
        }
        masked
    }

    /// Counts the last bytes that are the beginning of a needle.
    fn unfinished(&self, bytes: &[u8]) -> usize {
        let longest = |needle: &[u8]| {
            let most = (needle.len() - 1).min(bytes.len());
            (1..=most)
                .rev()
                .find(|&n| bytes.ends_with(&needle[..n]))
                .unwrap_or(0)
        };
        self.0
            .iter()
            .map(|finder| longest(finder.needle()))
            .max()
            .unwrap_or(0)
    }
}

/// What to do with a match.
enum OnMatch {
    Mask,
    Stop,
}

/// A needle stood in a stream that must not carry it.
#[derive(Debug, PartialEq, Eq)]
pub struct Found;

/// Looks for needles in a stream of chunks.
pub struct Scanner<'a> {
    needles: &'a Needles,
    on_match: OnMatch,
    held: BytesMut,
}

impl<'a> Scanner<'a> {
    /// Masks what it finds.
    pub fn masking(needles: &'a Needles) -> Self {
        Self {
            needles,
            on_match: OnMatch::Mask,
            held: BytesMut::new(),
        }
    }

    /// Ends the stream at the first thing it finds.
    pub fn stopping(needles: &'a Needles) -> Self {
        Self {
            needles,
            on_match: OnMatch::Stop,
            held: BytesMut::new(),
        }
    }

    /// Takes the next chunk and returns what may leave; that can be empty.
    pub fn push(&mut self, chunk: Bytes) -> Result<Bytes, Found> {
        if self.held.is_empty()
            && !self.needles.are_in(&chunk)
            && self.needles.unfinished(&chunk) == 0
        {
            return Ok(chunk);
        }
        self.held.extend_from_slice(&chunk);
        match self.on_match {
            OnMatch::Mask => drop(self.needles.mask(&mut self.held)),
            OnMatch::Stop if self.needles.are_in(&self.held) => return Err(Found),
            OnMatch::Stop => {}
        }
        let ready = self.held.len() - self.needles.unfinished(&self.held);
        Ok(self.held.split_to(ready).freeze())
    }

    /// Returns the last held bytes: the stream ended before they became a match.
    pub fn finish(self) -> Bytes {
        self.held.freeze()
    }
}

fn spellings(text: &str) -> Vec<Vec<u8>> {
    let url = |escape: fn(u8) -> String| {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.~".contains(&b);
        let spell = |b: u8| {
            if plain(b) {
                char::from(b).to_string()
            } else {
                escape(b)
            }
        };
        text.bytes().map(spell).collect::<String>()
    };
    let (upper, lower) = (url(|b| format!("%{b:02X}")), url(|b| format!("%{b:02x}")));
    let hex: String = text.bytes().map(|b| format!("{b:02x}")).collect();
    let json = serde_json::to_string(text).expect("a string is always JSON");
    let json = json.trim_matches('"').to_owned();
    let mut all = vec![text.to_owned(), upper, lower, hex.to_uppercase(), hex, json];
    for alignment in 0..3 {
        all.push(base64_core(&STANDARD_NO_PAD, text, alignment));
        all.push(base64_core(&URL_SAFE_NO_PAD, text, alignment));
    }
    all.into_iter().map(String::into_bytes).collect()
}

/// The characters of a base64 text that depend on nothing but the secret, if `alignment` bytes stand before it.
fn base64_core(engine: &impl Engine, text: &str, alignment: usize) -> String {
    let mut padded = vec![0; alignment];
    padded.extend_from_slice(text.as_bytes());
    let encoded = engine.encode(&padded);
    let start = (alignment * 8).div_ceil(6);
    let end = padded.len() * 8 / 6;
    encoded[start..end].to_owned()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    const SECRET: &str = "sk-ant-oat01-Some+Secret/Value";

    fn masked(chunks: &[&[u8]]) -> Vec<u8> {
        let needles = Needles::spellings_of([SECRET]);
        let mut scanner = Scanner::masking(&needles);
        let mut out = Vec::new();
        for chunk in chunks {
            out.extend_from_slice(&scanner.push(Bytes::copy_from_slice(chunk)).unwrap());
        }
        out.extend_from_slice(&scanner.finish());
        out
    }

    #[test]
    fn masks_every_spelling_wherever_it_is_split() {
        let spellings = [
            SECRET.to_owned(),
            STANDARD.encode(SECRET),
            STANDARD.encode(format!("x{SECRET}")),
            STANDARD.encode(format!("x-access-token:{SECRET}")),
            URL_SAFE_NO_PAD.encode(format!("{SECRET}y")),
            "sk-ant-oat01-Some%2BSecret%2FValue".to_owned(),
        ];
        for spelling in &spellings {
            let whole = format!("before {spelling} after");
            for cut in 0..whole.len() {
                let (a, b) = whole.as_bytes().split_at(cut);
                let out = masked(&[a, b]);
                assert_eq!(out.len(), whole.len());
                let text = String::from_utf8(out).unwrap();
                assert!(text.contains("*******"), "{spelling} cut at {cut}: {text}");
                assert!(!text.contains(&spelling[4..spelling.len() - 4]), "{text}");
            }
        }
    }

    #[test]
    fn one_byte_chunks_hide_nothing() {
        let text = format!("a{SECRET}b");
        let chunks: Vec<&[u8]> = text.as_bytes().chunks(1).collect();
        assert_eq!(
            masked(&chunks),
            format!("a{}b", "*".repeat(SECRET.len())).into_bytes()
        );
    }

    #[test]
    fn an_event_is_not_delayed() {
        let needles = Needles::spellings_of([SECRET]);
        let mut scanner = Scanner::masking(&needles);
        let event = Bytes::from_static(b"event: x\ndata: {}\n\n");
        assert_eq!(scanner.push(event.clone()).unwrap(), event);
    }

    #[test]
    fn a_stopping_scanner_lets_nothing_of_the_match_out() {
        let needles = Needles::spellings_of([SECRET]);
        let mut scanner = Scanner::stopping(&needles);
        assert_eq!(
            scanner
                .push(Bytes::from_static(b"hello sk-ant-oat01-"))
                .unwrap(),
            "hello "
        );
        assert_eq!(
            scanner.push(Bytes::from_static(b"Some+Secret/Value")),
            Err(Found)
        );
    }
}
