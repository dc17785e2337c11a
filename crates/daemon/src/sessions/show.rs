//! What a session's owner tells: everyone who looks at the session of its state, and its conversation of what the terminal
//! and the agent's life say.

use clauderon_session::{Claim, State as Life};
use clauderon_store::Record;
use clauderon_transcript::{Activity, Said};

use super::actor::Actor;
use super::pulse::Now;
use super::view::{self, Shown};
use crate::clock::{awake_ms, now_ms};
use crate::standing::Known;

/// Gathers what Clauderon itself knows of the agent.
pub fn known(record: &Record, now: &Now) -> Known {
    Known {
        mode: record.spec.mode,
        life: record.life.state().clone(),
        since_ms: record.life.since_ms(),
        progress: now.requests.progress(awake_ms()),
        last_ms: now.last_ms,
        held: view::held(record, now).cloned(),
    }
}

impl Actor {
    /// Tells what is new, and writes down where a turn began or ended.
    pub fn publish(&mut self) {
        if self.follow_turn() {
            self.note();
        } else {
            self.show();
        }
    }

    /// Takes note of a turn that began or ended; true where one did.
    pub fn follow_turn(&mut self) -> bool {
        self.stand();
        let before = self.record.turn.clone();
        let now = self.pulse.now();
        let since = self.record.life.since_ms();
        let (status, _) = self.talk.status();
        let turn = &mut self.record.turn;
        match (self.record.life.state(), &status.activity) {
            // Before its first request an agent that works merely starts.
            (Life::Running, Activity::Working { .. }) => turn.busy |= now.requests.has_asked(),
            (Life::Running, Activity::Idle | Activity::Failed { .. }) if turn.busy => {
                turn.busy = false;
                turn.finished_ms = Some(now_ms());
            }
            // Whoever interrupted it was there.
            (Life::Running, Activity::Interrupted) | (Life::Stopped, _) => turn.busy = false,
            (Life::Exited { .. } | Life::Failed { .. }, _) if turn.finished_ms < Some(since) => {
                turn.busy = false;
                turn.finished_ms = Some(since);
            }
            _ => {}
        }
        if *turn != before {
            turn.line = now.title.or(turn.line.take());
        }
        *turn != before
    }

    /// Shows the session as it is now.
    pub fn show(&mut self) {
        self.tell_of_claim();
        self.stand();
        let shown = Shown::of(&self.record, &self.pulse.now(), self.talk.status());
        let before = self.view.send_replace(shown.clone());
        if before == shown {
            return;
        }
        if before.view.state != shown.view.state {
            self.tell_of_life();
        }
        self.shared.events.changed(shown.view);
    }

    /// Tells the conversation what Clauderon itself knows of the agent.
    fn stand(&self) {
        self.talk.stands(known(&self.record, &self.pulse.now()));
    }

    /// Tells the conversation that its agent began or ended.
    fn tell_of_life(&self) {
        let said = match self.record.life.state() {
            Life::Running => {
                let now = self.pulse.now();
                let started = Said::Started {
                    session: Some(self.record.spec.agent_session.clone()),
                    model: self.record.spec.model.clone(),
                    prompted: now.requests.is_prompted(),
                };
                // It may have drawn itself before anybody knew that it runs.
                return self.talk.know_since(started, now.begun_ms);
            }
            Life::Exited { code } => Said::Ended {
                code: Some(*code),
                reason: None,
            },
            Life::Failed { reason } => Said::Ended {
                code: None,
                reason: Some(reason.clone()),
            },
            Life::Stopped => Said::Ended {
                code: None,
                reason: None,
            },
            _ => return,
        };
        self.talk.know(said);
    }

    /// Tells the conversation what the agent's terminal says that it does, once.
    fn tell_of_claim(&mut self) {
        let now = self.pulse.now();
        let said = now.claim.map(|claim| match claim {
            Claim::Working => (Said::Working { on: now.title }, now.claimed_ms),
            Claim::Idle => (Said::Waiting, now.claimed_ms),
        });
        if said == self.claimed {
            return;
        }
        self.claimed.clone_from(&said);
        if let Some((said, at_ms)) = said {
            self.talk.read_off(said, at_ms);
        }
    }
}
