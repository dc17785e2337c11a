//! The pulse of one agent: what the proxy sees of its traffic and what it says of itself in its terminal, taken between two
//! bytes and read by the session.

use std::sync::{Mutex, MutexGuard, PoisonError};

use clauderon_api::BudgetView;
use clauderon_proxy::TrafficKind;
use clauderon_session::{Agent, Claim, Mode, Requests, Traffic, line};
use clauderon_terminal::title::TitleEvent;
use tokio::sync::{Notify, watch};

use crate::clock::{awake_ms, now_ms, rising_ms};

/// One agent's traffic and claims, summed up.
pub struct Pulse {
    mode: Mode,
    patience_ms: u64,
    now: Mutex<Now>,
    beat: Notify,
    /// Whether what the agent printed while nobody watched has been looked at.
    caught_up: watch::Sender<bool>,
}

/// What is known of a running agent.
#[derive(Debug, Clone, PartialEq)]
pub struct Now {
    /// Its requests to its model, in milliseconds of [`awake_ms`].
    pub requests: Requests,
    /// When it was started or found, in milliseconds of [`rising_ms`].
    pub begun_ms: u64,
    /// What it says in its terminal that it does.
    pub claim: Option<Claim>,
    /// When it began to say so, in milliseconds of [`rising_ms`].
    pub claimed_ms: u64,
    /// When its last traffic was, or its start, in milliseconds since 1970.
    pub last_ms: u64,
    /// What its terminal's title says, cleaned.
    pub title: Option<String>,
    /// Its last request, in words.
    pub request: Option<String>,
    /// What it may spend, and how much of it is spent.
    pub budget: Option<BudgetView>,
}

impl Now {
    fn started(mode: Mode, prompted: bool, patience_ms: u64) -> Self {
        Self {
            requests: Requests::started(mode, prompted, awake_ms()).with_patience(patience_ms),
            begun_ms: rising_ms(),
            claim: None,
            claimed_ms: 0,
            last_ms: now_ms(),
            title: None,
            request: None,
            budget: None,
        }
    }
}

impl Pulse {
    /// Begins before anything was sent. The agent may be silent for `patience_ms` before it is stuck.
    pub fn new(mode: Mode, patience_ms: u64) -> Self {
        Self {
            mode,
            patience_ms,
            now: Mutex::new(Now::started(mode, false, patience_ms)),
            beat: Notify::new(),
            caught_up: watch::Sender::new(false),
        }
    }

    /// Begins again with a newly started agent.
    pub fn restart(&self, prompted: bool) {
        let mut now = self.lock();
        *now = Now {
            budget: now.budget.take(),
            ..Now::started(self.mode, prompted, self.patience_ms)
        };
        drop(now);
        self.beat.notify_one();
    }

    /// Takes note of traffic. Only what concerns the model tells of a turn.
    pub fn take(&self, kind: &TrafficKind, at_ms: u64) {
        let traffic = match kind {
            TrafficKind::Started { model: true, .. } => Traffic::Started,
            TrafficKind::Finished {
                model: true, ok, ..
            } => Traffic::Finished { ok: *ok },
            TrafficKind::Refused(_) => Traffic::Refused,
            TrafficKind::Started { .. } | TrafficKind::Finished { .. } => Traffic::Flowed,
        };
        let mut now = self.lock();
        now.requests.observe(traffic, awake_ms());
        now.last_ms = now.last_ms.max(at_ms);
        if let Some(words) = words(kind) {
            now.request = Some(words);
        }
        drop(now);
        self.beat.notify_one();
    }

    /// Takes note of what the agent said of itself, the last at the end. A sign that merely moves is no news, and what was
    /// said at once is told at once.
    pub fn hear(&self, agent: Agent, said: impl IntoIterator<Item = TitleEvent>) {
        let mut now = self.lock();
        let before = (now.claimed_ms, now.title.clone());
        for event in said {
            let claim = match event {
                TitleEvent::Title(title) => {
                    let (claim, title) = Claim::of_title(agent, &title);
                    now.title = title.or(now.title.take());
                    claim
                }
                TitleEvent::AgentState(word) => Claim::of_state(&word),
            };
            if claim.is_some() && claim != now.claim {
                now.claim = claim;
                now.claimed_ms = rising_ms();
            }
        }
        let changed = before != (now.claimed_ms, now.title.clone());
        drop(now);
        if changed {
            self.beat.notify_one();
        }
    }

    /// Takes note of what it may spend, and of how much it has.
    pub fn spend(&self, budget: Option<BudgetView>) {
        let mut now = self.lock();
        if now.budget != budget {
            now.budget = budget;
            drop(now);
            self.beat.notify_one();
        }
    }

    /// Takes note that what the agent printed while nobody watched has been looked at.
    pub fn catch_up(&self) {
        self.caught_up
            .send_if_modified(|done| !std::mem::replace(done, true));
    }

    /// Waits until what the agent printed while nobody watched has been looked at.
    pub async fn caught_up(&self) {
        // The sender lives as long as this.
        let _ = self.caught_up.subscribe().wait_for(|done| *done).await;
    }

    /// Returns what is known so far.
    pub fn now(&self) -> Now {
        self.lock().clone()
    }

    /// Waits for the next change.
    pub async fn beat(&self) {
        self.beat.notified().await;
    }

    fn lock(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Says a request in words; none where it says nothing new.
fn words(kind: &TrafficKind) -> Option<String> {
    let text = match kind {
        TrafficKind::Started { model: true, .. } => "Asked the model".to_owned(),
        TrafficKind::Started {
            host, method, path, ..
        } => match method.as_str() {
            "GET" | "HEAD" => format!("Read {host}{path}"),
            method => format!("{method} {host}{path}"),
        },
        TrafficKind::Refused(refusal) if !refusal.host.is_empty() => {
            format!("Was refused {}{}", refusal.host, refusal.path)
        }
        TrafficKind::Refused(_) | TrafficKind::Finished { .. } => return None,
    };
    line(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moving_sign_is_no_news_and_words_stay_while_it_moves() {
        let pulse = Pulse::new(Mode::Interactive, 60_000);
        let title = |text: &str| pulse.hear(Agent::Claude, [TitleEvent::Title(text.to_owned())]);
        title("✳ Claude Code");
        title("⠂ Fix the login");
        let now = pulse.now();
        assert_eq!(now.title.as_deref(), Some("Fix the login"));
        assert_eq!(now.claim, Some(Claim::Working));
        title("⠐ Fix the login");
        assert_eq!(pulse.now(), now);
        title("✳ Claude Code");
        assert_eq!(pulse.now().title.as_deref(), Some("Fix the login"));
    }

    #[test]
    fn requests_are_said_in_words() {
        let started = |method: &str, model| TrafficKind::Started {
            host: "github.com".to_owned(),
            method: method.to_owned(),
            path: "/a/b".to_owned(),
            rule: String::new(),
            model,
        };
        assert_eq!(
            words(&started("POST", true)).as_deref(),
            Some("Asked the model")
        );
        assert_eq!(
            words(&started("GET", false)).as_deref(),
            Some("Read github.com/a/b")
        );
        assert_eq!(
            words(&started("POST", false)).as_deref(),
            Some("POST github.com/a/b")
        );
    }
}
