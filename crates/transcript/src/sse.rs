//! Cuts a stream of server-sent events into their data, whichever way its bytes arrive.

/// Bytes of one event: the last one of a service may hold a whole answer again.
const LIMIT: usize = 16 * 1024 * 1024;

/// What of a stream is not whole yet.
#[derive(Debug, Default)]
pub(crate) struct Events {
    line: Vec<u8>,
    data: Vec<u8>,
    /// The event is over the limit and is let go.
    too_long: bool,
    /// Events that were let go.
    pub skipped: u64,
}

impl Events {
    /// Calls `each` with the data of every event that is whole now.
    pub fn push(&mut self, mut bytes: &[u8], mut each: impl FnMut(&[u8])) {
        while let Some(end) = bytes.iter().position(|&byte| byte == b'\n') {
            let rest = &bytes[end + 1..];
            if self.line.is_empty() {
                self.take(&bytes[..end], &mut each);
            } else {
                self.keep(&bytes[..end]);
                let line = std::mem::take(&mut self.line);
                self.take(&line, &mut each);
            }
            bytes = rest;
        }
        self.keep(bytes);
    }

    fn keep(&mut self, bytes: &[u8]) {
        if self.line.len() + bytes.len() <= LIMIT {
            self.line.extend_from_slice(bytes);
        } else {
            self.too_long = true;
        }
    }

    fn take(&mut self, line: &[u8], each: &mut impl FnMut(&[u8])) {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            let data = std::mem::take(&mut self.data);
            if std::mem::take(&mut self.too_long) {
                self.skipped += 1;
            } else if !data.is_empty() {
                each(&data);
            }
            return;
        }
        let Some(data) = line.strip_prefix(b"data:") else {
            return;
        };
        let data = data.strip_prefix(b" ").unwrap_or(data);
        if self.data.len() + data.len() > LIMIT {
            self.too_long = true;
            return;
        }
        if !self.data.is_empty() {
            self.data.push(b'\n');
        }
        self.data.extend_from_slice(data);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(pieces: &[&[u8]]) -> Vec<String> {
        let mut events = Events::default();
        let mut found = Vec::new();
        for piece in pieces {
            events.push(piece, |data| {
                found.push(String::from_utf8(data.to_vec()).expect("text"));
            });
        }
        found
    }

    #[test]
    fn events_are_the_same_however_they_arrive() {
        let stream =
            b"event: a\r\ndata: one\r\n\r\n: note\ndata:two\ndata: more\n\nid: 3\n\ndata: cut";
        let whole = data(&[stream]);
        assert_eq!(whole, ["one", "two\nmore"]);
        for size in 1..stream.len() {
            let pieces: Vec<&[u8]> = stream.chunks(size).collect();
            assert_eq!(data(&pieces), whole, "pieces of {size}");
        }
    }
}
