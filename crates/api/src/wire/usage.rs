//! What was used of the models, by day, account and model.

use clauderon_transcript::Sum;
use clauderon_transcript::tap::Limits;
use serde::{Deserialize, Serialize};

/// How far back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct UsageQuery {
    /// Days with today, 30 where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days: Option<u32>,
}

/// What all sessions used, those that are gone included, as the proxy counted it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct UsageView {
    /// Today, in UTC: days begin at midnight there.
    pub today: String,
    /// The day on which the prices were right.
    pub prices_of: String,
    /// A row for each day, account and model, the newest day first.
    pub days: Vec<UsageDay>,
    /// How much of each account's plan is used.
    pub plans: Vec<AccountPlan>,
}

/// What was used of a model on a day.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct UsageDay {
    /// The day, such as `2026-11-23`.
    pub day: String,
    /// The name of the credential.
    pub account: String,
    /// The model.
    pub model: String,
    /// What was used, and what it cost where the price is known.
    pub sum: Sum,
}

/// How much of an account's plan is used, as its service said last.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct AccountPlan {
    /// The name of the credential.
    pub account: String,
    /// When the service said it, in milliseconds since 1970.
    pub at_ms: u64,
    /// What it said.
    pub limits: Limits,
}
