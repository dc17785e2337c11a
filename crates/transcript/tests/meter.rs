//! What a session may spend: by the service's own count, and by length where it gave none.

use clauderon_transcript::Budget;
use clauderon_transcript::meter::{Asking, Meter, Verdict, Why};
use clauderon_transcript::tap::{Provider, Purpose, Request, TapEvent, Usage};
use proptest::prelude::*;

const MODEL: &str = "claude-sonnet-5";

fn asking(bytes: u64, most: u64) -> Asking {
    Asking {
        model: MODEL.to_owned(),
        bytes,
        most: Some(most),
    }
}

fn usage(input: u64, output: u64) -> Usage {
    Usage {
        input,
        output,
        ..Usage::default()
    }
}

fn message(usage: Usage) -> TapEvent {
    TapEvent::Message {
        id: "m".to_owned(),
        model: MODEL.to_owned(),
        usage,
    }
}

fn finished(usage: Usage) -> TapEvent {
    TapEvent::Finished { usage, stop: None }
}

fn text(bytes: usize) -> TapEvent {
    TapEvent::Text {
        block: 0,
        id: None,
        text: "x".repeat(bytes),
    }
}

/// Lets a request up; it must be allowed to.
fn go(meter: &mut Meter, budget: Budget, link: &str, asking: &Asking) {
    assert_eq!(meter.admit(Some(budget), link, asking), Verdict::Go);
    meter.ask(link, Asking::default);
}

/// Ends a request before the service counted it; returns what it is taken for.
fn guessed(meter: &mut Meter, link: &str) -> Option<Usage> {
    meter.hear(link, &TapEvent::Ended)?.guessed
}

fn spend(meter: &mut Meter, budget: Budget, link: &str, usage: Usage) {
    go(meter, budget, link, &asking(300, 100));
    meter.hear(link, &finished(usage));
}

#[test]
fn requests_go_up_until_the_budget_is_used_and_then_wait() {
    let budget = Budget::Tokens(1_000);
    let mut meter = Meter::default();
    spend(&mut meter, budget, "a", usage(400, 500));
    assert_eq!(meter.stops(budget), None);
    spend(&mut meter, budget, "b", usage(50, 50));
    assert_eq!(meter.stops(budget), Some(Why::Reached));
    let held = Verdict::Held(Why::Reached);
    assert_eq!(meter.admit(Some(budget), "c", &asking(3, 1)), held);
    assert_eq!(
        meter.admit(Some(Budget::Tokens(1_001)), "c", &asking(3, 1)),
        Verdict::Go
    );
    assert_eq!(meter.admit(None, "d", &asking(3, 1)), Verdict::Go);
}

#[test]
fn money_is_counted_by_the_prices_and_never_guessed() {
    let budget = Budget::Cents(1);
    let mut meter = Meter::default();
    // 3 dollars a million read.
    spend(&mut meter, budget, "a", usage(3_333, 0));
    assert_eq!(meter.stops(budget), None);
    spend(&mut meter, budget, "b", usage(1, 0));
    assert_eq!(meter.stops(budget), Some(Why::Reached));

    let unknown = Asking {
        model: "gpt-6.1-sol".to_owned(),
        ..asking(3, 1)
    };
    let model = unknown.model.clone();
    let mut meter = Meter::default();
    let unpriced = Why::Unpriced { model };
    assert_eq!(
        meter.admit(Some(budget), "a", &unknown),
        Verdict::Held(unpriced.clone())
    );
    // What another model than the one that was asked for answers is paid for as well.
    go(&mut meter, budget, "b", &asking(3, 1));
    meter.hear(
        "b",
        &TapEvent::Message {
            id: "m".to_owned(),
            model: "gpt-6.1-sol".to_owned(),
            usage: usage(1, 1),
        },
    );
    meter.hear("b", &finished(usage(1, 1)));
    assert_eq!(meter.stops(budget), Some(unpriced));
    assert_eq!(meter.stops(Budget::Tokens(100)), None);
}

#[test]
fn hanging_up_saves_nothing() {
    let budget = Budget::Tokens(10_000);
    let mut meter = Meter::default();
    go(&mut meter, budget, "a", &asking(3_000, 100));
    meter.hear("a", &message(usage(900, 1)));
    meter.hear("a", &text(3_000));
    assert_eq!(
        guessed(&mut meter, "a"),
        Some(usage(900, 1_000)),
        "the service said what was read, and its length says the rest"
    );
    go(&mut meter, budget, "b", &asking(3_000, 100));
    assert_eq!(guessed(&mut meter, "b"), Some(usage(1_000, 0)));
    go(&mut meter, budget, "c", &asking(3_000, 100));
    meter.pass("c", 900);
    meter.hear("c", &TapEvent::Ended);
    assert_eq!(meter.spent().tokens, 1_900 + 1_000 + 1_300);
    // What the service refuses costs nothing, and what never went up does not either.
    go(&mut meter, budget, "d", &asking(3_000, 100));
    meter.answer("d", 529);
    assert_eq!(guessed(&mut meter, "d"), None);
    assert_eq!(
        meter.admit(Some(budget), "e", &asking(3_000, 100)),
        Verdict::Go
    );
    meter.retract("e");
    assert_eq!(meter.spent().tokens, 4_200);
}

#[test]
fn a_count_that_is_doubted_holds_everything() {
    let mut meter = Meter::default();
    meter.doubt("torn".to_owned());
    let why = Why::Uncounted {
        reason: "torn".to_owned(),
    };
    let budget = Budget::Tokens(1_000);
    assert_eq!(
        meter.admit(Some(budget), "a", &asking(3, 1)),
        Verdict::Held(why)
    );
    assert_eq!(meter.admit(None, "a", &asking(3, 1)), Verdict::Go);
}

#[test]
fn what_an_earlier_daemon_counted_counts() {
    let budget = Budget::Tokens(1_000);
    let started = TapEvent::Started(Request {
        provider: Provider::Anthropic,
        model: MODEL.to_owned(),
        session: None,
        agent: None,
        purpose: Purpose::Turn,
        prompt: None,
        results: Vec::new(),
    });
    let mut meter = Meter::default();
    for (link, event, guessed) in [
        ("a", started.clone(), None),
        ("a", message(usage(100, 1)), None),
        ("a", finished(usage(100, 200)), None),
        ("b", started.clone(), None),
        ("b", message(usage(300, 1)), None),
        ("b", TapEvent::Ended, Some(usage(300, 50))),
        ("c", started, None),
        ("c", message(usage(349, 1)), None),
    ] {
        meter.recall(link, &event, guessed);
    }
    meter.recalled();
    assert_eq!(meter.spent().tokens, 1_000);
    assert_eq!(meter.stops(budget), Some(Why::Reached));
}

proptest! {
    /// The bound: a storm of requests passes the budget by no more than the one request that may run alone.
    #[test]
    fn a_storm_passes_the_budget_by_one_request_at_most(
        requests in prop::collection::vec((1u64..30_000, 1u64..4_000, any::<bool>()), 1..60),
        order in prop::collection::vec(any::<prop::sample::Index>(), 200),
        cap in 1u64..40_000,
    ) {
        let budget = Budget::Tokens(cap);
        let mut meter = Meter::default();
        let mut waiting: Vec<(usize, (u64, u64, bool))> = requests.into_iter().enumerate().collect();
        let mut under_way: Vec<(String, Usage, u64)> = Vec::new();
        let mut dearest = 0;
        for at in order {
            // Everyone who waits asks again, as after every change.
            waiting.retain(|(number, (bytes, most, _))| {
                let link = number.to_string();
                let asking = asking(*bytes, *most);
                if meter.admit(Some(budget), &link, &asking) != Verdict::Go {
                    return true;
                }
                meter.ask(&link, Asking::default);
                let most = usage(bytes / 3, *most);
                dearest = dearest.max(most.all());
                under_way.push((link, most, *bytes));
                false
            });
            if under_way.is_empty() {
                break;
            }
            let (link, usage, _) = under_way.swap_remove(at.index(under_way.len()));
            meter.hear(&link, &finished(usage));
        }
        for (link, usage, _) in under_way {
            meter.hear(&link, &finished(usage));
        }
        prop_assert!(meter.spent().tokens < cap + dearest.max(1), "{} of {cap}", meter.spent().tokens);
        if !waiting.is_empty() {
            prop_assert_eq!(meter.stops(budget), Some(Why::Reached));
        }
    }
}
