//! Which sequences may reach a person's own terminal.
//!
//! Of operating system commands only those named here pass: terminals keep inventing them, for clipboards, files and
//! messages. Control sequences draw, so all pass but those named. Sequences without order in them never pass: terminals
//! differ in how they read them. Sources: the control sequences of xterm, kitty, the Linux console, rxvt.

/// Characters of a title; a tab or window shows fewer.
const TITLE_LIMIT: usize = 256;

/// What becomes of an operating system command.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Osc {
    /// A title to write anew; `kind` is `0`, `1` or `2`.
    Title {
        kind: u8,
        text: String,
    },
    /// The start of a link to a web page, or a link's end.
    Link {
        opens: bool,
    },
    /// The start of a link to anything else.
    RefusedLink,
    /// A colour asked for, set or set back.
    Colour,
    Refused,
}

/// Judges an operating system command.
pub(crate) fn judge_osc(body: &[u8]) -> Osc {
    match split_osc(body) {
        (Some(kind @ 0..=2), Some(text)) => Osc::Title {
            kind: b'0' + kind as u8,
            text: clean_title(text),
        },
        (Some(8), Some(link)) => judge_link(link),
        (Some(4 | 5 | 10..=19 | 104 | 105 | 110..=119), _) if is_printable(body) => Osc::Colour,
        _ => Osc::Refused,
    }
}

/// Splits an operating system command into its number and what follows the first semicolon.
pub(crate) fn split_osc(body: &[u8]) -> (Option<u32>, Option<&[u8]>) {
    match body.iter().position(|&byte| byte == b';') {
        Some(at) => (parse_number(&body[..at]), Some(&body[at + 1..])),
        None => (parse_number(body), None),
    }
}

fn judge_link(link: &[u8]) -> Osc {
    let Some(at) = link.iter().position(|&byte| byte == b';') else {
        return Osc::Refused;
    };
    let uri = link[at + 1..].to_ascii_lowercase();
    let is_web = uri.starts_with(b"http://") || uri.starts_with(b"https://");
    match () {
        () if !is_printable(link) => Osc::RefusedLink,
        () if uri.is_empty() => Osc::Link { opens: false },
        () if is_web => Osc::Link { opens: true },
        () => Osc::RefusedLink,
    }
}

/// Returns a title without what a person cannot see or what turns text around, cut to a bearable length.
pub(crate) fn clean_title(text: &[u8]) -> String {
    String::from_utf8_lossy(text)
        .chars()
        .filter(|&character| !character.is_control() && !is_invisible(character))
        .take(TITLE_LIMIT)
        .collect()
}

/// Says whether a character is there to steer others. Joiners are not among them: scripts and emoji need them.
fn is_invisible(character: char) -> bool {
    matches!(character,
        '\u{061c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Judges an escape sequence other than those which start another.
pub(crate) fn escape_passes(intermediates: &[u8]) -> bool {
    // `ESC %` would take the terminal out of UTF-8, where letters turn into controls; `ESC SP` makes its answers 8-bit.
    !matches!(intermediates, [b'%' | b' ', ..])
}

/// Judges a control sequence.
pub(crate) fn csi_passes(body: &[u8], last: u8, titles: bool) -> bool {
    let Some(csi) = Csi::parse(body) else {
        return false;
    };
    match (csi.intermediates, last) {
        // Windows moved and sized, titles and icons told.
        (_, b't') => csi.marker.is_none() && csi.intermediates.is_empty() && csi.asks_size(titles),
        // How titles are told and set.
        (_, b'T') if csi.marker == Some(b'>') => false,
        // Printing; checksums that tell what the screen shows; self-tests.
        (_, b'i' | b'y') => false,
        // State told at length; macros run; the language level, with it 8-bit answers.
        (b"$", b'w' | b'u') | (b"*", b'z') | (b"\"", b'p') => false,
        // The Linux console: a letter swallowed, consoles switched.
        (_, b'[' | b']') => false,
        (_, b'h' | b'l') if csi.marker == Some(b'?') => !csi.numbers().any(is_refused_mode),
        _ => true,
    }
}

/// Says whether a terminal would answer this control sequence: device, status, modes, keyboard flags, sizes.
pub(crate) fn csi_asks(body: &[u8], last: u8) -> bool {
    let Some(csi) = Csi::parse(body) else {
        return false;
    };
    matches!(
        (csi.marker, csi.intermediates, last),
        (_, b"", b'c' | b'n' | b'x' | b't')
            | (Some(b'>'), b"", b'q')
            | (Some(b'?'), b"", b'u')
            | (_, [.., b'$'], b'p')
    )
}

/// Says whether a terminal would answer this command about colours.
pub(crate) fn osc_asks(body: &[u8]) -> bool {
    body.split(|&byte| byte == b';').any(|part| part == b"?")
}

/// VT52, where sequences read differently; logging to a file; numbers that some terminals would wrap into those.
fn is_refused_mode(mode: Option<u32>) -> bool {
    !matches!(mode, Some(0..=1 | 3..=45 | 47..=0xffff))
}

/// A control sequence in order: one marker, parameters, intermediates.
pub(crate) struct Csi<'a> {
    pub(crate) marker: Option<u8>,
    parameters: &'a [u8],
    pub(crate) intermediates: &'a [u8],
}

impl<'a> Csi<'a> {
    pub(crate) fn parse(body: &'a [u8]) -> Option<Self> {
        let (marker, rest) = match body {
            [marker @ b'<'..=b'?', rest @ ..] => (Some(*marker), rest),
            _ => (None, body),
        };
        let end = rest
            .iter()
            .position(|byte| !(b'0'..=b';').contains(byte))
            .unwrap_or(rest.len());
        let (parameters, intermediates) = rest.split_at(end);
        intermediates
            .iter()
            .all(|byte| (b' '..=b'/').contains(byte))
            .then_some(Self {
                marker,
                parameters,
                intermediates,
            })
    }

    pub(crate) fn numbers(&self) -> impl Iterator<Item = Option<u32>> {
        self.parameters
            .split(|&byte| byte == b';' || byte == b':')
            .map(parse_number)
    }

    /// Says whether it asks for a size in pixels or cells, or keeps a title for later.
    fn asks_size(&self, titles: bool) -> bool {
        let numbers: Vec<_> = self.numbers().take(3).collect();
        match numbers[..] {
            [Some(14 | 16 | 18)] | [Some(14), Some(2)] => true,
            [Some(22 | 23)] | [Some(22 | 23), Some(0..=2)] => titles,
            _ => false,
        }
    }
}

fn is_printable(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| (b' '..=b'~').contains(byte))
}

/// Reads a decimal number; none where it is empty, has another character or exceeds what any terminal numbers.
fn parse_number(digits: &[u8]) -> Option<u32> {
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok()
}
