//! What real programs print, cut at random: Claude Code, Codex, vim, less and top, as a PTY recorded them.
#![allow(clippy::unwrap_used)]

mod support;

use std::sync::OnceLock;

use clauderon_terminal::history::{self, History};
use clauderon_terminal::screen::Screen;
use clauderon_terminal::{ConsoleEvent, PTY, Place, SNAPSHOT, View};
use support::{Folder, assert_same, snapshot_screen};

const COLS: u16 = 100;
const ROWS: u16 = 30;
/// Recorded in a session of 100 columns and 30 rows, of 80 and 24 in between.
const CLAUDE: &[u8] = include_bytes!("streams/claude.log");
const CODEX: &[u8] = include_bytes!("streams/codex.log");
/// Split windows, a search, lines put in and taken out; pages, a search and the way back; six refreshes.
const VIM: &[u8] = include_bytes!("streams/vim.log");
const LESS: &[u8] = include_bytes!("streams/less.log");
const TOP: &[u8] = include_bytes!("streams/top.log");

/// One terminal's day: several megabytes, with each program many times.
fn day() -> &'static [u8] {
    static DAY: OnceLock<Vec<u8>> = OnceLock::new();
    DAY.get_or_init(make_day)
}

fn make_day() -> Vec<u8> {
    let streams = [CLAUDE, VIM, CODEX, LESS, CLAUDE, TOP, b"\x1bc"];
    let mut day = Vec::new();
    while day.len() < 5 << 20 {
        // A different part of each time over, so that the checkpoints fall on different places.
        for stream in streams {
            day.extend_from_slice(&stream[day.len() % 7 * stream.len() / 16..]);
        }
    }
    day
}

/// A generator of places that is the same each time.
struct Dice(u64);

impl Dice {
    fn throw(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % below as u64) as usize
    }
}

#[test]
fn a_snapshot_at_any_place_of_a_real_stream_is_what_the_whole_stream_draws() {
    let day = day();
    let folder = Folder::new();
    folder.log(b"");
    folder.sizes(&[(0, COLS, ROWS)]);
    let mut whole = Screen::with_scrollback(COLS, ROWS, 3_000);
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let mut cuts: Vec<usize> = (0..16).map(|_| dice.throw(day.len())).collect();
    cuts.sort_unstable();
    let mut drawn = 0;
    for cut in cuts {
        folder.append(&day[drawn..cut]);
        history::advance(&folder.files()).unwrap();
        let snapshot = history::take(&folder.files()).unwrap();
        let mut shown = snapshot_screen(&snapshot, 3_000);
        shown.push(&day[snapshot.next as usize..cut]);
        whole.push(&day[drawn..cut]);
        drawn = cut;
        // History begins where the snapshot does: what both have must be the same.
        assert_same(&shown, &whole, 0);
        support::assert_common_history(&shown, &whole, 200);
    }
    assert!(folder.files().checkpoint_offsets().unwrap().len() > 8);
}

/// What a checkpoint keeps, at a thousand places: whoever goes on from it draws what the whole stream draws.
#[test]
fn a_screen_redrawn_at_a_thousand_places_goes_on_as_the_stream_does() {
    let day = day();
    let mut dice = Dice(7);
    let mut whole = Screen::new(COLS, ROWS);
    let (mut at, mut begun, mut beside) = (0, 0, None);
    for cut in 0..1_000 {
        let mut end = at + 1 + dice.throw(day.len() / 1_100);
        whole.push(&day[at..end]);
        while !whole.is_whole() {
            whole.push(&day[end..end + 1]);
            end += 1;
        }
        at = end;
        let mut redrawn = Screen::new(COLS, ROWS);
        redrawn.push(&whole.redraw());
        assert_same(&redrawn, &whole, 0);
        // One in ten goes on beside the stream itself, up to the next.
        if cut % 10 == 0 {
            beside = Some(redrawn);
        } else if let Some(mut redrawn) = beside.take_if(|_| cut % 10 == 9) {
            redrawn.push(&day[begun..at]);
            assert_same(&redrawn, &whole, 0);
        }
        if cut % 10 == 0 {
            begun = at;
        }
    }
}

#[tokio::test]
async fn a_thousand_cuts_lose_and_double_no_byte() {
    let day = day();
    let folder = Folder::new();
    folder.log(day);
    folder.sizes(&[(0, COLS, ROWS)]);
    folder.epoch(5);
    let start = History::open(&folder.files()).unwrap().end() - (1 << 20);
    let mut dice = Dice(42);
    let mut place = start;
    let mut seen = Vec::new();
    for cut in 0..1_000 {
        let near = Place {
            offset: place,
            epoch: Some(5),
        };
        let mut view = View::open(folder.path(), Some(near)).await.unwrap();
        // At most the rest divided by the cuts that are left, on average; none is as good a cut as any.
        let mut wanted = dice.throw(2 * ((1 << 20) - seen.len()) / (1_000 - cut) + 1);
        while wanted > 0 {
            match view.next().await {
                Some(ConsoleEvent::Output {
                    stream,
                    next,
                    bytes,
                }) => {
                    assert_eq!(stream, PTY, "a snapshot at {place}, cut {cut}");
                    assert_eq!(next - bytes.len() as u64, place);
                    let part = &bytes[..wanted.min(bytes.len())];
                    seen.extend_from_slice(part);
                    place += part.len() as u64;
                    wanted -= part.len();
                }
                Some(ConsoleEvent::Size { .. }) => {}
                _ => break,
            }
        }
    }
    assert!(seen == day[start as usize..place as usize]);
    assert!(seen.len() > 1 << 19, "{}", seen.len());
}

#[tokio::test]
async fn who_is_far_behind_or_comes_from_another_epoch_gets_a_snapshot() {
    let day = day();
    let folder = Folder::new();
    folder.log(day);
    folder.sizes(&[(0, COLS, ROWS)]);
    folder.epoch(5);
    let end = day.len() as u64;
    for (offset, epoch, snapshot) in [
        (end, Some(5), false),
        (end - 2 * 1024 * 1024, None, false),
        (end - 2 * 1024 * 1024 - 1, Some(5), true),
        (end, Some(4), true),
        (end + 1, None, true),
        (0, None, true),
    ] {
        let place = Place { offset, epoch };
        let mut view = View::open(folder.path(), Some(place)).await.unwrap();
        assert_eq!((view.epoch(), view.size()), (5, (COLS, ROWS)));
        let first = loop {
            match view.next().await {
                Some(ConsoleEvent::Size { .. }) => {}
                other => break other,
            }
        };
        let is_snapshot = matches!(
            first,
            Some(ConsoleEvent::Output {
                stream: SNAPSHOT,
                ..
            })
        );
        assert_eq!(is_snapshot, snapshot, "{place:?}");
    }
}
