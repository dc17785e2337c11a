//! What a session may spend, and how much of it is spent.

use clauderon_transcript::meter::Why;
use clauderon_transcript::{Budget, Cap};
use serde::{Deserialize, Serialize};

/// A session's budget from its next request on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct SetBudget {
    /// `5usd`, `2000000tokens`, or `none` for no budget.
    pub budget: Cap,
}

/// A session's budget and what was used of it, as the proxy counted it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct BudgetView {
    /// How much the session may use in all.
    pub budget: Budget,
    /// The same for a person: `$5.00`.
    pub words: String,
    /// Tokens that were used.
    pub tokens: u64,
    /// US dollars that were used; none where the price of one of the models is not known.
    pub dollars: Option<f64>,
    /// The part that is used: 1 is all of it.
    pub share: f64,
    /// Whether so much is used that the person was told.
    pub near: bool,
    /// That a request waits for the person, or waited and was not let through.
    pub held: Option<BudgetHold>,
}

/// That requests to the model are held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct BudgetHold {
    /// Since when, in milliseconds since 1970.
    pub since_ms: u64,
    /// Why.
    #[serde(flatten)]
    pub why: Why,
    /// The same in a sentence.
    pub sentence: String,
}
