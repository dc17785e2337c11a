//! What a terminal was put into beyond cells, cursor and margins: reports of mouse, focus and paste, the keyboard, the
//! cursor's look, colours, an open link, the title.

use std::collections::{BTreeMap, BTreeSet};

use crate::filter::rules::{self, Csi, Osc};

/// Private modes that are kept; the emulator keeps cursor keys, origin, wrapping, the cursor and the alternate screen.
const KEPT: [u32; 20] = [
    5, 9, 12, 45, 66, 67, 1000, 1002, 1003, 1004, 1005, 1006, 1007, 1015, 1016, 2004, 2026, 2027,
    2031, 2048,
];
/// Scrolling as cursor keys: terminals differ in whether it is on at first, so that switching it off is kept as well.
const SCROLL_KEYS: u32 = 1007;
/// Entries of a keyboard stack that are kept.
const DEEPEST: usize = 16;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Modes {
    private: BTreeSet<u32>,
    no_scroll_keys: bool,
    /// Shape and blinking, as the number that set it.
    cursor: Option<u32>,
    keypad: bool,
    /// Keyboard flags of the primary and of the alternate screen.
    keyboards: [Vec<u32>; 2],
    alternate: bool,
    other_keys: Option<u32>,
    /// Colours of text, background and cursor, by the number of the command that set them.
    colours: BTreeMap<u32, Vec<u8>>,
    /// The command that opened the link which is open.
    link: Option<Vec<u8>>,
    title: Option<String>,
}

impl Modes {
    pub fn escape(&mut self, intermediates: &[u8], last: u8) {
        match (intermediates, last) {
            (b"", b'=') => self.keypad = true,
            (b"", b'>') => self.keypad = false,
            // A reset leaves the title, which is the window's.
            (b"", b'c') => {
                *self = Self {
                    title: self.title.take(),
                    ..Self::default()
                };
            }
            _ => {}
        }
    }

    pub fn csi(&mut self, body: &[u8], last: u8) {
        let Some(csi) = Csi::parse(body) else { return };
        let mut numbers = csi.numbers();
        match (csi.marker, csi.intermediates, last) {
            (Some(b'?'), b"", b'h' | b'l') => {
                numbers
                    .flatten()
                    .for_each(|mode| self.switch(mode, last == b'h'));
            }
            (None, b" ", b'q') => {
                self.cursor = numbers.next().flatten().filter(|shape| *shape <= 6)
            }
            (None, b"!", b'p') => self.keypad = false,
            (Some(b'>'), b"", b'm') if numbers.next() == Some(Some(4)) => {
                self.other_keys = numbers.next().flatten().filter(|level| *level > 0);
            }
            (Some(b'>'), b"", b'u') => {
                let keyboard = self.keyboard();
                keyboard.push(numbers.next().flatten().unwrap_or(0));
                if keyboard.len() > DEEPEST {
                    keyboard.remove(0);
                }
            }
            (Some(b'<'), b"", b'u') => {
                let count = numbers.next().flatten().unwrap_or(1).max(1) as usize;
                let keyboard = self.keyboard();
                keyboard.truncate(keyboard.len().saturating_sub(count));
            }
            (Some(b'='), b"", b'u') => {
                let flags = numbers.next().flatten().unwrap_or(0);
                let how = numbers.next().flatten().unwrap_or(1);
                let keyboard = self.keyboard();
                if keyboard.is_empty() {
                    keyboard.push(0);
                }
                if let Some(top) = keyboard.last_mut() {
                    *top = match how {
                        2 => *top | flags,
                        3 => *top & !flags,
                        _ => flags,
                    };
                }
            }
            _ => {}
        }
    }

    pub fn osc(&mut self, body: &[u8]) {
        match rules::judge_osc(body) {
            Osc::Title {
                kind: b'0' | b'2',
                text,
            } => self.title = Some(text),
            Osc::Link { opens } => self.link = opens.then(|| body.to_vec()),
            Osc::RefusedLink => self.link = None,
            Osc::Colour => match rules::split_osc(body) {
                (Some(number @ 10..=12), Some(value)) if value != b"?" => {
                    self.colours.insert(number, body.to_vec());
                }
                (Some(number @ 110..=112), _) => {
                    self.colours.remove(&(number - 100));
                }
                _ => {}
            },
            _ => {}
        }
    }

    /// Returns what is to be set before the primary screen is drawn.
    pub fn before(&self) -> Vec<u8> {
        keyboard(&self.keyboards[0])
    }

    /// Returns what is to be set once all is drawn.
    pub fn after(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        if self.alternate {
            bytes.extend(keyboard(&self.keyboards[1]));
        }
        if self.keypad {
            bytes.extend(b"\x1b=");
        }
        if let Some(shape) = self.cursor {
            bytes.extend(format!("\x1b[{shape} q").bytes());
        }
        if let Some(level) = self.other_keys {
            bytes.extend(format!("\x1b[>4;{level}m").bytes());
        }
        for command in self.colours.values().chain(&self.link) {
            bytes.extend([b"\x1b]", command.as_slice(), b"\x1b\\"].concat());
        }
        if let Some(title) = &self.title {
            bytes.extend(format!("\x1b]2;{title}\x1b\\").bytes());
        }
        for mode in &self.private {
            bytes.extend(format!("\x1b[?{mode}h").bytes());
        }
        if self.no_scroll_keys {
            bytes.extend(format!("\x1b[?{SCROLL_KEYS}l").bytes());
        }
        bytes
    }

    fn switch(&mut self, mode: u32, on: bool) {
        if matches!(mode, 47 | 1047 | 1049) {
            if on && !self.alternate {
                self.keyboards[1].clear();
            }
            self.alternate = on;
        }
        if !KEPT.contains(&mode) {
            return;
        }
        // One way to report the mouse, and one way to spell it, at a time.
        for group in [&[9, 1000, 1002, 1003][..], &[1005, 1006, 1015, 1016]] {
            if group.contains(&mode) {
                self.private.retain(|other| !group.contains(other));
            }
        }
        if mode == SCROLL_KEYS {
            self.no_scroll_keys = !on;
        }
        if on {
            self.private.insert(mode);
        } else {
            self.private.remove(&mode);
        }
    }

    fn keyboard(&mut self) -> &mut Vec<u32> {
        &mut self.keyboards[usize::from(self.alternate)]
    }
}

fn keyboard(stack: &[u32]) -> Vec<u8> {
    stack
        .iter()
        .flat_map(|flags| format!("\x1b[>{flags}u").into_bytes())
        .collect()
}
