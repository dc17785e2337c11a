//! Recorded sessions of the real agents, and what they become.
//!
//! A golden file that is to be different is written anew with `CLAUDERON_BLESS=1`; the difference is then read like code.
#![allow(clippy::unwrap_used)]

mod recording;

use clauderon_transcript::{Body, Conversation, Source, State, Status};
use recording::{Recording, items, told};
use serde_json::{Value, json};

#[test]
fn recordings_become_their_golden_items_and_totals() {
    for name in recording::names() {
        let recording = Recording::open(&name);
        let conversation = told(recording.all());
        recording.compare(
            "golden.json",
            &json!({
                "title": conversation.title(),
                "session": conversation.session(),
                "items": items(&conversation),
                "usage": conversation.usage(),
                "limits": conversation.limits(),
                "statuses": statuses(&recording),
            }),
        );
    }
}

/// What the status was when it changed, a line each.
fn statuses(recording: &Recording) -> Vec<Value> {
    let mut conversation = Conversation::new();
    let mut lines: Vec<(Value, u64)> = Vec::new();
    let mut see = |status: Status, at: u64| {
        let activity = serde_json::to_value(&status.activity).unwrap();
        if lines.last().is_none_or(|(last, _)| *last != activity) {
            lines.push((activity, at));
        }
    };
    for (at, one) in recording.all() {
        // What changes by itself has changed before the next thing is told.
        if let Some(change) = conversation
            .changes_at(at.saturating_sub(60_000))
            .filter(|change| *change < at)
        {
            see(conversation.status(change), change);
        }
        conversation.observe(one, at);
        see(conversation.status(at), at);
    }
    let start = lines.first().map_or(0, |(_, at)| *at);
    lines
        .into_iter()
        .map(|(activity, at)| json!([(at - start) / 100, activity]))
        .collect()
}

#[test]
fn a_transcript_alone_tells_the_same_things() {
    for name in recording::names() {
        let recording = Recording::open(&name);
        let all = told(recording.all());
        let alone = told(recording.transcripts().into_iter().flatten());
        let outline = |conversation: &Conversation| -> Vec<String> {
            let items = conversation.items(None, usize::MAX).into_iter();
            // Only the tap sees what the agent forgot; only hooks see what was asked.
            let shared = items.filter(|item| item.seen.contains(&Source::Transcript));
            // Words that were cut have a name only in the answer that was cut.
            let shared = shared.filter(|item| {
                item.state != State::Interrupted || !matches!(item.body, Body::Text { .. })
            });
            shared
                .map(|item| format!("{:?} {}", item.parent, item.id))
                .collect()
        };
        assert_eq!(outline(&alone), outline(&all), "{name}");
    }
}
