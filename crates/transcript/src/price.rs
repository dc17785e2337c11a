//! What tokens cost. A model that is not in the table has no price: a guess would be worse than none.

use std::sync::OnceLock;

use serde::Deserialize;

use crate::tap::Usage;

/// The table, with the day on which it was right.
const TABLE: &str = include_str!("prices.toml");

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    as_of: String,
    models: Vec<Price>,
}

/// Prices of a model in US dollars for a million tokens.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Price {
    /// The model's name; a name with a date behind it is the same model.
    model: String,
    input: f64,
    output: f64,
    cache_read: f64,
    cache_write: f64,
    cache_write_hour: f64,
}

fn table() -> &'static Table {
    static PARSED: OnceLock<Table> = OnceLock::new();
    PARSED.get_or_init(|| {
        toml::from_str(TABLE).expect("the table is a part of this crate, and a test reads it")
    })
}

/// Returns the day on which the prices were right, such as `2026-11-22`.
pub fn as_of() -> &'static str {
    &table().as_of
}

/// Returns what tokens of a model cost in US dollars; none where the model's price is not known.
pub fn dollars(model: &str, usage: &Usage) -> Option<f64> {
    let price = table()
        .models
        .iter()
        .find(|price| is_same(&price.model, model))?;
    let millionths = usage.input as f64 * price.input
        + usage.output as f64 * price.output
        + usage.cache_read as f64 * price.cache_read
        + usage.cache_write as f64 * price.cache_write
        + usage.cache_write_hour as f64 * price.cache_write_hour;
    Some(millionths / 1_000_000.0)
}

/// Whether a model is the one of the table: `claude-sonnet-5` and `claude-sonnet-5-20260914` are.
fn is_same(known: &str, model: &str) -> bool {
    let Some(rest) = model.strip_prefix(known) else {
        return false;
    };
    match rest.strip_prefix('-') {
        Some(date) => date.len() == 8 && date.bytes().all(|byte| byte.is_ascii_digit()),
        None => rest.is_empty(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_is_the_agents_own_and_an_unknown_model_has_none() {
        let usage = Usage {
            input: 24,
            output: 84,
            cache_read: 2_000,
            ..Usage::default()
        };
        // What Claude Code itself reported for these tokens.
        let reported = 0.001_932;
        for model in ["claude-sonnet-5", "claude-sonnet-5-20260914"] {
            let sum = dollars(model, &usage).expect("the model is in the table");
            assert!((sum - reported).abs() < 1e-12, "{model}: {sum}");
        }
        for model in ["claude-sonnet-55", "claude-sonnet-5-max", "", "gpt-6.1-sol"] {
            assert_eq!(dollars(model, &usage), None, "{model}");
        }
        assert_eq!(as_of().len(), "2026-11-22".len());
    }
}
