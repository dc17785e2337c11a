//! Counts what a session uses against its budget, and says whether its next request to a model may go up.
//!
//! It counts what the proxy sees and nothing else. Where the service does not say what an answer cost, because the agent went
//! away before it did, the answer is counted by its length; a session cannot save by hanging up.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::budget::Budget;
use crate::price;
use crate::tap::{TapEvent, Usage};

/// Bytes of text to a token, where nobody counted: few, so that the count is rather too high than too low.
const BYTES_TO_A_TOKEN: u64 = 3;
/// The most that a request is taken to read where nobody counted: images are many bytes and few tokens.
const MOST_READ: u64 = 200_000;
/// What a request may write that names no limit.
const MOST_WRITTEN: u64 = 32_000;

/// A request that wants to go up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asking {
    /// The model that it asks for; empty where that cannot be read.
    pub model: String,
    /// Bytes of its body.
    pub bytes: u64,
    /// The tokens that it lets the model write.
    pub most: Option<u64>,
}

impl Asking {
    /// Reads what a request's body says of itself.
    pub fn read(body: &[u8]) -> Self {
        #[derive(Default, Deserialize)]
        struct Body {
            #[serde(default)]
            model: String,
            max_tokens: Option<u64>,
            max_output_tokens: Option<u64>,
        }
        let read: Body = serde_json::from_slice(body).unwrap_or_default();
        Self {
            model: read.model,
            bytes: body.len() as u64,
            most: read.max_tokens.or(read.max_output_tokens),
        }
    }

    fn read_at_most(&self) -> u64 {
        (self.bytes / BYTES_TO_A_TOKEN).min(MOST_READ)
    }

    /// What it may come to.
    fn expected(&self) -> Usage {
        Usage {
            input: self.read_at_most(),
            output: self.most.unwrap_or(MOST_WRITTEN),
            ..Usage::default()
        }
    }
}

/// What is done with a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It may go up.
    Go,
    /// It may go up when one of those under way has ended: together they might pass the budget.
    Later,
    /// It waits for the person.
    Held(Why),
}

/// Why requests wait for the person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS), ts(rename = "BudgetWhy"))]
#[serde(tag = "why", rename_all = "lowercase")]
pub enum Why {
    /// The budget is used up.
    Reached,
    /// The budget is money, and nobody knows what this model costs.
    Unpriced {
        /// The model; empty where the request does not say.
        model: String,
    },
    /// What was used before cannot be read, or cannot be written down.
    Uncounted {
        /// What went wrong.
        reason: String,
    },
}

/// What was used.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Spent {
    /// Tokens.
    pub tokens: u64,
    /// US dollars, for the models whose price is known.
    pub dollars: f64,
    /// The first model whose price is not.
    pub unpriced: Option<String>,
}

impl Spent {
    fn add(&mut self, model: &str, usage: &Usage) {
        self.tokens = self.tokens.saturating_add(usage.all());
        match price::dollars(model, usage) {
            Some(dollars) => self.dollars += dollars,
            None if usage.all() == 0 => {}
            None => self.unpriced = self.unpriced.take().or_else(|| Some(model.to_owned())),
        }
    }

    fn of(&self, budget: Budget) -> f64 {
        match budget {
            Budget::Tokens(_) => self.tokens as f64,
            Budget::Cents(_) => self.dollars * 100.0,
        }
    }
}

/// What a request used that has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    /// The model that answered.
    pub model: String,
    /// What the service said; none where it said nothing.
    pub said: Option<Usage>,
    /// What it is taken to have used of the budget, where the service did not say it to the end.
    pub guessed: Option<Usage>,
}

/// One session's count. Each request is counted once.
#[derive(Debug, Default)]
pub struct Meter {
    settled: Spent,
    under_way: HashMap<String, Flight>,
    fault: Option<String>,
}

#[derive(Debug, Default)]
struct Flight {
    asked: Asking,
    /// The model that answers, once it is known.
    model: Option<String>,
    /// What the service counted so far.
    usage: Option<Usage>,
    /// Bytes of the answer's text.
    told: u64,
    /// Bytes of the answer, for one that nobody understands.
    bytes: u64,
    /// Whether it went up.
    asks: bool,
    /// Whether the service refused it: that costs nothing.
    refused: bool,
}

impl Meter {
    /// Says whether a request may go up, and takes it for under way where it may.
    pub fn admit(&mut self, budget: Option<Budget>, link: &str, asking: &Asking) -> Verdict {
        let verdict = budget.map_or(Verdict::Go, |budget| self.verdict(budget, asking));
        if verdict == Verdict::Go {
            let flight = Flight {
                asked: asking.clone(),
                ..Flight::default()
            };
            self.under_way.entry(link.to_owned()).or_insert(flight);
        }
        verdict
    }

    /// Takes back a request that was let through and never went up.
    pub fn retract(&mut self, link: &str) {
        if self.under_way.get(link).is_some_and(|one| !one.asks) {
            self.under_way.remove(link);
        }
    }

    /// A request went up.
    pub fn ask(&mut self, link: &str, asking: impl FnOnce() -> Asking) {
        let flight = self
            .under_way
            .entry(link.to_owned())
            .or_insert_with(|| Flight {
                asked: asking(),
                ..Flight::default()
            });
        flight.asks = true;
    }

    /// The service answers with this status.
    pub fn answer(&mut self, link: &str, status: u16) {
        if let Some(flight) = self.under_way.get_mut(link) {
            flight.refused = status >= 400;
        }
    }

    /// Bytes of its answer passed.
    pub fn pass(&mut self, link: &str, bytes: u64) {
        if let Some(flight) = self.under_way.get_mut(link) {
            flight.bytes += bytes;
        }
    }

    /// Takes what is told of a request; at its end returns what it used.
    pub fn hear(&mut self, link: &str, event: &TapEvent) -> Option<Settled> {
        let flight = self.under_way.get_mut(link)?;
        match event {
            TapEvent::Message { model, usage, .. } => {
                flight.model = Some(model.clone());
                flight.usage = Some(*usage);
            }
            TapEvent::Text { text, .. } | TapEvent::Thinking { text, .. } => {
                flight.told += text.len() as u64;
            }
            TapEvent::Input { json, .. } => flight.told += json.len() as u64,
            TapEvent::Finished { usage, .. } => {
                let model = flight.model().to_owned();
                self.under_way.remove(link);
                self.settled.add(&model, usage);
                return Some(Settled {
                    model,
                    said: Some(*usage),
                    guessed: None,
                });
            }
            TapEvent::Ended => {
                let flight = self.under_way.remove(link)?;
                let guessed = flight.guessed();
                self.settled.add(flight.model(), &guessed);
                let known = guessed == flight.usage.unwrap_or_default();
                return Some(Settled {
                    model: flight.model().to_owned(),
                    said: flight.usage,
                    guessed: (!known).then_some(guessed),
                });
            }
            _ => {}
        }
        None
    }

    /// Recalls what an earlier daemon heard of a request.
    pub fn recall(&mut self, link: &str, event: &TapEvent, guessed: Option<Usage>) {
        match (event, guessed) {
            (TapEvent::Started(asked), _) => self.ask(link, || Asking {
                model: asked.model.clone(),
                ..Asking::default()
            }),
            (TapEvent::Ended, Some(guessed)) => {
                let flight = self.under_way.remove(link).unwrap_or_default();
                self.settled.add(flight.model(), &guessed);
            }
            _ => {
                self.hear(link, event);
            }
        }
    }

    /// Ends what an earlier daemon left under way: it went down with it.
    pub fn recalled(&mut self) {
        for (_, flight) in std::mem::take(&mut self.under_way) {
            self.settled
                .add(flight.model(), &flight.usage.unwrap_or_default());
        }
    }

    /// From now on the count is not to be trusted.
    pub fn doubt(&mut self, reason: String) {
        self.fault.get_or_insert(reason);
    }

    /// Returns what was used, by requests under way as far as the service said.
    pub fn spent(&self) -> Spent {
        let mut spent = self.settled.clone();
        for flight in self.under_way.values() {
            spent.add(flight.model(), &flight.usage.unwrap_or_default());
        }
        spent
    }

    /// Says why every request would wait for the person; none where the next one may go on.
    pub fn stops(&self, budget: Budget) -> Option<Why> {
        if let Some(reason) = &self.fault {
            let reason = reason.clone();
            return Some(Why::Uncounted { reason });
        }
        let spent = self.spent();
        match (budget, spent.unpriced.clone()) {
            (Budget::Cents(_), Some(model)) => Some(Why::Unpriced { model }),
            _ => (spent.of(budget) >= amount(budget)).then_some(Why::Reached),
        }
    }

    fn verdict(&self, budget: Budget, asking: &Asking) -> Verdict {
        if let Some(why) = self.stops(budget) {
            return Verdict::Held(why);
        }
        let model = &asking.model;
        let priced = price::dollars(model, &Usage::default()).is_some();
        if matches!(budget, Budget::Cents(_)) && !priced {
            let model = model.clone();
            return Verdict::Held(Why::Unpriced { model });
        }
        if self.under_way.is_empty() {
            return Verdict::Go;
        }
        let mut might = self.settled.clone();
        might.add(model, &asking.expected());
        for flight in self.under_way.values() {
            might.add(flight.model(), &flight.expected());
        }
        match might.of(budget) > amount(budget) {
            true => Verdict::Later,
            false => Verdict::Go,
        }
    }
}

impl Flight {
    fn model(&self) -> &str {
        self.model.as_deref().unwrap_or(&self.asked.model)
    }

    fn expected(&self) -> Usage {
        match self.usage {
            Some(usage) if usage.read() > 0 => Usage {
                output: self.asked.expected().output.max(usage.output),
                ..usage
            },
            _ => self.asked.expected(),
        }
    }

    /// What it is taken to have used: what the service said, or its length where that is more.
    fn guessed(&self) -> Usage {
        if self.refused || !self.asks {
            return self.usage.unwrap_or_default();
        }
        let mut guess = self.usage.unwrap_or_default();
        if guess.read() == 0 {
            guess.input = self.asked.read_at_most();
        }
        let told = match self.usage {
            Some(_) => self.told,
            None => self.told.max(self.bytes),
        };
        guess.output = guess.output.max(told.div_ceil(BYTES_TO_A_TOKEN));
        guess
    }
}

fn amount(budget: Budget) -> f64 {
    match budget {
        Budget::Tokens(tokens) => tokens as f64,
        Budget::Cents(cents) => cents as f64,
    }
}

/// The part of a budget that is used: 1 is all of it.
pub fn share(budget: Budget, spent: &Spent) -> f64 {
    spent.of(budget) / amount(budget)
}

impl Usage {
    /// Returns all tokens that are read, the cache's included.
    pub fn read(&self) -> u64 {
        [self.cache_read, self.cache_write, self.cache_write_hour]
            .into_iter()
            .fold(self.input, u64::saturating_add)
    }

    /// Returns all tokens.
    pub fn all(&self) -> u64 {
        self.read().saturating_add(self.output)
    }
}
