//! Tokens and what they cost, from the tap alone.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

use crate::item::ItemId;
use crate::price;
use crate::tap::{Request, Usage};

/// The tokens of a session and of its parts.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Totals {
    /// All of it, the agent's requests for itself included.
    pub session: Sum,
    /// By the prompt that began the turn; what was before the first prompt has none.
    pub turns: Vec<TurnSum>,
    /// By sub-agent, as the agent names it in its requests: its word, not the service's.
    pub agents: Vec<AgentSum>,
    /// By model.
    pub models: Vec<ModelSum>,
}

/// Tokens of some requests.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Sum {
    /// The tokens.
    pub usage: Usage,
    /// The requests that were answered.
    pub requests: u64,
    /// What they cost in US dollars; none where the price of one of the models is not known.
    pub dollars: Option<f64>,
}

/// Tokens of a turn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct TurnSum {
    /// The prompt that began it.
    pub turn: Option<ItemId>,
    /// Its tokens.
    pub sum: Sum,
}

/// Tokens of a sub-agent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct AgentSum {
    /// The sub-agent's id; none for the main one.
    pub agent: Option<String>,
    /// Its tokens.
    pub sum: Sum,
}

/// Tokens of a model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct ModelSum {
    /// The model.
    pub model: String,
    /// Its tokens.
    pub sum: Sum,
}

/// One row a request. A request is counted once, however often it is told of.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    rows: HashMap<String, Row>,
}

#[derive(Debug)]
struct Row {
    order: u64,
    agent: Option<String>,
    model: String,
    usage: Option<Usage>,
    whole: bool,
}

impl Ledger {
    pub fn start(&mut self, link: &str, request: &Request, order: u64) {
        let row = Row {
            order,
            agent: request.agent.clone(),
            model: request.model.clone(),
            usage: None,
            whole: false,
        };
        self.rows.entry(link.to_owned()).or_insert(row);
    }

    /// Takes what the service counts. What it says at the end is all; an answer that was cut cost what it said before.
    pub fn count(&mut self, link: &str, model: Option<&str>, usage: Usage, whole: bool) {
        let Some(row) = self.rows.get_mut(link).filter(|row| !row.whole) else {
            return;
        };
        row.usage = Some(usage);
        row.whole = whole;
        if let Some(model) = model {
            model.clone_into(&mut row.model);
        }
    }

    pub fn totals(&self, turn_at: impl Fn(u64) -> Option<ItemId>) -> Totals {
        let mut session = Sum::free();
        let mut turns: BTreeMap<Option<ItemId>, (u64, Sum)> = BTreeMap::new();
        let mut agents: BTreeMap<Option<&String>, Sum> = BTreeMap::new();
        let mut models: BTreeMap<&String, Sum> = BTreeMap::new();
        let mut rows: Vec<&Row> = self.rows.values().collect();
        rows.sort_by_key(|row| row.order);
        for row in rows {
            let Some(usage) = row.usage else { continue };
            let dollars = price::dollars(&row.model, &usage);
            session.add(&usage, dollars);
            let turn = turns
                .entry(turn_at(row.order))
                .or_insert((row.order, Sum::free()));
            turn.1.add(&usage, dollars);
            agents
                .entry(row.agent.as_ref())
                .or_insert(Sum::free())
                .add(&usage, dollars);
            models
                .entry(&row.model)
                .or_insert(Sum::free())
                .add(&usage, dollars);
        }
        let mut turns: Vec<_> = turns.into_iter().collect();
        turns.sort_by_key(|(_, (order, _))| *order);
        Totals {
            session,
            turns: turns
                .into_iter()
                .map(|(turn, (_, sum))| TurnSum { turn, sum })
                .collect(),
            agents: agents
                .into_iter()
                .map(|(agent, sum)| AgentSum {
                    agent: agent.cloned(),
                    sum,
                })
                .collect(),
            models: models
                .into_iter()
                .map(|(model, sum)| ModelSum {
                    model: model.clone(),
                    sum,
                })
                .collect(),
        }
    }
}

impl Sum {
    fn free() -> Self {
        Self {
            dollars: Some(0.0),
            ..Self::default()
        }
    }

    fn add(&mut self, usage: &Usage, dollars: Option<f64>) {
        self.usage.add(usage);
        self.requests += 1;
        self.dollars = self.dollars.zip(dollars).map(|(a, b)| a + b);
    }
}

impl Usage {
    fn add(&mut self, more: &Self) {
        for (sum, more) in [
            (&mut self.input, more.input),
            (&mut self.output, more.output),
            (&mut self.cache_read, more.cache_read),
            (&mut self.cache_write, more.cache_write),
            (&mut self.cache_write_hour, more.cache_write_hour),
            (&mut self.reasoning, more.reasoning),
        ] {
            *sum = sum.saturating_add(more);
        }
    }
}
