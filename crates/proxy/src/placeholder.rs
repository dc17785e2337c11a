//! Finds placeholders where they do not belong.
//!
//! A placeholder belongs into the header where the agent's program puts its credential, in that spelling alone.
//! Anywhere else it is a sign that something tries to have it exchanged, so it is refused and recorded.

use http::{HeaderMap, HeaderValue, header};
use percent_encoding::percent_decode_str;

use crate::scan::Needles;

/// A session's placeholders.
pub(crate) struct Placeholders {
    values: Vec<String>,
    pub needles: Needles,
}

impl Placeholders {
    pub fn new(values: Vec<String>) -> Self {
        let needles = Needles::spellings_of(values.iter().map(String::as_str));
        Self { values, needles }
    }

    /// Tells whether a path or a query holds one, however often it is encoded.
    pub fn are_in_target(&self, target: &str) -> bool {
        let mut text = target.as_bytes().to_vec();
        for _ in 0..4 {
            if self.needles.are_in(&text) {
                return true;
            }
            let decoded: Vec<u8> = percent_decode_str(&String::from_utf8_lossy(&text)).collect();
            if decoded == text {
                return false;
            }
            text = decoded;
        }
        self.needles.are_in(&text)
    }

    /// Tells whether a header holds one outside its slot; where the agent's own credentials are passed on, no header is one.
    pub fn are_misplaced_in(&self, headers: &HeaderMap, passed_on: bool) -> bool {
        headers.iter().any(|(name, value)| {
            let slot = match name.as_str() {
                "x-api-key" => self.is_one(value.as_bytes()),
                _ if name == header::AUTHORIZATION => self.is_bearer(value),
                _ => false,
            };
            (passed_on || !slot) && self.are_in_target(&String::from_utf8_lossy(value.as_bytes()))
        })
    }

    fn is_bearer(&self, value: &HeaderValue) -> bool {
        let scheme = value.as_bytes().get(..7);
        scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"bearer "))
            && self.is_one(&value.as_bytes()[7..])
    }

    fn is_one(&self, bytes: &[u8]) -> bool {
        self.values.iter().any(|value| value.as_bytes() == bytes)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use base64::{Engine, engine::general_purpose::STANDARD};

    use super::*;

    const IT: &str = "sk-ant-oat01-clauderon-proxy-placeholder";

    fn check(name: &'static str, value: &str, misplaced: bool) {
        let mut headers = HeaderMap::new();
        headers.insert(name, value.parse().unwrap());
        assert_eq!(
            Placeholders::new(vec![IT.to_owned()]).are_misplaced_in(&headers, false),
            misplaced,
            "{name}: {value}"
        );
    }

    #[test]
    fn a_placeholder_belongs_into_its_slot_alone() {
        check("authorization", &format!("Bearer {IT}"), false);
        check("x-api-key", IT, false);
        check(
            "authorization",
            &format!("Basic {}", STANDARD.encode(format!("x-access-token:{IT}"))),
            true,
        );
        check("authorization", &format!("Token {IT}"), true);
        check("x-api-key", &format!("{IT}{IT}"), true);
        check("cookie", &format!("a={IT}"), true);
        check("x-other", &IT.replace('-', "%2D"), true);
        check("x-other", "nothing", false);
    }

    #[test]
    fn encoding_hides_no_placeholder_in_a_target() {
        let placeholders = Placeholders::new(vec![IT.to_owned()]);
        let once = IT.replace('k', "%6B");
        assert!(placeholders.are_in_target(&format!("/a/{IT}")));
        assert!(placeholders.are_in_target(&format!("/a?b={once}")));
        assert!(placeholders.are_in_target(&once.replace('%', "%25")));
        assert!(!placeholders.are_in_target("/v1/messages?beta=true"));
    }
}
