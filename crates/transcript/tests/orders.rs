//! Whoever tells first, and however often: the same things are shown.
#![allow(clippy::unwrap_used)]

mod recording;

use std::collections::BTreeMap;

use clauderon_transcript::tap::TapEvent;
use clauderon_transcript::{Change, Conversation, Item, ItemId, Observation, What};
use proptest::prelude::*;
use recording::{Recording, Timed, items, told};

/// Merges sources in any order that keeps each one's own, some of it told twice.
fn mixed(mut sources: Vec<std::collections::VecDeque<Timed>>, choices: &[u8]) -> Vec<Timed> {
    let mut mixed = Vec::new();
    let mut choices = choices.iter().cycle();
    while !sources.is_empty() {
        let choice = usize::from(*choices.next().unwrap());
        let at = choice % sources.len();
        // Some come in a row, as a slow source's do.
        for _ in 0..=(choice % 7) {
            if let Some(one) = sources[at].pop_front() {
                if choice % 5 == 0 && !is_piece(&one.1) {
                    mixed.push(one.clone());
                }
                mixed.push(one);
            }
        }
        if sources[at].is_empty() {
            sources.remove(at);
        }
    }
    mixed
}

/// Pieces of a stream come from the proxy, which tells each once; everything else may come twice.
fn is_piece(one: &Observation) -> bool {
    matches!(
        one,
        Observation::Tap {
            event: TapEvent::Text { .. } | TapEvent::Thinking { .. } | TapEvent::Input { .. },
            ..
        }
    )
}

fn same<T: PartialEq + std::fmt::Debug>(name: &str, expected: Vec<T>, found: Vec<T>) {
    let different = expected.iter().zip(&found).position(|(a, b)| a != b);
    if let Some(at) = different {
        panic!("{name}, item {at}:\n{:#?}\n{:#?}", expected[at], found[at]);
    }
    assert_eq!(expected.len(), found.len(), "{name}");
}

/// The items without what they say.
fn outline(conversation: &Conversation) -> Vec<String> {
    let items = conversation.items(None, usize::MAX).into_iter();
    items
        .map(|item| {
            format!(
                "{} {:?} {:?} {:?}",
                item.id, item.parent, item.state, item.seen
            )
        })
        .collect()
}

fn check(name: &str, choices: &[u8]) {
    let recording = Recording::open(name);
    let in_order = told(recording.all());
    let sources = recording.sources().into_iter().map(Into::into).collect();
    let shuffled = told(mixed(sources, choices));
    same(name, outline(&in_order), outline(&shuffled));
    // Places differ by microseconds where something is told twice in one millisecond.
    let bodies = |conversation: &Conversation| -> Vec<(u64, serde_json::Value)> {
        let items = conversation.items(None, usize::MAX).into_iter();
        items
            .map(|item| (item.at_ms, serde_json::to_value(item.body).unwrap()))
            .collect()
    };
    same(name, bodies(&in_order), bodies(&shuffled));
    assert_eq!(in_order.usage().session, shuffled.usage().session, "{name}");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn any_order_gives_the_same_items(choices in proptest::collection::vec(any::<u8>(), 24)) {
        for name in recording::names() {
            check(&name, &choices);
        }
    }

    #[test]
    fn a_viewer_that_applies_the_changes_sees_the_items(choices in proptest::collection::vec(any::<u8>(), 24), name in 0usize..64) {
        let names = recording::names();
        let recording = Recording::open(&names[name % names.len()]);
        let sources = recording.sources().into_iter().map(Into::into).collect();
        let mut conversation = Conversation::new();
        let mut viewer = BTreeMap::new();
        let mut stale = BTreeMap::new();
        let mut number = 0;
        for (step, (at, one)) in mixed(sources, &choices).into_iter().enumerate() {
            for change in conversation.observe(one, at) {
                prop_assert_eq!(change.number, number + 1);
                number = change.number;
                apply(&mut viewer, change);
            }
            if step % 97 == 0 {
                stale = viewer.clone();
            }
        }
        prop_assert_eq!(shown(&viewer), items(&conversation));
        prop_assert_eq!(number, conversation.number());
        // A viewer that was away catches up.
        let seen = stale.values().map(|(number, _)| *number).max().unwrap_or(0);
        let missed = conversation.since(seen).unwrap();
        missed.removed.iter().for_each(|id| { stale.remove(id); });
        missed.items.into_iter().for_each(|item| { stale.insert(item.id.clone(), (0, item)); });
        prop_assert_eq!(shown(&stale), items(&conversation));
    }
}

type Viewer = BTreeMap<ItemId, (u64, Item)>;

fn apply(viewer: &mut Viewer, change: Change) {
    match change.what {
        What::Added { item } => {
            assert!(
                viewer
                    .insert(item.id.clone(), (change.number, *item))
                    .is_none(),
                "added twice"
            );
        }
        What::Updated { item } => {
            assert!(
                viewer
                    .insert(item.id.clone(), (change.number, *item))
                    .is_some(),
                "updated and not there"
            );
        }
        What::Grew { id, text: more } => {
            let (number, item) = viewer.get_mut(&id).expect("what grows is there");
            *number = change.number;
            match &mut item.body {
                clauderon_transcript::Body::Text { text, .. }
                | clauderon_transcript::Body::Thinking { text } => text.push_str(&more),
                other => panic!("{other:?} grew"),
            }
        }
        What::Removed { id } => {
            assert!(viewer.remove(&id).is_some(), "removed and not there");
        }
    }
}

fn shown(viewer: &Viewer) -> serde_json::Value {
    let mut items: Vec<&Item> = viewer.values().map(|(_, item)| item).collect();
    items.sort_by(|a, b| (a.order, &a.id).cmp(&(b.order, &b.id)));
    serde_json::to_value(items).unwrap()
}

#[test]
fn what_a_transcript_tells_twice_is_told_once() {
    let recording = Recording::open("claude-tools");
    let transcript: Vec<Timed> = recording.transcripts().concat();
    let twice = transcript.iter().flat_map(|one| [one.clone(), one.clone()]);
    let once = told([recording.tap(), transcript.clone()].concat());
    let again = told([recording.tap(), twice.collect()].concat());
    same("claude-tools", outline(&once), outline(&again));
}
