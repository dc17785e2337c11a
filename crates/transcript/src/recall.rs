//! Remembers what was seen lately, in bounded memory.

use std::collections::HashSet;

/// Entries of one generation; two are held.
const GENERATION: usize = 65_536;

/// A set that forgets what is old.
#[derive(Debug, Default)]
pub(crate) struct Recall {
    young: HashSet<u64>,
    old: HashSet<u64>,
}

impl Recall {
    /// Says whether this is new, and remembers it.
    pub fn is_new(&mut self, text: &str) -> bool {
        let hash = fingerprint(text.as_bytes());
        if self.old.contains(&hash) || !self.young.insert(hash) {
            return false;
        }
        if self.young.len() >= GENERATION {
            self.old = std::mem::take(&mut self.young);
        }
        true
    }

    /// Says whether this was seen.
    pub fn holds(&self, text: &str) -> bool {
        let hash = fingerprint(text.as_bytes());
        self.young.contains(&hash) || self.old.contains(&hash)
    }
}

/// FNV-1a: stable over builds and platforms, which the standard hasher does not promise, so that ids made of it stay.
pub(crate) fn fingerprint(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_seen_is_not_new_and_memory_stays_bounded() {
        let mut recall = Recall::default();
        assert!(recall.is_new("a"));
        assert!(!recall.is_new("a"));
        for number in 0..200_000 {
            recall.is_new(&number.to_string());
        }
        assert!(!recall.is_new("199999"));
        assert!(recall.young.len() + recall.old.len() <= 2 * GENERATION);
    }
}
