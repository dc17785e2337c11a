//! What an agent is said to do where its signs do not agree: what is seen from outside of its sandbox wins, or nothing is said.
#![allow(clippy::unwrap_used)]

use clauderon_transcript::tap::{Provider, Purpose, Request, ServiceError, Stop, TapEvent, Usage};
use clauderon_transcript::{Activity, Conversation, Observation, Said, Source, Told};
use serde_json::json;

/// Told at a time in milliseconds.
type Timed = (u64, Observation);

fn drawn(at: u64, said: Said) -> Timed {
    (at, Observation::Told(Told::by_terminal(said).at(at)))
}

fn works(at: u64) -> Timed {
    drawn(at, Said::Working { on: None })
}

fn waits(at: u64) -> Timed {
    drawn(at, Said::Waiting)
}

fn told(at: u64, source: Source, said: Said) -> Timed {
    let told = Told {
        source,
        ..Told::by_daemon(said)
    };
    (at, Observation::Told(told))
}

fn tap(at: u64, event: TapEvent) -> Timed {
    let request = "r".to_owned();
    (at, Observation::Tap { request, event })
}

fn asks(at: u64) -> Timed {
    tap(at, request(Purpose::Turn))
}

fn request(purpose: Purpose) -> TapEvent {
    TapEvent::Started(Request {
        provider: Provider::Anthropic,
        model: "m".to_owned(),
        session: None,
        agent: None,
        purpose,
        prompt: Some("do it".to_owned()),
        results: Vec::new(),
    })
}

fn calls(at: u64) -> Vec<Timed> {
    let (block, id, tool) = (0, "t1".to_owned(), "Bash".to_owned());
    let json = json!({"command": "ls"}).to_string();
    vec![
        tap(at, TapEvent::Tool { block, id, tool }),
        tap(at, TapEvent::Input { block, json }),
        answers(at, Stop::ToolUse),
    ]
}

fn answers(at: u64, stop: Stop) -> Timed {
    let (usage, stop) = (Usage::default(), Some(stop));
    tap(at, TapEvent::Finished { usage, stop })
}

fn ended(at: u64, source: Source) -> Timed {
    told(at, source, Said::TurnEnded { ms: None })
}

fn failed(message: &str) -> Said {
    Said::Failed {
        id: None,
        status: None,
        error: None,
        message: message.to_owned(),
        retry: None,
    }
}

/// What is said at a time after all this.
#[track_caller]
fn check(all: Vec<Timed>, at: u64, expected: &str) {
    let mut conversation = Conversation::new();
    for (at, one) in all {
        conversation.observe(one, at);
    }
    let status = conversation.status(at);
    assert_eq!(status.activity.word(), expected, "{status:?}");
    assert!(expected == "unknown" || status.activity != Activity::Unknown);
}

#[test]
fn a_model_that_answers_is_not_stopped_by_a_report_or_a_drawing() {
    let begun = || vec![waits(1_000), works(2_000), asks(2_100)];
    let with = |more: Vec<Timed>| [begun(), more].concat();
    check(with(vec![ended(3_000, Source::Hook)]), 9_000, "working");
    check(
        with(vec![ended(3_000, Source::Transcript)]),
        9_000,
        "working",
    );
    let drawn = with(vec![ended(3_000, Source::Hook), waits(3_000)]);
    check(drawn.clone(), 3_400, "working");
    check(drawn.clone(), 9_000, "unknown");
    // It draws itself again, and ends in truth.
    let redrawn = [drawn, vec![works(4_000)]].concat();
    check(redrawn.clone(), 9_000, "working");
    let end = vec![answers(9_100, Stop::EndTurn), waits(9_200)];
    check([redrawn, end].concat(), 9_200, "idle");
}

#[test]
fn a_person_who_did_not_wait_for_the_answer_interrupted_it() {
    let cut = vec![
        works(2_000),
        asks(2_100),
        waits(3_000),
        tap(3_200, TapEvent::Ended),
    ];
    check(cut, 9_000, "interrupted");
    // Nor for the next try.
    let busy = TapEvent::Error(ServiceError {
        status: Some(500),
        error: None,
        message: "busy".to_owned(),
    });
    let between = vec![works(2_000), asks(2_100), tap(2_200, busy), waits(3_000)];
    check(between.clone(), 9_000, "interrupted");
    // Or the agent gave up, and says so a little later than it draws it.
    check(between.clone(), 4_000, "unknown");
    let gave_up = told(4_100, Source::Transcript, failed("busy"));
    check([between, vec![gave_up]].concat(), 4_100, "failed");
}

#[test]
fn a_conversation_that_was_summed_up_since_is_interrupted_no_more() {
    let stopped = told(2_100, Source::Transcript, Said::Interrupted);
    let interrupted = vec![works(1_000), asks(1_100), waits(2_000), stopped];
    check(interrupted.clone(), 3_000, "interrupted");
    let event = request(Purpose::Summary);
    let request = "s".to_owned();
    let asked = (4_100, Observation::Tap { request, event });
    let sums_up = [interrupted, vec![works(4_000), asked]].concat();
    check(sums_up.clone(), 5_000, "working");
    check([sums_up, vec![waits(6_000)]].concat(), 6_000, "idle");
}

#[test]
fn a_call_that_runs_is_not_asked_about_by_a_report_alone() {
    let asking = Said::Asks {
        call: None,
        tool: "Bash".to_owned(),
        input: json!({"command": "ls"}),
    };
    let runs = [vec![works(2_000), asks(2_100)], calls(2_200)].concat();
    let forged = [runs, vec![told(3_000, Source::Hook, asking)]].concat();
    check(forged.clone(), 3_000, "working");
    check(forged.clone(), 9_000, "working");
    // The agent draws that it waits: it is its own.
    check(
        [forged, vec![waits(3_100)]].concat(),
        3_100,
        "needs approval",
    );
}

#[test]
fn a_report_does_not_fail_a_turn_that_was_answered() {
    let failed = failed("API Error: 500");
    let answered = vec![
        works(2_000),
        asks(2_100),
        answers(3_000, Stop::EndTurn),
        waits(3_100),
    ];
    let with = |source| [answered.clone(), vec![told(4_000, source, failed.clone())]].concat();
    check(with(Source::Hook), 9_000, "idle");
    // The agent itself gives up where the answer was of no use to it.
    check(with(Source::Transcript), 9_000, "failed");
}

#[test]
fn a_drawing_counts_from_when_it_was_drawn() {
    // A short turn, of which only the last drawing is told, and that late.
    let short = vec![waits(1_000), asks(2_100), answers(2_150, Stop::EndTurn)];
    let late = (2_400, drawn(2_160, Said::Waiting).1);
    check([short.clone(), vec![late]].concat(), 2_400, "idle");
    check(short, 2_400, "working");
}

#[test]
fn a_turn_that_failed_before_it_was_drawn_is_not_tried_again() {
    let busy = |status| {
        TapEvent::Error(ServiceError {
            status: Some(status),
            error: None,
            message: "busy".to_owned(),
        })
    };
    for status in [429, 529] {
        // The agent hears of the end of an answer before the proxy does.
        let gave_up = Told {
            source: Source::Transcript,
            ..Told::by_daemon(failed("busy"))
        };
        let gave_up = (2_300, Observation::Told(gave_up.at(2_104)));
        let asked = vec![waits(1_000), asks(2_100), tap(2_105, busy(status))];
        check(asked.clone(), 2_200, "working");
        check([asked, vec![gave_up]].concat(), 2_300, "failed");
    }
}

#[test]
fn a_turn_that_was_over_before_it_was_drawn_is_over_since_then() {
    let failed = Said::Failed {
        id: None,
        status: None,
        error: None,
        message: "API Error: 403".to_owned(),
        retry: None,
    };
    let refused = ServiceError {
        status: Some(403),
        error: None,
        message: "no".to_owned(),
    };
    let mut conversation = Conversation::new();
    for (at, one) in [
        waits(1_000),
        asks(2_100),
        tap(2_150, TapEvent::Error(refused)),
        told(2_200, Source::Transcript, failed),
    ] {
        conversation.observe(one, at);
    }
    let status = conversation.status(4_000);
    assert_eq!((status.activity.word(), status.since_ms), ("failed", 2_150));
    // The service's own words, whoever speaks last.
    assert_eq!(status.activity.detail(), Some("no"));
}
