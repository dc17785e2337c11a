//! The state machine of a session: what each event does, and what no order of events can do.
#![allow(clippy::unwrap_used)]

use clauderon_session::{Effect, Event, Lifecycle, Sighting, State};
use proptest::prelude::*;

fn failed(reason: &str) -> Event {
    Event::Failed {
        reason: reason.to_owned(),
    }
}

fn unanswered() -> Event {
    Event::Seen(Sighting::Unanswered {
        reason: "the engine does not answer".to_owned(),
    })
}

/// Handles events one millisecond apart and returns the last state's word and the last effects.
fn check(events: &[Event], state: &str, effects: &[Effect]) {
    let mut life = Lifecycle::new(0);
    let mut last = Vec::new();
    for (now, event) in events.iter().enumerate() {
        last = life.handle(event.clone(), now as u64);
    }
    assert_eq!(
        (life.state().as_str(), &last[..]),
        (state, effects),
        "{events:?}"
    );
}

#[test]
fn follows_the_usual_life() {
    use Effect::*;
    let up = [Event::Created, Event::StartAsked, Event::Started];
    let with = |more: &[Event]| [&up[..], more].concat();
    let stop = Event::StopAsked { grace_ms: 5_000 };
    check(&[], "creating", &[]);
    check(&up[..1], "stopped", &[Save]);
    check(&up[..2], "starting", &[Save, Start]);
    check(&up, "running", &[Save]);
    check(&with(&[Event::Ended { code: 3 }]), "exited", &[Save]);
    check(
        &with(std::slice::from_ref(&stop)),
        "stopping",
        &[Save, Stop { grace_ms: 5_000 }],
    );
    check(
        &with(&[stop.clone(), Event::Ended { code: 143 }]),
        "stopped",
        &[Save],
    );
    check(&with(&[stop.clone(), stop.clone()]), "stopping", &[]);
    check(&with(&[stop, failed("gone")]), "stopped", &[Save]);
    check(
        &with(&[Event::Ended { code: 0 }, Event::StartAsked]),
        "starting",
        &[Save, Start],
    );
    check(&with(&[failed("out of memory")]), "failed", &[Save]);
    check(
        &with(&[failed("out of memory"), Event::StartAsked]),
        "starting",
        &[Save, Start],
    );
    check(&with(&[Event::StartAsked]), "running", &[]);
}

#[test]
fn what_was_never_made_cannot_start() {
    check(&[Event::StartAsked], "creating", &[]);
    check(&[failed("no commits"), Event::StartAsked], "failed", &[]);
    check(&[failed("no commits"), Event::Created], "failed", &[]);
    check(&[Event::Seen(Sighting::Absent)], "failed", &[Effect::Save]);
    check(&[Event::StopAsked { grace_ms: 0 }], "creating", &[]);
}

#[test]
fn a_sighting_squares_the_record_with_what_is_there() {
    let seen = |events: &[Event], sighting: Sighting| {
        let mut life = Lifecycle::new(0);
        for event in events {
            life.handle(event.clone(), 0);
        }
        let mut loaded: Lifecycle =
            serde_json::from_str(&serde_json::to_string(&life).unwrap()).unwrap();
        loaded.handle(Event::Seen(sighting), 1);
        loaded.state().as_str()
    };
    let up = [Event::Created, Event::StartAsked, Event::Started];
    assert_eq!(seen(&up, Sighting::Running), "running");
    assert_eq!(seen(&up, Sighting::Ended { code: 0 }), "exited");
    assert_eq!(seen(&up, Sighting::Absent), "stopped");
    assert_eq!(seen(&up[..2], Sighting::Running), "running");
    assert_eq!(seen(&up[..1], Sighting::Running), "running");
    assert_eq!(seen(&up[..1], Sighting::Ended { code: 0 }), "stopped");
    let mut life = Lifecycle::new(0);
    for event in up.iter().chain(&[unanswered()]) {
        life.handle(event.clone(), 0);
    }
    assert_eq!(
        life.state().as_str(),
        "unknown",
        "a failed question is not an absence"
    );
    life.handle(Event::Seen(Sighting::Running), 1);
    assert_eq!(life.state().as_str(), "running");
}

#[test]
fn a_stop_that_was_forgotten_is_asked_again() {
    let mut life = Lifecycle::new(0);
    for event in [Event::Created, Event::StartAsked, Event::Started] {
        life.handle(event, 0);
    }
    life.handle(Event::StopAsked { grace_ms: 60_000 }, 0);
    let text = serde_json::to_string(&life).unwrap();
    let mut loaded: Lifecycle = serde_json::from_str(&text).unwrap();
    let effects = loaded.handle(Event::Seen(Sighting::Running), 5);
    assert_eq!(effects, [Effect::Stop { grace_ms: 10_000 }]);
    assert_eq!(loaded.deadline(), Some(10_005));
    assert_eq!(loaded.handle(Event::Seen(Sighting::Running), 6), []);
}

#[test]
fn deadlines_kill_and_then_admit_defeat() {
    let mut life = Lifecycle::new(0);
    life.handle(Event::Created, 0);
    life.handle(Event::StartAsked, 0);
    assert_eq!(life.deadline(), Some(60_000));
    assert_eq!(life.handle(Event::Tick, 59_999), []);
    assert_eq!(life.handle(Event::Tick, 60_000), [Effect::Kill]);
    assert_eq!(life.handle(Event::Tick, 60_001), []);
    let mut ended = life.clone();
    ended.handle(Event::Ended { code: 137 }, 61_000);
    assert_eq!(ended.state().as_str(), "failed");
    assert_eq!(life.handle(Event::Tick, 70_000), [Effect::Save]);
    assert_eq!(life.state().as_str(), "unknown");
    assert_eq!(life.deadline(), None);
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        Just(Event::Created),
        Just(Event::StartAsked),
        Just(Event::Started),
        any::<u64>().prop_map(|grace_ms| Event::StopAsked { grace_ms }),
        any::<i32>().prop_map(|code| Event::Ended { code }),
        Just(failed("why")),
        Just(Event::Seen(Sighting::Running)),
        any::<i32>().prop_map(|code| Event::Seen(Sighting::Ended { code })),
        Just(Event::Seen(Sighting::Absent)),
        Just(unanswered()),
        Just(Event::Tick),
    ]
}

proptest! {
    #[test]
    fn no_order_of_events_breaks_the_rules(events in prop::collection::vec((event(), any::<u64>()), 0..60)) {
        let mut life = Lifecycle::new(0);
        for (event, now) in events {
            let before = life.clone();
            let effects = life.handle(event.clone(), now);
            let moved = life.state() != before.state();
            // Every change is saved, and only then.
            prop_assert_eq!(moved, effects.contains(&Effect::Save));
            // At rest nothing but a wish to start, or the sight of it running, has any effect.
            if before.state().is_over() && moved {
                let wish = event == Event::StartAsked || event == Event::Seen(Sighting::Running);
                prop_assert!(wish, "{:?} left {:?}", event, before.state());
            }
            // A start is ordered only by a person's wish.
            if effects.contains(&Effect::Start) {
                prop_assert_eq!(&event, &Event::StartAsked);
            }
            // Kills come from a deadline alone.
            if effects.contains(&Effect::Kill) {
                prop_assert_eq!(&event, &Event::Tick);
            }
            prop_assert_eq!(*life.state() == State::Creating, *before.state() == State::Creating && !moved);
            let text = serde_json::to_string(&life).unwrap();
            let loaded: Lifecycle = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(loaded.state(), life.state());
        }
    }
}
