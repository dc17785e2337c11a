//! Checkpoints and snapshots: what a viewer is shown is what the whole stream would have drawn.
#![allow(clippy::unwrap_used)]

mod support;

use std::fs;

use clauderon_terminal::Keeper;
use clauderon_terminal::history::{self, DENSE, ENOUGH_LINES, EVERY, History, SPARSE};
use clauderon_terminal::screen::Screen;
use proptest::prelude::*;
use support::{Folder, assert_same, draw, snapshot_screen};

/// Lines of a build, with colours, wide letters and a title now and then.
fn lines(count: usize) -> Vec<u8> {
    (0..count)
        .map(|line| match line % 100 {
            7 => format!("\x1b]0;line {line}\x07"),
            _ => format!(
                "\x1b[3{}m{line:06}\x1b[0m 日本 compiled something or other, ok ✓\r\n",
                line % 8
            ),
        })
        .collect::<String>()
        .into_bytes()
}

#[test]
fn a_short_log_is_shown_whole() {
    let folder = Folder::new();
    folder.log(b"one\r\n\x1b[1mtwo");
    let snapshot = history::take(&folder.files()).unwrap();
    assert_eq!(snapshot.next, 12);
    assert_eq!(&snapshot.parts[0].bytes[..], b"one\r\n\x1b[1mtwo");
}

#[test]
fn a_long_log_is_shown_from_a_checkpoint_with_enough_lines_above() {
    let folder = Folder::new();
    let log = lines(150_000);
    folder.log(&log);
    history::advance(&folder.files()).unwrap();
    let snapshot = history::take(&folder.files()).unwrap();
    assert_eq!(snapshot.next, log.len() as u64);
    let shown: usize = snapshot.parts.iter().map(|part| part.bytes.len()).sum();
    assert!(shown < 3 * 1024 * 1024, "{shown}");
    let (screen, whole) = (
        snapshot_screen(&snapshot, 50_000),
        draw(&log, 80, 24, 50_000),
    );
    let scrollback = screen.terminal().primary_screen().all_lines().count() as u64;
    assert!(scrollback >= ENOUGH_LINES, "{scrollback}");
    assert_same(&screen, &whole, ENOUGH_LINES as usize);
}

#[test]
fn checkpoints_that_were_lost_are_written_again_and_old_ones_go() {
    let folder = Folder::new();
    let log = lines(250_000);
    folder.log(&log);
    history::advance(&folder.files()).unwrap();
    let offsets = folder.files().checkpoint_offsets().unwrap();
    assert!(
        offsets.len() as u64 <= log.len() as u64 / SPARSE + DENSE / EVERY + 2,
        "{offsets:?}"
    );
    assert!(log.len() as u64 - offsets.last().unwrap() < EVERY);
    fs::remove_dir_all(folder.files().checkpoints()).unwrap();
    let screen = snapshot_screen(&history::take(&folder.files()).unwrap(), 50_000);
    assert_same(&screen, &draw(&log, 80, 24, 50_000), ENOUGH_LINES as usize);
    assert_eq!(folder.files().checkpoint_offsets().unwrap(), offsets);
}

#[test]
fn a_checkpoint_that_was_spoilt_is_passed_over() {
    let folder = Folder::new();
    let log = lines(60_000);
    folder.log(&log);
    history::advance(&folder.files()).unwrap();
    for offset in folder.files().checkpoint_offsets().unwrap() {
        fs::write(folder.files().checkpoints().join(offset.to_string()), "{").unwrap();
    }
    let screen = snapshot_screen(&history::take(&folder.files()).unwrap(), 50_000);
    assert_same(&screen, &draw(&log, 80, 24, 50_000), ENOUGH_LINES as usize);
}

#[test]
fn each_part_was_printed_at_its_size() {
    let folder = Folder::new();
    let (narrow, wide) = (lines(20_000), lines(30_000));
    folder.log(&[narrow.as_slice(), &wide].concat());
    folder.sizes(&[(0, 40, 10), (narrow.len() as u64, 132, 50)]);
    history::advance(&folder.files()).unwrap();
    let mut whole = Screen::with_scrollback(40, 10, 200_000);
    whole.push(&narrow);
    whole.resize(132, 50);
    whole.push(&wide);
    let snapshot = history::take(&folder.files()).unwrap();
    assert_same(
        &snapshot_screen(&snapshot, 200_000),
        &whole,
        ENOUGH_LINES as usize,
    );
}

#[test]
fn nothing_hostile_and_no_question_is_in_a_snapshot() {
    let folder = Folder::new();
    let hostile = "\x1b]52;c;aGk=\x07\x1bP$qm\x1b\\\x1b[21t\x1b[c\x1b[6n\x1b[?2026$p\x1b[>0q\x1b[?u\x1bZ\x1b]11;?\x07\x1b]4;1;?\x1b\\";
    let mut log = format!("\x1b]0;evil\u{202e}title\x07{hostile}seen").into_bytes();
    log.extend(lines(60_000));
    log.extend(format!("{hostile}end").bytes());
    folder.log(&log);
    history::advance(&folder.files()).unwrap();
    let snapshot = history::take(&folder.files()).unwrap();
    let bytes: Vec<u8> = snapshot
        .parts
        .iter()
        .flat_map(|part| part.bytes.to_vec())
        .collect();
    let text = String::from_utf8(bytes).unwrap();
    for absent in [
        "\x1b]52", "\x1bP", "21t", "\x1b[c", "\x1b[6n", "$p", "\x1b[>0q", "\x1b[?u", "\x1bZ",
        "?\x07", "?\x1b\\", "\u{202e}",
    ] {
        assert!(!text.contains(absent), "{absent:?}");
    }
    assert!(text.ends_with("end"));
}

#[test]
fn an_endless_sequence_neither_hides_the_screen_nor_grows_the_snapshot() {
    for opening in ["\x1bP1$r", "\x1b]52;c;", "\x1b[1;"] {
        let folder = Folder::new();
        let mut log = lines(10_000);
        log.extend(opening.bytes());
        log.extend(b"1".repeat(3 << 20));
        folder.log(&log);
        let snapshot = history::take(&folder.files()).unwrap();
        assert_eq!(snapshot.next, log.len() as u64);
        let size: usize = snapshot.parts.iter().map(|part| part.bytes.len()).sum();
        assert!(size < 1 << 20, "{size}");
        let ends: &[&[u8]] = match opening.as_bytes()[1] {
            b'P' => &[b"\x07still in\x1b\\after"],
            b']' => &[b"\x07after", b"1\x1b\\after"],
            _ => &[b"1mafter"],
        };
        for end in ends {
            let mut whole = draw(&log, 80, 24, 0);
            let mut shown = snapshot_screen(&snapshot, 0);
            whole.push(end);
            shown.push(end);
            assert_same(&shown, &whole, 0);
        }
    }
}

#[test]
fn history_of_another_epoch_is_none() {
    let folder = Folder::new();
    folder.log(&lines(40_000));
    history::advance(&folder.files()).unwrap();
    folder.log(&b"new\r\n".repeat(100_000));
    folder.epoch(9);
    let screen = snapshot_screen(&history::take(&folder.files()).unwrap(), 0);
    assert!(screen.terminal().screen().text()[0].starts_with("new"));
    assert_eq!(History::open(&folder.files()).unwrap().epoch(), 9);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Whatever is printed and wherever it is cut, the snapshot and the rest draw what the whole draws.
    #[test]
    fn a_snapshot_and_the_rest_are_the_whole(pieces in support::output(), at in 0.0..1.0) {
        let log = pieces.concat();
        let cut = (log.len() as f64 * at) as usize;
        let folder = Folder::new();
        folder.log(&log[..cut]);
        let snapshot = history::take(&folder.files()).unwrap();
        let mut screen = snapshot_screen(&snapshot, 1_000);
        screen.push(&log[snapshot.next as usize..]);
        assert_same(&screen, &draw(&log, 80, 24, 1_000), 1_000);
    }

    /// A screen redrawn from its checkpoint goes on as the screen itself does.
    #[test]
    fn a_redrawn_screen_goes_on_as_the_first(before in support::output(), after in support::output()) {
        let mut first = draw(&before.concat(), 80, 24, 0);
        first.push(b"\x18");
        let mut second = Screen::new(80, 24);
        second.push(&first.redraw());
        assert_same(&second, &first, 0);
        for screen in [&mut first, &mut second] {
            screen.push(&after.concat());
        }
        assert_same(&second, &first, 0);
    }
}

#[test]
fn checkpoints_are_kept_while_nobody_looks() {
    let folder = Folder::new();
    let log = lines(10_000);
    folder.log(&log);
    let mut checkpoints = Keeper::start().unwrap().of(folder.files());
    checkpoints.reached(log.len() as u64);
    let kept = || folder.files().checkpoint_offsets().unwrap_or_default();
    while kept()
        .last()
        .is_none_or(|last| last + EVERY <= log.len() as u64)
    {
        std::thread::yield_now();
    }
    let screen = snapshot_screen(&history::take(&folder.files()).unwrap(), 50_000);
    assert_same(&screen, &draw(&log, 80, 24, 50_000), ENOUGH_LINES as usize);
}
