//! Failures of the model's service, each told by several sources and again with every try: one item for what ended one turn.

use super::Conversation;
use super::thing::{Facts, Thing};
use crate::item::{Body, ItemId, Source, State};

/// Who tells of a failure, and of when.
#[derive(Debug)]
pub(super) struct Telling {
    pub source: Source,
    pub agent: Option<String>,
    pub order: u64,
    /// When the request that failed was sent, where the source knows it.
    pub asked: Option<u64>,
}

impl Conversation {
    /// Takes a failure: all of one kind in one turn are one item.
    pub(super) fn fail(&mut self, telling: Telling, body: Body, state: State) {
        let known = self.known_failure(&telling, &body).cloned();
        let Telling {
            source,
            agent,
            order,
            ..
        } = telling;
        let id = known.unwrap_or_else(|| {
            let id = self.counted("error");
            self.insert(&id, Thing::new(order, agent.clone()));
            self.errors.push(id.clone());
            id
        });
        if source != Source::Tap && state == State::Failed {
            let gave_up = self.gave_up.entry(id.clone()).or_insert(order);
            *gave_up = order.min(*gave_up);
            // The same words in the next request are another prompt.
            self.last_asked.remove(&agent);
        }
        self.tell(&id, source, order, Facts::Plain { body, state });
    }

    /// How many failures of this kind the tap has seen in this turn.
    pub(super) fn failures(&self, telling: &Telling, body: &Body) -> u32 {
        let known = self.known_failure(telling, body);
        let told = known.and_then(|id| self.things.get(id)?.told.get(&Source::Tap));
        match told {
            Some(Facts::Plain {
                body: Body::Error { retry, .. },
                ..
            }) => retry.map_or(1, |retry| retry.attempt),
            _ => 0,
        }
    }

    /// The failure of which this tells, too.
    fn known_failure(&self, telling: &Telling, body: &Body) -> Option<&ItemId> {
        let agent = telling.agent.as_deref();
        let turn = self.turn_of(agent, telling.order);
        // The tap sees the next prompt's failure before anybody tells of that prompt. What is asked after the agent gave up is
        // asked for a new one.
        let is_over = |id: &ItemId| match (self.gave_up.get(id), telling.asked) {
            (Some(gave_up), Some(asked)) => asked > *gave_up,
            _ => false,
        };
        self.errors
            .iter()
            .filter_map(|id| Some((id, self.things.get(id)?)))
            .filter(|(id, thing)| {
                thing.agent.as_deref() == agent
                    && self.turn_of(agent, thing.order) == turn
                    && thing.told.values().all(|told| same_error(told, body))
                    && !is_over(id)
            })
            .min_by_key(|(_, thing)| thing.order.abs_diff(telling.order))
            .map(|(id, _)| id)
    }
}

fn same_error(told: &Facts, body: &Body) -> bool {
    let Facts::Plain { body: told, .. } = told else {
        return false;
    };
    match (told, body) {
        (Body::Error { status: a, .. }, Body::Error { status: b, .. }) => {
            a.is_none() || b.is_none() || a == b
        }
        _ => false,
    }
}
