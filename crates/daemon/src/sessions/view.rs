//! A session as callers see it, from its record and its pulse.

use clauderon_api::{self as api, Attention, Session, State};
use clauderon_session as session;
use clauderon_session::Activity;
use clauderon_store::Record;

/// Builds the view at `now_ms`.
pub fn of(record: &Record, activity: &Activity, now_ms: u64) -> Session {
    let spec = &record.spec;
    let state = state(record.life.state());
    let running = state == State::Running;
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
        attention: match running {
            true => attention(activity.attention(now_ms)),
            false => Attention::Unknown,
        },
        state,
        posture: record.posture,
        created_ms: spec.created_ms,
        last_activity_ms: running.then(|| activity.last_ms()),
        notices: record.notices.clone(),
        limits: record.limits.clone(),
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

fn attention(attention: session::Attention) -> Attention {
    match attention {
        session::Attention::Working => Attention::Working,
        session::Attention::Idle => Attention::Idle,
        session::Attention::Stuck => Attention::Stuck,
        session::Attention::Unknown => Attention::Unknown,
    }
}
