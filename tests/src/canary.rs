//! Real-looking tokens that must never appear where a sandbox, a log or a record could show them.

use std::path::Path;

use base64::Engine as _;

/// A token and the spellings under which it might leak.
#[derive(Debug, Clone)]
pub struct Canary {
    /// The token itself.
    pub token: String,
}

impl Canary {
    /// Makes a token that no other test has, beginning with `prefix`.
    pub fn new(prefix: &str) -> Self {
        let unique = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .map_or(0, |since| since.as_nanos());
        Self {
            token: format!("{prefix}CANARY+{unique:x}/{}", std::process::id()),
        }
    }

    /// Returns the first spelling of the token that `bytes` hold.
    pub fn found_in(&self, bytes: &[u8]) -> Option<String> {
        self.spellings()
            .into_iter()
            .find(|spelling| contains(bytes, spelling.as_bytes()))
    }

    /// Fails the test if `bytes` hold the token in any spelling.
    #[track_caller]
    pub fn assert_absent(&self, what: &str, bytes: &[u8]) {
        if let Some(spelling) = self.found_in(bytes) {
            panic!("{what} holds the real token, spelt {spelling}");
        }
    }

    /// Fails the test if any file below `folder` holds the token; `except` are paths below it that may.
    pub fn assert_absent_below(&self, folder: &Path, except: &[&str]) {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let Ok(kind) = entry.file_type() else {
                continue;
            };
            if except.iter().any(|allowed| path.ends_with(allowed)) {
                continue;
            }
            if kind.is_dir() {
                self.assert_absent_below(&path, except);
            } else if kind.is_file() {
                let bytes = std::fs::read(&path).unwrap_or_default();
                self.assert_absent(&path.display().to_string(), &bytes);
            }
        }
    }

    /// Lists the spellings: clear, URL-encoded, and the inner part of its base64 at each of the three alignments.
    fn spellings(&self) -> Vec<String> {
        let encoded =
            percent_encoding::utf8_percent_encode(&self.token, percent_encoding::NON_ALPHANUMERIC);
        let mut all = vec![self.token.clone(), encoded.to_string()];
        for before in 0..3 {
            let padded = [&b"xyz"[..before], self.token.as_bytes()].concat();
            let text = base64::engine::general_purpose::STANDARD_NO_PAD.encode(padded);
            // The first and last characters mix with neighbours.
            all.push(text[4..text.len() - 4].to_owned());
        }
        all
    }
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack
        .windows(needle.len())
        .any(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_every_spelling_and_nothing_else() {
        let canary = Canary::new("sk-ant-oat01-");
        let base64 = base64::engine::general_purpose::STANDARD
            .encode(format!("x-access-token:{}", canary.token));
        let url = canary
            .token
            .replace('+', "%2B")
            .replace('/', "%2F")
            .replace('-', "%2D");
        for text in [canary.token.clone(), base64, url] {
            assert!(
                canary.found_in(format!("a {text} b").as_bytes()).is_some(),
                "{text}"
            );
        }
        assert!(
            canary
                .found_in(b"sk-ant-oat01-clauderon-proxy-placeholder")
                .is_none()
        );
    }
}
