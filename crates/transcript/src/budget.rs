//! What a session may spend, as a person writes it: `5usd`, `2.50usd`, `2000000tokens`, `1.5Mtokens`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The most that a budget may be, in its unit; more is a slip of the finger.
const MOST_CENTS: u64 = 1_000_000 * 100;
const MOST_TOKENS: u64 = 1_000_000_000_000;

/// How much a session may use in all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS), ts(type = "string"))]
#[serde(try_from = "String", into = "String")]
pub enum Budget {
    /// Tokens, as the service counts them: all that is read, the cache's included, and all that is written.
    Tokens(u64),
    /// Hundredths of a US dollar.
    Cents(u64),
}

/// A budget, or that there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS), ts(type = "string"))]
#[serde(try_from = "String", into = "String")]
pub enum Cap {
    /// None: `none`.
    Lifted,
    /// This one.
    At(Budget),
}

/// A text that is no budget.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoBudget(String);

impl fmt::Display for NoBudget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:?} is not a budget; write it like 5usd, 2.50usd, 2000000tokens or 2Mtokens",
            self.0
        )
    }
}

impl std::error::Error for NoBudget {}

impl Budget {
    /// Returns the sum of two budgets of one unit; none where their units differ, or it is too much.
    pub fn plus(self, more: Self) -> Option<Self> {
        let sum = match (self, more) {
            (Self::Tokens(a), Self::Tokens(b)) => Self::Tokens(a.checked_add(b)?),
            (Self::Cents(a), Self::Cents(b)) => Self::Cents(a.checked_add(b)?),
            _ => return None,
        };
        sum.is_sane().then_some(sum)
    }

    /// Says it to a person: `$2.50`, `2,000,000 tokens`.
    pub fn words(self) -> String {
        match self {
            Self::Tokens(tokens) => format!("{} tokens", grouped(tokens)),
            Self::Cents(cents) => format!("${}.{:02}", grouped(cents / 100), cents % 100),
        }
    }

    fn is_sane(self) -> bool {
        match self {
            Self::Tokens(tokens) => (1..=MOST_TOKENS).contains(&tokens),
            Self::Cents(cents) => (1..=MOST_CENTS).contains(&cents),
        }
    }

    fn read(text: &str) -> Option<Self> {
        let text = text.trim().to_ascii_lowercase().replace(['_', ','], "");
        let budget = match (text.strip_prefix('$'), text.strip_suffix("usd")) {
            (Some(number), None) | (None, Some(number)) => Self::Cents(scaled(number, 2)?),
            _ => {
                let number = text
                    .strip_suffix("tokens")
                    .or_else(|| text.strip_suffix("token"))?
                    .trim_end();
                match (number.strip_suffix('k'), number.strip_suffix('m')) {
                    (Some(thousands), _) => Self::Tokens(scaled(thousands, 3)?),
                    (_, Some(millions)) => Self::Tokens(scaled(millions, 6)?),
                    _ => Self::Tokens(scaled(number, 0)?),
                }
            }
        };
        budget.is_sane().then_some(budget)
    }
}

/// Reads a decimal number of at most so many digits behind its point, as a whole number of the smallest unit.
fn scaled(number: &str, digits: usize) -> Option<u64> {
    let (whole, part) = number.trim().split_once('.').unwrap_or((number.trim(), ""));
    let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || part.len() > digits || !plain(whole) || !plain(part) {
        return None;
    }
    format!("{whole}{part:0<digits$}").parse().ok()
}

fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

impl FromStr for Budget {
    type Err = NoBudget;

    fn from_str(text: &str) -> Result<Self, NoBudget> {
        Self::read(text).ok_or_else(|| NoBudget(text.chars().take(40).collect()))
    }
}

impl FromStr for Cap {
    type Err = NoBudget;

    fn from_str(text: &str) -> Result<Self, NoBudget> {
        match text.trim() {
            "none" => Ok(Self::Lifted),
            text => text.parse().map(Self::At),
        }
    }
}

impl fmt::Display for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tokens(tokens) => write!(f, "{tokens}tokens"),
            Self::Cents(cents) => write!(f, "{}.{:02}usd", cents / 100, cents % 100),
        }
    }
}

impl fmt::Display for Cap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lifted => f.write_str("none"),
            Self::At(budget) => budget.fmt(f),
        }
    }
}

impl Cap {
    /// Returns the budget, where there is one.
    pub fn budget(self) -> Option<Budget> {
        match self {
            Self::Lifted => None,
            Self::At(budget) => Some(budget),
        }
    }
}

macro_rules! text {
    ($($type:ty),+) => { $(
        impl TryFrom<String> for $type {
            type Error = NoBudget;

            fn try_from(text: String) -> Result<Self, NoBudget> {
                text.parse()
            }
        }

        impl From<$type> for String {
            fn from(value: $type) -> String {
                value.to_string()
            }
        }
    )+ };
}

text!(Budget, Cap);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_is_read_as_a_person_writes_it_and_nothing_else_is() {
        for (text, expected) in [
            ("5usd", Some(Budget::Cents(500))),
            ("2.5 usd", Some(Budget::Cents(250))),
            ("$0.05", Some(Budget::Cents(5))),
            ("1,000USD", Some(Budget::Cents(100_000))),
            ("2000000tokens", Some(Budget::Tokens(2_000_000))),
            ("2_000_000 tokens", Some(Budget::Tokens(2_000_000))),
            ("1.5Mtokens", Some(Budget::Tokens(1_500_000))),
            ("250k tokens", Some(Budget::Tokens(250_000))),
            ("0usd", None),
            ("0.001usd", None),
            ("5", None),
            ("-5usd", None),
            ("1e3usd", None),
            ("5eur", None),
            ("tokens", None),
            (".5usd", None),
            ("1.5tokens", None),
            ("$5usd", None),
            ("99999999999999999999tokens", None),
            ("", None),
            ("inf usd", None),
        ] {
            assert_eq!(text.parse::<Budget>().ok(), expected, "{text:?}");
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        for budget in [Budget::Cents(5), Budget::Cents(123_456), Budget::Tokens(7)] {
            assert_eq!(budget.to_string().parse(), Ok(budget));
            assert_eq!(Cap::At(budget).to_string().parse(), Ok(Cap::At(budget)));
        }
        assert_eq!("none".parse(), Ok(Cap::Lifted));
        assert_eq!(Budget::Cents(123_456).words(), "$1,234.56");
        assert_eq!(Budget::Tokens(2_000_000).words(), "2,000,000 tokens");
    }

    #[test]
    fn budgets_add_up_in_one_unit_alone() {
        assert_eq!(
            Budget::Cents(1).plus(Budget::Cents(2)),
            Some(Budget::Cents(3))
        );
        assert_eq!(Budget::Cents(1).plus(Budget::Tokens(2)), None);
    }
}
