//! A terminal's screen, computed from what was printed: built for a checkpoint or a comparison, then thrown away.
//!
//! Reads output with the filter's own parser, so that both find the same sequences. What an agent asks of a terminal is
//! never answered here.

mod modes;

use avt::{Line, Observation, Observer, Terminal};

use crate::filter::parser::{End, Parser, Sink};
use crate::filter::rules;
use modes::Modes;

/// Columns and rows beyond these are cut off: a viewer may claim any size, and cells cost memory.
const MOST_COLS: u16 = 1000;
const MOST_ROWS: u16 = 500;

/// Both screens, their modes, the cursor, and what has come of a sequence.
pub struct Screen {
    parser: Parser,
    inside: Inside,
}

struct Inside {
    terminal: Terminal,
    modes: Modes,
    scrolled: u64,
}

impl std::fmt::Debug for Screen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Screen")
            .field("size", &self.size())
            .finish_non_exhaustive()
    }
}

impl Screen {
    /// Makes an empty screen.
    pub fn new(cols: u16, rows: u16) -> Self {
        Self::with_scrollback(cols, rows, 0)
    }

    /// Makes an empty screen that keeps this many lines above it.
    pub fn with_scrollback(cols: u16, rows: u16, lines: usize) -> Self {
        let (cols, rows) = bounded(cols, rows);
        let terminal = Terminal::with_scrollback(cols, rows, Some(lines)).expect("no side is zero");
        Self {
            parser: Parser::default(),
            inside: Inside {
                terminal,
                modes: Modes::default(),
                scrolled: 0,
            },
        }
    }

    /// Draws output.
    pub fn push(&mut self, bytes: &[u8]) {
        self.parser.push(bytes, &mut self.inside);
    }

    /// Changes the size; lines are wrapped anew.
    pub fn resize(&mut self, cols: u16, rows: u16) {
        let (cols, rows) = bounded(cols, rows);
        let scrolled = Scrolled(&mut self.inside.scrolled);
        self.inside.terminal.resize_with(cols, rows, scrolled);
    }

    /// Says whether nothing that was drawn is unfinished, neither a sequence nor a character.
    pub fn is_whole(&self) -> bool {
        self.parser.open() == 0
    }

    /// Returns columns and rows.
    pub fn size(&self) -> (u16, u16) {
        let (cols, rows) = self.inside.terminal.size();
        let small = |side| u16::try_from(side).unwrap_or(u16::MAX);
        (small(cols), small(rows))
    }

    /// Returns how many lines have left the screen and its scrollback at the top.
    pub fn scrolled(&self) -> u64 {
        self.inside.scrolled
    }

    /// Returns what draws this screen on an empty terminal of the same size: both screens, cursors, margins, character
    /// sets, attributes, modes, title. Scrollback and an unfinished sequence are not in it.
    pub fn redraw(&self) -> Vec<u8> {
        let mut redraw = self.inside.modes.before();
        let mut plain = Plain(&mut redraw);
        Parser::default().push(self.inside.terminal.dump().as_bytes(), &mut plain);
        redraw.extend(self.inside.modes.after());
        redraw
    }

    /// Returns the emulator, to look at its cells.
    pub fn terminal(&self) -> &Terminal {
        &self.inside.terminal
    }

    /// Returns the modes that the emulator does not know, as what would set them.
    pub fn modes(&self) -> Vec<u8> {
        [self.inside.modes.before(), self.inside.modes.after()].concat()
    }
}

fn bounded(cols: u16, rows: u16) -> (usize, usize) {
    (
        cols.clamp(1, MOST_COLS).into(),
        rows.clamp(1, MOST_ROWS).into(),
    )
}

impl Inside {
    fn feed(&mut self, text: &str) {
        self.terminal.feed_with(text, Scrolled(&mut self.scrolled));
    }

    fn sequence(&mut self, start: &str, body: &[u8], last: u8) {
        let sequence: String = start
            .chars()
            .chain(body.iter().chain([&last]).copied().map(char::from))
            .collect();
        self.feed(&sequence);
    }
}

impl Sink for Inside {
    fn text(&mut self, bytes: &[u8]) {
        self.feed(&String::from_utf8_lossy(bytes));
    }

    fn control(&mut self, byte: u8) {
        self.terminal
            .feed_with(char::from(byte), Scrolled(&mut self.scrolled));
    }

    fn escape(&mut self, intermediates: &[u8], last: u8) {
        self.modes.escape(intermediates, last);
        if rules::escape_passes(intermediates) {
            self.sequence("\x1b", intermediates, last);
        }
    }

    fn csi(&mut self, body: &[u8], last: u8) {
        if rules::csi_passes(body, last, true) {
            self.modes.csi(body, last);
            // A size that the agent asks for is one that the person does not grant.
            if last != b't' {
                self.sequence("\x1b[", body, last);
            }
        }
    }

    fn osc(&mut self, body: &[u8], _end: End) {
        self.modes.osc(body);
    }
}

/// Counts the lines that leave at the top.
struct Scrolled<'a>(&'a mut u64);

impl Observer for Scrolled<'_> {
    type Output = ();

    fn evicted(&mut self, _: &mut Observation<'_>, _: &Line) {
        *self.0 += 1;
    }

    fn end(&mut self, _: &mut Observation<'_>) {}
}

/// Writes the emulator's own redraw in words that every terminal knows.
struct Plain<'a>(&'a mut Vec<u8>);

impl Sink for Plain<'_> {
    fn text(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    fn control(&mut self, byte: u8) {
        self.0.push(byte);
    }

    fn escape(&mut self, intermediates: &[u8], last: u8) {
        self.0.push(0x1b);
        self.0.extend_from_slice(intermediates);
        self.0.push(last);
    }

    fn csi(&mut self, body: &[u8], last: u8) {
        match (body, last) {
            // Tab stops by the older names.
            (b"5", b'W') => self.0.extend_from_slice(b"\x1b[3g"),
            (b"0" | b"", b'W') => self.0.extend_from_slice(b"\x1bH"),
            (_, b'm') => {
                self.0.extend_from_slice(b"\x1b[");
                // Colours with semicolons: some terminals do not read colons.
                self.0.extend(
                    body.iter()
                        .map(|&byte| if byte == b':' { b';' } else { byte }),
                );
                self.0.push(last);
            }
            _ => {
                self.0.extend_from_slice(b"\x1b[");
                self.0.extend_from_slice(body);
                self.0.push(last);
            }
        }
    }
}
