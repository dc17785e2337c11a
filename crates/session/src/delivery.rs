//! Messages on their way to an agent: queued, typed into its terminal, taken by it, answered.
//!
//! What is done in the terminal cannot be undone, and what came of it is not known for certain. So that a message is being
//! typed is written down before its first key: whoever finds that after a crash knows that it may stand in the terminal, and
//! never types it a second time by itself.

mod evidence;
mod line;
mod message;
mod text;
mod turn;

use serde::{Deserialize, Serialize};

pub use evidence::{Prompt, Seen};
pub use line::InputLine;
pub use message::{Message, Reason, Stage};
pub use text::{clean, is_command, says_the_same};
pub use turn::{Doing, Held, Situation, Wait};

use crate::SessionId;

/// Messages that may wait for one agent.
pub const MOST_WAITING: usize = 100;
/// Bytes that the texts of those may have together.
pub const MOST_BYTES: usize = 1 << 20;
/// Messages of which nothing more is expected that are remembered, so that one that is sent again is known.
const MOST_OVER: usize = 30;

/// One session's messages, in the order in which they were sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outbox {
    session: SessionId,
    messages: Vec<Message>,
    /// Since when the agent could have shown that it took what was typed.
    #[serde(skip)]
    idle_ms: Option<u64>,
}

/// Why a wish was not granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denied {
    /// There is no such message.
    Unknown,
    /// It was typed, or is being typed.
    Typed,
    /// It waits or was taken: there is nothing to try again.
    NotNeeded,
    /// Too much waits.
    Full,
    /// There is nothing in the text that could be typed.
    Empty,
}

impl Outbox {
    /// Begins without messages.
    pub fn new(session: SessionId) -> Self {
        Self {
            session,
            messages: Vec::new(),
            idle_ms: None,
        }
    }

    /// Returns whose messages these are.
    pub fn session(&self) -> SessionId {
        self.session
    }

    /// Takes up what an earlier daemon wrote down. What was being typed then may have been typed or not.
    pub fn recover(mut self, now_ms: u64) -> Self {
        for message in &mut self.messages {
            if message.stage == Stage::Typing {
                message.come_to(undelivered(Reason::CutOff), now_ms);
            }
        }
        self
    }

    /// Returns the messages, oldest first, those included that were withdrawn.
    pub fn messages(&self) -> &[Message] {
        &self.messages
    }

    /// Returns one message.
    pub fn message(&self, id: &str) -> Option<&Message> {
        self.messages.iter().find(|message| message.id == id)
    }

    /// Says whether something is still expected of a message.
    pub fn is_busy(&self) -> bool {
        self.messages.iter().any(|message| !message.stage.is_over())
    }

    /// Takes a message; one that was taken before under this id is not taken again.
    pub fn post(&mut self, id: &str, text: &str, now: bool, at_ms: u64) -> Result<(), Denied> {
        if self.message(id).is_some() {
            return Ok(());
        }
        let text = clean(text);
        self.has_room(&text, None)?;
        self.messages.push(Message {
            id: id.to_owned(),
            text,
            stage: Stage::Queued,
            now,
            at_ms,
            since_ms: at_ms,
            typed_ms: None,
        });
        Ok(())
    }

    /// Changes the text of a message that waits.
    pub fn edit(&mut self, id: &str, text: &str) -> Result<(), Denied> {
        let text = clean(text);
        self.waiting(id)?;
        self.has_room(&text, Some(id))?;
        self.waiting(id)?.text = text;
        Ok(())
    }

    /// Has a message that waits typed although the agent works, or something stands in its input line.
    pub fn hurry(&mut self, id: &str) -> Result<(), Denied> {
        self.waiting(id)?.now = true;
        Ok(())
    }

    /// Takes a message back that was not typed, or puts one aside that was not delivered.
    pub fn withdraw(&mut self, id: &str, now_ms: u64) -> Result<(), Denied> {
        let message = self.get(id)?;
        match message.stage {
            Stage::Withdrawn => return Ok(()),
            Stage::Queued | Stage::NotDelivered { .. } => {}
            _ => return Err(Denied::Typed),
        }
        message.come_to(Stage::Withdrawn, now_ms);
        self.forget();
        Ok(())
    }

    /// Queues a message again that was not delivered, as a person decides who has looked.
    pub fn retry(&mut self, id: &str, now_ms: u64) -> Result<(), Denied> {
        let message = self.get(id)?;
        match message.stage {
            Stage::NotDelivered { .. } => {
                message.typed_ms = None;
                message.come_to(Stage::Queued, now_ms);
                Ok(())
            }
            _ => Err(Denied::NotNeeded),
        }
    }

    /// Begins to type a message. Nothing may be typed before this is written down.
    pub fn begin(&mut self, id: &str, now_ms: u64) -> Result<&Message, Denied> {
        let message = self.waiting(id)?;
        message.typed_ms = Some(now_ms);
        message.come_to(Stage::Typing, now_ms);
        Ok(message)
    }

    /// Takes note that a message was typed and sent.
    pub fn typed(&mut self, id: &str, now_ms: u64) {
        self.idle_ms = None;
        self.ends_typing(id, Stage::Typed, now_ms);
    }

    /// Takes note that not a byte of a message was typed.
    pub fn untyped(&mut self, id: &str, now_ms: u64) {
        self.ends_typing(id, Stage::Queued, now_ms);
    }

    /// Takes note that the typing of a message broke off.
    pub fn cut_off(&mut self, id: &str, now_ms: u64) {
        self.ends_typing(id, undelivered(Reason::CutOff), now_ms);
    }

    fn ends_typing(&mut self, id: &str, stage: Stage, now_ms: u64) {
        if let Ok(message) = self.get(id)
            && message.stage == Stage::Typing
        {
            message.come_to(stage, now_ms);
        }
    }

    fn waiting(&mut self, id: &str) -> Result<&mut Message, Denied> {
        let message = self.get(id)?;
        match message.stage {
            Stage::Queued => Ok(message),
            _ => Err(Denied::Typed),
        }
    }

    fn get(&mut self, id: &str) -> Result<&mut Message, Denied> {
        let message = self.messages.iter_mut().find(|message| message.id == id);
        message.ok_or(Denied::Unknown)
    }

    /// Says whether one more text has room, or this one in the place of another.
    fn has_room(&self, text: &str, instead: Option<&str>) -> Result<(), Denied> {
        if text.trim().is_empty() {
            return Err(Denied::Empty);
        }
        let counts =
            |message: &&Message| !message.stage.is_over() && Some(message.id.as_str()) != instead;
        let others = self.messages.iter().filter(counts);
        let (count, bytes) = others.fold((0, 0), |(count, bytes), message| {
            (count + 1, bytes + message.text.len())
        });
        match count < MOST_WAITING && bytes + text.len() <= MOST_BYTES {
            true => Ok(()),
            false => Err(Denied::Full),
        }
    }

    /// Forgets the oldest messages of which nothing more is expected.
    fn forget(&mut self) {
        let over = |message: &Message| message.stage.is_over();
        let mut spare = self.messages.iter().filter(|one| over(one)).count();
        self.messages.retain(|message| {
            let goes = over(message) && spare > MOST_OVER;
            spare -= usize::from(goes);
            !goes
        });
    }
}

fn undelivered(reason: Reason) -> Stage {
    Stage::NotDelivered { reason }
}

#[cfg(test)]
mod tests;
