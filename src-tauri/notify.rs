//! Which change of a session is worth a notification, and when: a pure decision over the daemon's events.
//!
//! Nothing is told that was so when we began to listen, that did not last, or that the person sees anyway.

#[cfg(target_os = "linux")]
#[path = "notify/linux.rs"]
pub mod system;
#[cfg(not(target_os = "linux"))]
#[path = "notify/other.rs"]
pub mod system;

use std::collections::HashMap;
use std::time::{Duration, Instant};

use clauderon_api::{ServerEvent, Session, Standing, State};
use serde::Deserialize;

/// How long something must last to be told.
const DWELL: Duration = Duration::from_secs(5);
/// How long a session is silent after it was told of.
const COOLDOWN: Duration = Duration::from_secs(60);

/// Why a session calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    /// It waits for an answer.
    NeedsInput,
    /// It has finished.
    Finished,
    /// It broke.
    Failed,
    /// Most of its budget is used.
    NearBudget,
}

/// Which calls the person wants to hear, as `ui/src/state/desk.ts` spells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Wanted {
    needs_input: bool,
    finished: bool,
    failed: bool,
}

impl Default for Wanted {
    fn default() -> Wanted {
        Wanted {
            needs_input: true,
            finished: true,
            failed: true,
        }
    }
}

impl Wanted {
    fn has(self, call: Call) -> bool {
        match call {
            Call::NeedsInput | Call::NearBudget => self.needs_input,
            Call::Finished => self.finished,
            Call::Failed => self.failed,
        }
    }
}

/// Something to tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// The session's identifier.
    pub session: String,
    /// The session's title.
    pub title: String,
    /// In one sentence.
    pub body: String,
}

/// What is known of every session.
#[derive(Debug, Default)]
pub struct Notices {
    sessions: HashMap<String, Known>,
}

#[derive(Debug)]
struct Known {
    session: Session,
    call: Option<(Call, Instant)>,
    told: Option<Instant>,
}

impl Notices {
    /// Takes an event. The whole state is a replay and calls nobody.
    pub fn hear(&mut self, event: &ServerEvent, now: Instant) {
        match event {
            ServerEvent::State { sessions, .. } => {
                let before = std::mem::take(&mut self.sessions);
                for session in sessions {
                    let told = before.get(&session.id).and_then(|known| known.told);
                    self.sessions.insert(
                        session.id.clone(),
                        Known {
                            session: session.clone(),
                            call: None,
                            told,
                        },
                    );
                }
            }
            ServerEvent::Session { session, .. } => self.change(session, now),
            ServerEvent::Removed { id, .. } => {
                self.sessions.remove(id);
            }
            ServerEvent::Network { .. } | ServerEvent::Disk { .. } => {}
        }
    }

    fn change(&mut self, session: &Session, now: Instant) {
        let Some(known) = self.sessions.get_mut(&session.id) else {
            let known = Known {
                session: session.clone(),
                call: None,
                told: None,
            };
            self.sessions.insert(session.id.clone(), known);
            return;
        };
        let (before, after) = (calls(&known.session), calls(session));
        if after != before {
            known.call = after.map(|call| (call, now));
        }
        if is_near(session) && !is_near(&known.session) && after.is_none() {
            known.call = Some((Call::NearBudget, now));
        }
        known.session = session.clone();
    }

    /// Returns what is to be told now. `visible` is the session that the person sees.
    pub fn due(&mut self, now: Instant, visible: Option<&str>, wanted: Wanted) -> Vec<Notice> {
        self.sessions
            .values_mut()
            .filter_map(|known| {
                let due = known.due()?;
                let (call, _) = known.call.filter(|_| due <= now)?;
                known.call = None;
                let seen = visible == Some(known.session.id.as_str());
                if seen || !known.session.notify || !wanted.has(call) {
                    return None;
                }
                known.told = Some(now);
                Some(notice(&known.session, call))
            })
            .collect()
    }

    /// Returns when [`Notices::due`] is to be asked next.
    pub fn deadline(&self) -> Option<Instant> {
        self.sessions.values().filter_map(Known::due).min()
    }
}

impl Known {
    fn due(&self) -> Option<Instant> {
        let (_, since) = self.call?;
        let lasting = since + DWELL;
        Some(
            self.told
                .map_or(lasting, |told| lasting.max(told + COOLDOWN)),
        )
    }
}

/// What a session's state calls for.
fn calls(session: &Session) -> Option<Call> {
    match (&session.state, session.standing) {
        (_, Standing::Archived) => None,
        (State::Failed { .. }, _) => Some(Call::Failed),
        (State::Exited { code: 0 }, _) => Some(Call::Finished),
        (State::Exited { .. }, _) => Some(Call::Failed),
        _ if session.needs_you => Some(Call::NeedsInput),
        (_, Standing::Ready) => Some(Call::Finished),
        _ => None,
    }
}

fn is_near(session: &Session) -> bool {
    session.budget.as_ref().is_some_and(|budget| budget.near)
}

fn notice(session: &Session, call: Call) -> Notice {
    let budget = session.budget.as_ref();
    let held = budget.and_then(|budget| budget.held.as_ref());
    let body = match (call, held) {
        (Call::NeedsInput, Some(held)) => held.sentence.clone(),
        (Call::NeedsInput, None) => "It needs you.".to_owned(),
        (Call::Finished, _) => "It has finished.".to_owned(),
        (Call::Failed, _) => "It failed.".to_owned(),
        (Call::NearBudget, _) => {
            let words = budget.map_or("", |budget| budget.words.as_str());
            format!("80 % of its budget of {words} is used.")
        }
    };
    Notice {
        session: session.id.clone(),
        title: session
            .title
            .clone()
            .unwrap_or_else(|| session.name.clone()),
        body,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::fixtures::session;

    fn told(state: State, standing: Standing) -> ServerEvent {
        let mut session = session("a");
        session.state = state;
        session.standing = standing;
        session.needs_you = standing == Standing::NeedsYou;
        ServerEvent::Session {
            seq: 1,
            session: Box::new(session),
        }
    }

    fn working() -> ServerEvent {
        told(State::Running, Standing::Working)
    }

    fn waiting() -> ServerEvent {
        told(State::Running, Standing::NeedsYou)
    }

    /// Each step: seconds, and an event or the session that is visible; then how many notices there were.
    enum Step {
        Hear(ServerEvent),
        Due(Option<&'static str>, usize),
    }
    use Step::{Due, Hear};

    #[track_caller]
    fn check(steps: Vec<(u64, Step)>) {
        let start = Instant::now();
        let mut notices = Notices::default();
        for (at, step) in steps {
            let now = start + Duration::from_secs(at);
            match step {
                Hear(event) => notices.hear(&event, now),
                Due(visible, count) => {
                    assert_eq!(
                        notices.due(now, visible, Wanted::default()).len(),
                        count,
                        "at {at} s"
                    )
                }
            }
        }
    }

    #[test]
    fn a_session_that_waits_is_told_after_five_seconds_and_once() {
        check(vec![
            (0, Hear(working())),
            (1, Hear(waiting())),
            (5, Due(None, 0)),
            (6, Due(None, 1)),
            (90, Due(None, 0)),
        ]);
    }

    #[test]
    fn what_does_not_last_is_not_told() {
        check(vec![
            (0, Hear(working())),
            (1, Hear(waiting())),
            (3, Hear(working())),
            (9, Due(None, 0)),
        ]);
    }

    #[test]
    fn what_the_person_sees_is_not_told() {
        check(vec![
            (0, Hear(working())),
            (1, Hear(waiting())),
            (7, Due(Some("a"), 0)),
            (70, Due(None, 0)),
        ]);
        check(vec![
            (0, Hear(working())),
            (1, Hear(waiting())),
            (7, Due(Some("b"), 1)),
        ]);
    }

    #[test]
    fn a_replay_is_not_told() {
        let mut waiting = session("a");
        waiting.needs_you = true;
        let state = ServerEvent::State {
            seq: 1,
            sessions: vec![waiting],
            network_paused: false,
            disk_full: false,
        };
        check(vec![(0, Hear(state)), (9, Due(None, 0))]);
    }

    #[test]
    fn a_session_is_silent_for_a_minute_after_it_called() {
        check(vec![
            (0, Hear(working())),
            (1, Hear(waiting())),
            (6, Due(None, 1)),
            (10, Hear(working())),
            (11, Hear(waiting())),
            (30, Due(None, 0)),
            (66, Due(None, 1)),
        ]);
    }

    #[test]
    fn ends_are_told_for_what_they_are() {
        for (state, standing, body) in [
            (
                State::Exited { code: 0 },
                Standing::Done,
                "It has finished.",
            ),
            (State::Exited { code: 1 }, Standing::Done, "It failed."),
            (
                State::Failed {
                    reason: String::new(),
                },
                Standing::NeedsYou,
                "It failed.",
            ),
            (State::Running, Standing::Ready, "It has finished."),
        ] {
            let start = Instant::now();
            let mut notices = Notices::default();
            notices.hear(&working(), start);
            notices.hear(&told(state, standing), start);
            assert_eq!(notices.deadline(), Some(start + DWELL));
            assert_eq!(
                notices.due(start + DWELL, None, Wanted::default())[0].body,
                body
            );
        }
    }

    #[test]
    fn a_budget_that_is_nearly_used_is_told_once_and_one_that_is_used_up_says_so() {
        let budget = |near, held: Option<&str>| {
            let mut session = session("a");
            session.standing = match held {
                Some(_) => Standing::NeedsYou,
                None => Standing::Working,
            };
            session.needs_you = held.is_some();
            session.budget = serde_json::from_value(serde_json::json!({
                "budget": "5usd", "words": "$5.00", "tokens": 1, "dollars": 4.5, "share": 0.9, "near": near,
                "held": held.map(|sentence| serde_json::json!({"since_ms": 1, "why": "reached", "sentence": sentence})),
            }))
            .unwrap();
            ServerEvent::Session {
                seq: 1,
                session: Box::new(session),
            }
        };
        let start = Instant::now();
        let mut notices = Notices::default();
        let mut bodies = |event: &ServerEvent, at: Duration| {
            notices.hear(event, start + at);
            let due = notices.due(start + at + DWELL, None, Wanted::default());
            due.into_iter().map(|one| one.body).collect::<Vec<_>>()
        };
        assert!(bodies(&budget(false, None), Duration::ZERO).is_empty());
        let near = bodies(&budget(true, None), DWELL);
        assert_eq!(near, ["80 % of its budget of $5.00 is used."]);
        assert!(bodies(&budget(true, None), COOLDOWN * 2).is_empty());
        let held = bodies(&budget(true, Some("Used up.")), COOLDOWN * 3);
        assert_eq!(held, ["Used up."]);
    }

    #[test]
    fn a_session_that_may_not_notify_is_silent() {
        let mut quiet = session("a");
        quiet.notify = false;
        quiet.needs_you = true;
        let event = ServerEvent::Session {
            seq: 2,
            session: Box::new(quiet),
        };
        check(vec![
            (0, Hear(working())),
            (1, Hear(event)),
            (9, Due(None, 0)),
        ]);
    }

    #[test]
    fn a_call_that_the_person_switched_off_is_not_told() {
        let wanted: Wanted = serde_json::from_value(
            serde_json::json!({"needsInput": false, "finished": true, "failed": true}),
        )
        .unwrap();
        for (standing, count) in [(Standing::NeedsYou, 0), (Standing::Ready, 1)] {
            let start = Instant::now();
            let mut notices = Notices::default();
            notices.hear(&working(), start);
            notices.hear(&told(State::Running, standing), start);
            assert_eq!(notices.due(start + DWELL, None, wanted).len(), count);
        }
    }
}
