//! Cuts a growing file into lines, whichever way its bytes arrive.

/// Bytes of a line that are read. A longer one is not kept: pasted images make records of some megabytes, and nothing else does.
pub const LIMIT: usize = 16 * 1024 * 1024;
/// Bytes that are kept of a line over the limit, to be shown.
const KEPT: usize = crate::bounded::RAW;

/// Bytes of a file, up to the end of the last whole line.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    partial: Vec<u8>,
    /// Bytes of the current line that were let go.
    dropped: u64,
    /// Where the current line begins in the file.
    start: u64,
    limit: usize,
}

/// One line of a file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// A whole line, without its end.
    Whole {
        /// Where it begins in the file.
        at: u64,
        bytes: Vec<u8>,
    },
    /// A line over the limit.
    TooLong {
        at: u64,
        beginning: Vec<u8>,
        bytes: u64,
    },
}

impl Lines {
    pub fn new(start: u64, limit: usize) -> Self {
        Self {
            start,
            limit,
            ..Self::default()
        }
    }

    /// Where the first line that is not whole yet begins.
    pub fn offset(&self) -> u64 {
        self.start
    }

    /// Calls `each` for every line that is whole now.
    pub fn push(&mut self, mut bytes: &[u8], mut each: impl FnMut(Line)) {
        while let Some(end) = bytes.iter().position(|&byte| byte == b'\n') {
            self.keep(&bytes[..end]);
            bytes = &bytes[end + 1..];
            each(self.take());
        }
        self.keep(bytes);
    }

    fn keep(&mut self, bytes: &[u8]) {
        if self.dropped == 0 && self.partial.len() + bytes.len() <= self.limit {
            self.partial.extend_from_slice(bytes);
            return;
        }
        // Over the limit: only its beginning is worth keeping.
        let room = KEPT.saturating_sub(self.partial.len()).min(bytes.len());
        self.partial.extend_from_slice(&bytes[..room]);
        self.dropped += (bytes.len() - room) as u64;
        if self.partial.len() > KEPT {
            self.dropped += (self.partial.len() - KEPT) as u64;
            self.partial.truncate(KEPT);
            self.partial.shrink_to_fit();
        }
    }

    fn take(&mut self) -> Line {
        let at = self.start;
        let kept = std::mem::take(&mut self.partial);
        let bytes = kept.len() as u64 + std::mem::take(&mut self.dropped);
        self.start += bytes + 1;
        match bytes == kept.len() as u64 {
            true => Line::Whole { at, bytes: kept },
            false => Line::TooLong {
                at,
                beginning: kept,
                bytes,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(pieces: &[&[u8]], limit: usize) -> (Vec<Line>, u64) {
        let mut cutter = Lines::new(0, limit);
        let mut found = Vec::new();
        for piece in pieces {
            cutter.push(piece, |line| found.push(line));
        }
        (found, cutter.offset())
    }

    fn whole(at: u64, text: &str) -> Line {
        Line::Whole {
            at,
            bytes: text.as_bytes().to_vec(),
        }
    }

    #[test]
    fn lines_are_the_same_however_they_arrive() {
        let expected = (vec![whole(0, "ab"), whole(3, ""), whole(4, "c")], 6);
        assert_eq!(lines(&[b"ab\n\nc\nrest"], 99), expected);
        assert_eq!(lines(&[b"a", b"b\n", b"\nc", b"\nre"], 99), expected);
    }

    #[test]
    fn a_line_over_the_limit_is_not_kept() {
        let long = vec![b'x'; 100_000];
        let (found, offset) = lines(&[&long, &long, b"\nok\n"], 50_000);
        let Line::TooLong {
            beginning, bytes, ..
        } = &found[0]
        else {
            panic!("{found:?}");
        };
        assert_eq!((beginning.len(), *bytes), (KEPT, 200_000));
        assert_eq!(found[1], whole(200_001, "ok"));
        assert_eq!(offset, 200_004);
    }
}
