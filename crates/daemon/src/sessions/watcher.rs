//! Watches an agent until it ends. Of what it prints only titles are looked at.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clauderon_holder::{ExitRecord, SessionFiles};
use clauderon_runtime::{Handle, Runtime, State};
use clauderon_session::{Agent, Backend, Event, Sighting};
use clauderon_store::Record;
use clauderon_terminal::title::TitleWatcher;
use clauderon_terminal::{Console, ConsoleEvent, PTY};
use tokio::sync::mpsc;
use tokio::time::MissedTickBehavior;

use super::Shared;
use super::actor::Order;
use super::pulse::Pulse;

/// How long to wait before a runtime that did not answer is asked again.
const AGAIN: Duration = Duration::from_secs(2);
/// How often a holder that is about to end is looked for.
const LATE: Duration = Duration::from_millis(20);
/// How long it may take to end.
const LATEST: Duration = Duration::from_secs(5);
/// How much of what an agent printed before is read for its last title.
const TAIL: u64 = 128 << 10;

/// Whom to watch.
pub struct Watched {
    /// Its sandbox.
    pub handle: Handle,
    /// What makes its sandbox, and by which engine.
    pub place: (Backend, Option<PathBuf>),
    /// Whose titles to expect.
    pub agent: Agent,
    /// Whether they mean what they are known to mean.
    pub reads_titles: bool,
    /// Where its titles are told.
    pub pulse: Arc<Pulse>,
    /// What is known of it.
    pub before: Before,
    /// Which run of the agent it is.
    pub run: u64,
}

/// What is known of an agent when its watch begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Before {
    /// It was started just now.
    Nothing {
        /// How far the log was written then.
        printed: u64,
    },
    /// An earlier daemon started it.
    Ran {
        /// Nobody could say whether it runs.
        unsure: bool,
    },
}

/// Asks the runtime how a sandbox fares, and the folder how the agent ended.
pub async fn look(runtime: &dyn Runtime, handle: &Handle) -> Sighting {
    let state = runtime.state(handle).await;
    sighting(state, exit_of(handle).map(|exit| exit.code))
}

/// Says what a runtime's answer means for a session.
fn sighting(state: State, exit: Option<i32>) -> Sighting {
    match (state, exit) {
        (State::Present { running: true }, _) => Sighting::Running,
        (State::Present { running: false } | State::Absent, Some(code)) => Sighting::Ended { code },
        (State::Present { running: false } | State::Absent, None) => Sighting::Absent,
        (State::Unknown(reason), _) => Sighting::Unanswered { reason },
    }
}

/// Waits for the agent's end and reports it.
pub async fn watch(shared: Arc<Shared>, watched: Watched, orders: mpsc::WeakSender<Order>) {
    loop {
        let exit = wait_for_exit(&shared, &watched, &orders).await;
        watched.pulse.catch_up();
        let event = match exit {
            Some(exit) => ended(&exit),
            // The holder is gone without a word: the runtime knows more, if it answers.
            None => Event::Seen(ask(&shared, &watched).await),
        };
        let certain = !matches!(
            event,
            Event::Seen(Sighting::Running | Sighting::Unanswered { .. })
        );
        let Some(orders) = orders.upgrade() else {
            return;
        };
        let run = watched.run;
        if orders.send(Order::Told { run, event }).await.is_err() || certain {
            return;
        }
        drop(orders);
        tokio::time::sleep(AGAIN).await;
    }
}

async fn ask(shared: &Shared, watched: &Watched) -> Sighting {
    let (backend, engine) = &watched.place;
    match shared.runtimes.of(*backend, engine.as_deref()).await {
        Ok(runtime) => look(&*runtime, &watched.handle).await,
        Err(why) => Sighting::Unanswered {
            reason: why.sentence,
        },
    }
}

/// Says what the agent's end means: the kernel ending it for want of memory is a fault and named as such.
fn ended(exit: &ExitRecord) -> Event {
    match (exit.oom, &exit.error) {
        (true, _) => Event::Failed {
            reason: "it ran out of memory and was ended by the kernel".to_owned(),
        },
        (false, Some(error)) => Event::Failed {
            reason: error.clone(),
        },
        (false, None) => Event::Ended { code: exit.code },
    }
}

async fn wait_for_exit(
    shared: &Shared,
    watched: &Watched,
    orders: &mpsc::WeakSender<Order>,
) -> Option<ExitRecord> {
    let dir = &watched.handle.dir;
    // It may have drawn itself before anybody looked.
    let from = |end: u64| match watched.before {
        Before::Nothing { printed } => printed,
        Before::Ran { .. } => end.saturating_sub(TAIL),
    };
    let mut console = Console::follow(dir, from).await.ok()?;
    let mut titles = TitleWatcher::new();
    let mut checkpoints = shared.checkpoints.of(SessionFiles::new(dir));
    // What was printed while nobody watched.
    let before = console.hello().offset_end;
    checkpoints.reached(before);
    if before == 0 {
        watched.pulse.catch_up();
    }
    let mut unsure = watched.before == Before::Ran { unsure: true };
    let mut again = tokio::time::interval(AGAIN);
    again.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let event = tokio::select! {
            event = console.next() => event,
            _ = again.tick(), if unsure => {
                // How it ended is for its holder to say, which knows more.
                if ask(shared, watched).await == Sighting::Running {
                    unsure = false;
                    seen(orders, watched.run, Sighting::Running).await;
                }
                continue;
            }
        };
        let Some(event) = event else {
            return exit_of(&watched.handle);
        };
        match event {
            ConsoleEvent::Output {
                stream,
                next,
                bytes,
            } => {
                if stream == PTY {
                    checkpoints.reached(next);
                    let said = titles.push(&bytes);
                    if watched.reads_titles {
                        watched.pulse.hear(watched.agent, said);
                    }
                }
                if next >= before {
                    watched.pulse.catch_up();
                }
            }
            ConsoleEvent::Notice(sentence) => tell(orders, sentence).await,
            ConsoleEvent::Away(reason) => {
                unsure = true;
                seen(orders, watched.run, Sighting::Unanswered { reason }).await;
            }
            ConsoleEvent::Exit(exit) => return Some(exit),
            _ => {}
        }
    }
}

async fn seen(orders: &mpsc::WeakSender<Order>, run: u64, sighting: Sighting) {
    let event = Event::Seen(sighting);
    if let Some(orders) = orders.upgrade() {
        // A session that is gone needs no news.
        let _ = orders.send(Order::Told { run, event }).await;
    }
}

/// Adds what the holder says to the session's notices, once.
async fn tell(orders: &mpsc::WeakSender<Order>, sentence: String) {
    let change = move |record: &mut Record| {
        if !record.notices.contains(&sentence) {
            record.notices.push(sentence);
        }
    };
    if let Some(orders) = orders.upgrade() {
        // A session that is gone needs no notice.
        let _ = orders.send(Order::Change(Box::new(change))).await;
    }
}

fn exit_of(handle: &Handle) -> Option<ExitRecord> {
    SessionFiles::new(&handle.dir).read_exit().ok().flatten()
}

/// Waits until no holder answers in a session's folder any more: one that ends late takes away what the next one made.
pub async fn holder_gone(dir: &Path) {
    let socket = SessionFiles::new(dir).socket();
    let gone = async {
        while tokio::net::UnixStream::connect(&socket).await.is_ok() {
            tokio::time::sleep(LATE).await;
        }
    };
    if tokio::time::timeout(LATEST, gone).await.is_err() {
        tracing::warn!(folder = %dir.display(), "a holder does not end");
    }
}
