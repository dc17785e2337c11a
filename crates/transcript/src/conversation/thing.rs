//! A thing of which several sources may tell, and what each of them told.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::item::{Body, Source, State};
use crate::observation::{CallResult, Prompt};

/// One thing.
#[derive(Debug, Clone)]
pub(super) struct Thing {
    /// Its place: the earliest of all tellings.
    pub order: u64,
    /// The sub-agent in whose thread it is.
    pub agent: Option<String>,
    /// What each source told, the most trusted first.
    pub told: BTreeMap<Source, Facts>,
    /// The number of its last change; 0 while nobody was told of it.
    pub number: u64,
}

/// What one source told of a thing.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Facts {
    Prompt(Prompt),
    Words {
        thinking: bool,
        text: String,
        model: Option<String>,
        state: State,
    },
    Call(CallFacts),
    Plain {
        body: Body,
        state: State,
    },
}

/// What one source told of a tool's use.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct CallFacts {
    pub tool: Option<String>,
    pub input: Option<Value>,
    /// The input as far as it arrived.
    pub json: String,
    pub result: Option<CallResult>,
    /// Leave is asked for, or an answer.
    pub asked: bool,
    pub allowed: Option<bool>,
    /// The answer in which it was asked for was cut.
    pub cut: bool,
}

impl Thing {
    pub fn new(order: u64, agent: Option<String>) -> Self {
        Self {
            order,
            agent,
            told: BTreeMap::new(),
            number: 0,
        }
    }

    /// The calls' tellings, the most trusted first.
    pub fn calls(&self) -> impl Iterator<Item = (Source, &CallFacts)> {
        self.told.iter().filter_map(|(source, facts)| match facts {
            Facts::Call(call) => Some((*source, call)),
            _ => None,
        })
    }

    pub fn is_call(&self) -> bool {
        self.calls().next().is_some()
    }

    pub fn prompt(&self) -> Option<&Prompt> {
        self.told.values().find_map(|facts| match facts {
            Facts::Prompt(prompt) => Some(prompt),
            _ => None,
        })
    }

    /// Whether somebody saw it end.
    pub fn is_settled(&self) -> bool {
        self.told.values().any(|facts| match facts {
            Facts::Prompt(_) => true,
            Facts::Words { state, .. } | Facts::Plain { state, .. } => state.is_over(),
            Facts::Call(call) => call.result.is_some(),
        })
    }

    /// The tool's name.
    pub fn tool(&self) -> Option<&str> {
        self.calls().find_map(|(_, call)| call.tool.as_deref())
    }

    /// What the tool was asked for.
    pub fn input(&self) -> Option<&Value> {
        self.calls().find_map(|(_, call)| call.input.as_ref())
    }

    /// What came of the tool. The agent's own account says most, then the hook's; the tap knows what the model was told.
    pub fn result(&self) -> Option<&CallResult> {
        [
            Source::Transcript,
            Source::Hook,
            Source::Daemon,
            Source::Tap,
        ]
        .iter()
        .find_map(|source| match self.told.get(source) {
            Some(Facts::Call(call)) => call.result.as_ref(),
            _ => None,
        })
    }
}
