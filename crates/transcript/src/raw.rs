//! A record that nobody understands is shown as it is.

use crate::bounded;
use crate::item::Source;
use crate::observation::{Said, Told};
use crate::recall::fingerprint;

/// A record that is not understood. It is named by its place and its bytes: reading it again gives the same item.
pub(crate) fn raw(at: u64, record: &str, line: &[u8], bytes: u64) -> Told {
    let text = String::from_utf8_lossy(&line[..line.len().min(bounded::RAW)]).into_owned();
    Told {
        source: Source::Transcript,
        agent: None,
        at_ms: None,
        said: Said::Raw {
            id: format!("raw.{at}.{:016x}", fingerprint(line)),
            record: bounded::line(record),
            text: bounded::text(text, bounded::RAW),
            bytes,
        },
    }
}
