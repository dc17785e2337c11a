//! The owner of one session: events come in one at a time, effects are carried out in their order.

use std::sync::Arc;
use std::time::Duration;

use clauderon_api as api;
use clauderon_session::{Effect, Event, Sighting, State as Life};
use clauderon_store::{Deleted, Record, SessionDir, StoreError};
use clauderon_transcript::Said;
use clauderon_workspace::Workspace;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;

use super::pulse::Pulse;
use super::view::Shown;
use super::watcher::{self, Before};
use super::{Shared, folders, plan::Occasion};
use crate::clock::{awake_ms, now_ms, until, until_awake, until_risen};
use crate::conversation::{Changes, Talk};
use crate::failure;

/// What can be asked of a session.
pub enum Order {
    /// Something happened to it.
    Event(Event),
    /// Something was seen of one run of its agent.
    Told {
        /// Which run.
        run: u64,
        /// What was seen.
        event: Event,
    },
    /// Start the agent.
    Start(Occasion, oneshot::Sender<Result<(), api::Error>>),
    /// End the agent within the grace.
    Stop(Duration, oneshot::Sender<Result<(), api::Error>>),
    /// Change what is recorded besides its life.
    Change(Box<dyn FnOnce(&mut Record) + Send>),
    /// Change what a person decided; nothing has changed where it cannot be written down.
    Decide(
        Box<dyn FnOnce(&mut Record) + Send>,
        oneshot::Sender<Result<(), api::Error>>,
    ),
    /// The person looked at it.
    Seen,
    /// Say that everything before is done.
    Settled(oneshot::Sender<()>),
    /// Take its sandbox away, so that the next start makes another.
    Discard(oneshot::Sender<Result<(), api::Error>>),
    /// Take its sandbox away; the owner ends.
    Remove(oneshot::Sender<Result<(), api::Error>>),
    /// Move its folder to the trash and give its record away; the owner ends.
    Trash(oneshot::Sender<Result<Record, api::Error>>),
}

/// How often news of an agent is told at most: an agent chooses how much it says.
const PACE: Duration = Duration::from_millis(200);
/// How long to wait before a record is written again that could not be.
const AGAIN: Duration = Duration::from_secs(2);

/// The owner of one session.
pub struct Actor {
    pub shared: Arc<Shared>,
    pub paths: SessionDir,
    pub workspace: Workspace,
    pub record: Record,
    pub pulse: Arc<Pulse>,
    pub view: watch::Sender<Shown>,
    pub talk: Arc<Talk>,
    /// What the agent's terminal said last that it does, and since when, as its conversation was told.
    pub claimed: Option<(Said, u64)>,
    pub orders: mpsc::WeakSender<Order>,
    /// Which start of the agent this is: what is told of an earlier one comes too late.
    pub run: u64,
    /// When what is recorded is written again, where the disk did not take it.
    pub unwritten: Option<Instant>,
}

impl Actor {
    /// Lives until the session is removed or nobody can give orders any more.
    pub async fn live(mut self, mut orders: mpsc::Receiver<Order>) {
        let mut next_news = Instant::now();
        let mut changes = self.talk.changes();
        loop {
            let overdue = self.pulse.now().requests.changes_at(awake_ms());
            let order = tokio::select! {
                order = orders.recv() => order,
                () = until(self.record.life.deadline()) => Some(Order::Event(Event::Tick)),
                () = until_awake(overdue) => { self.publish(); continue }
                () = until_risen(self.talk.changes_at()) => { self.publish(); continue }
                () = at(self.unwritten) => { self.note(); continue }
                () = news(&self.pulse, &mut changes, next_news) => {
                    self.publish();
                    next_news = Instant::now() + PACE;
                    continue
                }
            };
            match order {
                None => return,
                Some(Order::Event(event)) => self.take(event).await,
                Some(Order::Told { run, .. }) if run != self.run => {}
                Some(Order::Told { event, .. }) => self.take(event).await,
                Some(Order::Start(occasion, done)) => self.start(occasion, done).await,
                Some(Order::Stop(grace, done)) => self.stop(grace, done).await,
                Some(Order::Change(change)) => {
                    change(&mut self.record);
                    self.save();
                }
                Some(Order::Decide(change, done)) => {
                    let _ = done.send(self.decide(change));
                }
                Some(Order::Seen) => self.seen(),
                Some(Order::Settled(done)) => {
                    self.publish();
                    let _ = done.send(());
                }
                Some(Order::Discard(done)) => {
                    let _ = done.send(self.discard().await);
                }
                Some(Order::Trash(done)) => {
                    let trashed = self.trash();
                    let gone = trashed.is_ok();
                    let _ = done.send(trashed);
                    if gone {
                        return;
                    }
                }
                Some(Order::Remove(done)) => {
                    let removed = self.remove().await;
                    let gone = removed.is_ok();
                    let _ = done.send(removed);
                    if gone {
                        return;
                    }
                }
            }
        }
    }

    async fn take(&mut self, event: Event) {
        let runs = event == Event::Seen(Sighting::Running);
        self.handle(event).await;
        if runs {
            self.hold_again().await;
        }
    }

    async fn start(&mut self, occasion: Occasion, done: oneshot::Sender<Result<(), api::Error>>) {
        if !self.record.life.can_start() {
            let _ = done.send(Err(self.conflict("cannot be started")));
            return;
        }
        if let Life::Unknown { reason } = self.record.life.state()
            && self.is_held().await
        {
            let name = self.record.spec.name.as_str();
            let sentence = format!("session {name} may run still: {reason}");
            let _ = done.send(Err(api::Error::conflict(sentence)));
            return;
        }
        let effects = self.record.life.handle(Event::StartAsked, now_ms());
        let mut started = Ok(());
        for effect in effects {
            match effect {
                Effect::Start => started = self.start_sandbox(&occasion).await,
                other => self.carry_out(other).await,
            }
        }
        let event = match &started {
            Ok(()) => Event::Started,
            Err(error) => Event::Failed {
                reason: error.message.clone(),
            },
        };
        self.handle(event).await;
        let _ = done.send(started);
    }

    async fn stop(&mut self, grace: Duration, done: oneshot::Sender<Result<(), api::Error>>) {
        let grace_ms = grace.as_millis() as u64;
        let effects = self
            .record
            .life
            .handle(Event::StopAsked { grace_ms }, now_ms());
        if effects.is_empty() {
            let _ = done.send(Err(self.conflict("does not run")));
            return;
        }
        for effect in effects {
            self.carry_out(effect).await;
        }
        let _ = done.send(Ok(()));
    }

    async fn handle(&mut self, event: Event) {
        for effect in self.record.life.handle(event, now_ms()) {
            self.carry_out(effect).await;
        }
    }

    async fn carry_out(&mut self, effect: Effect) {
        match effect {
            Effect::Save => self.note(),
            Effect::Stop { grace_ms } => self.end(Duration::from_millis(grace_ms)),
            Effect::Kill => self.end(Duration::ZERO),
            // A start has its occasion and its own path.
            Effect::Start => {}
        }
    }

    /// Moves the session's folder to the trash. The sandbox is ended by whoever asked for it: that may take its time.
    fn trash(&mut self) -> Result<Record, api::Error> {
        let mut record = self.record.clone();
        record.turn.line = self.pulse.now().title.or(record.turn.line);
        record.deleted = Some(Deleted {
            at_ms: now_ms(),
            cleared: false,
            bytes: None,
        });
        self.shared.store.discard(&record).map_err(failure::store)?;
        Ok(record)
    }

    fn seen(&mut self) {
        if self.record.is_unseen() {
            self.record.shelf.seen_ms = Some(now_ms());
            self.note();
        }
    }

    /// Squares the record with what is really there, and watches on where the agent runs.
    pub async fn reattach(&mut self) {
        let handle = self.handle_of_sandbox();
        let seen = match self.runtime().await {
            Ok(runtime) => watcher::look(&*runtime, &handle).await,
            Err(error) => Sighting::Unanswered {
                reason: error.message,
            },
        };
        if folders::is_half_made(&self.paths) {
            return self.break_off().await;
        }
        let running = seen == Sighting::Running;
        self.handle(Event::Seen(seen)).await;
        if running {
            self.pulse.restart(false);
            self.hold_again().await;
        }
        let unsure = matches!(self.record.life.state(), Life::Unknown { .. });
        if running || unsure {
            self.watch(Before::Ran { unsure });
        }
        self.publish();
    }

    /// Ends the sandbox of a session whose creation broke off with the daemon; a start mends it.
    async fn break_off(&mut self) {
        if let Err(error) = self.discard().await {
            tracing::warn!(session = %self.record.spec.id, error = %error.message, "a half-made session's sandbox stays");
        }
        let reason = "The daemon ended while the session was being made; start it to go on.";
        self.handle(Event::Failed {
            reason: reason.to_owned(),
        })
        .await;
        self.publish();
    }

    /// Writes down what a person decided, or what cannot be asked for again.
    pub(super) fn save(&mut self) {
        self.follow_turn();
        let written = self.shared.store.save(&self.record);
        self.written(written);
    }

    /// Writes down a state, which the next daemon asks for again anyhow.
    pub fn note(&mut self) {
        self.follow_turn();
        let written = self.shared.store.note(&self.record);
        self.written(written);
    }

    /// Takes a decision of the person's; it is theirs again where it cannot be kept.
    fn decide(&mut self, change: Box<dyn FnOnce(&mut Record) + Send>) -> Result<(), api::Error> {
        let mut changed = self.record.clone();
        change(&mut changed);
        self.shared.store.save(&changed).map_err(failure::store)?;
        self.record = changed;
        self.written(Ok(()));
        Ok(())
    }

    /// A record that could not be written is written again until it is.
    fn written(&mut self, result: Result<(), StoreError>) {
        if let (Err(error), None) = (&result, self.unwritten) {
            tracing::error!(session = %self.record.spec.id, %error, "the session's record could not be written yet");
        }
        self.unwritten = result.is_err().then(|| Instant::now() + AGAIN);
        self.show();
    }

    fn conflict(&self, what: &str) -> api::Error {
        api::Error::conflict(format!(
            "session {} {what}: it is {}",
            self.record.spec.name.as_str(),
            self.record.life.state().as_str()
        ))
    }
}

/// Waits until then; for ever where there is no such time.
async fn at(time: Option<Instant>) {
    match time {
        Some(time) => tokio::time::sleep_until(time).await,
        None => std::future::pending().await,
    }
}

/// Waits for news of the agent or of its conversation, but not before `at`.
async fn news(pulse: &Pulse, changes: &mut Changes, at: Instant) {
    tokio::time::sleep_until(at).await;
    tokio::select! {
        () = pulse.beat() => {}
        () = changes.next() => {}
    }
}
