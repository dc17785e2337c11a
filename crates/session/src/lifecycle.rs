//! The life of a session as a state machine: an event goes in, what to do comes out.
//!
//! It never claims what it does not know: a question that could not be answered gives `Unknown`, not `Stopped`.

use serde::{Deserialize, Serialize};

/// The state of a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(tag = "state", rename_all = "lowercase")]
pub enum State {
    /// Its folder, workspace and sandbox are being made.
    Creating,
    /// The agent was asked to start.
    Starting,
    /// The agent runs.
    Running,
    /// The agent was asked to end.
    Stopping,
    /// The person stopped it; it can be started again.
    Stopped,
    /// The agent ended by itself.
    Exited {
        /// Its own exit code, or 128 and the signal.
        code: i32,
    },
    /// It could not be made or started, or was ended by a fault.
    Failed {
        /// One sentence for the person.
        reason: String,
    },
    /// Nothing certain is known of it.
    Unknown {
        /// Why the question could not be answered.
        reason: String,
    },
}

impl State {
    /// Returns the word for it.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Creating => "creating",
            Self::Starting => "starting",
            Self::Running => "running",
            Self::Stopping => "stopping",
            Self::Stopped => "stopped",
            Self::Exited { .. } => "exited",
            Self::Failed { .. } => "failed",
            Self::Unknown { .. } => "unknown",
        }
    }

    /// Says whether the agent is at rest: only a person's wish or a sight of it running leads out of here.
    pub fn is_over(&self) -> bool {
        matches!(
            self,
            Self::Stopped | Self::Exited { .. } | Self::Failed { .. }
        )
    }
}

/// What the runtime saw when it was asked about a session's sandbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sighting {
    /// The agent runs.
    Running,
    /// The sandbox is there and the agent ended.
    Ended {
        /// Its exit code.
        code: i32,
    },
    /// There is no sandbox.
    Absent,
    /// The question could not be answered.
    Unanswered {
        /// Why not.
        reason: String,
    },
}

/// What happened to a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Folder, workspace and sandbox are made.
    Created,
    /// A person (or `create`) wants the agent to run.
    StartAsked,
    /// The agent runs.
    Started,
    /// A person wants the agent to end within `grace_ms`.
    StopAsked {
        /// How long it may take before it is killed.
        grace_ms: u64,
    },
    /// The agent ended.
    Ended {
        /// Its exit code.
        code: i32,
    },
    /// A step failed, or the sandbox was ended by a fault such as lack of memory.
    Failed {
        /// One sentence for the person.
        reason: String,
    },
    /// The runtime was asked.
    Seen(Sighting),
    /// The time of `deadline` came.
    Tick,
}

/// What is to be done. The caller carries effects out in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Start the agent.
    Start,
    /// Ask the agent to end.
    Stop {
        /// How long it may take before it is killed.
        grace_ms: u64,
    },
    /// End the sandbox at once.
    Kill,
    /// Write the new state down and tell everybody.
    Save,
}

/// How long a sandbox may take from the order to start until the agent runs.
const START_MS: u64 = 60_000;
/// How long a killed sandbox may take to be gone.
const KILL_MS: u64 = 10_000;
/// The longest grace anybody may ask for.
const MAX_GRACE_MS: u64 = 10 * 60_000;

/// The state of a session and the time by which it has to change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lifecycle {
    #[serde(flatten)]
    state: State,
    /// Whether there is something that can be started.
    created: bool,
    /// When the state was entered, in milliseconds since 1970.
    since_ms: u64,
    /// What happens, and when, if this state does not end by itself. Not stored: a sighting follows each load.
    #[serde(skip)]
    deadline: Option<Deadline>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Deadline {
    /// Kill then.
    Kill(u64),
    /// It was killed; give up then.
    GiveUp(u64),
}

impl Lifecycle {
    /// Begins the life of a session whose making begins at `now_ms`.
    pub fn new(now_ms: u64) -> Self {
        Self {
            state: State::Creating,
            created: false,
            since_ms: now_ms,
            deadline: None,
        }
    }

    /// Returns the state.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Returns when the state was entered, in milliseconds since 1970.
    pub fn since_ms(&self) -> u64 {
        self.since_ms
    }

    /// Says whether the session was made and so can be started.
    pub fn can_start(&self) -> bool {
        self.created && (self.state.is_over() || matches!(self.state, State::Unknown { .. }))
    }

    /// Returns when `Event::Tick` is due, in milliseconds since 1970.
    pub fn deadline(&self) -> Option<u64> {
        match self.deadline? {
            Deadline::Kill(at) | Deadline::GiveUp(at) => Some(at),
        }
    }

    /// Takes an event in and returns what is to be done. An event that does not fit the state changes nothing.
    pub fn handle(&mut self, event: Event, now_ms: u64) -> Vec<Effect> {
        match event {
            Event::Created => self.created(now_ms),
            Event::StartAsked => self.start(now_ms),
            Event::Started => self.started(now_ms),
            Event::StopAsked { grace_ms } => self.stop(grace_ms, now_ms),
            Event::Ended { code } => self.ended(code, now_ms),
            Event::Failed { reason } => self.failed(reason, now_ms),
            Event::Seen(sighting) => self.seen(sighting, now_ms),
            Event::Tick => self.tick(now_ms),
        }
    }

    fn created(&mut self, now_ms: u64) -> Vec<Effect> {
        if self.state != State::Creating {
            return Vec::new();
        }
        self.created = true;
        self.enter(State::Stopped, now_ms)
    }

    fn start(&mut self, now_ms: u64) -> Vec<Effect> {
        if !self.can_start() {
            return Vec::new();
        }
        let mut effects = self.enter(State::Starting, now_ms);
        self.deadline = Some(Deadline::Kill(now_ms.saturating_add(START_MS)));
        effects.push(Effect::Start);
        effects
    }

    fn started(&mut self, now_ms: u64) -> Vec<Effect> {
        match self.state {
            State::Starting => self.enter(State::Running, now_ms),
            _ => Vec::new(),
        }
    }

    fn stop(&mut self, grace_ms: u64, now_ms: u64) -> Vec<Effect> {
        if !matches!(
            self.state,
            State::Starting | State::Running | State::Unknown { .. }
        ) || !self.created
        {
            return Vec::new();
        }
        let grace_ms = grace_ms.min(MAX_GRACE_MS);
        let mut effects = self.enter(State::Stopping, now_ms);
        self.deadline = Some(Deadline::Kill(now_ms.saturating_add(grace_ms)));
        effects.push(Effect::Stop { grace_ms });
        effects
    }

    fn ended(&mut self, code: i32, now_ms: u64) -> Vec<Effect> {
        match self.state {
            State::Stopping => self.enter(State::Stopped, now_ms),
            State::Starting if matches!(self.deadline, Some(Deadline::GiveUp(_))) => {
                let reason = "it did not start within 60 s and was ended";
                self.enter(
                    State::Failed {
                        reason: reason.to_owned(),
                    },
                    now_ms,
                )
            }
            State::Starting | State::Running | State::Unknown { .. } if self.created => {
                self.enter(State::Exited { code }, now_ms)
            }
            _ => Vec::new(),
        }
    }

    fn failed(&mut self, reason: String, now_ms: u64) -> Vec<Effect> {
        match self.state {
            State::Stopped | State::Exited { .. } | State::Failed { .. } => Vec::new(),
            // Whatever the reason, it is not running any more, which is what was asked for.
            State::Stopping => self.enter(State::Stopped, now_ms),
            State::Creating | State::Starting | State::Running | State::Unknown { .. } => {
                self.enter(State::Failed { reason }, now_ms)
            }
        }
    }

    /// Squares the recorded state with what is really there, at the start of a daemon and after a lost connection.
    fn seen(&mut self, sighting: Sighting, now_ms: u64) -> Vec<Effect> {
        if self.state == State::Creating || !self.created {
            return match sighting {
                Sighting::Unanswered { .. } | Sighting::Running => Vec::new(),
                Sighting::Absent | Sighting::Ended { .. } => self.failed(
                    "its making was cut short; delete it and create it again".to_owned(),
                    now_ms,
                ),
            };
        }
        match (sighting, &self.state) {
            // A restarted daemon has forgotten the deadline: ask again rather than wait for ever.
            (Sighting::Running, State::Stopping) if self.deadline.is_none() => {
                self.deadline = Some(Deadline::Kill(now_ms.saturating_add(KILL_MS)));
                vec![Effect::Stop { grace_ms: KILL_MS }]
            }
            (Sighting::Running, State::Running | State::Stopping) => Vec::new(),
            (Sighting::Running, _) => self.enter(State::Running, now_ms),
            (Sighting::Ended { code }, _) => self.ended(code, now_ms),
            (
                Sighting::Absent,
                State::Starting | State::Running | State::Stopping | State::Unknown { .. },
            ) => self.enter(State::Stopped, now_ms),
            (
                Sighting::Unanswered { reason },
                State::Starting | State::Running | State::Stopping,
            ) => self.enter(State::Unknown { reason }, now_ms),
            (Sighting::Absent | Sighting::Unanswered { .. }, _) => Vec::new(),
        }
    }

    fn tick(&mut self, now_ms: u64) -> Vec<Effect> {
        match self.deadline {
            Some(Deadline::Kill(at)) if at <= now_ms => {
                self.deadline = Some(Deadline::GiveUp(now_ms.saturating_add(KILL_MS)));
                vec![Effect::Kill]
            }
            Some(Deadline::GiveUp(at)) if at <= now_ms => {
                let reason = match self.state {
                    State::Starting => "it did not start within 60 s and could not be ended",
                    _ => "it was killed and is still there",
                };
                self.enter(
                    State::Unknown {
                        reason: reason.to_owned(),
                    },
                    now_ms,
                )
            }
            _ => Vec::new(),
        }
    }

    fn enter(&mut self, state: State, now_ms: u64) -> Vec<Effect> {
        self.state = state;
        self.since_ms = now_ms;
        self.deadline = None;
        vec![Effect::Save]
    }
}
