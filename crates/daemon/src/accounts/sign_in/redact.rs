//! Takes every credential out of what a program prints, however its writes are split, and finds links. Nothing is read or sent here.
//!
//! A byte that may be part of a credential is held back until it is known not to be.

use std::collections::BTreeSet;

use zeroize::Zeroizing;

/// How every credential of the service begins, and how the one that is kept begins.
const BEGINS: &[u8] = b"sk-ant-";
const KEPT: &str = "sk-ant-oat01-";
/// What stands in a credential's place.
const TAKEN: &[u8] = b"[kept, not shown]";
/// The longest credential; what is longer is dropped all the same.
const LONGEST: usize = 4096;
/// How a link begins, and the longest one that is passed on.
const LINK: &[u8] = b"https://";
const LONGEST_LINK: usize = 4096;

/// What may be shown of one piece of output.
#[derive(Default)]
pub struct Shown {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// The links that were not seen before, in their order.
    pub links: Vec<String>,
    /// The first whole credential of the kind that is kept.
    pub token: Option<Zeroizing<String>>,
}

/// The state between two pieces.
#[derive(Default)]
pub struct Redactor {
    /// A beginning, or a whole credential, that is held back.
    held: Zeroizing<Vec<u8>>,
    link: Vec<u8>,
    known: BTreeSet<String>,
}

impl Redactor {
    /// Takes a piece in and gives what may be shown of it.
    pub fn push(&mut self, piece: &[u8]) -> Shown {
        let mut shown = Shown::default();
        for &byte in piece {
            self.step(byte, &mut shown);
        }
        shown
    }

    /// Gives what was held back at the end.
    pub fn finish(&mut self) -> Shown {
        let mut shown = Shown::default();
        self.let_go(&mut shown);
        self.end_link(&mut shown);
        shown
    }

    fn step(&mut self, byte: u8, shown: &mut Shown) {
        if self.held.len() >= BEGINS.len() {
            if is_token(byte) {
                if self.held.len() < LONGEST {
                    self.held.push(byte);
                }
                return;
            }
            self.let_go(shown);
        }
        if BEGINS.get(self.held.len()) == Some(&byte) {
            self.held.push(byte);
            return;
        }
        // No two bytes of the beginning are alike where a new one could start within it, but for `s`.
        self.let_go(shown);
        match byte == BEGINS[0] {
            true => self.held.push(byte),
            false => self.show(byte, shown),
        }
    }

    /// Shows what was held back, or that it was a credential.
    fn let_go(&mut self, shown: &mut Shown) {
        let mut held = std::mem::take(&mut self.held);
        if held.len() < BEGINS.len() {
            for &byte in held.iter() {
                self.show(byte, shown);
            }
            return;
        }
        self.end_link(shown);
        shown.bytes.extend_from_slice(TAKEN);
        let token = String::from_utf8(std::mem::take(&mut *held)).unwrap_or_default();
        let token = Zeroizing::new(token);
        if token.len() > KEPT.len() + 20 && token.starts_with(KEPT) && shown.token.is_none() {
            shown.token = Some(token);
        }
    }

    fn show(&mut self, byte: u8, shown: &mut Shown) {
        shown.bytes.push(byte);
        let begins = LINK
            .get(self.link.len())
            .is_none_or(|wanted| *wanted == byte);
        if begins && is_link(byte) && self.link.len() < LONGEST_LINK {
            self.link.push(byte);
            return;
        }
        self.end_link(shown);
        if byte == LINK[0] {
            self.link.push(byte);
        }
    }

    fn end_link(&mut self, shown: &mut Shown) {
        let link = std::mem::take(&mut self.link);
        if link.len() <= LINK.len() || link.len() >= LONGEST_LINK {
            return;
        }
        let link = String::from_utf8_lossy(&link).into_owned();
        if self.known.insert(link.clone()) {
            shown.links.push(link);
        }
    }
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'
}

/// The bytes that a link is made of (RFC 3986), without the brackets and quotes that a sentence may put around it.
fn is_link(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~:/?#@!$&*+,;=%".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "sk-ant-oat01-abcdefghijklmnopqrstuvwxyz_0123456789-AA";

    /// Pushes the text in pieces of that size, and returns all that came out.
    fn all(text: &str, size: usize) -> (String, Vec<String>, Option<String>) {
        let mut redactor = Redactor::default();
        let (mut bytes, mut links, mut token) = (Vec::new(), Vec::new(), None);
        let mut take = |shown: Shown| {
            bytes.extend(shown.bytes);
            links.extend(shown.links);
            token = token.take().or(shown.token.map(|token| token.to_string()));
        };
        for piece in text.as_bytes().chunks(size) {
            take(redactor.push(piece));
        }
        take(redactor.finish());
        (String::from_utf8_lossy(&bytes).into_owned(), links, token)
    }

    #[test]
    fn a_token_is_taken_out_however_it_is_split() {
        let text = format!("\x1b[32mYour token:\r\n\r\n{TOKEN}\x1b[39m\r\nagain {TOKEN}");
        for size in 1..=text.len() {
            let (shown, _, token) = all(&text, size);
            assert_eq!(
                shown,
                "\x1b[32mYour token:\r\n\r\n[kept, not shown]\x1b[39m\r\nagain [kept, not shown]"
            );
            assert_eq!(token.as_deref(), Some(TOKEN));
        }
    }

    #[test]
    fn what_only_begins_like_a_token_is_shown_whole() {
        for text in [
            "sk-an",
            "ssk-a sk-",
            "task-antics sk-antenna",
            "s",
            "sk-sk-anx",
        ] {
            for size in 1..=text.len() {
                assert_eq!(all(text, size).0, text);
            }
        }
        let (shown, _, token) = all("ssk-ant-ort01-refresh x", 3);
        assert_eq!((shown.as_str(), token), ("s[kept, not shown] x", None));
    }

    #[test]
    fn links_are_found_once_each_and_only_https() {
        let text = "\x1b[2mhttps://claude.com/a?b=c%20&d=e\x1b[0m\r\nhttp://no.example https://claude.com/a?b=c%20&d=e (https://two.example/x) hhttps://three.example\n";
        for size in 1..=text.len() {
            assert_eq!(
                all(text, size).1,
                [
                    "https://claude.com/a?b=c%20&d=e",
                    "https://two.example/x",
                    "https://three.example"
                ]
            );
        }
    }
}
