//! The one owner of a session's messages: takes wishes, types what may be typed, and looks for what came of it.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use clauderon_api::{Error, MessageView, State};
use clauderon_session::delivery::{
    Denied, Doing, MOST_BYTES, MOST_WAITING, Message, Outbox, Prompt, Seen, Situation, Stage, Wait,
};
use clauderon_session::{Agent, Claim, Progress};
use clauderon_transcript::Activity;
use tokio::sync::{mpsc, oneshot, watch};

use super::{Enter, Keyboard, Place, Shown, type_text};
use crate::clock::{awake_ms, now_ms};
use crate::conversation::Talk;
use crate::{console, failure};

/// How often is looked while something is expected.
const LOOK: Duration = Duration::from_millis(250);
/// How long after the last news something is still expected of what was taken, in milliseconds.
const LATE_MS: u64 = 5_000;
/// How long nothing is tried after a terminal could not be reached, in milliseconds.
const REST_MS: u64 = 2_000;
/// How long an agent that says nothing of itself may take to start, in milliseconds.
const READY_MS: u64 = 20_000;

/// Something that is asked of the owner.
pub struct Order {
    pub wish: Wish,
    /// The message as it is then; none where none was named.
    pub done: oneshot::Sender<Result<Option<MessageView>, Error>>,
}

/// What is asked.
pub enum Wish {
    /// To look at what is there.
    Look,
    Post {
        id: String,
        text: String,
        now: bool,
    },
    Edit {
        id: String,
        text: String,
    },
    Hurry {
        id: String,
    },
    Retry {
        id: String,
    },
    Withdraw {
        id: String,
    },
}

/// How a typing ended.
enum Typed {
    /// The text and Enter are in the terminal.
    Whole,
    /// Not a byte is.
    Nothing,
    /// Some of it may be.
    Part,
}

type Typing = Pin<Box<dyn Future<Output = (String, Typed)> + Send>>;

pub struct Courier {
    place: Place,
    keyboard: Arc<Keyboard>,
    show: watch::Sender<Shown>,
    /// None where what an earlier daemon wrote cannot be read: then nothing is taken, rather than that lost.
    outbox: Result<Outbox, Error>,
    typing: Option<Typing>,
    /// Whether the disk took the last that was written.
    unwritten: bool,
    /// Since when the agent runs and has said nothing of itself.
    silent_ms: Option<u64>,
    doing: Doing,
    /// The message for which Enter was pressed once more, and when it was typed.
    nudged: Option<(String, Option<u64>)>,
    /// When something new was last seen.
    news_ms: u64,
    /// Until when nothing is typed, because the terminal could not be reached.
    rest_until_ms: u64,
}

impl Courier {
    pub fn new(place: Place, keyboard: Arc<Keyboard>, show: watch::Sender<Shown>) -> Self {
        let read = place.paths.read_outbox(place.session);
        let outbox = read.map_err(failure::store).inspect_err(|error| {
            tracing::error!(session = %place.session, error = %error.message, "the messages cannot be read");
        });
        let mut courier = Self {
            place,
            keyboard,
            show,
            outbox: outbox.map(|outbox| outbox.recover(now_ms())),
            typing: None,
            unwritten: false,
            silent_ms: None,
            doing: Doing::Away,
            nudged: None,
            news_ms: 0,
            rest_until_ms: 0,
        };
        courier.show();
        courier
    }

    /// Lives until nobody can ask anything any more.
    pub async fn live(mut self, mut orders: mpsc::Receiver<Order>) {
        let mut changes = self.place.talk.changes();
        let mut view = self.place.view.clone();
        // While something is expected the conversation is read as for one who follows it.
        let mut attending = None;
        loop {
            let awake = self.is_awake();
            if awake && attending.is_none() {
                attending = self.place.talk.attend().await.ok();
            } else if !awake {
                attending = None;
            }
            let busy = self
                .outbox
                .as_ref()
                .is_ok_and(|outbox| !outbox.messages().is_empty());
            tokio::select! {
                order = orders.recv() => match order {
                    Some(order) => self.fulfil(order).await,
                    None => return,
                },
                (id, typed) = typed(&mut self.typing) => self.typed(&id, typed).await,
                () = changes.next(), if busy => self.news_ms = now_ms(),
                changed = view.changed(), if busy => {
                    if changed.is_err() { return }
                    self.news_ms = now_ms();
                }
                () = tokio::time::sleep(LOOK), if awake => {}
            }
            self.look().await;
            self.go_on().await;
            self.nudge().await;
            self.show();
        }
    }

    /// Says whether something may happen of which nobody tells.
    fn is_awake(&self) -> bool {
        let Ok(outbox) = &self.outbox else {
            return false;
        };
        if self.unwritten {
            return true;
        }
        let lately = now_ms().saturating_sub(self.news_ms) < LATE_MS;
        outbox.messages().iter().any(|message| match message.stage {
            Stage::Typing | Stage::Typed => true,
            Stage::Queued => !matches!(self.doing, Doing::Ended | Doing::Away) || lately,
            Stage::Accepted { .. } | Stage::NotDelivered { .. } => lately,
            Stage::Entered | Stage::Answered { .. } | Stage::Withdrawn => false,
        })
    }

    async fn fulfil(&mut self, Order { wish, done }: Order) {
        let answer = self.grant(wish).await;
        self.show();
        // Whoever asked may have gone.
        let _ = done.send(answer.map(|id| id.and_then(|id| self.view_of(&id))));
    }

    /// Does what is asked, and names the message that it was about. Nothing has changed where it cannot be written down.
    async fn grant(&mut self, wish: Wish) -> Result<Option<String>, Error> {
        let outbox = match &self.outbox {
            Ok(outbox) => outbox,
            Err(error) => return Err(error.clone()),
        };
        let mut changed = outbox.clone();
        let now = now_ms();
        let (id, granted) = match wish {
            Wish::Look => return Ok(None),
            Wish::Post {
                id,
                text,
                now: at_once,
            } => {
                let posted = changed.post(&id, &text, at_once, now);
                (id, posted)
            }
            Wish::Edit { id, text } => {
                let edited = changed.edit(&id, &text);
                (id, edited)
            }
            Wish::Hurry { id } => {
                let hurried = changed.hurry(&id);
                (id, hurried)
            }
            Wish::Retry { id } => {
                let queued = changed.retry(&id, now);
                (id, queued)
            }
            Wish::Withdraw { id } => {
                let withdrawn = changed.withdraw(&id, now);
                (id, withdrawn)
            }
        };
        granted.map_err(denied)?;
        self.write(&changed).await.map_err(failure::store)?;
        self.outbox = Ok(changed);
        self.news_ms = now;
        Ok(Some(id))
    }

    /// Takes in what the agent does and what of the messages it shows.
    async fn look(&mut self) {
        self.doing = self.look_at_agent();
        let summed_up_ms = self.summed_up_ms();
        let Ok(outbox) = &mut self.outbox else { return };
        let now = now_ms();
        let prompts = match outbox.oldest_ms() {
            Some(since) => self.place.talk.asked_since(since),
            None => Vec::new(),
        };
        let prompts = prompts.into_iter().map(|asked| Prompt {
            item: asked.id.to_string(),
            at_ms: asked.at_ms,
            text: asked.text,
            answered: asked.answered,
        });
        let seen = Seen {
            doing: self.doing,
            prompts: prompts.collect(),
            summed_up_ms,
        };
        let changed = outbox.observe(&seen, now);
        if changed {
            self.news_ms = now;
        }
        if changed || self.unwritten {
            self.keep().await;
        }
    }

    /// Claude shows `/compact` as a prompt, when it is done; Codex shows nothing of it, but begins at once.
    fn summed_up_ms(&self) -> Option<u64> {
        let codex = self.place.view.borrow().view.agent == Agent::Codex;
        codex.then(|| self.place.talk.summed_up_ms())
    }

    fn look_at_agent(&mut self) -> Doing {
        let state = self.place.view.borrow().view.state.clone();
        let doing = match state {
            State::Running => self.look_at_running(),
            State::Creating | State::Starting => Doing::Starting,
            State::Unknown { .. } => Doing::Away,
            State::Stopping | State::Stopped | State::Exited { .. } | State::Failed { .. } => {
                Doing::Ended
            }
        };
        if matches!(doing, Doing::Ended) {
            self.silent_ms = None;
            self.keyboard.wrote(true);
        }
        self.keyboard.set_dialog(doing == Doing::Asking);
        doing
    }

    fn look_at_running(&mut self) -> Doing {
        let now = self.place.pulse.now();
        let claim = now.claim;
        let since = *self.silent_ms.get_or_insert_with(now_ms);
        if claim.is_none() && now_ms().saturating_sub(since) < READY_MS {
            return Doing::Starting;
        }
        // It draws itself before it begins with the prompt that it was started with.
        if now.requests.progress(awake_ms()) == Progress::Expected {
            return Doing::Starting;
        }
        if self.place.talk.asks_something() {
            return Doing::Asking;
        }
        match (self.place.talk.status().0.activity, claim) {
            (Activity::Unknown, Some(Claim::Idle)) => Doing::Starting,
            (Activity::NeedsApproval { .. } | Activity::NeedsInput { .. }, _) => Doing::Asking,
            (Activity::Working { .. }, _) | (_, Some(Claim::Working)) => Doing::Working,
            _ => Doing::Idle,
        }
    }

    fn situation(&self) -> Situation {
        let line = self.keyboard.input_line();
        Situation {
            doing: self.doing,
            key_ms: line.key_ms(),
            draft: line.is_draft(),
        }
    }

    /// Begins to type the next message, if it may be typed.
    async fn go_on(&mut self) {
        let (Ok(outbox), None) = (&self.outbox, &self.typing) else {
            return;
        };
        let Some(next) = outbox.next().cloned() else {
            return;
        };
        let now = now_ms();
        if now < self.rest_until_ms {
            return;
        }
        if outbox.may_type(&next, self.situation(), now).is_err() {
            return;
        }
        // It is on the disk before the first key: after a crash nobody types it again.
        let mut begun = outbox.clone();
        if begun.begin(&next.id, now).is_err() || self.write(&begun).await.is_err() {
            return;
        }
        self.outbox = Ok(begun);
        let (keyboard, paths) = (self.keyboard.clone(), self.place.paths.clone());
        let talk = self.place.talk.clone();
        self.typing = Some(Box::pin(async move {
            let typed = type_message(&keyboard, &paths, &talk, &next).await;
            (next.id, typed)
        }));
    }

    /// Presses Enter once more for a message that stays in the input line.
    async fn nudge(&mut self) {
        let Ok(outbox) = &self.outbox else { return };
        let Some(message) = outbox.wants_enter(self.situation(), now_ms()) else {
            return;
        };
        let mark = (message.id.clone(), message.typed_ms);
        if self.nudged.as_ref() == Some(&mark) {
            return;
        }
        self.nudged = Some(mark);
        let _hand = self.keyboard.take().await;
        if let Ok(console) = console::live(&self.place.paths, "").await {
            // A session that just ended takes no key; that is seen elsewhere.
            let _ = type_text(console, "", Enter::Pressed).await;
        }
    }

    async fn typed(&mut self, id: &str, typed: Typed) {
        self.typing = None;
        let Ok(outbox) = &mut self.outbox else { return };
        let now = now_ms();
        match typed {
            Typed::Whole => outbox.typed(id, now),
            Typed::Nothing => {
                outbox.untyped(id, now);
                self.rest_until_ms = now + REST_MS;
            }
            Typed::Part => outbox.cut_off(id, now),
        }
        self.news_ms = now;
        self.keep().await;
    }

    /// Writes down what is so; where the disk does not take it, an older daemon's word is doubt, never a second typing.
    async fn keep(&mut self) {
        if let Ok(outbox) = self.outbox.clone() {
            let _ = self.write(&outbox).await;
        }
    }

    async fn write(&mut self, outbox: &Outbox) -> Result<(), clauderon_store::StoreError> {
        let (paths, outbox) = (self.place.paths.clone(), outbox.clone());
        let written = tokio::task::spawn_blocking(move || paths.write_outbox(&outbox)).await;
        let written = written.expect("writing a file does not panic");
        if let Err(error) = &written
            && !self.unwritten
        {
            tracing::error!(session = %self.place.session, %error, "the messages could not be written down");
        }
        self.unwritten = written.is_err();
        written
    }

    fn show(&mut self) {
        let Ok(outbox) = &self.outbox else { return };
        let shown = |message: &&Message| message.stage != Stage::Withdrawn;
        let messages = outbox.messages().iter().filter(shown);
        let views: Vec<_> = messages.map(|message| self.view(outbox, message)).collect();
        self.show.send_if_modified(|before| {
            let changed = **before != views;
            if changed {
                *before = Arc::new(views);
            }
            changed
        });
    }

    fn view_of(&self, id: &str) -> Option<MessageView> {
        let outbox = self.outbox.as_ref().ok()?;
        Some(self.view(outbox, outbox.message(id)?))
    }

    fn view(&self, outbox: &Outbox, message: &Message) -> MessageView {
        let queued = message.stage == Stage::Queued;
        let waits = match self.unwritten && queued {
            true => Some(Wait::Disk),
            false => outbox.wait_of(message, self.situation(), now_ms()),
        };
        let why = match message.stage {
            Stage::NotDelivered { reason } => Some(reason.sentence()),
            _ => waits.map(Wait::sentence),
        };
        MessageView {
            message: message.clone(),
            waits,
            why: why.map(str::to_owned),
        }
    }
}

/// Waits for the end of a typing; for ever where nothing is being typed.
async fn typed(typing: &mut Option<Typing>) -> (String, Typed) {
    match typing {
        Some(typing) => typing.await,
        None => std::future::pending().await,
    }
}

async fn type_message(
    keyboard: &Keyboard,
    paths: &clauderon_store::SessionDir,
    talk: &Talk,
    message: &Message,
) -> Typed {
    let _hand = keyboard.take().await;
    // Somebody may have begun to type just now.
    let line = keyboard.input_line();
    let disturbed = line.key_ms() >= message.typed_ms && line.key_ms().is_some();
    if disturbed {
        return Typed::Nothing;
    }
    let Ok(console) = console::live(paths, "").await else {
        return Typed::Nothing;
    };
    // A question that came up meanwhile would take Enter for its answer.
    let asks = || talk.asks_something();
    match type_text(console, &message.text, Enter::Unless(&asks)).await {
        Ok(true) => {
            keyboard.wrote(true);
            Typed::Whole
        }
        Ok(false) | Err(_) => {
            keyboard.wrote(false);
            Typed::Part
        }
    }
}

fn denied(denied: Denied) -> Error {
    match denied {
        Denied::Unknown => Error::not_found("there is no such message"),
        Denied::Typed => Error::conflict("the message was typed already, or is being typed"),
        Denied::NotNeeded => Error::conflict("the message needs no second try"),
        Denied::Full => Error::conflict(format!(
            "{MOST_WAITING} messages or {} KiB wait for this agent, which is the most",
            MOST_BYTES >> 10
        ))
        .hint("take some back, or wait until they are typed"),
        Denied::Empty => Error::usage("the message is empty"),
    }
}
