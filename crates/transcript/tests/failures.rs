//! What became of requests that the model's service refused: each turn has its own failure, told by whoever saw it.
#![allow(clippy::unwrap_used)]

use clauderon_transcript::tap::{Provider, Purpose, Request, ServiceError, Stop, TapEvent, Usage};
use clauderon_transcript::{
    Body, Conversation, Item, Observation, Origin, Prompt, Said, Source, State, Told,
};

fn tap(conversation: &mut Conversation, at: u64, request: &str, event: TapEvent) {
    let request = request.to_owned();
    conversation.observe(Observation::Tap { request, event }, at);
}

fn asked(prompt: &str) -> TapEvent {
    TapEvent::Started(Request {
        provider: Provider::Anthropic,
        model: "m".to_owned(),
        session: None,
        agent: None,
        purpose: Purpose::Turn,
        prompt: Some(prompt.to_owned()),
        results: Vec::new(),
    })
}

/// A request that is refused at once.
fn refused(conversation: &mut Conversation, at: u64, request: &str, prompt: &str) {
    let error = ServiceError {
        status: Some(429),
        error: None,
        message: "busy".to_owned(),
    };
    tap(conversation, at, request, asked(prompt));
    tap(conversation, at + 5, request, TapEvent::Error(error));
    tap(conversation, at + 5, request, TapEvent::Ended);
}

/// What the agent wrote down at a time, and is read at another.
fn wrote(conversation: &mut Conversation, at: u64, read_at: u64, said: Said) {
    let told = Told {
        source: Source::Transcript,
        ..Told::by_daemon(said)
    };
    conversation.observe(Observation::Told(told.at(at)), read_at);
}

fn prompt(text: &str) -> Said {
    Said::Prompt(Prompt {
        turn: None,
        text: text.to_owned(),
        images: 0,
        origin: Origin::Person,
    })
}

fn gave_up() -> Said {
    Said::Failed {
        id: None,
        status: Some(429),
        error: None,
        message: "API Error: 429".to_owned(),
        retry: None,
    }
}

fn attempts(item: &Item) -> Option<u32> {
    match &item.body {
        Body::Error { retry, .. } => Some(retry.unwrap().attempt),
        _ => None,
    }
}

#[test]
fn the_same_words_that_are_refused_again_are_another_turn_with_its_own_failure() {
    let mut conversation = Conversation::new();
    let c = &mut conversation;
    wrote(c, 1_000, 1_250, prompt("go on"));
    refused(c, 1_010, "a", "go on");
    refused(c, 1_100, "b", "go on");
    // The agent hears of the end of an answer before the proxy does.
    wrote(c, 1_104, 1_250, gave_up());
    // What was typed next is refused before anybody reads that it was typed.
    refused(c, 2_010, "c", "go on");
    wrote(c, 2_000, 2_250, prompt("go on"));
    wrote(c, 2_016, 2_250, gave_up());
    let items = conversation.items(None, 10);
    let told: Vec<_> = items
        .iter()
        .map(|item| (item.turn.clone(), attempts(item), item.state))
        .collect();
    let turns = [Some(items[0].id.clone()), Some(items[2].id.clone())];
    let [first, second] = turns;
    let expected = [
        (first.clone(), None, State::Done),
        (first, Some(2), State::Failed),
        (second.clone(), None, State::Done),
        (second, Some(1), State::Failed),
    ];
    assert_eq!(told, expected, "{items:#?}");
    for item in &items {
        let seen: Vec<Source> = item.seen.iter().copied().collect();
        assert_eq!(seen, [Source::Tap, Source::Transcript], "{item:#?}");
    }
}

#[test]
fn a_prompt_is_answered_that_had_to_be_tried_again() {
    let mut conversation = Conversation::new();
    let c = &mut conversation;
    wrote(c, 1_000, 1_250, prompt("do it"));
    refused(c, 1_010, "a", "do it");
    tap(c, 2_000, "b", asked("do it"));
    let (id, model, usage) = ("m1".to_owned(), "m".to_owned(), Usage::default());
    tap(c, 2_010, "b", TapEvent::Message { id, model, usage });
    let (block, id, text) = (0, None, "Done.".to_owned());
    tap(c, 2_020, "b", TapEvent::Text { block, id, text });
    assert!(!c.asked_since(0, 2_020)[0].answered);
    let (usage, stop) = (Usage::default(), Some(Stop::EndTurn));
    tap(c, 2_030, "b", TapEvent::Finished { usage, stop });
    wrote(c, 2_040, 2_250, Said::TurnEnded { ms: None });
    assert!(
        c.asked_since(0, 2_250)[0].answered,
        "{:#?}",
        c.items(None, 9)
    );
}

#[test]
fn a_failure_is_vouched_for_where_the_proxy_saw_the_answer_break_off() {
    let broke_off = |seen: bool| {
        let mut conversation = Conversation::new();
        let c = &mut conversation;
        wrote(c, 1_000, 1_250, prompt("do it"));
        tap(c, 1_010, "a", asked("do it"));
        if seen {
            tap(c, 1_020, "a", TapEvent::Ended);
        }
        wrote(c, 1_030, 1_250, gave_up());
        conversation
    };
    for seen in [true, false] {
        let conversation = broke_off(seen);
        let failed = conversation.status(9_000).activity;
        assert_eq!(failed.word(), "failed");
        assert_eq!(conversation.is_vouched_for(&failed), seen);
    }
}

#[test]
fn a_viewer_is_told_of_a_failure_that_another_turns_answer_did_not_mend() {
    let mut conversation = Conversation::new();
    let c = &mut conversation;
    wrote(c, 1_000, 1_000, prompt("go on"));
    refused(c, 1_010, "a", "go on");
    wrote(c, 1_020, 1_020, gave_up());
    tap(c, 2_000, "b", asked("and now"));
    let text = TapEvent::Text {
        block: 0,
        id: Some("m".to_owned()),
        text: "Yes.".to_owned(),
    };
    tap(c, 2_010, "b", text);
    let seen = c.number();
    // The prompt that was answered is told late.
    wrote(c, 1_990, 2_250, prompt("and now"));
    let news = c.since(seen).unwrap().items;
    let failed = news.iter().filter(|item| attempts(item).is_some());
    let states: Vec<State> = failed.map(|item| item.state).collect();
    assert_eq!(states, [State::Failed]);
}
