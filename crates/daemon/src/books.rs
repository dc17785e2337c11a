//! The books of what all sessions used, by day and account. One thread writes them; nobody waits for it but who reads.

use std::collections::HashMap;
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};

use clauderon_api::{AccountPlan, Error, UsageDay, UsageQuery, UsageView};
use clauderon_proxy::StandIn;
use clauderon_store::{Plan, Spending, StoreError};
use clauderon_transcript::meter::Settled;
use clauderon_transcript::tap::{Limits, TapEvent};
use clauderon_transcript::{Sum, price};
use time::{Duration, OffsetDateTime};
use tokio::sync::oneshot;

use crate::clock::now_ms;
use crate::failure;

/// Days that are shown where nobody says how many, and at most.
const DAYS: u32 = 30;
const MOST_DAYS: u32 = 3660;

/// What the thread is told, in its order.
enum Line {
    Spent(Spending),
    Said(Plan),
    Read(String, oneshot::Sender<Result<Read, StoreError>>),
    Settled(oneshot::Sender<()>),
}

struct Read {
    days: Vec<clauderon_store::Day>,
    plans: Vec<Plan>,
}

/// The way to the books.
#[derive(Clone)]
pub struct Books(Sender<Line>);

impl Books {
    /// Opens the books; a disk that does not take them stops no session.
    pub fn open(home: &Path) -> Self {
        let (tell, told) = channel();
        let home = home.to_owned();
        let thread = std::thread::Builder::new().name("books".to_owned());
        if let Err(error) = thread.spawn(move || keep(&home, &told)) {
            tracing::error!(%error, "nobody keeps the books of what is used");
        }
        Self(tell)
    }

    /// Takes what is told of a request to a model; returns at once. What a demo uses nobody pays.
    pub fn enter(
        &self,
        at_ms: u64,
        account: Option<&str>,
        event: &TapEvent,
        ended: Option<&Settled>,
    ) {
        let Some(account) = account.filter(|account| *account != StandIn::CREDENTIAL) else {
            return;
        };
        if let TapEvent::Limits(limits) = event {
            self.tell(Line::Said(Plan {
                account: account.to_owned(),
                at_ms,
                limits: limits.clone(),
            }));
        }
        if let Some((usage, settled)) = ended.and_then(|settled| Some((settled.said?, settled))) {
            self.tell(Line::Spent(Spending {
                day: day_of(at_ms),
                account: account.to_owned(),
                model: settled.model.clone(),
                usage,
            }));
        }
    }

    /// Shows what was used lately.
    pub async fn view(&self, query: UsageQuery) -> Result<UsageView, Error> {
        let now = now_ms();
        let days = query.days.unwrap_or(DAYS).clamp(1, MOST_DAYS);
        let first = now.saturating_sub(u64::from(days - 1) * 86_400_000);
        let (read, told) = oneshot::channel();
        self.tell(Line::Read(day_of(first), read));
        let Read { days, plans } = told
            .await
            .map_err(|_| Error::failed("the books of what was used cannot be read"))?
            .map_err(failure::store)?;
        Ok(UsageView {
            today: day_of(now),
            prices_of: price::as_of().to_owned(),
            days: days.into_iter().map(shown).collect(),
            plans: plans
                .into_iter()
                .map(|plan| AccountPlan {
                    account: plan.account,
                    at_ms: plan.at_ms,
                    limits: plan.limits,
                })
                .collect(),
        })
    }

    /// Waits until everything is written.
    pub async fn settle(&self) {
        let (done, settled) = oneshot::channel();
        self.tell(Line::Settled(done));
        // Where nobody keeps them, nothing is left to write.
        let _ = settled.await;
    }

    fn tell(&self, line: Line) {
        // Where nobody keeps them, it was said when they were opened.
        let _ = self.0.send(line);
    }
}

fn shown(day: clauderon_store::Day) -> UsageDay {
    let clauderon_store::Day { sum, requests } = day;
    UsageDay {
        sum: Sum {
            usage: sum.usage,
            requests,
            dollars: price::dollars(&sum.model, &sum.usage),
        },
        day: sum.day,
        account: sum.account,
        model: sum.model,
    }
}

/// The day in UTC, such as `2026-11-23`.
fn day_of(at_ms: u64) -> String {
    let at = OffsetDateTime::UNIX_EPOCH + Duration::milliseconds(i64::try_from(at_ms).unwrap_or(0));
    at.date().to_string()
}

fn keep(home: &Path, told: &Receiver<Line>) {
    let mut books = match open(home) {
        Ok(books) => books,
        Err(error) => return tracing::error!(%error, "nobody keeps the books of what is used"),
    };
    let mut plans: HashMap<String, Limits> = HashMap::new();
    for plan in books.plans().unwrap_or_default() {
        plans.insert(plan.account, plan.limits);
    }
    while let Ok(line) = told.recv() {
        let written = match line {
            Line::Spent(spending) => books.add(&[spending]),
            Line::Said(said) => {
                let known = plans.entry(said.account.clone()).or_default();
                known.learn(said.limits);
                let limits = known.clone();
                books.learn(&Plan { limits, ..said })
            }
            Line::Read(day, done) => {
                let read = books.since(&day).and_then(|days| {
                    let plans = books.plans()?;
                    Ok(Read { days, plans })
                });
                // Whoever asked may have gone.
                let _ = done.send(read);
                Ok(())
            }
            Line::Settled(done) => {
                let _ = done.send(());
                Ok(())
            }
        };
        if let Err(error) = written {
            tracing::warn!(%error, "what was used is not in the books");
        }
    }
}

fn open(home: &Path) -> Result<clauderon_store::Books, StoreError> {
    clauderon_store::Books::open(home).or_else(|error| {
        tracing::warn!(%error, "the books of what is used are kept in memory until the next start");
        clauderon_store::Books::in_memory()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_at_midnight_in_utc() {
        assert_eq!(day_of(1_795_391_999_999), "2026-11-22");
        assert_eq!(day_of(1_795_392_000_000), "2026-11-23");
    }
}
