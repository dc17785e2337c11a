//! How the demo's page looks: headings, colours where a terminal shows them, lines that fit.

use crate::attach;
use crate::output;

/// The widest line that is written, in characters.
const WIDEST: usize = 100;

/// The colours, by what they mean here.
#[derive(Debug, Clone, Copy)]
pub enum Ink {
    Plain,
    Bold,
    Faint,
    Command,
    Good,
    Bad,
}

impl Ink {
    fn code(self) -> &'static str {
        match self {
            Ink::Plain => "",
            Ink::Bold => "\x1b[1m",
            Ink::Faint => "\x1b[2m",
            Ink::Command => "\x1b[36m",
            Ink::Good => "\x1b[32m",
            Ink::Bad => "\x1b[31m",
        }
    }
}

/// Where the demo writes: how wide, and whether in colours.
#[derive(Debug, Clone, Copy)]
pub struct Page {
    width: usize,
    coloured: bool,
}

impl Page {
    /// Looks at standard output.
    pub fn here() -> Page {
        let columns = attach::size().map_or(WIDEST, |(columns, _)| usize::from(columns));
        let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Page {
            width: columns.clamp(40, WIDEST),
            coloured: output::to_terminal() && !plain,
        }
    }

    /// Begins a part.
    pub fn heading(&self, text: &str) -> std::io::Result<()> {
        output::line("")?;
        output::line(&self.paint(Ink::Bold, text))
    }

    /// Writes text below a label of its first line; whatever steers a terminal is escaped.
    pub fn labelled(&self, label: &str, ink: Ink, text: &str) -> std::io::Result<()> {
        let text = output::escape_text(text).replace('\t', "    ");
        let room = self.width.saturating_sub(label.chars().count()).max(20);
        let lines = text.lines().flat_map(|line| wrap(line, room));
        let indent = " ".repeat(label.chars().count());
        for (at, line) in lines.enumerate() {
            let before = if at == 0 { label } else { &indent };
            let line = format!("{before}{}", self.paint(ink, &line));
            output::line(line.trim_end())?;
        }
        Ok(())
    }

    /// Writes text as it stands, in a colour; whatever steers a terminal is escaped.
    pub fn text(&self, ink: Ink, text: &str) -> std::io::Result<()> {
        self.labelled("  ", ink, text)
    }

    fn paint(&self, ink: Ink, text: &str) -> String {
        match (self.coloured, ink.code()) {
            (false, _) | (_, "") => text.to_owned(),
            (true, code) => format!("{code}{text}\x1b[0m"),
        }
    }
}

/// Breaks a line at spaces, else behind commas, else anywhere; spaces at its beginning and within stay.
fn wrap(line: &str, room: usize) -> Vec<String> {
    let mut rest: Vec<char> = line.chars().collect();
    let mut lines = Vec::new();
    while rest.len() > room {
        let last = |breaks: &dyn Fn(char) -> bool, upto: usize| {
            rest[..upto]
                .iter()
                .rposition(|&character| breaks(character))
                .filter(|at| *at > room / 2)
        };
        let cut = last(&|character| character == ' ', room + 1)
            .or_else(|| last(&|character| character == ',', room).map(|at| at + 1))
            .unwrap_or(room);
        let tail = rest.split_off(cut);
        lines.push(rest.into_iter().collect::<String>().trim_end().to_owned());
        rest = tail.into_iter().skip_while(|&c| c == ' ').collect();
    }
    lines.push(rest.into_iter().collect());
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_where_they_may_and_lose_nothing() {
        for (line, expected) in [
            ("", &[""][..]),
            ("short", &["short"]),
            ("1234567 9 b", &["1234567 9", "b"]),
            ("12345678,0123", &["12345678,", "0123"]),
            ("123456789012345", &["1234567890", "12345"]),
        ] {
            assert_eq!(wrap(line, 10), expected);
        }
    }
}
