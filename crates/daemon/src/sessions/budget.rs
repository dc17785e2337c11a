//! What a session may spend, as its person decides it.

use clauderon_api::{self as api, Error};
use clauderon_session::Agent;
use clauderon_transcript::tap::Usage;
use clauderon_transcript::{Budget, price};

use super::Session;

impl Session {
    /// Changes what it may spend, from its next request on; one that waits asks again.
    pub async fn set_budget(&self, set: api::SetBudget) -> Result<api::Session, Error> {
        let budget = set.budget.budget();
        self.change(move |record| record.budget = budget).await?;
        self.talk.set_budget(budget);
        self.talk.settled().await?;
        self.settled().await?;
        Ok(self.view())
    }
}

/// Says what the person should know of a budget before the first request is held for it.
pub fn notice(budget: Option<Budget>, agent: Agent, model: Option<&str>) -> Option<String> {
    let budget @ Budget::Cents(_) = budget? else {
        return None;
    };
    let unknown = match (model, agent) {
        (Some(model), _) if price::dollars(model, &Usage::default()).is_some() => return None,
        // What an agent chooses by itself, or calls by a name of its own, shows when it asks.
        (_, Agent::Claude) => return None,
        (Some(model), Agent::Codex) => format!("the price of {model} is not known"),
        (None, Agent::Codex) => "the prices of Codex\u{2019}s models are not known".to_owned(),
    };
    let words = budget.words();
    Some(format!(
        "The budget is money ({words}), and {unknown}: its requests will be held until you lift it or set one in tokens."
    ))
}
