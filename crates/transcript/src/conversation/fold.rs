//! Folds what several sources told of a thing into the item that is shown.

use super::Conversation;
use super::call;
use super::thing::{Facts, Thing};
use crate::item::{Body, Item, ItemId, Source, State};
use crate::observation::End;

impl Conversation {
    /// The item that a thing is shown as.
    pub(super) fn view(&self, id: &ItemId, thing: &Thing) -> Item {
        let (body, state) = self.body(id, thing);
        let mut seen: std::collections::BTreeSet<Source> = thing.told.keys().copied().collect();
        if thing.is_call()
            && let Some((_, thread)) = self.started_by(id)
        {
            seen.extend(&thread.seen);
        }
        Item {
            id: id.clone(),
            parent: thing.agent.as_deref().map(|agent| self.anchor(agent)),
            turn: self.turn_of(thing.agent.as_deref(), thing.order),
            order: thing.order,
            at_ms: thing.order / 1_000,
            state: self.settled(thing, &body, state),
            seen,
            body,
        }
    }

    fn body(&self, id: &ItemId, thing: &Thing) -> (Body, State) {
        if thing.is_call() {
            let agent = match id.as_str().strip_prefix("agent.") {
                Some(agent) => self.threads.get_key_value(agent),
                None => self.started_by(id),
            };
            return call::body(thing, agent);
        }
        match thing.told.values().next() {
            Some(Facts::Prompt(prompt)) => (prompt_body(thing, prompt), State::Done),
            Some(Facts::Words { thinking, .. }) => words(thing, *thinking),
            Some(Facts::Plain { .. }) => self.plain(thing),
            Some(Facts::Call(_)) | None => unreachable_body(),
        }
    }

    /// Whether the model answered after a failure and within its turn.
    fn recovered(&self, thing: &Thing) -> bool {
        let next_turn = match &thing.agent {
            Some(_) => u64::MAX,
            None => {
                let next = self
                    .turns
                    .range((thing.order.saturating_add(1), ItemId::from(""))..);
                next.map(|(order, _)| *order).next().unwrap_or(u64::MAX)
            }
        };
        let successes = self.successes.get(&thing.agent);
        successes.is_some_and(|all| all.range(thing.order..next_turn).next().is_some())
    }

    /// What is still open when its turn is over was interrupted.
    fn settled(&self, thing: &Thing, body: &Body, state: State) -> State {
        let over = match &thing.agent {
            None => self.swept,
            Some(_) => self.swept_all,
        };
        match state.is_over() || thing.order >= over {
            true => state,
            false if matches!(body, Body::Error { .. }) => State::Failed,
            false => State::Interrupted,
        }
    }

    /// A thing of which every source tells a part.
    fn plain(&self, thing: &Thing) -> (Body, State) {
        let mut tellings = thing.told.values().filter_map(|facts| match facts {
            Facts::Plain { body, state } => Some((body, *state)),
            _ => None,
        });
        let Some((first, state)) = tellings.next() else {
            return unreachable_body();
        };
        let (mut body, mut state) = (first.clone(), state);
        for (more, its_state) in tellings {
            complete(&mut body, more);
            state = state.max(its_state);
        }
        // Who saw the model answer later in the same turn knows more than one who saw it fail.
        if matches!(body, Body::Error { .. }) && self.recovered(thing) {
            state = State::Done;
        }
        if let Body::Approval {
            call: Some(call),
            allowed,
            ..
        } = &mut body
            && let Some(result) = self.things.get(call).and_then(Thing::result)
        {
            allowed.get_or_insert(result.end != End::Interrupted);
            state = State::Done;
        }
        (body, state)
    }
}

/// One telling in two parts.
pub(super) fn completed(first: &Body, more: &Body) -> Body {
    let mut body = first.clone();
    complete(&mut body, more);
    body
}

/// Fills what one telling leaves open with what a less trusted one says.
fn complete(body: &mut Body, more: &Body) {
    fn or<T: Clone>(known: &mut Option<T>, told: &Option<T>) {
        if known.is_none() {
            known.clone_from(told);
        }
    }
    match (body, more) {
        (
            Body::Compaction {
                trigger,
                tokens_before,
                summary,
            },
            Body::Compaction {
                trigger: t,
                tokens_before: b,
                summary: s,
            },
        ) => {
            or(trigger, t);
            or(tokens_before, b);
            or(summary, s);
        }
        (
            Body::Error {
                status,
                error,
                retry,
                ..
            },
            Body::Error {
                status: s,
                error: e,
                retry: r,
                ..
            },
        ) => {
            or(status, s);
            or(error, e);
            match (retry, r) {
                (Some(known), Some(told)) => {
                    known.attempt = known.attempt.max(told.attempt);
                    or(&mut known.most, &told.most);
                    or(&mut known.delay_ms, &told.delay_ms);
                }
                (known, told) => or(known, told),
            }
        }
        (
            Body::Approval { allowed, call, .. },
            Body::Approval {
                allowed: a,
                call: c,
                ..
            },
        ) => {
            or(allowed, a);
            or(call, c);
        }
        _ => {}
    }
}

fn prompt_body(thing: &Thing, first: &crate::observation::Prompt) -> Body {
    let tellings = || {
        thing.told.values().filter_map(|facts| match facts {
            Facts::Prompt(prompt) => Some(prompt),
            _ => None,
        })
    };
    Body::Prompt {
        text: first.text.clone(),
        images: tellings().map(|prompt| prompt.images).max().unwrap_or(0),
        // Only the transcript knows a command from a text that looks like one.
        origin: tellings()
            .map(|prompt| prompt.origin)
            .max()
            .unwrap_or(first.origin),
    }
}

/// The tap's words are the very ones that passed; where they did not pass whole, the transcript may have all.
fn words(thing: &Thing, thinking: bool) -> (Body, State) {
    let tellings = || {
        thing.told.values().filter_map(|facts| match facts {
            Facts::Words {
                text, model, state, ..
            } => Some((text, model, *state)),
            _ => None,
        })
    };
    let whole = tellings().find(|(_, _, state)| *state == State::Done);
    let longest = || tellings().max_by_key(|(text, ..)| text.len());
    let Some((text, _, state)) = whole.or_else(longest) else {
        return unreachable_body();
    };
    let model = tellings().find_map(|(_, model, _)| model.clone());
    let text = text.clone();
    match thinking {
        true => (Body::Thinking { text }, state),
        false => (Body::Text { text, model }, state),
    }
}

/// A thing is made with its first telling; this is for the type's sake.
fn unreachable_body() -> (Body, State) {
    let raw = Body::Raw {
        record: "nothing".to_owned(),
        text: String::new(),
        bytes: 0,
    };
    (raw, State::Done)
}
