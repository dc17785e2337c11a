//! Standard output and standard error. Everything that may come from a sandbox is escaped before it
//! reaches a terminal.

use std::io::{self, IsTerminal, Write};

use serde::Serialize;

/// Writes bytes to standard output as they are.
pub fn raw(bytes: &[u8]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(bytes)?;
    out.flush()
}

/// Writes one line to standard output.
pub fn line(text: &str) -> io::Result<()> {
    raw(format!("{text}\n").as_bytes())
}

/// Writes a value as JSON to standard output.
pub fn json(value: &impl Serialize) -> anyhow::Result<()> {
    line(&serde_json::to_string_pretty(value)?)?;
    Ok(())
}

/// Writes a value as one line of JSON to standard output.
pub fn json_line(value: &impl Serialize) -> anyhow::Result<()> {
    line(&serde_json::to_string(value)?)?;
    Ok(())
}

/// Writes one line to standard error; a closed standard error is nobody's concern.
pub fn note(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Says whether standard output is a terminal.
pub fn to_terminal() -> bool {
    io::stdout().is_terminal()
}

/// Replaces what could steer a terminal or turn the reading direction; line ends and tabs too.
pub fn escape(text: &str) -> String {
    escape_but(text, &[])
}

/// As [`escape`], but leaves line ends and tabs, for text of many lines.
pub fn escape_text(text: &str) -> String {
    escape_but(text, &['\n', '\t'])
}

fn escape_but(text: &str, kept: &[char]) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if kept.contains(&character) || !steers(character) {
            escaped.push(character);
        } else {
            escaped.extend(character.escape_unicode());
        }
    }
    escaped
}

fn steers(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
        )
}

/// Lays rows out in columns as wide as their widest cell; every cell is escaped.
pub fn table<const N: usize>(head: [&str; N], rows: &[[String; N]]) -> String {
    let rows: Vec<[String; N]> = rows
        .iter()
        .map(|row| row.each_ref().map(|cell| escape(cell)))
        .collect();
    let mut widths = head.map(|cell| cell.chars().count());
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut text = columns(&widths, head);
    for row in &rows {
        text.push('\n');
        text.push_str(&columns(&widths, row.each_ref().map(String::as_str)));
    }
    text
}

fn columns<const N: usize>(widths: &[usize; N], cells: [&str; N]) -> String {
    let padded: Vec<String> = cells
        .iter()
        .zip(widths)
        .map(|(cell, &width)| format!("{cell:<width$}"))
        .collect();
    padded.join("  ").trim_end().to_owned()
}

/// Says a number of bytes in the largest unit that leaves at least one.
pub fn size(bytes: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    match UNITS.iter().find(|(unit, _)| bytes >= *unit) {
        Some((unit, name)) => format!("{:.1} {name}", bytes as f64 / *unit as f64),
        None => format!("{bytes} B"),
    }
}

/// Says how long ago `then` was, both in milliseconds.
pub fn ago(now_ms: u64, then_ms: u64) -> String {
    let seconds = now_ms.saturating_sub(then_ms) / 1000;
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m", seconds / 60),
        3600..86400 => format!("{}h", seconds / 3600),
        _ => format!("{}d", seconds / 86400),
    }
}

/// Returns the time in milliseconds since 1970.
pub fn now_ms() -> u64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |since| since.as_millis() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_steers_a_terminal_gets_through() {
        for (text, expected) in [
            ("plain é 😀", "plain é 😀"),
            ("a\x1b[31mb", "a\\u{1b}[31mb"),
            ("a\u{9b}b", "a\\u{9b}b"),
            ("a\u{202e}b", "a\\u{202e}b"),
            ("a\r\nb", "a\\u{d}\\u{a}b"),
        ] {
            assert_eq!(escape(text), expected);
        }
        assert_eq!(escape_text("a\tb\n\r"), "a\tb\n\\u{d}");
    }

    #[test]
    fn columns_fit_their_widest_cell() {
        let rows = [["a".to_owned(), "x\n".to_owned()]];
        assert_eq!(
            table(["NAME", "STATE"], &rows),
            "NAME  STATE\na     x\\u{a}"
        );
    }

    #[test]
    fn sizes_are_short() {
        for (bytes, expected) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1536, "1.5 KiB"),
            (5 << 20, "5.0 MiB"),
            (3 << 40, "3072.0 GiB"),
        ] {
            assert_eq!(size(bytes), expected);
        }
    }

    #[test]
    fn ages_are_short() {
        for (seconds, expected) in [(5, "5s"), (65, "1m"), (7300, "2h"), (200_000, "2d")] {
            assert_eq!(ago(seconds * 1000, 0), expected);
        }
        assert_eq!(ago(0, 5), "0s");
    }
}
