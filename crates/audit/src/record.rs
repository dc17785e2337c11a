//! One record, and how text from a sandbox is made harmless in it.

use serde::{Deserialize, Serialize};

/// What a record is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A request was let through; written before its first byte goes up.
    #[default]
    Decision,
    /// A request that was let through came to its end.
    Close,
    /// A request or a tunnel was refused.
    Refusal,
    /// A tunnel was opened.
    Tunnel,
    /// The log mended itself after a crash.
    Recovered,
    /// The log went over to a new file.
    Rotated,
    /// The disk was full.
    Full,
}

/// One record. Empty fields are left out of the file.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Record {
    /// What it is about.
    pub kind: Kind,
    /// The session's id.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub session: String,
    /// Links the records of one request.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub link: String,
    /// The host.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub host: String,
    /// The port; 0 where there is none.
    #[serde(skip_serializing_if = "is_zero")]
    pub port: u16,
    /// The method.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub method: String,
    /// The path, without its query.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub path: String,
    /// The name of the credential that was set, never its value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth_injected: Option<String>,
    /// The decision in one word: `forward`, `inject`, `answer`, `refuse`; of a tunnel `intercept` or `passthrough`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub decision: String,
    /// The row that decided.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub rule: String,
    /// The refusal's code, or one sentence on what happened.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// The upstream's status.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Bytes sent up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes_up: Option<u64>,
    /// Bytes that came down.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes_down: Option<u64>,
    /// How long it took, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<u64>,
}

fn is_zero(port: &u16) -> bool {
    *port == 0
}

impl Record {
    /// Makes every text in it harmless and short enough.
    pub(crate) fn escaped(mut self) -> Self {
        let texts = [
            (&mut self.session, 64),
            (&mut self.link, 64),
            (&mut self.host, 256),
            (&mut self.method, 32),
            (&mut self.path, 2048),
            (&mut self.decision, 32),
            (&mut self.rule, 128),
            (&mut self.note, 512),
        ];
        for (text, longest) in texts {
            shorten(text, longest);
        }
        if let Some(name) = &mut self.auth_injected {
            shorten(name, 64);
        }
        self
    }
}

fn shorten(text: &mut String, longest: usize) {
    let plain = text.len() <= longest && text.bytes().all(|b| (0x20..=0x7e).contains(&b));
    if plain {
        return;
    }
    let cut = text.chars().count() > longest;
    let mut short: String = text.chars().take(longest).collect();
    if cut {
        short.push_str("...");
    }
    *text = escape(&short);
}

/// Makes text harmless for a terminal, a log and a page: control, bidirectional, invisible and private characters become `\u{…}`.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match is_harmless(c) {
            true => out.push(c),
            false => out.extend(c.escape_unicode()),
        }
    }
    out
}

fn is_harmless(c: char) -> bool {
    let hidden = matches!(u32::from(c),
        0xad | 0x34f | 0x61c | 0x115f | 0x1160 | 0x17b4 | 0x17b5 | 0x180b..=0x180f
        | 0x200b..=0x200f | 0x2028..=0x202e | 0x2060..=0x206f | 0x3164 | 0xfe00..=0xfe0f | 0xfeff | 0xffa0 | 0xfff0..=0xfffb
        | 0xe000..=0xf8ff | 0xe0000..=0x10ffff | 0x1bca0..=0x1bca3 | 0x1d173..=0x1d17a);
    !c.is_control() && !hidden
}
