//! `clauderon usage`: what all sessions used of the models.

use std::collections::BTreeMap;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use clauderon_api::{AccountPlan, UsageDay, UsageQuery, UsageView};
use clauderon_transcript::tap::Window;

use crate::context::Context;
use crate::output;

const EXAMPLES: &str = "\
Counted by the proxy from what each answer says of itself; sessions that were deleted are in it, demos are not. Days begin at
midnight in UTC. A model without a known price makes a sum without a price. How much of a plan is used, and when it begins
anew, is what the service said with its last answer; one that said nothing has no line.

Examples:
  clauderon usage
  clauderon usage --by account --days 7
  clauderon usage --by model
  clauderon usage --json | jq '[.days[].sum.usage.output] | add'";

/// Show what all sessions used, by day, account or model
#[derive(Debug, Args)]
#[command(name = "usage", after_help = EXAMPLES)]
pub struct ShowUsage {
    /// What has a row of its own
    #[arg(long, value_enum, default_value_t = By::Day)]
    by: By,
    /// How many days, with today
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=3660))]
    days: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum By {
    Day,
    Account,
    Model,
}

impl ShowUsage {
    /// Prints it.
    pub async fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let query = UsageQuery {
            days: Some(self.days),
        };
        let view = context.connect().await?.usage(&query).await?;
        let now = output::now_ms();
        context.print(&view, |view| text(view, self.by, now))?;
        Ok(ExitCode::SUCCESS)
    }
}

#[derive(Default)]
struct Row {
    requests: u64,
    read: u64,
    written: u64,
    dollars: f64,
    unpriced: bool,
}

impl Row {
    fn add(&mut self, day: &UsageDay) {
        let usage = &day.sum.usage;
        self.requests += day.sum.requests;
        self.read += usage.read();
        self.written += usage.output;
        self.dollars += day.sum.dollars.unwrap_or_default();
        self.unpriced |= day.sum.dollars.is_none();
    }

    fn cells(&self, name: &str) -> [String; 5] {
        let cost = match (self.unpriced, self.dollars > 0.0) {
            (false, _) => format!("${:.2}", self.dollars),
            (true, true) => format!("${:.2} and more", self.dollars),
            (true, false) => "not known".to_owned(),
        };
        [
            name.to_owned(),
            self.requests.to_string(),
            self.read.to_string(),
            self.written.to_string(),
            cost,
        ]
    }
}

fn text(view: &UsageView, by: By, now_ms: u64) -> String {
    let mut rows: BTreeMap<&str, Row> = BTreeMap::new();
    let mut all = Row::default();
    for day in &view.days {
        let name = match by {
            By::Day => &day.day,
            By::Account => &day.account,
            By::Model => &day.model,
        };
        rows.entry(name).or_default().add(day);
        all.add(day);
    }
    if rows.is_empty() {
        return "Nothing was used.".to_owned();
    }
    let mut cells: Vec<[String; 5]> = rows.iter().map(|(name, row)| row.cells(name)).collect();
    if by == By::Day {
        cells.reverse();
    }
    cells.push(all.cells("all"));
    let head = match by {
        By::Day => "DAY",
        By::Account => "ACCOUNT",
        By::Model => "MODEL",
    };
    let table = output::table([head, "REQUESTS", "READ", "WRITTEN", "COST"], &cells);
    let plans = view.plans.iter().filter_map(|plan| said(plan, now_ms));
    let mut parts: Vec<String> = plans.collect();
    parts.push(table);
    parts.join("\n\n")
}

/// Says how much of a plan is used; none where the service told no window.
fn said(plan: &AccountPlan, now_ms: u64) -> Option<String> {
    let windows = [
        ("five hours", &plan.limits.five_hour),
        ("week", &plan.limits.weekly),
    ];
    let said: Vec<String> = windows
        .into_iter()
        .filter_map(|(name, window)| window_words(name, window.as_ref()?, now_ms))
        .collect();
    (!said.is_empty()).then(|| {
        format!(
            "{}, as its service said {} ago: {}.",
            output::escape(&plan.account),
            output::ago(now_ms, plan.at_ms),
            said.join("; ")
        )
    })
}

fn window_words(name: &str, window: &Window, now_ms: u64) -> Option<String> {
    let again = match window.resets_at_ms {
        Some(at) if at <= now_ms => return Some(format!("the {name} began anew since")),
        Some(at) => format!(", anew in {}", output::ago(at, now_ms)),
        None => String::new(),
    };
    let used = window.used?;
    Some(format!("{:.0} % of the {name}{again}", used * 100.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clauderon_transcript::Sum;
    use clauderon_transcript::tap::{Limits, Usage};

    fn day(day: &str, model: &str, dollars: Option<f64>) -> UsageDay {
        UsageDay {
            day: day.to_owned(),
            account: "anthropic_oauth_token".to_owned(),
            model: model.to_owned(),
            sum: Sum {
                usage: Usage {
                    input: 10,
                    output: 5,
                    cache_read: 100,
                    ..Usage::default()
                },
                requests: 2,
                dollars,
            },
        }
    }

    #[test]
    fn rows_add_up_and_windows_say_when_they_begin_anew() {
        let view = UsageView {
            today: "2026-11-23".to_owned(),
            prices_of: String::new(),
            days: vec![
                day("2026-11-23", "a", Some(1.5)),
                day("2026-11-23", "b", None),
                day("2026-11-22", "a", Some(0.25)),
            ],
            plans: vec![AccountPlan {
                account: "anthropic_oauth_token".to_owned(),
                at_ms: 0,
                limits: Limits {
                    five_hour: Some(Window {
                        used: Some(0.42),
                        resets_at_ms: Some(7_260_000),
                        status: None,
                    }),
                    ..Limits::default()
                },
            }],
        };
        assert_eq!(
            text(&view, By::Day, 60_000),
            "anthropic_oauth_token, as its service said 1m ago: 42 % of the five hours, anew in 2h.\n\n\
             DAY         REQUESTS  READ  WRITTEN  COST\n\
             2026-11-23  4         220   10       $1.50 and more\n\
             2026-11-22  2         110   5        $0.25\n\
             all         6         330   15       $1.75 and more"
        );
        assert!(text(&view, By::Model, 0).contains("b      2         110   5        not known"));
    }
}
