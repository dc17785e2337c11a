//! What may gate something rests on the tap and the daemon alone, and bad bytes in the sandbox are shown, not believed.
#![allow(clippy::unwrap_used)]

mod recording;

use clauderon_transcript::tap::{Limits, TapEvent, Usage};
use clauderon_transcript::{
    Activity, Body, CallResult, Conversation, End, Observation, Said, Source, State, Told,
    anthropic, claude, hooks,
};
use recording::{Recording, told};
use serde_json::json;

fn tell(conversation: &mut Conversation, source: Source, said: Said, now_ms: u64) {
    conversation.observe(
        Observation::Told(Told {
            source,
            agent: None,
            at_ms: None,
            said,
        }),
        now_ms,
    );
}

#[test]
fn nothing_in_the_sandbox_changes_what_gates() {
    for name in recording::names() {
        let recording = Recording::open(&name);
        let trusted = told(recording.tap());
        // Everything else, told by the sandbox before, between and after, and twice.
        let mut all = recording.all();
        let forged: Vec<_> = all
            .iter()
            .filter(|(_, one)| matches!(one, Observation::Told(_)))
            .cloned()
            .collect();
        all.splice(0..0, forged.clone());
        all.extend(forged);
        let everything = told(all);
        let gates = |conversation: &Conversation| {
            (
                conversation.usage().session,
                conversation.limits().clone(),
                conversation.requests_in_flight(),
            )
        };
        assert_eq!(gates(&everything), gates(&trusted), "{name}");
    }
}

#[test]
fn a_request_is_in_flight_until_its_answer_ends() {
    let mut conversation = Conversation::new();
    let body = json!({ "model": "m", "max_tokens": 9, "tools": [{}], "messages": [{ "role": "user", "content": "hi" }] });
    let request = anthropic::request(|_| None, body.to_string().as_bytes()).unwrap();
    let pass = |conversation: &mut Conversation, event: TapEvent| {
        conversation.observe(
            Observation::Tap {
                request: "r".to_owned(),
                event,
            },
            1_000,
        );
    };
    pass(&mut conversation, TapEvent::Started(request));
    assert_eq!(conversation.requests_in_flight(), 1);
    tell(
        &mut conversation,
        Source::Hook,
        Said::TurnEnded { ms: None },
        2_000,
    );
    assert_eq!(conversation.requests_in_flight(), 1);
    pass(
        &mut conversation,
        TapEvent::Message {
            id: "msg_1".to_owned(),
            model: "m".to_owned(),
            usage: Usage {
                input: 5,
                ..Usage::default()
            },
        },
    );
    pass(&mut conversation, TapEvent::Ended);
    assert_eq!(conversation.requests_in_flight(), 0);
    // An answer that was cut cost what the service had counted by then; the model has no price here.
    let session = conversation.usage().session;
    assert_eq!((session.usage.input, session.dollars), (5, None));
    assert_eq!(conversation.limits(), &Limits::default());
}

#[test]
fn what_a_transcript_holds_twice_is_one_thing_and_what_is_no_record_is_shown() {
    let line = |uuid: &str, text: &str| {
        let message = json!({ "role": "user", "content": text });
        json!({ "type": "user", "uuid": uuid, "timestamp": "2026-11-22T18:49:17.298Z", "message": message }).to_string()
    };
    let broken = [
        line("1", "hello"),
        line("1", "hello"),
        "{\"type\":\"user\",".to_owned(),
        "\u{0}\u{0}\u{0}".to_owned(),
        json!({ "type": "of another time", "uuid": "2" }).to_string(),
        "x".repeat(17 * 1024 * 1024),
        line("3", "bye"),
    ]
    .join("\n");
    let mut reader = claude::Reader::new();
    let mut conversation = Conversation::new();
    for one in reader.push(broken.as_bytes()) {
        conversation.observe(one, 1_900_000_000_000);
    }
    assert!(
        conversation
            .items(None, 99)
            .iter()
            .all(|item| !matches!(&item.body, Body::Prompt { text, .. } if text == "bye"))
    );
    for one in reader.push(b"\n") {
        conversation.observe(one, 1_900_000_000_000);
    }
    let shown: Vec<String> = conversation
        .items(None, 99)
        .into_iter()
        .map(|item| match item.body {
            Body::Prompt { text, .. } => text,
            Body::Raw { record, bytes, .. } => format!("{record} {bytes}"),
            other => format!("{other:?}"),
        })
        .collect();
    assert_eq!(
        shown,
        [
            "hello",
            "unreadable 15",
            "unreadable 3",
            "record 37",
            "too long 17825792",
            "bye"
        ]
    );
    let page = conversation.items(Some(&conversation.items(None, 1)[0].id), 2);
    assert_eq!(page.len(), 2);
}

#[test]
fn a_question_ends_in_asking_and_a_silent_interruption_is_seen() {
    let mut conversation = Conversation::new();
    let call = |id: &str, tool: &str| Said::Call {
        id: id.to_owned(),
        tool: tool.to_owned(),
        input: json!({ "command": "ls" }),
    };
    tell(
        &mut conversation,
        Source::Terminal,
        Said::Working { on: None },
        1_000,
    );
    tell(&mut conversation, Source::Hook, call("t1", "Bash"), 2_000);
    assert_eq!(
        conversation.status(2_000).activity,
        Activity::Working {
            doing: Some("Running ls".to_owned())
        }
    );
    assert_eq!(conversation.status(2_000).since_ms, 1_000);
    tell(&mut conversation, Source::Terminal, Said::Waiting, 2_100);
    let asks = Said::Asks {
        call: None,
        tool: "Bash".to_owned(),
        input: json!({ "command": "ls" }),
    };
    tell(&mut conversation, Source::Hook, asks, 2_200);
    let item = Some("t1.approval".into());
    assert_eq!(
        conversation.status(60_000).activity,
        Activity::NeedsApproval { item }
    );
    // It works on: somebody allowed it. Then it waits, and nobody says that it ended.
    tell(
        &mut conversation,
        Source::Terminal,
        Said::Working { on: None },
        70_000,
    );
    assert!(matches!(
        conversation.status(70_000).activity,
        Activity::Working { .. }
    ));
    let ended = Said::Result(CallResult {
        id: "t1".to_owned(),
        text: String::new(),
        images: 0,
        end: End::Done,
        ms: None,
        account: None,
    });
    tell(&mut conversation, Source::Hook, ended, 70_500);
    tell(
        &mut conversation,
        Source::Transcript,
        call("t2", "Bash"),
        71_000,
    );
    tell(&mut conversation, Source::Terminal, Said::Waiting, 72_000);
    assert!(matches!(
        conversation.status(72_100).activity,
        Activity::Working { .. }
    ));
    let changes = conversation.changes_at(72_100).unwrap();
    assert_eq!(conversation.status(changes).activity, Activity::Unknown);
    tell(
        &mut conversation,
        Source::Daemon,
        Said::Ended {
            code: Some(3),
            reason: None,
        },
        80_000,
    );
    assert!(matches!(
        conversation.status(80_000).activity,
        Activity::Failed { .. }
    ));
    let running = conversation
        .items(None, 99)
        .into_iter()
        .filter(|item| !item.state.is_over());
    assert_eq!(running.count(), 0, "nothing runs when the agent has ended");
}

#[test]
fn an_end_tells_what_became_of_a_call() {
    for (end, state) in [
        (End::Done, State::Done),
        (End::Failed, State::Failed),
        (End::Interrupted, State::Interrupted),
    ] {
        let mut conversation = Conversation::new();
        let event = match end {
            End::Done => json!({ "hook_event_name": "PostToolUse" }),
            End::Failed => {
                json!({ "hook_event_name": "PostToolUseFailure", "error": "Exit code 2\nno" })
            }
            End::Interrupted => {
                json!({ "hook_event_name": "PostToolUseFailure", "error": "no", "is_interrupt": true })
            }
        };
        let mut report = event;
        report["tool_use_id"] = json!("t");
        report["tool_name"] = json!("Bash");
        let mut reports = hooks::Reports::new();
        let call = json!({ "hook_event_name": "PreToolUse", "tool_use_id": "t", "tool_name": "Bash", "tool_input": { "command": "ls" } });
        for report in [call, report, json!({ "hook_event_name": "Unheard of" })] {
            for one in reports.hook(report.to_string().as_bytes()) {
                conversation.observe(one, 5);
            }
        }
        assert_eq!(reports.unknown(), 1);
        assert_eq!(conversation.item(&"t".into()).unwrap().state, state);
    }
}

#[test]
fn it_is_known_what_an_agent_has_yet_to_write_down() {
    for name in ["claude-tools", "codex-turns"] {
        let recording = Recording::open(name);
        let (tap, transcript) = (recording.tap(), recording.transcripts().concat());
        let seen = told(tap.clone());
        assert!(seen.is_ahead_of_transcript(), "{name}");
        let written = told([tap, transcript].concat());
        assert!(!written.is_ahead_of_transcript(), "{name}");
    }
}
