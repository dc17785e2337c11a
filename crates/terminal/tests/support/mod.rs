//! A session's folder with a log in it, screens compared cell by cell, and random output.
#![allow(dead_code, clippy::unwrap_used)]

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use clauderon_holder::{SessionFiles, SizeMark};
use clauderon_terminal::history::Snapshot;
use clauderon_terminal::screen::Screen;
use proptest::prelude::*;

/// A session folder that is removed with the test.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("history-{}-{number}", std::process::id()));
        fs::create_dir_all(path.join("private")).unwrap();
        Self(path)
    }

    pub fn files(&self) -> SessionFiles {
        SessionFiles::new(&self.0)
    }

    pub fn log(&self, bytes: &[u8]) {
        fs::write(self.files().log(), bytes).unwrap();
    }

    pub fn append(&self, bytes: &[u8]) {
        let mut log = fs::File::options()
            .append(true)
            .open(self.files().log())
            .unwrap();
        std::io::Write::write_all(&mut log, bytes).unwrap();
    }

    pub fn path(&self) -> &std::path::Path {
        &self.0
    }

    pub fn sizes(&self, marks: &[(u64, u16, u16)]) {
        let lines: String = marks
            .iter()
            .map(|&(offset, cols, rows)| SizeMark { offset, cols, rows }.line())
            .collect();
        fs::write(self.files().sizes(), lines).unwrap();
    }

    pub fn epoch(&self, epoch: u64) {
        fs::write(self.files().log_index(), format!("{{\"epoch\":{epoch}}}")).unwrap();
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

pub fn draw(bytes: &[u8], cols: u16, rows: u16, scrollback: usize) -> Screen {
    let mut screen = Screen::with_scrollback(cols, rows, scrollback);
    screen.push(bytes);
    screen
}

/// What a viewer draws of a snapshot.
pub fn snapshot_screen(snapshot: &Snapshot, scrollback: usize) -> Screen {
    let first = &snapshot.parts[0];
    let mut screen = Screen::with_scrollback(first.cols, first.rows, scrollback);
    for part in &snapshot.parts {
        screen.resize(part.cols, part.rows);
        screen.push(&part.bytes);
    }
    screen
}

/// Compares cells of both screens and of the newest `scrollback` lines above, cursor and modes.
#[track_caller]
pub fn assert_same(left: &Screen, right: &Screen, scrollback: usize) {
    let (a, b) = (left.terminal(), right.terminal());
    assert_eq!(left.size(), right.size());
    // Both screens, saved cursors, margins, tabs, character sets, pen, modes and the unfinished sequence.
    assert_eq!(a.dump(), b.dump());
    assert_eq!(a.cursor(), b.cursor());
    assert_eq!(left.modes(), right.modes());
    let rows = usize::from(left.size().1) + scrollback;
    let newest = |screen: &Screen| {
        let lines: Vec<_> = screen
            .terminal()
            .primary_screen()
            .all_lines()
            .map(|line| (line.cells().to_vec(), line.is_wrapped()))
            .collect();
        lines[lines.len().saturating_sub(rows)..].to_vec()
    };
    let (a, b) = (newest(left), newest(right));
    let common = a.len().min(b.len());
    for (line, (a, b)) in a[a.len() - common..]
        .iter()
        .zip(&b[b.len() - common..])
        .enumerate()
    {
        assert_eq!(a, b, "line {line} of {common}");
    }
    assert!(
        common >= rows.min(b.len()),
        "{} lines of {}",
        a.len(),
        b.len()
    );
}

/// Compares the newest lines above the screen, as many as both have and at most `lines`.
#[track_caller]
pub fn assert_common_history(left: &Screen, right: &Screen, lines: usize) {
    let above = |screen: &Screen| {
        let all = screen.terminal().primary_screen();
        let mut cells: Vec<_> = all.all_lines().map(|line| line.cells().to_vec()).collect();
        cells.truncate(cells.len() - usize::from(screen.size().1));
        cells.reverse();
        cells
    };
    let (a, b) = (above(left), above(right));
    let common = a.len().min(b.len()).min(lines);
    assert!(a[..common] == b[..common]);
}

/// Output of all kinds: text, wide and combining letters, sequences whole, torn and in no order.
pub fn output() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let text = prop_oneof![
        "[ -~]{1,30}".prop_map(String::into_bytes),
        "[äöü日本語🦀─│╮✓é́]{1,12}".prop_map(String::into_bytes),
        Just(b"\r\n".to_vec()),
        Just(b"\t\x08\x0e\x0f".to_vec()),
    ];
    let number = 0..140u16;
    let sequence = prop_oneof![
        (
            prop::collection::vec(number.clone(), 0..4),
            "[ABCDEFGHJKLMPSTXZ@`abdefr]"
        )
            .prop_map(|(n, last)| {
                let n: Vec<_> = n.iter().map(u16::to_string).collect();
                format!("\x1b[{}{last}", n.join(";")).into_bytes()
            }),
        (prop::collection::vec(number, 0..4)).prop_map(|n| {
            let n: Vec<_> = n.iter().map(u16::to_string).collect();
            format!("\x1b[{}m", n.join(";")).into_bytes()
        }),
        (
            prop::sample::select(vec![
                1, 6, 7, 25, 47, 1000, 1002, 1003, 1004, 1006, 1007, 1047, 1048, 1049, 2004, 2026,
                2031
            ]),
            "[hl]",
        )
            .prop_map(|(mode, end)| format!("\x1b[?{mode}{end}").into_bytes()),
        prop::sample::select(vec![
            "\x1b7",
            "\x1b8",
            "\x1bM",
            "\x1bD",
            "\x1bE",
            "\x1bH",
            "\x1bc",
            "\x1b=",
            "\x1b>",
            "\x1b(0",
            "\x1b(B",
            "\x1b)0",
            "\x1b[!p",
            "\x1b[4h",
            "\x1b[4l",
            "\x1b[20h",
            "\x1b[20l",
            "\x1b[3 q",
            "\x1b[>1u",
            "\x1b[<u",
            "\x1b[=3;2u",
            "\x1b[>4;2m",
            "\x1b#8",
            "\x1b]0;title\x07",
            "\x1b]8;;https://a.example\x1b\\",
            "\x1b]8;;\x1b\\",
            "\x1b]11;#123456\x07",
            "\x1b]111\x07",
            "\x1b[s",
            "\x1b[u",
            "\x1b[3g",
            "\x1b[?5W",
            "\x1bP1$r0m\x1b\\",
            "\x1b]52;c;aGk=\x07",
            "\x1b[38:2:1:2:3m",
            "\x1b[48;2;9;8;7m",
            "\x1b[8;50;100t",
        ])
        .prop_map(|text| text.as_bytes().to_vec()),
    ];
    let torn = prop::collection::vec(any::<u8>(), 0..6);
    prop::collection::vec(prop_oneof![6 => text, 8 => sequence, 1 => torn], 0..120)
}
