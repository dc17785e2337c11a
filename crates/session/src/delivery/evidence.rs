//! What shows that an agent took a message: a prompt in its conversation that says the same and came after it was typed.

use super::{Doing, Message, Outbox, Reason, Stage, is_command, says_the_same, undelivered};

/// A prompt in the conversation's main thread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prompt {
    /// Its item.
    pub item: String,
    /// When it was asked, in milliseconds since 1970.
    pub at_ms: u64,
    /// What it says.
    pub text: String,
    /// Whether it was answered.
    pub answered: bool,
}

/// What is seen of an agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// What it does.
    pub doing: Doing,
    /// The prompts since [`Outbox::oldest_ms`], oldest first.
    pub prompts: Vec<Prompt>,
    /// When it last began to sum the conversation up, in milliseconds since 1970; none where the command for it is a prompt.
    pub summed_up_ms: Option<u64>,
}

/// The command by which an agent sums its conversation up.
const SUM_UP: &str = "/compact";
/// How long an agent that waits may take to show that it took a message, in milliseconds.
const PATIENCE_MS: u64 = 15_000;
/// How long what an agent wrote down may take to be read after its end, in milliseconds.
const LATE_MS: u64 = 3_000;

impl Outbox {
    /// Returns since when prompts matter, in milliseconds since 1970; none where nothing was typed.
    pub fn oldest_ms(&self) -> Option<u64> {
        let open = self.messages.iter().filter(|one| is_looked_for(one));
        open.filter_map(|message| message.typed_ms).min()
    }

    /// Takes what is seen, and says whether a message has come further.
    pub fn observe(&mut self, seen: &Seen, now_ms: u64) -> bool {
        let before: Vec<Stage> = self.stages();
        for prompt in &seen.prompts {
            self.match_with(prompt, now_ms);
        }
        if let Some(summed_up) = seen.summed_up_ms {
            self.match_summary(summed_up, now_ms);
        }
        self.lose_patience(seen.doing, now_ms);
        let changed = before != self.stages();
        if changed {
            self.forget();
        }
        changed
    }

    /// Returns when `observe` may change something although nothing new is seen, in milliseconds since 1970.
    pub fn deadline(&self, doing: Doing) -> Option<u64> {
        let typed = self.messages.iter().filter(|one| one.stage == Stage::Typed);
        let last = typed.map(|message| message.since_ms).max()?;
        let idle = self.idle_ms?;
        Some(last.max(idle) + patience(doing)?)
    }

    fn stages(&self) -> Vec<Stage> {
        let stages = self.messages.iter().map(|message| message.stage.clone());
        stages.collect()
    }

    /// A prompt is one message's, the first that it can be.
    fn match_with(&mut self, prompt: &Prompt, now_ms: u64) {
        let theirs = |message: &&mut Message| match &message.stage {
            Stage::Accepted { item } | Stage::Answered { item } => *item == prompt.item,
            _ => false,
        };
        let taken = self.messages.iter_mut().find(theirs);
        if let Some(message) = taken {
            if prompt.answered && matches!(message.stage, Stage::Accepted { .. }) {
                let item = prompt.item.clone();
                message.come_to(Stage::Answered { item }, now_ms);
            }
            return;
        }
        let mut fits = self
            .messages
            .iter_mut()
            .filter(|message| could_be(message, prompt));
        // One that was given up is found only where it is nobody else's.
        let mut found = fits.next();
        if !matches!(
            found.as_deref(),
            Some(Message {
                stage: Stage::Typed,
                ..
            })
        ) {
            found = fits.find(|message| message.stage == Stage::Typed).or(found);
        }
        if let Some(message) = found {
            let item = prompt.item.clone();
            let stage = match prompt.answered {
                true => Stage::Answered { item },
                false => Stage::Accepted { item },
            };
            message.come_to(stage, now_ms);
        }
    }

    /// What began to be summed up after the command for it was typed shows that the command was taken.
    fn match_summary(&mut self, summed_up_ms: u64, now_ms: u64) {
        let asks = |message: &&mut Message| {
            message.stage == Stage::Typed
                && message.text.split_whitespace().next() == Some(SUM_UP)
                && message.typed_ms.is_some_and(|typed| typed <= summed_up_ms)
        };
        if let Some(message) = self.messages.iter_mut().find(asks) {
            message.come_to(Stage::Entered, now_ms);
        }
    }

    fn lose_patience(&mut self, doing: Doing, now_ms: u64) {
        let Some(patience) = patience(doing) else {
            self.idle_ms = None;
            return;
        };
        let idle = *self.idle_ms.get_or_insert(now_ms);
        for message in &mut self.messages {
            let waited = now_ms.saturating_sub(message.since_ms.max(idle));
            if message.stage != Stage::Typed || waited < patience {
                continue;
            }
            let stage = match doing {
                Doing::Ended => undelivered(Reason::AgentEnded),
                _ if is_command(&message.text) => Stage::Entered,
                _ => undelivered(Reason::NotTaken),
            };
            message.come_to(stage, now_ms);
        }
    }
}

/// How long an agent that does this may keep a message to itself; none where it may for as long as it likes.
fn patience(doing: Doing) -> Option<u64> {
    match doing {
        Doing::Ended => Some(LATE_MS),
        Doing::Idle | Doing::Starting => Some(PATIENCE_MS),
        Doing::Working | Doing::Asking | Doing::Away => None,
    }
}

/// Says whether a message may be what a prompt says.
fn could_be(message: &Message, prompt: &Prompt) -> bool {
    let typed = matches!(message.stage, Stage::Typed | Stage::NotDelivered { .. });
    typed
        && message.typed_ms.is_some_and(|typed| typed <= prompt.at_ms)
        && says_the_same(&message.text, &prompt.text)
}

fn is_looked_for(message: &Message) -> bool {
    matches!(
        message.stage,
        Stage::Typing | Stage::Typed | Stage::Accepted { .. } | Stage::NotDelivered { .. }
    )
}
