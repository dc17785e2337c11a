//! A session as callers see it, from its record and its pulse.

use clauderon_api::{self as api, Session, Standing, State};
use clauderon_session as session;
use clauderon_store::Record;
use clauderon_transcript::{Activity, Status};

use super::pulse::Now;
use crate::standing::{self, Attended};

/// A session as it was shown last, and what it takes to say anew what its agent does.
#[derive(Debug, Clone, PartialEq)]
pub struct Shown {
    pub view: Session,
    life: session::State,
    attended: Attended,
    /// Whether a request of its agent waits for leave to go over the budget.
    held: bool,
}

impl Shown {
    /// Builds the view, of what the agent does and whether somebody outside of its sandbox saw that, too.
    pub fn of(record: &Record, now: &Now, status: (Status, bool)) -> Self {
        Self {
            view: view(record, now),
            life: record.life.state().clone(),
            attended: attended(record),
            held: held(record, now).is_some(),
        }
        .now(status)
    }

    /// Says what the agent does now.
    pub fn now(mut self, (status, vouched): (Status, bool)) -> Self {
        let (life, activity) = (&self.life, &status.activity);
        let standing = match (self.held, self.attended) {
            (true, Attended::Seen | Attended::Unseen) => Standing::NeedsYou,
            _ => standing::group(life, activity, self.attended),
        };
        let vouched = vouched || self.held;
        self.view.needs_you = standing::needs_you(standing, life, activity, vouched);
        self.view.standing = standing;
        self.view.status = status;
        self
    }
}

fn view(record: &Record, now: &Now) -> Session {
    let shelf = &record.shelf;
    let spec = &record.spec;
    let state = state(record.life.state());
    let running = state == State::Running;
    let held = held(record, now);
    Session {
        id: spec.id.to_string(),
        name: spec.name.as_str().to_owned(),
        agent: spec.agent,
        backend: spec.backend,
        mode: spec.mode,
        image: spec.image.clone(),
        model: spec.model.clone(),
        repository: spec.repository.clone(),
        branch: spec.branch.clone(),
        base: spec.base.clone(),
        // These three are what `now` says.
        status: Status {
            activity: Activity::Unknown,
            since_ms: 0,
        },
        standing: Standing::Idle,
        needs_you: false,
        title: shelf.title.clone(),
        last_line: match held {
            Some(held) => Some(held.sentence.clone()),
            None => last_line(record, now),
        },
        budget: now.budget.clone(),
        untested: super::untested(record),
        pinned: shelf.pinned,
        notify: shelf.notify,
        archived_ms: shelf.archived_ms,
        state,
        posture: record.posture,
        demo: record.demo,
        created_ms: spec.created_ms,
        last_activity_ms: running.then_some(now.last_ms),
        notices: record.notices.clone(),
        limits: record.limits.clone(),
    }
}

/// The request of a running agent that waits for leave to go over the budget.
pub fn held<'a>(record: &Record, now: &'a Now) -> Option<&'a api::BudgetHold> {
    let running = *record.life.state() == session::State::Running;
    let held = now.budget.as_ref().and_then(|budget| budget.held.as_ref());
    held.filter(|_| running)
}

fn attended(record: &Record) -> Attended {
    match (record.shelf.archived_ms, record.is_unseen()) {
        (Some(_), _) => Attended::Archived,
        (None, true) => Attended::Unseen,
        (None, false) => Attended::Seen,
    }
}

/// Says the last that is known: a fault, what the title says, the last request, how it ended.
fn last_line(record: &Record, now: &Now) -> Option<String> {
    let title = now.title.clone().or_else(|| record.turn.line.clone());
    match record.life.state() {
        session::State::Failed { reason } | session::State::Unknown { reason } => {
            session::line(reason)
        }
        session::State::Exited { code: 0 } => title.or(Some("It ended.".to_owned())),
        session::State::Exited { code } => {
            title.or_else(|| Some(format!("It ended with exit code {code}.")))
        }
        session::State::Stopped => title.or(Some("It was stopped.".to_owned())),
        _ => title.or_else(|| now.request.clone()),
    }
}

fn state(state: &session::State) -> api::State {
    match state {
        session::State::Creating => State::Creating,
        session::State::Starting => State::Starting,
        session::State::Running => State::Running,
        session::State::Stopping => State::Stopping,
        session::State::Stopped => State::Stopped,
        session::State::Exited { code } => State::Exited { code: *code },
        session::State::Failed { reason } => State::Failed {
            reason: reason.clone(),
        },
        session::State::Unknown { reason } => State::Unknown {
            reason: reason.clone(),
        },
    }
}
