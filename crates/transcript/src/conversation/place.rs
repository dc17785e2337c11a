//! Where a thing stands in the conversation: by the earliest time at which anybody saw it.

use std::collections::HashMap;

use super::Conversation;
use crate::item::{ItemId, Source};

/// The last place that each source gave in each thread. What a source outside tells arrives in order, so its places always rise;
/// the lines of a transcript do not stand in order, but each says its time. The earliest place of several sources then keeps
/// the order that all of them have.
#[derive(Debug, Default)]
pub(super) struct Clocks(HashMap<(Source, Option<String>), u64>);

impl Clocks {
    /// Gives a place in microseconds for something that a source saw at a time in milliseconds.
    pub fn stamp(&mut self, source: Source, agent: Option<&str>, at_ms: u64) -> u64 {
        let last = self
            .0
            .entry((source, agent.map(str::to_owned)))
            .or_insert(0);
        let at = at_ms.saturating_mul(1_000);
        let follows = *last >= at && (source != Source::Transcript || *last - at < 1_000);
        *last = match follows {
            true => last.saturating_add(1),
            false => at,
        };
        *last
    }

    /// Gives a place for something of which the source does not say when it was: right after what it told before.
    pub fn stamp_next(&mut self, source: Source, agent: Option<&str>, now_ms: u64) -> u64 {
        let last = self.0.get_mut(&(source, agent.map(str::to_owned)));
        last.map_or(now_ms.saturating_mul(1_000), |last| {
            *last = last.saturating_add(1);
            *last
        })
    }

    pub fn forget_transcripts(&mut self) {
        self.0
            .retain(|(source, _), _| *source != Source::Transcript);
    }
}

impl Conversation {
    /// The prompt whose turn it is at a place of the main thread.
    pub(super) fn turn_at(&self, order: u64) -> Option<ItemId> {
        let newest = self
            .turns
            .range(..(order.saturating_add(1), ItemId::from("")))
            .next_back();
        newest.map(|(_, id)| id.clone())
    }

    /// The turn in which something in a thread happened: a sub-agent belongs to the turn that started it.
    pub(super) fn turn_of(&self, agent: Option<&str>, order: u64) -> Option<ItemId> {
        let mut order = order;
        let mut agent = agent.map(str::to_owned);
        for _ in 0..DEEPEST {
            let Some(id) = agent else { break };
            let Some(thing) = self.things.get(&self.anchor(&id)) else {
                break;
            };
            order = thing.order;
            agent = thing.agent.clone();
        }
        self.turn_at(order)
    }

    /// Puts a thing at an earlier place, if it is one.
    pub(super) fn move_to(&mut self, id: &ItemId, order: u64) {
        let Some(thing) = self.things.get_mut(id) else {
            return;
        };
        let before = thing.order;
        if order >= before {
            return;
        }
        thing.order = order;
        self.order.remove(&(before, id.clone()));
        self.order.insert((order, id.clone()));
        if self.turns.remove(&(before, id.clone())) {
            self.begin_turn(id, order);
        }
        self.touched.item(id);
    }

    /// Makes a prompt the beginning of a turn. What follows it may have been shown as part of the turn before, and may have
    /// mended its failures.
    pub(super) fn begin_turn(&mut self, id: &ItemId, order: u64) {
        let before = self.turns.range(..(order, ItemId::from("")));
        let before = before.map(|(order, _)| *order).next_back().unwrap_or(0);
        let failed = self.errors.iter().filter(|id| {
            let thing = self.things.get(*id);
            thing.is_some_and(|thing| (before..order).contains(&thing.order))
        });
        failed.for_each(|id| self.touched.item(id));
        self.turns.insert((order, id.clone()));
        let next = self
            .turns
            .range((order.saturating_add(1), ItemId::from(""))..)
            .next();
        let end = next.map_or(u64::MAX, |(order, _)| *order);
        let following = self
            .order
            .range((order, ItemId::from(""))..(end, ItemId::from("")));
        let following: Vec<ItemId> = following.map(|(_, id)| id.clone()).collect();
        following.iter().for_each(|id| self.touched.item(id));
    }
}

/// Sub-agents of sub-agents of …
const DEEPEST: usize = 8;
