//! What the machine promises, tried with random crashes between any two steps.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

const IDLE: Situation = Situation {
    doing: Doing::Idle,
    key_ms: None,
    draft: false,
};

fn outbox() -> Outbox {
    Outbox::new("aaaaaaaaaa".parse().unwrap())
}

fn prompt(item: &str, at_ms: u64, text: &str) -> Prompt {
    Prompt {
        item: item.to_owned(),
        at_ms,
        text: text.to_owned(),
        answered: false,
    }
}

fn seen(doing: Doing, prompts: &[Prompt]) -> Seen {
    Seen {
        doing,
        prompts: prompts.to_vec(),
        summed_up_ms: None,
    }
}

/// Types a message as it is done in a session.
fn type_it(outbox: &mut Outbox, id: &str, now_ms: u64) {
    outbox.begin(id, now_ms).unwrap();
    outbox.typed(id, now_ms + 10);
}

fn stage<'a>(outbox: &'a Outbox, id: &str) -> &'a Stage {
    &outbox.message(id).unwrap().stage
}

#[test]
fn a_message_goes_its_way() {
    let mut outbox = outbox();
    outbox.post("m", "say hi\x1b", false, 0).unwrap();
    assert_eq!(outbox.next().unwrap().text, "say hi");
    type_it(&mut outbox, "m", 100);
    assert_eq!(stage(&outbox, "m"), &Stage::Typed);
    let earlier = prompt("p0", 99, "say hi");
    assert!(!outbox.observe(&seen(Doing::Idle, &[earlier]), 110));
    let mut taken = prompt("p1", 100, "say  hi");
    assert!(outbox.observe(&seen(Doing::Working, &[taken.clone()]), 200));
    let item = "p1".to_owned();
    assert_eq!(stage(&outbox, "m"), &Stage::Accepted { item: item.clone() });
    taken.answered = true;
    assert!(outbox.observe(&seen(Doing::Idle, &[taken]), 300));
    assert_eq!(stage(&outbox, "m"), &Stage::Answered { item });
}

#[test]
fn one_prompt_is_one_message() {
    let mut outbox = outbox();
    for id in ["a", "b"] {
        outbox.post(id, "yes", true, 0).unwrap();
        type_it(&mut outbox, id, 100);
    }
    let first = prompt("p1", 100, "yes");
    outbox.observe(&seen(Doing::Working, std::slice::from_ref(&first)), 200);
    assert_eq!(stage(&outbox, "b"), &Stage::Typed);
    let second = prompt("p2", 210, "yes");
    outbox.observe(&seen(Doing::Working, &[first, second]), 300);
    assert_eq!(
        stage(&outbox, "b"),
        &Stage::Accepted {
            item: "p2".to_owned()
        }
    );
}

#[test]
fn an_agent_that_waits_and_shows_nothing_did_not_take_it() {
    let mut outbox = outbox();
    outbox.post("m", "say hi", false, 0).unwrap();
    outbox.post("n", "and then", false, 0).unwrap();
    type_it(&mut outbox, "m", 0);
    assert!(!outbox.observe(&seen(Doing::Working, &[]), 600_000));
    assert_eq!(outbox.deadline(Doing::Working), None);
    assert!(!outbox.observe(&seen(Doing::Idle, &[]), 600_000));
    assert_eq!(outbox.deadline(Doing::Idle), Some(615_000));
    assert!(outbox.observe(&seen(Doing::Idle, &[]), 615_000));
    let undelivered = Stage::NotDelivered {
        reason: Reason::NotTaken,
    };
    assert_eq!(stage(&outbox, "m"), &undelivered);
    // What comes after it waits for a decision.
    let next = outbox.next().unwrap();
    let held = outbox.may_type(next, IDLE, 620_000).unwrap_err();
    assert_eq!(held.wait, Wait::Undelivered);
    // It is found all the same, however late.
    let taken = prompt("p1", 600_000, "say hi");
    outbox.observe(&seen(Doing::Working, &[taken]), 630_000);
    assert!(matches!(stage(&outbox, "m"), Stage::Accepted { .. }));
}

#[test]
fn enter_is_pressed_again_only_where_it_can_do_no_harm() {
    let check = |text: &str, situation: Situation, now_ms, expected: bool| {
        let mut outbox = outbox();
        outbox.post("m", text, false, 0).unwrap();
        type_it(&mut outbox, "m", 0);
        outbox.observe(&seen(situation.doing, &[]), 100);
        let wants = outbox.wants_enter(situation, now_ms).is_some();
        assert_eq!(wants, expected, "{text} {situation:?} {now_ms}");
    };
    let doing = |doing| Situation { doing, ..IDLE };
    let key = |key_ms| Situation {
        key_ms: Some(key_ms),
        ..IDLE
    };
    check("say hi", IDLE, 3_000, false);
    check("say hi", IDLE, 3_100, true);
    check("/model", IDLE, 3_100, false);
    check("say hi", doing(Doing::Asking), 9_000, false);
    check("say hi", doing(Doing::Working), 9_000, false);
    check("say hi", key(5), 3_100, true);
    check("say hi", key(50), 3_100, false);
}

#[test]
fn a_command_that_leaves_nothing_was_entered() {
    let mut outbox = outbox();
    outbox.post("m", "/status", false, 0).unwrap();
    type_it(&mut outbox, "m", 0);
    outbox.observe(&seen(Doing::Idle, &[]), 10);
    outbox.observe(&seen(Doing::Idle, &[]), 20_000);
    assert_eq!(stage(&outbox, "m"), &Stage::Entered);
}

#[test]
fn the_command_to_sum_up_was_entered_when_that_begins() {
    let mut outbox = outbox();
    outbox.post("other", "/status", false, 0).unwrap();
    type_it(&mut outbox, "other", 0);
    outbox.post("m", "/compact", false, 0).unwrap();
    type_it(&mut outbox, "m", 100);
    let sums_up = |at| Seen {
        summed_up_ms: Some(at),
        ..seen(Doing::Working, &[])
    };
    assert!(!outbox.observe(&sums_up(99), 200));
    assert!(outbox.observe(&sums_up(150), 200));
    assert_eq!(stage(&outbox, "m"), &Stage::Entered);
    assert_eq!(stage(&outbox, "other"), &Stage::Typed);
}

#[test]
fn nothing_is_typed_between_a_persons_keys_or_into_a_dialog() {
    let mut outbox = outbox();
    outbox.post("m", "say hi", false, 0).unwrap();
    let check = |outbox: &Outbox, situation, expected: Option<Wait>| {
        let message = outbox.next().unwrap();
        assert_eq!(
            outbox.wait_of(message, situation, 10_000),
            expected,
            "{situation:?}"
        );
    };
    let doing = |doing| Situation { doing, ..IDLE };
    let keys = |key_ms| Situation {
        key_ms: Some(key_ms),
        ..IDLE
    };
    let draft = Situation {
        draft: true,
        ..IDLE
    };
    check(&outbox, IDLE, None);
    check(&outbox, doing(Doing::Ended), Some(Wait::Start));
    check(&outbox, doing(Doing::Starting), Some(Wait::Ready));
    check(&outbox, doing(Doing::Asking), Some(Wait::Answer));
    check(&outbox, doing(Doing::Working), Some(Wait::Working));
    check(&outbox, keys(9_000), Some(Wait::Keys));
    check(&outbox, keys(7_000), None);
    check(&outbox, keys(99_000), None);
    check(&outbox, draft, Some(Wait::Draft));
    // Now means now, but never between two keys or as an answer.
    outbox.hurry("m").unwrap();
    check(&outbox, doing(Doing::Working), None);
    check(&outbox, draft, None);
    check(&outbox, keys(9_000), Some(Wait::Keys));
    check(&outbox, doing(Doing::Asking), Some(Wait::Answer));
}

#[test]
fn what_waits_can_be_changed_and_what_was_typed_cannot() {
    let mut outbox = outbox();
    outbox.post("m", "say hi", false, 0).unwrap();
    outbox.edit("m", "say ho").unwrap();
    assert_eq!(outbox.edit("m", " "), Err(Denied::Empty));
    assert_eq!(outbox.retry("m", 0), Err(Denied::NotNeeded));
    assert_eq!(outbox.begin("m", 5).unwrap().text, "say ho");
    assert_eq!(outbox.edit("m", "x"), Err(Denied::Typed));
    assert_eq!(outbox.withdraw("m", 6), Err(Denied::Typed));
    assert_eq!(outbox.edit("n", "x"), Err(Denied::Unknown));
    let mut outbox = outbox.recover(7);
    assert_eq!(
        stage(&outbox, "m"),
        &Stage::NotDelivered {
            reason: Reason::CutOff
        }
    );
    outbox.withdraw("m", 8).unwrap();
    // It was sent again by a page that had not heard of it.
    outbox.post("m", "say hi", false, 9).unwrap();
    assert_eq!(stage(&outbox, "m"), &Stage::Withdrawn);
    assert_eq!(outbox.next(), None);
}

#[test]
fn it_is_bounded() {
    let mut outbox = outbox();
    let long = "x".repeat(MOST_BYTES / 4);
    for id in ["a", "b", "c", "d"] {
        outbox.post(id, &long, false, 0).unwrap();
    }
    assert_eq!(outbox.post("e", "x", false, 0), Err(Denied::Full));
    assert_eq!(outbox.edit("a", "x"), Ok(()));
    for number in 0..MOST_WAITING - 4 {
        outbox.post(&format!("n{number}"), "x", false, 0).unwrap();
    }
    assert_eq!(outbox.post("e", "x", false, 0), Err(Denied::Full));
    for message in outbox.messages().to_vec() {
        outbox.withdraw(&message.id, 1).unwrap();
    }
    assert_eq!(outbox.messages().len(), MOST_OVER);
    assert!(outbox.messages().iter().all(|one| one.text.len() < 1_000));
    assert_eq!(outbox.post("e", "x", false, 0), Ok(()));
}

/// What happens to two sessions, and to the daemon between any two steps.
#[derive(Debug, Clone)]
enum Happens {
    /// A page sends a message, and sends it again until it hears of it.
    Send {
        to: usize,
        id: u8,
        now: bool,
    },
    /// A message is typed as far as this step; then the daemon may crash.
    Type {
        to: usize,
        steps: u8,
    },
    Withdraw {
        to: usize,
        id: u8,
    },
    Retry {
        to: usize,
        id: u8,
    },
    /// The agent takes or loses what stands in its terminal.
    Takes {
        to: usize,
        it: bool,
    },
    Observe {
        to: usize,
        doing: u8,
    },
    Crash {
        written: bool,
    },
}

/// One session: what is on its disk, in the daemon's memory, in its terminal and in its agent's transcript.
struct Place {
    disk: String,
    memory: Outbox,
    /// Every typing of a message.
    terminal: Vec<String>,
    untaken: Vec<String>,
    prompts: Vec<Prompt>,
    retried: BTreeMap<String, usize>,
    heard: Vec<String>,
}

impl Place {
    fn new(id: &str) -> Self {
        let memory = Outbox::new(id.parse().unwrap());
        Self {
            disk: serde_json::to_string(&memory).unwrap(),
            memory,
            terminal: Vec::new(),
            untaken: Vec::new(),
            prompts: Vec::new(),
            retried: BTreeMap::new(),
            heard: Vec::new(),
        }
    }

    fn write(&mut self) {
        self.disk = serde_json::to_string(&self.memory).unwrap();
    }

    fn crash(&mut self, now_ms: u64) {
        let found: Outbox = serde_json::from_str(&self.disk).unwrap();
        self.memory = found.recover(now_ms);
    }

    /// The steps of a delivery, of which the last may be any.
    fn type_next(&mut self, steps: u8, doing: Doing, now_ms: u64) {
        let Some(message) = self.memory.next().cloned() else {
            return;
        };
        let situation = Situation { doing, ..IDLE };
        if self.memory.may_type(&message, situation, now_ms).is_err() {
            return;
        }
        self.memory.begin(&message.id, now_ms).unwrap();
        for step in 0..steps {
            match step {
                0 => self.write(),
                1 => {
                    self.terminal.push(message.id.clone());
                    self.untaken.push(message.text.clone());
                }
                2 => self.memory.typed(&message.id, now_ms),
                _ => return self.write(),
            }
        }
        self.crash(now_ms);
    }

    fn check(&self) {
        for id in &self.heard {
            let message = self.memory.message(id);
            let typings = self.terminal.iter().filter(|one| *one == id).count();
            let retried = self.retried.get(id).copied().unwrap_or(0);
            assert!(typings <= 1 + retried, "{id} is doubled");
            match message.map(|message| &message.stage) {
                // Only what is over is ever forgotten.
                None => assert!(self.heard.len() > MOST_OVER, "{id} is lost"),
                Some(Stage::Queued) => assert!(typings <= retried, "{id} waits and was typed"),
                Some(Stage::Typed) => assert!(typings > 0, "{id} was not typed"),
                Some(Stage::Accepted { item } | Stage::Answered { item }) => {
                    let prompt = self.prompts.iter().find(|one| one.item == *item).unwrap();
                    assert_eq!(prompt.text, text(id));
                }
                Some(_) => {}
            }
        }
        let sent_here = |id: &&String| self.heard.contains(id);
        assert!(
            self.terminal.iter().all(|id| sent_here(&id)),
            "it was another session's"
        );
    }
}

/// Some messages say the same.
fn text(id: &str) -> String {
    format!("say {}", id.len().is_multiple_of(2) || id.ends_with('1'))
}

fn id(to: usize, number: u8) -> String {
    format!("{to}-{number}")
}

fn happens() -> impl Strategy<Value = Happens> {
    let (to, number) = (0..2_usize, 0..12_u8);
    prop_oneof![
        3 => (to.clone(), number.clone(), any::<bool>()).prop_map(|(to, id, now)| Happens::Send { to, id, now }),
        4 => (to.clone(), 0..5_u8).prop_map(|(to, steps)| Happens::Type { to, steps }),
        1 => (to.clone(), number.clone()).prop_map(|(to, id)| Happens::Withdraw { to, id }),
        1 => (to.clone(), number).prop_map(|(to, id)| Happens::Retry { to, id }),
        3 => (to.clone(), any::<bool>()).prop_map(|(to, it)| Happens::Takes { to, it }),
        3 => (to, 0..5_u8).prop_map(|(to, doing)| Happens::Observe { to, doing }),
        1 => any::<bool>().prop_map(|written| Happens::Crash { written }),
    ]
}

fn doing(number: u8) -> Doing {
    [
        Doing::Ended,
        Doing::Starting,
        Doing::Working,
        Doing::Asking,
        Doing::Idle,
    ][usize::from(number) % 5]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn no_message_is_lost_doubled_or_sent_to_another(all in prop::collection::vec(happens(), 0..80)) {
        let mut places = [Place::new("aaaaaaaaaa"), Place::new("bbbbbbbbbb")];
        for (at, happens) in all.into_iter().enumerate() {
            let now_ms = at as u64 * 4_000;
            match happens {
                Happens::Send { to, id: number, now } => {
                    let (place, id) = (&mut places[to], id(to, number));
                    let text = text(&id);
                    if place.memory.post(&id, &text, now, now_ms).is_ok() {
                        place.write();
                        if !place.heard.contains(&id) {
                            place.heard.push(id);
                        }
                    }
                }
                Happens::Type { to, steps } => places[to].type_next(steps, doing(4), now_ms),
                Happens::Withdraw { to, id: number } => {
                    if places[to].memory.withdraw(&id(to, number), now_ms).is_ok() {
                        places[to].write();
                    }
                }
                Happens::Retry { to, id: number } => {
                    let (place, id) = (&mut places[to], id(to, number));
                    if place.memory.retry(&id, now_ms).is_ok() {
                        *place.retried.entry(id).or_default() += 1;
                        place.write();
                    }
                }
                Happens::Takes { to, it } => {
                    let place = &mut places[to];
                    for text in std::mem::take(&mut place.untaken) {
                        let item = format!("p{}", place.prompts.len());
                        if it {
                            place.prompts.push(prompt(&item, now_ms, &text));
                        }
                    }
                }
                Happens::Observe { to, doing: number } => {
                    let place = &mut places[to];
                    let since = place.memory.oldest_ms().unwrap_or(u64::MAX);
                    let prompts: Vec<_> = place.prompts.iter().filter(|one| one.at_ms >= since).cloned().collect();
                    if place.memory.observe(&seen(doing(number), &prompts), now_ms) {
                        place.write();
                    }
                }
                Happens::Crash { written } => {
                    for place in &mut places {
                        if !written {
                            // A message whose sender was not told yet may be gone.
                            let _ = place.memory.post("unheard", "x", false, now_ms);
                        }
                        place.crash(now_ms);
                    }
                }
            }
            places.iter().for_each(Place::check);
        }
    }
}
