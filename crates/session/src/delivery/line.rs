//! What stands in an agent's own input line, as far as a person's keys tell.

/// Follows the keys that a person presses in a terminal.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct InputLine {
    /// Characters that were typed and not sent; as good a guess as can be had.
    length: usize,
    key_ms: Option<u64>,
    pasting: bool,
}

impl InputLine {
    /// Takes bytes that were typed at `now_ms`. While a dialog stands open they answer it and write nothing.
    pub fn press(&mut self, bytes: &[u8], dialog: bool, now_ms: u64) {
        let mut rest = bytes;
        while let Some((key, more)) = Key::read(rest) {
            rest = more;
            if key != Key::Report {
                self.key_ms = Some(now_ms);
            }
            match key {
                Key::Report | Key::Other => {}
                Key::PasteBegins => self.pasting = true,
                Key::PasteEnds => self.pasting = false,
                Key::Enter if !self.pasting => self.length = 0,
                Key::Clear if !self.pasting => self.length = 0,
                Key::Back if !self.pasting => self.length = self.length.saturating_sub(1),
                Key::Enter | Key::Clear | Key::Back | Key::Letter => {
                    self.length += usize::from(!dialog);
                }
            }
        }
    }

    /// Takes note of text that we put there ourselves without sending it.
    pub fn insert(&mut self) {
        self.length += 1;
    }

    /// Takes note that the line is empty: something was sent, or the agent began anew.
    pub fn clear(&mut self) {
        self.length = 0;
        self.pasting = false;
    }

    /// Says whether something unfinished stands there.
    pub fn is_draft(&self) -> bool {
        self.length > 0
    }

    /// Returns when the last key was pressed, in milliseconds since 1970.
    pub fn key_ms(&self) -> Option<u64> {
        self.key_ms
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Key {
    Letter,
    Enter,
    /// Ctrl C or Ctrl U.
    Clear,
    Back,
    PasteBegins,
    PasteEnds,
    /// What a terminal sends by itself: focus, its size, its kind, where the mouse is.
    Report,
    Other,
}

impl Key {
    fn read(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let (first, rest) = bytes.split_first()?;
        Some(match first {
            b'\r' => (Self::Enter, rest),
            0x03 | 0x15 => (Self::Clear, rest),
            0x7f | 0x08 => (Self::Back, rest),
            0x1b => Self::escape(rest),
            b'\n' | 0x20.. => {
                // The other bytes of a character are no keys of their own.
                let more = rest.iter().take_while(|byte| (0x80..0xc0).contains(*byte));
                let more = if *first >= 0xc0 { more.count() } else { 0 };
                (Self::Letter, &rest[more..])
            }
            _ => (Self::Other, rest),
        })
    }

    fn escape(rest: &[u8]) -> (Self, &[u8]) {
        match rest.first() {
            Some(b'[') => {
                let inner = &rest[1..];
                let end = inner.iter().position(|byte| (0x40..0x7f).contains(byte));
                let Some(end) = end else {
                    return (Self::Other, &[]);
                };
                // A mouse report of the oldest kind has three bytes more.
                let skip = if inner.starts_with(b"M") { 4 } else { end + 1 };
                let after = inner.get(skip..).unwrap_or_default();
                (Self::sequence(&inner[..end], inner[end]), after)
            }
            Some(b'O') => (Self::Other, rest.get(2..).unwrap_or_default()),
            // Strings that answer a question of the agent's.
            Some(b']' | b'P' | b'_') => {
                let end = rest.iter().position(|byte| matches!(byte, 0x07 | b'\\'));
                let after = end.map_or(&[][..], |end| &rest[end + 1..]);
                (Self::Report, after)
            }
            // Alt and a key.
            Some(b'\r') => (Self::Letter, &rest[1..]),
            Some(0x20..) => (Self::Other, &rest[1..]),
            _ => (Self::Other, rest),
        }
    }

    fn sequence(parameters: &[u8], last: u8) -> Self {
        match (parameters, last) {
            (b"200", b'~') => Self::PasteBegins,
            (b"201", b'~') => Self::PasteEnds,
            // Focus, kind, place, mouse, mode.
            (b"", b'I' | b'O' | b'M') => Self::Report,
            (_, b'c' | b'R' | b'n' | b't' | b'y') => Self::Report,
            ([b'<', ..], b'M' | b'm') => Self::Report,
            ([b'?', ..], b'u') => Self::Report,
            (_, b'u') => Self::kitty(parameters),
            _ => Self::Other,
        }
    }

    /// Keys as the kitty protocol writes them: the character's number, then the modifiers.
    fn kitty(parameters: &[u8]) -> Self {
        let mut parts = parameters.split(|byte| *byte == b';');
        let key = parts.next().unwrap_or_default();
        let modifiers = parts.next().unwrap_or(b"1");
        // Letting go of a key writes nothing.
        if modifiers.ends_with(b":3") {
            return Self::Report;
        }
        let plain = modifiers == b"1" || modifiers.starts_with(b"1:");
        let control = modifiers == b"5" || modifiers.starts_with(b"5:");
        match key {
            b"13" if plain => Self::Enter,
            b"13" => Self::Letter,
            b"127" => Self::Back,
            b"99" | b"117" if control => Self::Clear,
            _ => Self::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(bytes: &[u8], draft: bool, keys: bool) {
        let mut line = InputLine::default();
        line.press(bytes, false, 7);
        let seen = (line.is_draft(), line.key_ms().is_some());
        assert_eq!(seen, (draft, keys), "{:?}", String::from_utf8_lossy(bytes));
    }

    #[test]
    fn a_draft_stands_until_it_is_sent_or_cleared() {
        check(b"", false, false);
        check(b"hel", true, true);
        check("é".as_bytes(), true, true);
        check(b"hello\r", false, true);
        check(b"hello\x03", false, true);
        check(b"hello\x15", false, true);
        check(b"ab\x7f", true, true);
        check(b"ab\x7f\x7f\x7f", false, true);
        check("é\x7f".as_bytes(), false, true);
        check(b"\x1b[200~a\rb\x1b[201~", true, true);
        check(b"\x1b[200~a\rb\x1b[201~\r", false, true);
        check(b"hello\x1b[13u", false, true);
        check(b"hello\x1b[13;2u", true, true);
        check(b"hello\x1b[99;5u", false, true);
        check(b"hello\x1b\r", true, true);
    }

    #[test]
    fn what_a_terminal_says_by_itself_is_no_key() {
        check(b"\x1b[I", false, false);
        check(b"\x1b[O\x1b[?62;c\x1b[24;80R", false, false);
        check(b"\x1b[<35;10;20M\x1b[<0;1;1m", false, false);
        check(b"\x1b[M !!", false, false);
        check(b"\x1b]11;rgb:00/00/00\x07", false, false);
        check(b"\x1bP>|xterm.js(5.5.0)\x1b\\", false, false);
        check(b"\x1b[A\x1b[B\x1bOA", false, true);
        check(b"\x1b", false, true);
    }

    #[test]
    fn keys_that_answer_a_dialog_write_nothing() {
        let mut line = InputLine::default();
        line.press(b"1", true, 7);
        assert!(!line.is_draft());
        line.insert();
        assert!(line.is_draft());
    }
}
