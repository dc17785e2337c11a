//! The one reducer: observations of every source go in, items come out. It is the same for what is live and what is replayed.
//!
//! Each source's telling of a thing is kept by itself, and what is shown is folded from them. So it does not matter who tells
//! first, and what is told twice changes nothing.

mod asked;
mod board;
mod call;
mod calls;
mod change;
mod failures;
mod fold;
mod live;
mod matching;
mod open;
mod place;
mod status;
mod thing;
mod threads;
mod told;
mod wanted;

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

pub use asked::Asked;
pub use change::{Change, Resumed, What};
pub use status::{Activity, Status};
pub use wanted::Wanted;

use crate::item::{Item, ItemId, Source, State};
use crate::observation::Observation;
use crate::tap::Limits;
use crate::usage::{Ledger, Totals};
use board::Board;
use live::Live;
use place::Clocks;
use thing::{Facts, Thing};
use threads::Thread;

/// Among so many of the newest things are those that an agent has yet to write down.
const LATELY: usize = 50;

/// A conversation, from all that was told of it so far.
#[derive(Debug, Default)]
pub struct Conversation {
    things: HashMap<ItemId, Thing>,
    /// All things in the order in which they are shown.
    order: BTreeSet<(u64, ItemId)>,
    /// The prompts of the main thread, which begin its turns.
    turns: BTreeSet<(u64, ItemId)>,
    /// The sub-agents' threads by their ids.
    threads: HashMap<String, Thread>,
    clocks: Clocks,
    live: HashMap<String, Live>,
    /// Prompts that only the tap saw: they are shown when somebody else tells of them too.
    unclaimed: VecDeque<matching::Unclaimed>,
    ledger: Ledger,
    limits: Limits,
    board: Board,
    title: Option<String>,
    session: Option<String>,
    /// Everything in the main thread before this is over.
    swept: u64,
    /// Everything in sub-agents before this is over.
    swept_all: u64,
    /// The prompts by what they say.
    prompts: HashMap<u64, Vec<ItemId>>,
    /// The prompt of the tap's that each thread's open request asks.
    last_asked: HashMap<Option<String>, u64>,
    /// What was asked for last.
    asked: Option<ItemId>,
    compactions: Vec<ItemId>,
    /// Words of answers that were cut.
    cut: Vec<ItemId>,
    /// As what they stand that somebody told under a name of their own.
    twins: BTreeMap<ItemId, ItemId>,
    errors: Vec<ItemId>,
    /// When the agent gave up after a failure.
    gave_up: HashMap<ItemId, u64>,
    /// When the model answered in each thread.
    successes: HashMap<Option<String>, BTreeSet<u64>>,
    /// Calls that start sub-agents.
    agent_calls: Vec<ItemId>,
    /// Sub-agents by calls that are told of later.
    promised: HashMap<ItemId, String>,
    /// The requests of `live`, oldest first.
    links: VecDeque<String>,
    /// Numbers the prompts, errors and other things that have no id of their own.
    counts: HashMap<String, u32>,
    number: u64,
    changed: BTreeMap<u64, ItemId>,
    removed: VecDeque<(u64, ItemId)>,
    touched: change::Touched,
}

impl Conversation {
    /// Makes a conversation of which nothing is known.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes one observation that arrived at `now_ms`, in milliseconds since 1970, and returns what changed.
    pub fn observe(&mut self, observation: Observation, now_ms: u64) -> Vec<Change> {
        match observation {
            Observation::Tap { request, event } => self.pass(&request, event, now_ms),
            Observation::Told(told) => self.hear(told, now_ms),
        }
        self.changes()
    }

    /// Forgets how far the transcripts were read, so that they can be read again from their start.
    pub fn reread(&mut self) {
        self.clocks.forget_transcripts();
    }

    /// Returns up to `most` items, oldest first: the ones before an item, or the newest.
    pub fn items(&self, before: Option<&ItemId>, most: usize) -> Vec<Item> {
        let end = before.and_then(|id| Some((self.things.get(id)?.order, id.clone())));
        let mut items: Vec<Item> = match &end {
            Some(end) => self.newest_of(self.order.range(..end).rev(), most),
            None => self.newest_of(self.order.iter().rev(), most),
        };
        items.reverse();
        items
    }

    fn newest_of<'a>(
        &self,
        ids: impl Iterator<Item = &'a (u64, ItemId)>,
        most: usize,
    ) -> Vec<Item> {
        ids.take(most).filter_map(|(_, id)| self.item(id)).collect()
    }

    /// Returns one item.
    pub fn item(&self, id: &ItemId) -> Option<Item> {
        self.things.get(id).map(|thing| self.view(id, thing))
    }

    /// Says whether the model has said something to its end that the agent has not written down yet.
    pub fn is_ahead_of_transcript(&self) -> bool {
        let newest = self.order.iter().rev().take(LATELY);
        let mut things = newest.filter_map(|(_, id)| self.things.get(id));
        things.any(|thing| {
            let said = matches!(
                thing.told.get(&Source::Tap),
                Some(Facts::Words {
                    thinking: false,
                    state: State::Done,
                    ..
                })
            );
            said && thing.agent.is_none() && !thing.told.contains_key(&Source::Transcript)
        })
    }

    /// Returns how many items there are.
    pub fn len(&self) -> usize {
        self.things.len()
    }

    /// Says whether there are no items.
    pub fn is_empty(&self) -> bool {
        self.things.is_empty()
    }

    /// Returns the number of the latest change.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Says what the agent does at `now_ms`. It rests on what the agent says, too: show it, and decide nothing by it.
    pub fn status(&self, now_ms: u64) -> Status {
        self.board.status(now_ms, self.open())
    }

    /// Returns a number that rises with every sign of what the agent does.
    pub fn signs(&self) -> u64 {
        self.board.count()
    }

    /// Returns when `status` may change without another observation, in milliseconds since 1970; for a timer.
    pub fn changes_at(&self, now_ms: u64) -> Option<u64> {
        let now = self.status(now_ms);
        self.board
            .deadlines()
            .find(|&at| at > now_ms && self.status(at) != now)
    }

    /// Returns how many requests to the model are under way. The tap alone tells this: it may gate something.
    pub fn requests_in_flight(&self) -> usize {
        self.live.values().filter(|live| live.is_open()).count()
    }

    /// Returns the tokens of the whole session and of its parts. The tap alone tells this: it may gate something.
    pub fn usage(&self) -> Totals {
        self.ledger.totals(|order| self.turn_at(order))
    }

    /// Returns how much of the plan is used, as the service said last. The tap alone tells this: it may gate something.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Returns the conversation's name, as the agent says.
    pub fn title(&self) -> Option<&str> {
        self.title.as_deref()
    }

    /// Returns the agent's own id for the session, as it says.
    pub fn session(&self) -> Option<&str> {
        self.session.as_deref()
    }
}
