//! What passes from an agent's terminal output to a person's own terminal, and what does not.
#![allow(clippy::unwrap_used)]

use clauderon_terminal::filter::Filter;
use clauderon_terminal::title::{TitleEvent, TitleWatcher};
use proptest::prelude::*;

/// What Claude Code prints at its start, at work and at its end.
const CLAUDE: &str = "\x1b7\x1b[r\x1b8\x1b[?25h\x1b[?25l\x1b[?2004h\x1b[?1004h\x1b[?2031h\x1b[>0q\x1b[c\
    \x1b]0;✳ Claude Code\x07\x1b[38;2;215;119;87m╭───╮\x1b[39m\r\n\x1b[3A\x1b[12G\x1b[2K\
    \x1b]0;⠂ Fix the build\x07\x1b[?2026h⏺ Bash(true)\x1b[?2026l\x1b]0;⠐ Fix the build\x07\
    \x1b]0;✳ Fix the build\x07\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[>4m\x1b[<u\x1b[?1004l\x1b[?2031l\
    \x1b[?2004l\x1b[?25h\x1b]0;\x07";

/// What Codex prints at its start and at work.
const CODEX: &str = "\x1b[?1049h\x1b[?2026h\x1b[>7u\x1b[?1000h\x1b[?1002h\x1b[?1006h\x1b[?1007l\x1b[?2004h\x1b[?1004h\
    \x1b[?u\x1b[c\x1b[6n\x1b]10;?\x1b\\\x1b]11;?\x1b\\\x1b]7501;state=idle:app=codex\x1b\\\
    \x1b]0;workspace\x07\x1b[?2026l\x1b]7501;state=working:app=codex\x1b\\\x1b]0;⠋ workspace\x07\
    \x1b]7501;state=done;app=codex\x1b\\";

#[track_caller]
fn check(output: impl AsRef<[u8]>, expected: &str) {
    let output = output.as_ref();
    assert_eq!(text(Filter::new().feed(output)), expected);
    let mut filter = Filter::new();
    let piecewise = output.iter().flat_map(|&byte| filter.feed(&[byte]));
    assert_eq!(text(piecewise.collect()), expected, "byte by byte");
}

#[track_caller]
fn passes(output: &str) {
    check(output, output);
}

/// The sequence is gone; what stands around it is not.
#[track_caller]
fn removes(sequence: impl AsRef<[u8]>) {
    let around = [b"\x1b[1mbefore".as_slice(), sequence.as_ref(), b"after\r\n"].concat();
    check(around, "\x1b[1mbeforeafter\r\n");
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).expect("the filter's output is UTF-8")
}

#[test]
fn passes_what_draws() {
    passes("plain text, ünïcödé, 日本語, 🦀\r\n\ttab\x08\x07");
    passes("\x1b[0;1;38;2;1;2;3;48:5:9m\x1b[4:3m\x1b[2K\x1b[3A\x1b[H\x1b[10;20H\x1b[J\x1b[1;20r");
    passes(
        "\x1b[?1049h\x1b[?2004h\x1b[?2026h\x1b[?1004h\x1b[?1000;1002;1006h\x1b[?25l\x1b[2 q\x1b[!p",
    );
    passes("\x1b[>1u\x1b[<u\x1b[=5;1u\x1b[?u\x1b[>4;2m\x1b7\x1b8\x1b(0\x1b(B\x1b#8\x1b=\x1bM\x1bc");
}

#[test]
fn passes_what_asks_for_cursor_device_and_colour() {
    passes("\x1b[6n\x1b[?6n\x1b[5n\x1b[c\x1b[>c\x1b[>0q\x1b[?2026$p\x1b[?996n");
    passes("\x1b]10;?\x07\x1b]11;?\x1b\\\x1b]4;1;?\x07\x1b]12;#ff0000\x07\x1b]112\x07");
    passes("\x1b[14t\x1b[14;2t\x1b[16t\x1b[18t");
}

#[test]
fn passes_what_claude_prints() {
    passes(CLAUDE);
}

#[test]
fn passes_what_codex_prints_but_its_state() {
    let expected = CODEX
        .replace("\x1b]7501;state=idle:app=codex\x1b\\", "")
        .replace("\x1b]7501;state=working:app=codex\x1b\\", "")
        .replace("\x1b]7501;state=done;app=codex\x1b\\", "");
    check(CODEX, &expected);
}

#[test]
fn removes_the_clipboard() {
    removes("\x1b]52;c;aGVsbG8=\x07");
    removes("\x1b]52;c;aGVsbG8=\x1b\\");
    removes("\x1b]52;c;?\x07");
    removes("\x1b]052;c;?\x07");
    removes("\x1b]4294967348;c;?\x07");
    removes("\x1b]5522;type=write\x1b\\");
}

#[test]
fn removes_messages_folders_fonts_and_files() {
    for number in [
        "3", "6", "7", "9", "50", "51", "99", "133", "633", "777", "1337", "5113", "7501",
    ] {
        removes(format!("\x1b]{number};anything\x07"));
        removes(format!("\x1b]{number}\x1b\\"));
    }
    removes("\x1b];no number\x07");
    removes("\x1b]lold title\x1b\\");
}

#[test]
fn removes_title_reports_and_window_manipulation() {
    for body in [
        "20", "21", "1", "2", "3;0;0", "8;24;80", "9;1", "11", "13", "15", "19", "24", "021", "",
        "65557",
    ] {
        removes(format!("\x1b[{body}t"));
    }
    removes("\x1b[>2t");
    removes("\x1b[>3T");
    removes("\x1b[22;0;21t");
}

#[test]
fn passes_a_title_kept_for_later_only_with_titles() {
    passes("\x1b[22;0t\x1b[23;0t\x1b[22t");
    let mut filter = Filter::new().without_titles();
    assert_eq!(
        filter.feed(b"a\x1b[22;0tb\x1b[23;0t\x1b[18t"),
        b"ab\x1b[18t"
    );
}

#[test]
fn removes_state_and_checksum_reports() {
    removes("\x1b[1;0;1;1;80;24*y");
    removes("\x1b[4;1y");
    removes("\x1b[2$w");
    removes("\x1b[1$u");
    removes("\x1b[1*z");
    removes("\x05");
    removes("\x1b[2\x051t");
}

#[test]
fn removes_printing_and_logging() {
    removes("\x1b[i");
    removes("\x1b[5i");
    removes("\x1b[?5i");
    removes("\x1b[?46h");
    removes("\x1b[?25;46h");
}

#[test]
fn removes_device_control_strings() {
    removes("\x1bP$qm\x1b\\");
    removes("\x1bP+q544e\x1b\\");
    removes("\x1bP0;1|17/68656c6c6f\x1b\\");
    removes("\x1bPq#0;2;0;0;0~~\x1b\\");
    removes("\x1bPa bell\x07does not end it\x1b\\");
}

#[test]
fn removes_other_strings() {
    removes("\x1b_Gi=1;AAAA\x1b\\");
    removes("\x1b^private\x1b\\");
    removes("\x1bXstart\x1b\\");
    removes("\x1bka name for tmux\x1b\\");
}

#[test]
fn removes_what_would_change_how_the_terminal_reads() {
    removes("\x1b%@");
    removes("\x1b%/G");
    removes("\x1b G");
    removes("\x1b[62;0\"p");
    removes("\x1b[?2l");
    removes("\x1b[?25;2l");
    removes("\x1b[?65538l");
    removes("\x1b[?4294967298l");
    removes("\x1b[[");
    removes("\x1b[12;2]");
}

#[test]
fn removes_sequences_without_order() {
    removes("\x1b[2?1m");
    removes("\x1b[1$2m");
    removes("\x1b[??25h");
}

#[test]
fn unwraps_nothing_from_a_passthrough() {
    check("a\x1bPtmux;\x1b\x1b]52;c;aGk=\x07\x1b\\b", "a\x1b\\b");
}

#[test]
fn reads_eight_bit_controls_as_their_two_bytes() {
    removes(b"\x9b21t");
    removes(b"\x9d52;c;aGk=\x9c");
    removes(b"\x9d52;c;aGk=\x07");
    removes(b"\x90$qm\x9c");
    removes(b"\x9fGi=1\x9c");
    removes("\u{9b}21t");
    removes("\u{9d}52;c;aGk=\u{9c}");
    check(
        b"\x9b1mbold\x9d0;title\x9c",
        "\x1b[1mbold\x1b]0;title\x1b\\",
    );
    check("\u{9b}1mbold", "\x1b[1mbold");
}

#[test]
fn leaves_characters_whole_that_hold_such_bytes() {
    // U+011B is C4 9B, U+271D is E2 9C 9D, U+1F41D is F0 9F 90 9D.
    passes("ě✝🐝");
    passes("\x1b]0;✳ ě✝🐝\x07");
}

#[test]
fn replaces_what_is_not_utf8() {
    check(b"a\xffb", "a\u{fffd}b");
    check(b"a\xc3b", "a\u{fffd}b");
    check(b"a\xe2\x9c\x1b[1mb", "a\u{fffd}\x1b[1mb");
    // Overlong forms of a control, half of a surrogate pair.
    check(b"\xc0\x9b21t", "\u{fffd}");
    check(b"\xe0\x80\x9b21t", "\u{fffd}\x1b@");
    check(b"\xed\xa0\xa0", "\u{fffd}\u{fffd}\u{fffd}");
}

#[test]
fn keeps_links_to_web_pages_only() {
    passes("\x1b]8;;https://example.com/a\x1b\\text\x1b]8;;\x1b\\");
    passes("\x1b]8;id=1;HTTP://example.com\x07text\x1b]8;;\x07");
    for uri in [
        "file:///etc/passwd",
        "javascript:alert(1)",
        "ssh://host",
        "x-man-page:ls",
        "//host",
        "httpsx://a",
    ] {
        removes(format!("\x1b]8;;{uri}\x07"));
    }
    removes("\x1b]8;;https://example.com/\n\x07");
    removes("\x1b]8;;https://exämple.com/\x07");
    removes("\x1b]8\x07");
}

#[test]
fn a_refused_link_does_not_continue_the_one_before() {
    check(
        "\x1b]8;;https://a\x07one\x1b]8;;file:///b\x07two\x1b]8;;\x07",
        "\x1b]8;;https://a\x07one\x1b]8;;\x1b\\two\x1b]8;;\x07",
    );
}

#[test]
fn the_end_closes_an_open_link_and_drops_the_unfinished() {
    let mut filter = Filter::new();
    filter.feed(b"\x1b]8;;https://a\x07text\x1b]52;c;");
    assert_eq!(filter.finish(), b"\x1b]8;;\x1b\\");
    assert_eq!(filter.feed(b"aGk=\x07"), b"aGk=\x07");
    assert_eq!(filter.finish(), b"");
}

#[test]
fn cleans_titles() {
    check("\x1b]0;a\tb\nc\x01\x07", "\x1b]0;abc\x07");
    check(
        "\x1b]2;safe\u{202e}gnp.exe\u{2066}\x07",
        "\x1b]2;safegnp.exe\x07",
    );
    check("\x1b]1;a\u{200b}b\u{e0041}\x1b\\", "\x1b]1;ab\x1b\\");
    check("\x1b]00;a;b\x07", "\x1b]0;a;b\x07");
    check(
        format!("\x1b]0;{}\x07", "é".repeat(1000)),
        &format!("\x1b]0;{}\x07", "é".repeat(256)),
    );
}

#[test]
fn removes_titles_where_asked() {
    let mut filter = Filter::new().without_titles();
    assert_eq!(
        filter.feed(b"a\x1b]0;t\x07b\x1b]2;t\x1b\\c\x1b]1;t\x07"),
        b"abc"
    );
}

#[test]
fn a_control_within_a_sequence_is_obeyed_before_it() {
    check("\x1b[1\r\n;2m", "\r\n\x1b[1;2m");
    check("\x1b[2\n1t", "\n");
}

#[test]
fn a_broken_sequence_ends_at_the_next() {
    check("\x1b]52;c;aGk=\x1b[1mtext", "\x1b[1mtext");
    check("\x1b[12\x1b[1mtext", "\x1b[1mtext");
    check("\x1b]52;c;aGk=\x18text", "text");
    check("\x1bP$q\x1atext", "text");
    check("\x1b[21é", "é");
    check("\x1b\x1b\x1b[1m", "\x1b[1m");
}

#[test]
fn drops_strings_and_sequences_without_end() {
    let long = "x".repeat(70_000);
    check(format!("\x1b]0;{long}\x07a"), "a");
    check(format!("\x1b]0;{long}{long}\x1b[1ma"), "\x1b[1ma");
    check(format!("\x1bP{long}{long}\x18a"), "a");
    check(format!("\x1b[{}ma", "1;".repeat(1000)), "a");
    check(
        format!("\x1b{}Ba", "(".repeat(8)),
        &format!("\x1b{}Ba", "(".repeat(8)),
    );
    check(format!("\x1b{}a", "(".repeat(9)), "a");
}

#[test]
fn tells_claudes_titles() {
    let titles: Vec<_> = TitleWatcher::new().push(CLAUDE.as_bytes());
    let expected = [
        "✳ Claude Code",
        "⠂ Fix the build",
        "⠐ Fix the build",
        "✳ Fix the build",
        "",
    ];
    assert_eq!(
        titles,
        expected.map(|title| TitleEvent::Title(title.to_owned()))
    );
}

#[test]
fn tells_codexs_state() {
    let state = |word: &str| TitleEvent::AgentState(word.to_owned());
    let title = |text: &str| TitleEvent::Title(text.to_owned());
    assert_eq!(
        TitleWatcher::new().push(CODEX.as_bytes()),
        [
            state("idle"),
            title("workspace"),
            state("working"),
            title("⠋ workspace"),
            state("done")
        ]
    );
}

#[test]
fn tells_nothing_twice_and_nothing_odd() {
    let mut watcher = TitleWatcher::new();
    assert_eq!(watcher.push(b"\x1b]0;a\x07\x1b]2;a\x07").len(), 1);
    assert_eq!(watcher.push(b"\x1b]1;icon\x07\x1b]52;c;?\x07\x07"), []);
    assert_eq!(
        watcher.push(b"\x1b]7501;state=\x07\x1b]7501;state=A B\x07\x1b]7501;app=x\x07"),
        []
    );
    let long = format!("\x1b]7501;state={}\x07", "a".repeat(33));
    assert_eq!(watcher.push(long.as_bytes()), []);
}

/// Pieces that together make sequences of all kinds, broken ones and none.
fn output() -> impl Strategy<Value = Vec<u8>> {
    let pieces = [
        "\x1b",
        "\x1b[",
        "\x1b]",
        "\x1bP",
        "\x1b_",
        "\x1b\\",
        "\x07",
        "\x05",
        "\x18",
        "\u{9b}",
        "\u{9d}",
        "\u{9c}",
        "[",
        "]",
        "?",
        ">",
        "$",
        "*",
        ";",
        "0;",
        "52;c;",
        "8;;",
        "https://a",
        "file:///b",
        "0",
        "2",
        "21",
        "14",
        "22",
        "t",
        "m",
        "h",
        "l",
        "y",
        "i",
        "%@",
        "é",
        "✳",
        "🐝",
        "\r\n",
        "text",
        "\x7f",
    ];
    let piece = prop_oneof![
        6 => prop::sample::select(pieces.to_vec()).prop_map(|piece| piece.as_bytes().to_vec()),
        1 => any::<u8>().prop_map(|byte| vec![byte]),
        1 => (0x80..=0xffu8).prop_map(|byte| vec![byte]),
    ];
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn any_split_gives_the_same(output in output(), cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8)) {
        let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(output.len() + 1)).collect();
        cuts.extend([0, output.len()]);
        cuts.sort_unstable();
        let pieces = || cuts.windows(2).map(|cut| &output[cut[0]..cut[1]]);
        let (mut filter, mut watcher) = (Filter::new(), TitleWatcher::new());
        let split: Vec<_> = pieces().flat_map(|piece| filter.feed(piece)).collect();
        let events: Vec<_> = pieces().flat_map(|piece| watcher.push(piece)).collect();
        prop_assert_eq!(split, Filter::new().feed(&output));
        prop_assert_eq!(events, TitleWatcher::new().push(&output));
    }

    #[test]
    fn what_passed_once_passes_again(output in output()) {
        let once = Filter::new().feed(&output);
        prop_assert_eq!(Filter::new().feed(&once), once);
    }

    #[test]
    fn nothing_refused_is_in_what_passed(output in output()) {
        let passed = text(Filter::new().feed(&output));
        let is_control = |character| matches!(character, '\x05' | '\u{80}'..='\u{9f}');
        prop_assert!(!passed.contains(is_control));
        for sequence in passed.split('\x1b').skip(1) {
            prop_assert!(!sequence.starts_with(['P', 'X', '^', '_', 'k', '%']), "{:?}", sequence);
            prop_assert!(!sequence.starts_with("]5") && !sequence.starts_with("]8;;f"), "{:?}", sequence);
            prop_assert!(!sequence.starts_with("[21t") && !sequence.starts_with("[?2l"), "{:?}", sequence);
        }
    }

    #[test]
    fn text_passes_unchanged(output in "\\PC{0,80}") {
        prop_assert_eq!(text(Filter::new().feed(output.as_bytes())), output);
    }
}
