//! A session's conversation, put together on the host from what the proxy sees, what Clauderon itself knows, what the agent
//! writes down and what it reports. The reducer is the transcript crate's; here are its ears and its readers.
//!
//! Nothing that anybody waits for happens here: the proxy and the session put what they have into a queue and go on.

mod approvals;
mod copy;
mod follow;
mod leave;
mod ledger;
mod listen;
mod purse;
mod tail;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use clauderon_api::{
    AnswerApproval, Approval, ConversationEvent, ConversationQuery, ConversationStanding,
    ConversationView, Error, MessageView,
};
use clauderon_proxy::{Held, Passing};
use clauderon_session::Agent;
use clauderon_transcript::{Asked, Asks, Budget, Conversation, ItemId, Said, Status, Told};
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::task::TaskTracker;

use crate::books::Books;
use crate::clock::rising_ms;
use crate::delivery::Shown;
use crate::sessions::pulse::Pulse;
use crate::standing::{self, Known};
use approvals::{Answered, Approvals};
pub use copy::copy_transcripts;

/// Most items that are sent at once.
const MOST: usize = 500;

/// How long an agent may take to write down what the model has said, and how often it is looked whether it did.
const WRITES: Duration = Duration::from_secs(2);
const LOOK: Duration = Duration::from_millis(50);

/// Something that was heard of a conversation.
enum Heard {
    /// A part of an exchange with the model's service.
    Passing(Passing),
    /// A report of the agent's, and the name under which it is held where it asks something.
    Report(Bytes, Option<String>),
    /// What the agent waits for has changed.
    Approvals,
    /// What Clauderon knows by itself, or reads off the terminal.
    Told(Told),
    /// A request wants to go up.
    Waits(purse::Waiting),
    /// A request that wanted to is done with.
    Left(String),
    /// The session may spend this in all.
    Budget(Option<Budget>),
    /// Somebody wants to see it: read what is written down, then say so.
    Read(oneshot::Sender<()>),
}

/// A session's conversation, for whoever tells of it and whoever wants to see it.
pub struct Talk {
    heard: mpsc::UnboundedSender<Heard>,
    conversation: Arc<Mutex<Conversation>>,
    mark: watch::Receiver<Mark>,
    /// What Clauderon itself knows of the agent.
    known: watch::Sender<Known>,
    /// How many follow it now.
    followers: Arc<AtomicUsize>,
    approvals: Arc<Approvals>,
    /// Whether reports of the agent are taken.
    heeded: AtomicBool,
    /// Whether requests to models wait for leave.
    counted: AtomicBool,
    /// How long they do.
    patience: Duration,
    pulse: Arc<Pulse>,
}

/// How far a conversation has come: the numbers of its latest change and of the latest sign of what its agent does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Mark {
    number: u64,
    signs: u64,
}

/// Where a session's agent writes, and where we do.
pub struct Place {
    /// Which agent it is.
    pub agent: Agent,
    /// Its home on the host; the agent can write anything there.
    pub home: PathBuf,
    /// The folder that it never sees.
    pub private: PathBuf,
    /// Where what all sessions use is written down.
    pub books: Books,
    /// Where is shown what it may spend.
    pub pulse: Arc<Pulse>,
    /// How long a request waits for the person before the agent is told to try again.
    pub patience: Duration,
}

impl Talk {
    /// Begins to listen; what was written down is read when somebody asks for it or the agent does something.
    pub fn begin(place: Place, known: Known, tasks: &TaskTracker) -> Arc<Self> {
        let (heard, ear) = mpsc::unbounded_channel();
        let (told, mark) = watch::channel(Mark::default());
        let conversation = Arc::new(Mutex::new(Conversation::new()));
        let followers = Arc::new(AtomicUsize::new(0));
        let stirred = heard.downgrade();
        let approvals = Approvals::new(move || {
            if let Some(heard) = stirred.upgrade() {
                let _ = heard.send(Heard::Approvals);
            }
        });
        let shared = listen::Shared {
            conversation: conversation.clone(),
            mark: told,
            followers: followers.clone(),
            approvals: approvals.clone(),
        };
        let (patience, pulse) = (place.patience, place.pulse.clone());
        let listener = listen::Listener::new(place, shared);
        tasks.spawn(listener.live(ear));
        Arc::new(Self {
            heard,
            conversation,
            mark,
            known: watch::Sender::new(known),
            followers,
            approvals,
            heeded: AtomicBool::new(true),
            counted: AtomicBool::new(false),
            patience,
            pulse,
        })
    }

    /// Takes what Clauderon knows of the agent now.
    pub fn stands(&self, known: Known) {
        self.known.send_if_modified(|last| {
            let changed = *last != known;
            *last = known;
            changed
        });
    }

    /// Says what the agent does, and whether somebody outside of its sandbox saw that, too.
    pub fn status(&self) -> (Status, bool) {
        let conversation = self.lock();
        let status = status(&conversation, &self.known.borrow());
        let vouched = conversation.is_vouched_for(&status.activity);
        (status, vouched)
    }

    /// Returns when the status may change though nothing happens, in milliseconds of [`rising_ms`].
    pub fn changes_at(&self) -> Option<u64> {
        self.lock().changes_at(rising_ms())
    }

    /// Returns what tells of each change from now on.
    pub fn changes(&self) -> Changes {
        let mut mark = self.mark.clone();
        mark.mark_unchanged();
        Changes(mark)
    }

    /// Takes a part of an exchange with the model's service; returns at once.
    pub fn pass(&self, passing: Passing) {
        self.hear(Heard::Passing(passing));
    }

    /// Says whether reports of this agent mean what they are known to mean.
    pub fn heed(&self, reports: bool) {
        self.heeded.store(reports, Ordering::Relaxed);
    }

    /// Takes a report of the agent's; returns at once, with what it waits for where it asks something.
    pub fn report(&self, report: Bytes) -> Option<Held> {
        if !self.heeded.load(Ordering::Relaxed) {
            return None;
        }
        let held = Asks::read(&report).and_then(|asks| self.approvals.hold(asks));
        let (id, held) = held.unzip();
        self.hear(Heard::Report(report, id));
        held
    }

    /// Takes what Clauderon itself knows; returns at once.
    pub fn know(&self, said: Said) {
        self.hear(Heard::Told(Told::by_daemon(said)));
    }

    /// As [`Talk::know`], of something that was so at `at_ms` already, in milliseconds of [`rising_ms`].
    pub fn know_since(&self, said: Said, at_ms: u64) {
        let told = Told::by_daemon(said);
        self.hear(Heard::Told(told.at(at_ms)));
    }

    /// Takes what the agent's terminal says, and since when, in milliseconds of [`rising_ms`]; returns at once. It is told after
    /// a while, and what the proxy saw meanwhile came later.
    pub fn read_off(&self, said: Said, at_ms: u64) {
        self.approvals.drawn(&said);
        let told = Told::by_terminal(said);
        self.hear(Heard::Told(told.at(at_ms)));
    }

    /// Takes the keys that a person pressed in the terminal; returns at once.
    pub fn pressed(&self, bytes: &[u8]) {
        self.approvals.pressed(bytes);
    }

    fn hear(&self, heard: Heard) {
        // Where nobody listens any more, the session is gone.
        let _ = self.heard.send(heard);
    }

    /// Returns what the agent waits for and a person can answer.
    pub fn approvals(&self) -> Vec<Approval> {
        self.approvals.open()
    }

    /// Answers it; the first answer counts.
    pub fn answer(&self, answer: &AnswerApproval) -> Result<(), Error> {
        let Answered { item, allowed } = self.approvals.answer(answer)?;
        if let Some(item) = item {
            let call = item.as_str().to_owned();
            self.know(Said::Answered { call, allowed });
        }
        self.hear(Heard::Approvals);
        Ok(())
    }

    /// Shows a part of the conversation, once all that is written down was read.
    pub async fn view(
        &self,
        query: ConversationQuery,
        messages: watch::Receiver<Shown>,
    ) -> Result<ConversationView, Error> {
        self.read().await?;
        let before = query.before.as_deref().map(ItemId::from);
        let most = query.most.map_or(MOST, |most| (most as usize).min(MOST));
        let messages = messages.borrow().to_vec();
        let known = self.known.borrow().clone();
        let conversation = self.lock();
        Ok(view(
            &conversation,
            (&self.approvals, &known),
            messages,
            before.as_ref(),
            most,
        ))
    }

    /// Follows the conversation for as long as the receiver lives.
    pub async fn follow(
        &self,
        messages: watch::Receiver<Shown>,
    ) -> Result<mpsc::Receiver<ConversationEvent>, Error> {
        let counted = follow::Counted::new(&self.followers);
        self.read().await?;
        Ok(follow::follow(
            self.conversation.clone(),
            self.approvals.clone(),
            self.known.subscribe(),
            self.changes(),
            messages,
            counted,
        ))
    }

    /// Waits until all that was told before is taken in.
    pub async fn settled(&self) -> Result<(), Error> {
        self.read().await
    }

    /// Waits until the agent has written down what the model has said; not for ever, since it may never do so.
    pub async fn written(&self) -> Result<(), Error> {
        let begun = Instant::now();
        loop {
            self.read().await?;
            if !self.lock().is_ahead_of_transcript() || begun.elapsed() > WRITES {
                return Ok(());
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Has what the agent writes down read for as long as the result lives.
    pub async fn attend(&self) -> Result<follow::Counted, Error> {
        let counted = follow::Counted::new(&self.followers);
        self.read().await?;
        Ok(counted)
    }

    /// Says whether keys may answer something that the agent asks.
    pub fn asks_something(&self) -> bool {
        self.approvals.holds_something() || lock(&self.conversation).asks_something()
    }

    /// Returns the prompts since a time, oldest first.
    pub fn asked_since(&self, since_ms: u64) -> Vec<Asked> {
        lock(&self.conversation).asked_since(since_ms, rising_ms())
    }

    /// Returns when the model was last asked to sum the conversation up.
    pub fn summed_up_ms(&self) -> u64 {
        lock(&self.conversation).summed_up_ms()
    }

    async fn read(&self) -> Result<(), Error> {
        let (done, read) = oneshot::channel();
        self.hear(Heard::Read(done));
        read.await
            .map_err(|_| Error::not_found("the session is gone"))
    }

    fn lock(&self) -> MutexGuard<'_, Conversation> {
        lock(&self.conversation)
    }
}

/// Tells of each change of a conversation.
pub struct Changes(watch::Receiver<Mark>);

impl Changes {
    /// Waits for the next change; for ever where there will be none.
    pub async fn next(&mut self) {
        if self.0.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

fn lock(conversation: &Mutex<Conversation>) -> MutexGuard<'_, Conversation> {
    conversation.lock().unwrap_or_else(PoisonError::into_inner)
}

fn view(
    conversation: &Conversation,
    (approvals, known): (&Approvals, &Known),
    messages: Vec<MessageView>,
    before: Option<&ItemId>,
    most: usize,
) -> ConversationView {
    let items = conversation.items(before, most);
    let first = items.first().map(|item| &item.id);
    ConversationView {
        number: conversation.number(),
        earlier: first.is_some_and(|first| !conversation.items(Some(first), 1).is_empty()),
        items,
        standing: standing(conversation, approvals, known),
        turns: conversation.usage().turns,
        messages,
    }
}

fn status(conversation: &Conversation, known: &Known) -> Status {
    standing::status(known, conversation.status(rising_ms()))
}

fn standing(
    conversation: &Conversation,
    approvals: &Approvals,
    known: &Known,
) -> ConversationStanding {
    ConversationStanding {
        title: conversation.title().map(str::to_owned),
        status: status(conversation, known),
        used: conversation.usage().session,
        limits: conversation.limits().clone(),
        approvals: approvals.open(),
        held: known.held.clone(),
    }
}
