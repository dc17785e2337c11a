//! The one owner of a conversation: takes what is heard in its order, and reads what the agent writes down.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use clauderon_policy::Provider;
use clauderon_proxy::{Part, Passing};
use clauderon_transcript::meter::Asking;
use clauderon_transcript::tap::{Limits, TapEvent};
use clauderon_transcript::{Conversation, Observation, Told, anthropic, hooks, openai};
use http::HeaderMap;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use super::approvals::Approvals;
use super::ledger::{Entry, Ledger};
use super::purse::Purse;
use super::tail::{News, Tail};
use super::{Heard, Mark, Place, lock};
use crate::books::Books;
use crate::clock::{risen_at, rising_ms};

/// How often the transcripts are looked at while the agent does something or somebody follows.
const LOOK: Duration = Duration::from_millis(250);
/// How long after the last sign of an agent they are looked at.
const RESTLESS: Duration = Duration::from_secs(10);

/// What others see of it.
pub struct Shared {
    pub conversation: Arc<Mutex<Conversation>>,
    pub mark: watch::Sender<Mark>,
    pub followers: Arc<AtomicUsize>,
    pub approvals: Arc<Approvals>,
}

pub struct Listener {
    shared: Shared,
    taps: HashMap<String, Tap>,
    reports: hooks::Reports,
    ledger: Ledger,
    purse: Purse,
    books: Books,
    /// Away while it reads on a thread of its own.
    tail: Option<Tail>,
    /// Until when the agent is taken to be doing something.
    restless: Instant,
    begun: bool,
}

/// One exchange with a model's service.
struct Tap {
    provider: Provider,
    /// The name of the credential that went with it.
    account: Option<Arc<str>>,
    answer: Option<Answer>,
}

enum Answer {
    Anthropic(anthropic::Stream),
    OpenAi(openai::Stream),
}

impl Listener {
    pub fn new(place: Place, shared: Shared) -> Self {
        Self {
            shared,
            taps: HashMap::new(),
            reports: hooks::Reports::new(),
            ledger: Ledger::new(&place.private),
            purse: Purse::new(place.pulse),
            books: place.books,
            tail: Some(Tail::new(place.agent, place.home)),
            restless: Instant::now(),
            begun: false,
        }
    }

    /// Lives until nobody can tell it anything any more.
    pub async fn live(mut self, mut ear: mpsc::UnboundedReceiver<Heard>) {
        loop {
            let awake = self.begun
                && (self.restless > Instant::now()
                    || self.shared.followers.load(Ordering::Relaxed) > 0);
            let heard = tokio::select! {
                heard = ear.recv() => heard,
                () = tokio::time::sleep(LOOK), if awake => {
                    self.read().await;
                    continue;
                }
            };
            match heard {
                None => return,
                Some(Heard::Read(done)) => {
                    self.begin();
                    self.read().await;
                    // Whoever asked may have gone.
                    let _ = done.send(());
                }
                Some(heard) => {
                    self.begin();
                    self.restless = Instant::now() + RESTLESS;
                    self.take(heard);
                }
            }
        }
    }

    /// Recalls what was counted before, once.
    fn begin(&mut self) {
        if !std::mem::replace(&mut self.begun, true) {
            let (entries, fault) = self.ledger.read();
            self.purse.recall(&entries);
            if let Some(error) = fault {
                tracing::error!(%error, "what was used before cannot be read whole");
                self.purse.doubt(error.to_string());
            }
            for entry in entries {
                let Entry { request, event, .. } = entry;
                if event != TapEvent::Ended {
                    lock(&self.shared.conversation)
                        .observe(Observation::Tap { request, event }, entry.at_ms);
                }
            }
            self.settle(rising_ms());
        }
    }

    /// Lets those go who may now.
    fn settle(&mut self, at_ms: u64) {
        if let Some(said) = self.purse.settle(at_ms) {
            self.observe([Observation::Told(Told::by_daemon(said))], at_ms);
        }
    }

    fn take(&mut self, heard: Heard) {
        match heard {
            Heard::Passing(passing) => self.pass(passing),
            Heard::Report(report, held) => {
                let told = self.reports.hook(&report);
                self.observe(told, rising_ms());
                if let Some(id) = held {
                    let conversation = lock(&self.shared.conversation);
                    self.shared.approvals.place(&id, &conversation);
                    drop(conversation);
                    self.stir();
                }
            }
            Heard::Approvals => self.stir(),
            Heard::Told(told) => self.observe([Observation::Told(told)], rising_ms()),
            Heard::Waits(waiting) => {
                self.purse.ask(waiting);
                self.settle(rising_ms());
            }
            Heard::Left(link) => {
                self.purse.left(&link);
                self.settle(rising_ms());
            }
            Heard::Budget(budget) => {
                self.purse.set(budget);
                self.settle(rising_ms());
            }
            Heard::Read(_) => {}
        }
    }

    fn pass(&mut self, passing: Passing) {
        let Passing {
            link, at_ms, part, ..
        } = passing;
        let account = self.taps.get(&link).and_then(|tap| tap.account.clone());
        let told = match part {
            Part::Asked {
                provider,
                account,
                path,
                headers,
                body,
            } => {
                self.shared.approvals.model_asked();
                match is_free(&path) {
                    true => return,
                    false => self.asked(&link, (provider, account), &headers, &body),
                }
            }
            Part::Answered { status, headers } => self.answered(&link, status, &headers, at_ms),
            Part::Piece(bytes) => {
                self.purse.pass(&link, bytes.len());
                match self.taps.get_mut(&link) {
                    Some(Tap {
                        answer: Some(answer),
                        ..
                    }) => answer.push(&bytes),
                    _ => Vec::new(),
                }
            }
            Part::Ended => match self.taps.remove(&link) {
                Some(Tap {
                    answer: Some(answer),
                    ..
                }) => answer.end(),
                Some(_) => vec![TapEvent::Ended],
                None => return self.count(&link, at_ms, None, &[TapEvent::Ended]),
            },
        };
        self.count(&link, at_ms, account.as_deref(), &told);
        let told = told.into_iter().map(|event| Observation::Tap {
            request: link.clone(),
            event,
        });
        // What the agent wrote down has its own times, and may be read before this is heard.
        self.observe(told, risen_at(at_ms));
    }

    /// Counts what was told of a request, and writes it down before anything else goes up.
    fn count(&mut self, link: &str, at_ms: u64, account: Option<&str>, told: &[TapEvent]) {
        let mut counts = false;
        for event in told {
            let settled = self.purse.hear(link, event);
            self.books.enter(at_ms, account, event, settled.as_ref());
            let guessed = settled.and_then(|settled| settled.guessed);
            if let Err(error) = self.ledger.keep(at_ms, link, event, guessed) {
                self.purse.doubt(error.to_string());
            }
            counts |= !matches!(
                event,
                TapEvent::Text { .. } | TapEvent::Thinking { .. } | TapEvent::Input { .. }
            );
        }
        if counts {
            self.settle(at_ms);
        }
    }

    fn asked(
        &mut self,
        link: &str,
        (provider, account): (Provider, Option<String>),
        headers: &HeaderMap,
        body: &[u8],
    ) -> Vec<TapEvent> {
        self.purse.asked(link, || Asking::read(body));
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let request = match provider {
            Provider::Anthropic => anthropic::request(header, body),
            Provider::OpenAi => openai::request(header, body),
        };
        // What is no turn of a conversation is not followed, but paid for.
        let Some(request) = request else {
            return Vec::new();
        };
        let tap = Tap {
            provider,
            account: account.map(Arc::from),
            answer: None,
        };
        self.taps.insert(link.to_owned(), tap);
        vec![TapEvent::Started(request)]
    }

    fn answered(
        &mut self,
        link: &str,
        status: u16,
        headers: &HeaderMap,
        at_ms: u64,
    ) -> Vec<TapEvent> {
        self.purse.answered(link, status);
        let Some(tap) = self.taps.get_mut(link) else {
            return Vec::new();
        };
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let kind = header("content-type").unwrap_or_default();
        let (answer, limits): (Answer, Option<Limits>) = match tap.provider {
            Provider::Anthropic => (
                Answer::Anthropic(anthropic::Stream::new(status, kind)),
                anthropic::limits(header),
            ),
            Provider::OpenAi => (
                Answer::OpenAi(openai::Stream::new(status, kind)),
                openai::limits(header, at_ms),
            ),
        };
        tap.answer = Some(answer);
        limits.map(TapEvent::Limits).into_iter().collect()
    }

    /// Reads what the agent wrote, on a thread that may wait for the disk.
    async fn read(&mut self) {
        let Some(mut tail) = self.tail.take() else {
            return;
        };
        let read = tokio::task::spawn_blocking(move || {
            let news = tail.read(rising_ms());
            (tail, news)
        });
        // A reader that panicked read what it must not stumble over again.
        let Ok((tail, News { again, told })) = read.await else {
            tracing::error!("the transcripts cannot be read any more");
            return;
        };
        self.tail = Some(tail);
        if again {
            lock(&self.shared.conversation).reread();
        }
        self.observe(told, rising_ms());
    }

    fn observe(&self, told: impl IntoIterator<Item = Observation>, at_ms: u64) {
        let mut conversation = lock(&self.shared.conversation);
        for observation in told {
            conversation.observe(observation, at_ms);
        }
        let mark = Mark {
            number: conversation.number(),
            signs: conversation.signs(),
        };
        self.shared.approvals.settle(&conversation);
        drop(conversation);
        self.shared.mark.send_if_modified(|last| {
            let changed = *last != mark;
            *last = mark;
            changed
        });
    }

    /// Has followers look again, though nothing in the conversation changed.
    fn stir(&self) {
        self.shared.mark.send_modify(|_| {});
    }
}

impl Answer {
    fn push(&mut self, bytes: &[u8]) -> Vec<TapEvent> {
        match self {
            Self::Anthropic(stream) => stream.push(bytes),
            Self::OpenAi(stream) => stream.push(bytes),
        }
    }

    fn end(self) -> Vec<TapEvent> {
        match self {
            Self::Anthropic(stream) => stream.end(),
            Self::OpenAi(stream) => stream.end(),
        }
    }
}

/// Says whether a path of a model's service costs nothing: it counts tokens.
pub fn is_free(path: &str) -> bool {
    path.ends_with("/count_tokens")
}
