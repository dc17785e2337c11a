//! The prompts of the main thread, and whether they were answered; for whoever sent one.

use super::{Activity, Conversation};
use crate::item::{ItemId, Source, State};

/// A prompt of the main thread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Its item.
    pub id: ItemId,
    /// When it was asked, in milliseconds since 1970.
    pub at_ms: u64,
    /// What it says.
    pub text: String,
    /// Whether the agent has answered: something came of it, and its turn is over as it should be. It is said of the latest
    /// prompts alone.
    pub answered: bool,
}

/// So many of the latest prompts are looked at for an answer.
const LATEST: usize = 8;

impl Conversation {
    /// Says whether a question, a plan or a request for approval stands open, or is just being written by the model: keys may
    /// answer it.
    pub fn asks_something(&self) -> bool {
        self.open().item.is_some()
    }

    /// Returns the prompts since a time, oldest first, that the agent or the proxy told of. What the agent says may be
    /// forged.
    pub fn asked_since(&self, since_ms: u64, now_ms: u64) -> Vec<Asked> {
        let from = (since_ms.saturating_mul(1_000), ItemId::from(""));
        let turns: Vec<_> = self.turns.range(from..).collect();
        let rests = matches!(
            self.status(now_ms).activity,
            Activity::Idle | Activity::Done
        );
        let mut next = None;
        let mut answered = false;
        let mut asked = Vec::new();
        for (order, id) in turns.into_iter().rev() {
            let came = asked.len() < LATEST && self.came_of_it(*order, next);
            // What was asked before anything came is answered together with what was asked after it.
            let over = match next {
                None => rests && came,
                Some(_) => came || answered,
            };
            answered = over;
            next = Some(*order);
            let Some(thing) = self.things.get(id) else {
                continue;
            };
            if let Some(prompt) = thing.prompt()
                && thing.told.keys().any(|source| *source != Source::Daemon)
            {
                asked.push(Asked {
                    id: id.clone(),
                    at_ms: order / 1_000,
                    text: prompt.text.clone(),
                    answered: over,
                });
            }
        }
        asked.reverse();
        asked
    }

    /// Returns when the model was last asked to sum the conversation up, as the proxy saw it, in milliseconds since 1970; 0
    /// where it never was.
    pub fn summed_up_ms(&self) -> u64 {
        self.board.summed_up_ms()
    }

    /// Says whether the agent did something in a turn, of which nothing is under way and the last was not interrupted.
    fn came_of_it(&self, from: u64, to: Option<u64>) -> bool {
        let after = self.order.range((from + 1, ItemId::from(""))..);
        let within = after.take_while(|(order, _)| to.is_none_or(|to| *order < to));
        let mut last = None;
        for (_, id) in within {
            let Some(thing) = self.things.get(id) else {
                return false;
            };
            if thing.prompt().is_some() {
                continue;
            }
            // A failure that was tried again is over by what came after it.
            if !thing.is_settled() && !self.view(id, thing).state.is_over() {
                return false;
            }
            last = Some((id, thing));
        }
        last.is_some_and(|(id, thing)| self.view(id, thing).state != State::Interrupted)
    }
}
