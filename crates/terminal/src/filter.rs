//! What an agent prints, made safe for a person's own terminal.
//!
//! The output holds whole sequences only, in 7-bit form, between valid UTF-8: every terminal reads it alike, so that what
//! was judged here is what happens there. Never adds a sequence of its own, but for the end of a link that it cut.

pub(crate) mod parser;
pub(crate) mod rules;

use parser::{End, Parser, Sink};
use rules::Osc;

const ENQ: u8 = 0x05;
const END_OF_LINK: &[u8] = b"\x1b]8;;\x1b\\";

/// Removes from terminal output what reaches past the screen: the clipboard, the title read back, files, other programs.
///
/// Keeps the state of a sequence between calls: how the output was cut into pieces makes no difference.
#[derive(Debug)]
pub struct Filter {
    parser: Parser,
    titles: bool,
    questions: bool,
    link_open: bool,
}

impl Default for Filter {
    fn default() -> Self {
        Self::new()
    }
}

impl Filter {
    /// Makes a filter that lets titles through, cleaned and bounded.
    pub fn new() -> Self {
        Self {
            parser: Parser::default(),
            titles: true,
            questions: true,
            link_open: false,
        }
    }

    /// Makes it remove what a terminal would answer, for history: the answer would be typed at today's agent.
    #[must_use]
    pub fn without_questions(self) -> Self {
        Self {
            questions: false,
            ..self
        }
    }

    /// Makes it remove titles too, for a viewer that sets its own.
    #[must_use]
    pub fn without_titles(self) -> Self {
        Self {
            titles: false,
            ..self
        }
    }

    /// Appends to `out` what may pass of `bytes`. The start of a sequence is held until its end has come.
    pub fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        out.reserve(bytes.len());
        let mut writer = Writer {
            titles: self.titles,
            questions: self.questions,
            link_open: &mut self.link_open,
            out,
        };
        self.parser.push(bytes, &mut writer);
    }

    /// Returns what may pass of `bytes`, as [`Filter::push`] does.
    pub fn feed(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        self.push(bytes, &mut out);
        out
    }

    /// Ends the output: drops what was not finished and returns the end of a link that was left open.
    pub fn finish(&mut self) -> Vec<u8> {
        self.parser = Parser::default();
        if std::mem::take(&mut self.link_open) {
            END_OF_LINK.to_vec()
        } else {
            Vec::new()
        }
    }
}

/// Applies the rules to each piece that the parser finds.
struct Writer<'a> {
    titles: bool,
    questions: bool,
    link_open: &'a mut bool,
    out: &'a mut Vec<u8>,
}

impl Writer<'_> {
    fn write_osc(&mut self, pieces: &[&[u8]], end: End) {
        self.out.extend_from_slice(b"\x1b]");
        for piece in pieces {
            self.out.extend_from_slice(piece);
        }
        self.out.extend_from_slice(end.bytes());
    }
}

impl Sink for Writer<'_> {
    fn text(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }

    fn control(&mut self, byte: u8) {
        // The terminal would type its answerback at the agent, which some terminals let a program set.
        if byte != ENQ {
            self.out.push(byte);
        }
    }

    fn escape(&mut self, intermediates: &[u8], last: u8) {
        // `ESC Z` asks what the terminal is.
        if !self.questions && (intermediates, last) == (b"", b'Z') {
            return;
        }
        if rules::escape_passes(intermediates) {
            self.out.push(0x1b);
            self.out.extend_from_slice(intermediates);
            self.out.push(last);
        }
    }

    fn csi(&mut self, body: &[u8], last: u8) {
        let silent = self.questions || !rules::csi_asks(body, last);
        if silent && rules::csi_passes(body, last, self.titles) {
            self.out.extend_from_slice(b"\x1b[");
            self.out.extend_from_slice(body);
            self.out.push(last);
        }
    }

    fn osc(&mut self, body: &[u8], end: End) {
        match rules::judge_osc(body) {
            Osc::Title { kind, text } if self.titles => {
                self.write_osc(&[&[kind], b";", text.as_bytes()], end);
            }
            Osc::Title { .. } | Osc::Refused => {}
            Osc::Colour if !self.questions && rules::osc_asks(body) => {}
            Osc::Colour => self.write_osc(&[body], end),
            Osc::Link { opens } => {
                *self.link_open = opens;
                self.write_osc(&[body], end);
            }
            // Its text must not become part of the link before it.
            Osc::RefusedLink => {
                if std::mem::take(self.link_open) {
                    self.out.extend_from_slice(END_OF_LINK);
                }
            }
        }
    }
}
