//! The newest entries.

use std::io;
use std::path::Path;

use crate::entry::Entry;
use crate::record::Kind;
use crate::segments;

/// Which entries are wanted; the default is all.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Only of this session.
    pub session: Option<String>,
    /// Only of these kinds; empty means all.
    pub kinds: Vec<Kind>,
}

impl Filter {
    fn wants(&self, entry: &Entry) -> bool {
        let session = self
            .session
            .as_ref()
            .is_none_or(|id| *id == entry.record.session);
        session && (self.kinds.is_empty() || self.kinds.contains(&entry.record.kind))
    }
}

/// Gives the newest `count` entries that are wanted, the oldest of them first. Lines that are no entries are passed over.
///
/// # Errors
/// Fails where a file cannot be read.
pub fn tail(path: &Path, count: usize, filter: &Filter) -> io::Result<Vec<Entry>> {
    let mut newest_first = Vec::new();
    for file in segments::all(path)?.iter().rev() {
        let text = std::fs::read(file)?;
        let entries = text
            .rsplit(|byte| *byte == b'\n')
            .filter_map(|line| serde_json::from_slice::<Entry>(line).ok())
            .filter(|entry| filter.wants(entry));
        newest_first.extend(entries.take(count - newest_first.len()));
        if newest_first.len() >= count {
            break;
        }
    }
    newest_first.reverse();
    Ok(newest_first)
}
