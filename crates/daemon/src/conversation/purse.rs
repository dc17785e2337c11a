//! What a session may spend, and who waits for more. Only what the proxy sees is counted; where the count cannot be trusted,
//! requests wait rather than pass.

use std::sync::Arc;

use clauderon_api::{BudgetHold, BudgetView};
use clauderon_transcript::meter::{Asking, Meter, Settled, Spent, Verdict, Why, share};
use clauderon_transcript::tap::TapEvent;
use clauderon_transcript::{Budget, Said};
use tokio::sync::oneshot;

use super::ledger::Entry;
use crate::sessions::pulse::Pulse;

/// The part of a budget that is worth a notice.
const NEAR: f64 = 0.8;

/// A request that waits to go up.
pub struct Waiting {
    /// Links it with what is told of it later.
    pub link: String,
    /// What it asks for.
    pub asking: Asking,
    /// Told once it may go; gone where the agent is.
    pub may: oneshot::Sender<()>,
}

/// One session's purse.
pub struct Purse {
    budget: Option<Budget>,
    meter: Meter,
    waiting: Vec<Waiting>,
    held: Option<(u64, Why)>,
    /// For which budget the person was told that it is nearly used.
    told: Option<Budget>,
    pulse: Arc<Pulse>,
}

impl Purse {
    pub fn new(pulse: Arc<Pulse>) -> Self {
        Self {
            budget: None,
            meter: Meter::default(),
            waiting: Vec::new(),
            held: None,
            told: None,
            pulse,
        }
    }

    /// Counts what an earlier daemon wrote down.
    pub fn recall(&mut self, entries: &[Entry]) {
        for entry in entries {
            self.meter
                .recall(&entry.request, &entry.event, entry.guessed);
        }
        self.meter.recalled();
    }

    /// From now on the count is not to be trusted.
    pub fn doubt(&mut self, reason: String) {
        self.meter.doubt(reason);
    }

    /// Changes what may be spent in all.
    pub fn set(&mut self, budget: Option<Budget>) {
        self.budget = budget;
        self.held = None;
    }

    /// Takes a request that wants to go up.
    pub fn ask(&mut self, waiting: Waiting) {
        self.waiting.push(waiting);
    }

    /// A request is done with, whether it went up or not.
    pub fn left(&mut self, link: &str) {
        self.waiting.retain(|one| one.link != link);
        self.meter.retract(link);
    }

    /// A request went up.
    pub fn asked(&mut self, link: &str, asking: impl FnOnce() -> Asking) {
        self.meter.ask(link, asking);
    }

    /// The service answers with this status.
    pub fn answered(&mut self, link: &str, status: u16) {
        self.meter.answer(link, status);
    }

    /// Bytes of an answer passed.
    pub fn pass(&mut self, link: &str, bytes: usize) {
        self.meter.pass(link, bytes as u64);
    }

    /// Takes what is told of a request; returns what it used once it has ended.
    pub fn hear(&mut self, link: &str, event: &TapEvent) -> Option<Settled> {
        self.meter.hear(link, event)
    }

    /// Lets those go who may, and shows how the purse is. Returns what the conversation should be told.
    pub fn settle(&mut self, now_ms: u64) -> Option<Said> {
        let (mut went, mut held) = (false, None);
        for waiting in std::mem::take(&mut self.waiting) {
            match self
                .meter
                .admit(self.budget, &waiting.link, &waiting.asking)
            {
                Verdict::Go => {
                    let Waiting { link, may, .. } = waiting;
                    went = true;
                    // It gave up meanwhile.
                    if may.send(()).is_err() {
                        self.meter.retract(&link);
                    }
                }
                Verdict::Later => self.waiting.push(waiting),
                Verdict::Held(why) => {
                    held = Some(why);
                    self.waiting.push(waiting);
                }
            }
        }
        self.held = match (held, self.held.take()) {
            (Some(why), before) => Some((before.map_or(now_ms, |(since, _)| since), why)),
            // It stays the person's turn while an agent rests between two tries.
            (None, before) => before.filter(|_| !went),
        };
        let view = self.view();
        let near = view.as_ref().is_some_and(|view| view.near);
        self.pulse.spend(view);
        self.notice(near)
    }

    /// Says once for each budget that it is nearly used.
    fn notice(&mut self, near: bool) -> Option<Said> {
        let budget = self.budget?;
        if !near || self.told == Some(budget) {
            return None;
        }
        self.told = Some(budget);
        Some(Said::Notice {
            id: Some(format!("budget.{budget}")),
            about: "budget".to_owned(),
            text: format!(
                "80 % of the budget of {} is used. At the whole of it the next request waits for you.",
                budget.words()
            ),
        })
    }

    fn view(&self) -> Option<BudgetView> {
        let budget = self.budget?;
        let spent = self.meter.spent();
        let share = share(budget, &spent);
        let held = self.held.as_ref().map(|(since_ms, why)| BudgetHold {
            since_ms: *since_ms,
            why: why.clone(),
            sentence: sentence(budget, why),
        });
        Some(BudgetView {
            budget,
            words: budget.words(),
            tokens: spent.tokens,
            dollars: dollars(&spent),
            share,
            near: share >= NEAR,
            held,
        })
    }
}

fn dollars(spent: &Spent) -> Option<f64> {
    spent.unpriced.is_none().then_some(spent.dollars)
}

/// Says why requests are held, and what can be done.
fn sentence(budget: Budget, why: &Why) -> String {
    let budget = budget.words();
    match why {
        Why::Reached => format!("The budget of {budget} is used up: raise it or stop."),
        Why::Unpriced { model } if model.is_empty() => format!(
            "The budget is money ({budget}), and the request names no model: lift it, or set one in tokens."
        ),
        Why::Unpriced { model } => format!(
            "The budget is money ({budget}), and the price of {model} is not known: lift it, or set one in tokens."
        ),
        Why::Uncounted { reason } => format!(
            "What was used of the budget of {budget} cannot be counted ({reason}): lift it or stop."
        ),
    }
}
