//! Terminal output taken apart: text, controls and whole sequences, however it was cut into pieces.
//!
//! Decides nothing. Text that it hands on is valid UTF-8, an ill-formed part replaced; an 8-bit control (a byte of its own
//! or a character U+0080–U+009F) is read as the two bytes that it stands for. Holds at most [`STRING_LIMIT`] bytes.

/// Bytes of an operating system command beyond which it is dropped.
pub(crate) const STRING_LIMIT: usize = 64 * 1024;
/// Bytes of a control sequence beyond which it is dropped; the longest real ones are lists of colours.
const CSI_LIMIT: usize = 1024;
/// Intermediate bytes of an escape sequence; real ones have at most three.
const ESCAPE_LIMIT: usize = 8;

const BEL: u8 = 0x07;
const CAN: u8 = 0x18;
const SUB: u8 = 0x1a;
const ESC: u8 = 0x1b;
const DEL: u8 = 0x7f;
const REPLACEMENT: &[u8] = "\u{fffd}".as_bytes();

/// Receives what was found. What a receiver does not ask for is dropped.
pub(crate) trait Sink {
    /// Whole characters, none of them a control.
    fn text(&mut self, _bytes: &[u8]) {}
    /// A control of one byte that is not part of a sequence.
    fn control(&mut self, _byte: u8) {}
    /// `ESC`, intermediates, last byte.
    fn escape(&mut self, _intermediates: &[u8], _last: u8) {}
    /// `ESC [`, parameters with intermediates (not yet known to be in order), last byte.
    fn csi(&mut self, _body: &[u8], _last: u8) {}
    /// `ESC ]`, a body which may hold controls but neither of its ends, an end.
    fn osc(&mut self, _body: &[u8], _end: End) {}
}

/// A sequence without an end in sight, of which nothing will come: what a terminal must have seen of it to drop the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Endless {
    /// An operating system command.
    Osc,
    /// A string that a bell does not end.
    String,
    /// A control sequence.
    Csi,
}

impl Endless {
    /// Returns the start of a sequence that ends where this one will, and does nothing.
    pub(crate) fn opening(self) -> &'static [u8] {
        match self {
            // Nobody has this number.
            Self::Osc => b"\x1b]999999;",
            // Start of string: no terminal knows any.
            Self::String => b"\x1bX",
            // Two markers: in no order.
            Self::Csi => b"\x1b[<<",
        }
    }
}

/// How a string ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Bell,
    StringTerminator,
}

impl End {
    pub(crate) fn bytes(self) -> &'static [u8] {
        match self {
            Self::Bell => b"\x07",
            Self::StringTerminator => b"\x1b\\",
        }
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum State {
    #[default]
    Ground,
    Escape,
    Csi,
    LongCsi,
    String(Kind),
    /// `ESC` came within a string: its end, or the next sequence.
    StringEscape(Kind),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Osc,
    /// An operating system command that was too long.
    LongOsc,
    /// A string of another kind, of which nothing is kept. A bell does not end it.
    Other,
}

/// The state between two pieces of output.
#[derive(Debug, Default)]
pub(crate) struct Parser {
    state: State,
    /// What has come of a sequence.
    body: Vec<u8>,
    /// What has come of a character.
    character: Character,
    /// Bytes since the last place where nothing was unfinished.
    open: usize,
}

impl Parser {
    /// Hands what is complete with `bytes` to `sink`.
    pub(crate) fn push(&mut self, mut bytes: &[u8], sink: &mut impl Sink) {
        while let Some(&first) = bytes.first() {
            let taken = match self.plain_run(bytes) {
                0 => {
                    self.byte(first, sink);
                    1
                }
                run => {
                    self.run(&bytes[..run], sink);
                    run
                }
            };
            bytes = &bytes[taken..];
            self.open = if self.state == State::Ground && self.character.is_empty() {
                0
            } else {
                self.open + taken
            };
        }
    }

    /// Counts the last bytes that belong to something unfinished.
    pub(crate) fn open(&self) -> usize {
        self.open
    }

    /// Says how the sequence that is open will end.
    pub(crate) fn endless(&self) -> Option<Endless> {
        match self.state {
            State::Ground => None,
            State::Escape | State::Csi | State::LongCsi => Some(Endless::Csi),
            State::String(Kind::Osc | Kind::LongOsc)
            | State::StringEscape(Kind::Osc | Kind::LongOsc) => Some(Endless::Osc),
            State::String(Kind::Other) | State::StringEscape(Kind::Other) => Some(Endless::String),
        }
    }

    /// Counts the bytes that can be taken at once.
    fn plain_run(&self, bytes: &[u8]) -> usize {
        match self.state {
            State::Ground | State::String(_) if self.character.is_empty() => plain_prefix(bytes),
            _ => 0,
        }
    }

    fn byte(&mut self, byte: u8, sink: &mut impl Sink) {
        if !self.character.is_empty() {
            if self.character.push(byte) {
                self.complete_character(sink);
                return;
            }
            self.character.clear();
            self.run(REPLACEMENT, sink);
        }
        match byte {
            0x00..=0x7f => self.ascii(byte, sink),
            0x80..=0x9f => self.eight_bit_control(byte, sink),
            _ if width(byte).is_some() => self.character.start(byte),
            _ => self.run(REPLACEMENT, sink),
        }
    }

    fn complete_character(&mut self, sink: &mut impl Sink) {
        let Some((bytes, len)) = self.character.take() else {
            return;
        };
        match bytes {
            [0xc2, control @ 0x80..=0x9f, ..] => self.eight_bit_control(control, sink),
            _ => self.run(&bytes[..len], sink),
        }
    }

    fn eight_bit_control(&mut self, byte: u8, sink: &mut impl Sink) {
        self.ascii(ESC, sink);
        self.ascii(byte - 0x40, sink);
    }

    /// Takes whole characters that are no controls.
    fn run(&mut self, bytes: &[u8], sink: &mut impl Sink) {
        match self.state {
            State::String(kind) => self.extend_string(kind, bytes),
            State::Ground => sink.text(bytes),
            // Only ASCII can continue the others: what had come is void.
            State::Escape | State::Csi | State::LongCsi | State::StringEscape(_) => {
                self.enter(State::Ground);
                sink.text(bytes);
            }
        }
    }

    fn ascii(&mut self, byte: u8, sink: &mut impl Sink) {
        match (self.state, byte) {
            (State::Ground, ESC) => self.enter(State::Escape),
            (State::Ground, 0x00..0x20 | DEL) => sink.control(byte),
            (State::Ground, _) => sink.text(&[byte]),
            (_, CAN | SUB) => self.enter(State::Ground),
            (State::String(kind), ESC) => self.state = State::StringEscape(kind),
            (_, ESC) => self.enter(State::Escape),
            (State::String(Kind::Osc | Kind::LongOsc), BEL) => self.end_string(End::Bell, sink),
            (State::String(kind), _) => self.extend_string(kind, &[byte]),
            (State::StringEscape(_), b'\\') => self.end_string(End::StringTerminator, sink),
            (State::StringEscape(_), _) => {
                self.enter(State::Escape);
                self.ascii(byte, sink);
            }
            // A terminal obeys a control within a sequence and reads on.
            (_, 0x00..0x20) => sink.control(byte),
            (_, DEL) => {}
            (State::Escape, _) => self.escape(byte, sink),
            (State::Csi, 0x20..0x40) if self.body.len() == CSI_LIMIT => self.enter(State::LongCsi),
            (State::Csi, 0x20..0x40) => self.body.push(byte),
            (State::Csi, _) => {
                sink.csi(&self.body, byte);
                self.enter(State::Ground);
            }
            (State::LongCsi, 0x20..0x40) => {}
            (State::LongCsi, _) => self.enter(State::Ground),
        }
    }

    fn escape(&mut self, byte: u8, sink: &mut impl Sink) {
        match byte {
            0x20..0x30 if self.body.len() == ESCAPE_LIMIT => self.enter(State::Ground),
            0x20..0x30 => self.body.push(byte),
            b'[' if self.body.is_empty() => self.enter(State::Csi),
            b']' if self.body.is_empty() => self.enter(State::String(Kind::Osc)),
            // DCS, SOS, PM, APC, and the window name of screen and tmux.
            b'P' | b'X' | b'^' | b'_' | b'k' if self.body.is_empty() => {
                self.enter(State::String(Kind::Other));
            }
            _ => {
                sink.escape(&self.body, byte);
                self.enter(State::Ground);
            }
        }
    }

    fn extend_string(&mut self, kind: Kind, bytes: &[u8]) {
        match kind {
            Kind::Osc if self.body.len() + bytes.len() > STRING_LIMIT => {
                self.enter(State::String(Kind::LongOsc));
            }
            Kind::Osc => self.body.extend_from_slice(bytes),
            Kind::LongOsc | Kind::Other => {}
        }
    }

    fn end_string(&mut self, end: End, sink: &mut impl Sink) {
        if let State::String(Kind::Osc) | State::StringEscape(Kind::Osc) = self.state {
            sink.osc(&self.body, end);
        }
        self.enter(State::Ground);
    }

    fn enter(&mut self, state: State) {
        self.state = state;
        self.body.clear();
    }
}

/// Counts the bytes at the start that are whole characters and no controls.
fn plain_prefix(bytes: &[u8]) -> usize {
    let mut at = 0;
    loop {
        at += ascii_prefix(&bytes[at..]);
        match whole_character(&bytes[at..]) {
            Some(width) => at += width,
            None => return at,
        }
    }
}

fn ascii_prefix(bytes: &[u8]) -> usize {
    let plain = |byte: &u8| (0x20..DEL).contains(byte);
    // Whole blocks without a branch in them: the compiler makes vector instructions of it.
    let blocks = bytes
        .chunks_exact(32)
        .take_while(|block| block.iter().fold(true, |all, byte| all & plain(byte)));
    let at = blocks.count() * 32;
    at + bytes[at..].iter().take_while(|byte| plain(byte)).count()
}

/// Returns the width of the character beyond ASCII that `bytes` start with.
fn whole_character(bytes: &[u8]) -> Option<usize> {
    let width = width(*bytes.first()?)?;
    let character = std::str::from_utf8(bytes.get(..width)?).ok()?;
    (!character.starts_with(char::is_control)).then_some(width)
}

/// Returns how many bytes a character beyond ASCII has that starts with `lead`.
fn width(lead: u8) -> Option<usize> {
    match lead {
        0xc2..=0xdf => Some(2),
        0xe0..=0xef => Some(3),
        0xf0..=0xf4 => Some(4),
        _ => None,
    }
}

/// A character of which not every byte has come.
#[derive(Debug, Default)]
struct Character {
    bytes: [u8; 4],
    len: usize,
}

impl Character {
    fn is_empty(&self) -> bool {
        self.len == 0
    }

    fn clear(&mut self) {
        self.len = 0;
    }

    fn start(&mut self, lead: u8) {
        self.bytes[0] = lead;
        self.len = 1;
    }

    /// Takes the next byte, unless it cannot follow (Unicode 16, table 3-7).
    fn push(&mut self, byte: u8) -> bool {
        let follows = match (self.len, self.bytes[0]) {
            (1, 0xe0) => 0xa0..=0xbf,
            (1, 0xed) => 0x80..=0x9f,
            (1, 0xf0) => 0x90..=0xbf,
            (1, 0xf4) => 0x80..=0x8f,
            _ => 0x80..=0xbf,
        };
        if !follows.contains(&byte) {
            return false;
        }
        self.bytes[self.len] = byte;
        self.len += 1;
        true
    }

    /// Takes the character out if it is whole.
    fn take(&mut self) -> Option<([u8; 4], usize)> {
        let len = self.len;
        if width(self.bytes[0]) != Some(len) {
            return None;
        }
        self.clear();
        Some((self.bytes, len))
    }
}
