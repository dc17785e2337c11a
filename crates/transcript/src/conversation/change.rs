//! What changed, numbered, so that a viewer can go on from where it was.

use serde::{Deserialize, Serialize};

use super::Conversation;
use crate::item::{Item, ItemId};

/// One change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Change {
    /// Its number; each is one more than the one before.
    pub number: u64,
    /// What changed.
    #[serde(flatten)]
    pub what: What,
}

/// What changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(tag = "change", rename_all = "lowercase")]
pub enum What {
    /// There is an item that was not there before.
    Added {
        /// The item.
        item: Box<Item>,
    },
    /// An item is different; it may stand elsewhere.
    Updated {
        /// The item as it is now.
        item: Box<Item>,
    },
    /// The text of an item grew, and nothing else of it changed.
    Grew {
        /// The item.
        id: ItemId,
        /// What is put to the end of its text.
        text: String,
    },
    /// An item is no more: it was another telling of something else.
    Removed {
        /// The item.
        id: ItemId,
    },
}

/// What a viewer missed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Resumed {
    /// The number up to which the viewer knows everything now.
    pub number: u64,
    /// Items that are new or different, in their order.
    pub items: Vec<Item>,
    /// Items that are no more.
    pub removed: Vec<ItemId>,
}

/// Removals that are remembered.
const MOST_REMOVED: usize = 1_000;

/// What one observation touched.
#[derive(Debug, Default)]
pub(super) struct Touched {
    items: Vec<ItemId>,
    grew: Option<(ItemId, String)>,
    removed: Vec<ItemId>,
}

impl Touched {
    pub fn item(&mut self, id: &ItemId) {
        if !self.items.contains(id) {
            self.items.push(id.clone());
        }
    }

    pub fn grew(&mut self, id: ItemId, text: String) {
        self.grew = Some((id, text));
    }

    pub fn removed(&mut self, id: &ItemId) {
        self.removed.push(id.clone());
    }
}

impl Conversation {
    /// Returns what changed after a number; none where that is too long ago, or was never given: then everything is to be
    /// fetched anew.
    pub fn since(&self, number: u64) -> Option<Resumed> {
        let forgotten = match self.removed.len() >= MOST_REMOVED {
            true => self.removed.front().map_or(0, |(number, _)| *number),
            false => 0,
        };
        if number < forgotten || number > self.number {
            return None;
        }
        let changed = self.changed.range(number + 1..);
        let mut items: Vec<Item> = changed.filter_map(|(_, id)| self.item(id)).collect();
        items.sort_by(|a, b| (a.order, &a.id).cmp(&(b.order, &b.id)));
        let removed = self.removed.iter().filter(|(at, _)| *at > number);
        Some(Resumed {
            number: self.number,
            items,
            removed: removed.map(|(_, id)| id.clone()).collect(),
        })
    }

    /// Numbers what the observation touched.
    pub(super) fn changes(&mut self) -> Vec<Change> {
        let touched = std::mem::take(&mut self.touched);
        let mut changes = Vec::new();
        for id in touched.removed {
            self.number += 1;
            self.removed.push_back((self.number, id.clone()));
            if self.removed.len() > MOST_REMOVED {
                self.removed.pop_front();
            }
            changes.push(self.numbered(What::Removed { id }));
        }
        for id in &touched.items {
            let Some(thing) = self.things.get(id) else {
                continue;
            };
            let is_new = thing.number == 0;
            let item = Box::new(self.view(id, thing));
            self.mark(id);
            changes.push(self.numbered(match is_new {
                true => What::Added { item },
                false => What::Updated { item },
            }));
        }
        if let Some((id, text)) = touched.grew.filter(|(id, _)| !touched.items.contains(id)) {
            self.mark(&id);
            changes.push(self.numbered(What::Grew { id, text }));
        }
        changes
    }

    /// Gives a thing the next number.
    fn mark(&mut self, id: &ItemId) {
        self.number += 1;
        if let Some(thing) = self.things.get_mut(id) {
            self.changed.remove(&thing.number);
            thing.number = self.number;
            self.changed.insert(self.number, id.clone());
        }
    }

    fn numbered(&self, what: What) -> Change {
        Change {
            number: self.number,
            what,
        }
    }

    /// Takes a thing away.
    pub(super) fn remove(&mut self, id: &ItemId) {
        let Some(thing) = self.things.remove(id) else {
            return;
        };
        self.order.remove(&(thing.order, id.clone()));
        self.turns.remove(&(thing.order, id.clone()));
        if thing.number > 0 {
            self.changed.remove(&thing.number);
            self.touched.removed(id);
        }
    }
}
