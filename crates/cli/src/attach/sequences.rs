//! Cuts an agent's output into text and whole escape sequences, across split reads. It keeps the
//! terminal's modes, so that leaving puts back what the agent switched on, and nothing else.

use std::collections::BTreeSet;

/// The longest sequence that is waited for; anything longer is handed on as text.
const LONGEST: usize = 4096;

/// A piece of output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Characters and single control bytes.
    Text(Vec<u8>),
    /// One whole escape sequence.
    Sequence(Vec<u8>),
}

/// Holds the beginning of a sequence until the rest of it comes.
#[derive(Debug, Default)]
pub struct Cutter {
    open: Vec<u8>,
}

impl Cutter {
    /// Cuts what is whole so far.
    pub fn feed(&mut self, bytes: &[u8]) -> Vec<Piece> {
        let mut pieces = Vec::new();
        let mut text = Vec::new();
        for &byte in bytes {
            if self.open.is_empty() && byte != 0x1b {
                text.push(byte);
                continue;
            }
            if !text.is_empty() {
                pieces.push(Piece::Text(std::mem::take(&mut text)));
            }
            self.open.push(byte);
            if is_whole(&self.open) {
                pieces.push(Piece::Sequence(std::mem::take(&mut self.open)));
            } else if self.open.len() > LONGEST {
                pieces.push(Piece::Text(std::mem::take(&mut self.open)));
            }
        }
        if !text.is_empty() {
            pieces.push(Piece::Text(text));
        }
        pieces
    }
}

fn is_whole(open: &[u8]) -> bool {
    let last = open[open.len() - 1];
    match open {
        [_] => false,
        [_, b'[', ..] => open.len() > 2 && (0x40..=0x7e).contains(&last),
        // Strings end with BEL or ESC \.
        [_, b']' | b'P' | b'_' | b'^' | b'X', ..] => {
            open.len() > 2 && (last == 0x07 || open.ends_with(b"\x1b\\"))
        }
        // Two-byte sequences, and three-byte ones with an intermediate: ESC ( B.
        _ => !(0x20..=0x2f).contains(&last),
    }
}

/// The modes that an agent has switched on.
#[derive(Debug, Default)]
pub struct Modes {
    private: BTreeSet<u16>,
    cursor_hidden: bool,
    kitty: u32,
    other_keys: bool,
    titled: bool,
}

/// Modes whose switching off is worth it: alternate screens, mouse, paste, focus, colour scheme,
/// frames, application keys.
const KEPT: [u16; 17] = [
    1, 47, 9, 1000, 1002, 1003, 1004, 1005, 1006, 1007, 1015, 1016, 1047, 1049, 2004, 2026, 2031,
];

impl Modes {
    /// Notes what a sequence switches.
    pub fn see(&mut self, sequence: &[u8]) {
        match sequence {
            [_, b'[', b'?', numbers @ .., end @ (b'h' | b'l')] => {
                for number in numbers.split(|&byte| byte == b';') {
                    if let Some(number) = parse(number) {
                        self.switch(number, *end == b'h');
                    }
                }
            }
            [_, b'[', b'>', .., b'u'] => self.kitty += 1,
            [_, b'[', b'<', numbers @ .., b'u'] => {
                let count = parse(numbers).unwrap_or(1);
                self.kitty = self.kitty.saturating_sub(u32::from(count));
            }
            [_, b'[', b'>', numbers @ .., b'm'] => {
                self.other_keys = numbers.starts_with(b"4;") && numbers != b"4;0";
            }
            [_, b']', b'0' | b'2', b';', ..] => self.titled = true,
            _ => {}
        }
    }

    fn switch(&mut self, number: u16, on: bool) {
        if number == 25 {
            self.cursor_hidden = !on;
        } else if on && KEPT.contains(&number) {
            self.private.insert(number);
        } else {
            self.private.remove(&number);
        }
    }

    /// Returns what puts a terminal back, colours and margins included.
    pub fn leave(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for mode in self.private.iter().rev() {
            bytes.extend(format!("\x1b[?{mode}l").bytes());
        }
        if self.kitty > 0 {
            bytes.extend(format!("\x1b[<{}u", self.kitty).bytes());
        }
        if self.other_keys {
            bytes.extend(b"\x1b[>4m");
        }
        // Margins move the cursor home, hence the saving; the cursor may be above the last line.
        bytes.extend(b"\x1b7\x1b[r\x1b8\x1b[0m\x1b[?25h\x1b(B");
        if self.titled {
            bytes.extend(b"\x1b]0;\x07");
        }
        bytes
    }
}

fn parse(digits: &[u8]) -> Option<u16> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sequences(parts: &[&[u8]]) -> Vec<Vec<u8>> {
        let mut cutter = Cutter::default();
        let pieces = parts.iter().flat_map(|part| cutter.feed(part));
        let mut found = Vec::new();
        for piece in pieces.collect::<Vec<_>>() {
            if let Piece::Sequence(sequence) = piece {
                found.push(sequence);
            }
        }
        found
    }

    #[test]
    fn sequences_are_whole_wherever_they_are_split() {
        let all = b"a\x1b[?2004hb\x1b]0;t\x1b\\c\x1b(B\x1b]0;u\x07\x1b7";
        let whole = sequences(&[all]);
        assert_eq!(whole.len(), 5);
        for at in 1..all.len() {
            assert_eq!(sequences(&[&all[..at], &all[at..]]), whole, "{at}");
        }
    }

    #[test]
    fn leaving_switches_off_exactly_what_is_on() {
        let mut modes = Modes::default();
        for sequence in [
            &b"\x1b[?1049h"[..],
            b"\x1b[?2004;1004h",
            b"\x1b[?1004l",
            b"\x1b[?25l",
            b"\x1b[>7u",
        ] {
            modes.see(sequence);
        }
        let leave = String::from_utf8_lossy(&modes.leave()).into_owned();
        for present in ["\x1b[?1049l", "\x1b[?2004l", "\x1b[<1u", "\x1b[?25h"] {
            assert!(leave.contains(present), "{present:?}");
        }
        for absent in ["1004", "1000", "\x1b]0", ">4m"] {
            assert!(!leave.contains(absent), "{absent:?}");
        }
    }
}
