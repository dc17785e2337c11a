//! Whose turn it is, and what a message waits for.

use serde::{Deserialize, Serialize};

use super::{Message, Outbox, Stage, is_command};

/// What an agent does, as far as a message is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Doing {
    /// It does not run.
    Ended,
    /// Nobody can say whether it runs.
    Away,
    /// It takes no keys yet.
    Starting,
    /// It works.
    Working,
    /// A question or a request for approval stands open: Enter would answer it.
    Asking,
    /// It waits for the person.
    Idle,
}

/// What else matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Situation {
    /// What the agent does.
    pub doing: Doing,
    /// When the person last pressed a key in the terminal, in milliseconds since 1970.
    pub key_ms: Option<u64>,
    /// Whether something stands unfinished in the agent's input line, as far as the keys tell.
    pub draft: bool,
}

/// What a message waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS), ts(rename = "MessageWait"))]
#[serde(rename_all = "snake_case")]
pub enum Wait {
    /// For the session to run.
    Start,
    /// For the agent to take keys.
    Ready,
    /// For an answer to what the agent asks.
    Answer,
    /// For the person in the terminal to stop typing.
    Keys,
    /// For the input line in the terminal to be empty.
    Draft,
    /// For the messages before it.
    Before,
    /// For a decision about a message that was not delivered.
    Undelivered,
    /// For the agent to finish.
    Working,
    /// For room on the disk: nothing is typed that was not written down before.
    Disk,
}

impl Wait {
    /// Says it in a sentence.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::Start => "It is typed when the session runs.",
            Self::Ready => "It is typed when the agent has started.",
            Self::Answer => "It is typed when the agent's question is answered.",
            Self::Keys => "It is typed when nobody types in the terminal.",
            Self::Draft => {
                "Something unfinished stands in the terminal's input line. Send or clear that first."
            }
            Self::Before => "It is typed after the message before it.",
            Self::Undelivered => "Decide first about the message that was not delivered.",
            Self::Working => "It is typed when the agent has finished.",
            Self::Disk => "It is typed when it can be written down: the disk takes nothing now.",
        }
    }
}

/// That nothing is typed now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    /// For what the next message waits.
    pub wait: Wait,
    /// When to look again at the latest, in milliseconds since 1970.
    pub until_ms: Option<u64>,
}

/// How long after a person's last key nothing is typed between, in milliseconds.
const QUIET_MS: u64 = 2_000;

/// How long an agent that waits may leave a message in its input line, in milliseconds.
const SLOW_MS: u64 = 3_000;

impl Outbox {
    /// Returns the message that comes next: one that is to be typed at once, or the first that waits.
    pub fn next(&self) -> Option<&Message> {
        let waiting = || {
            let queued = |message: &&Message| message.stage == Stage::Queued;
            self.messages.iter().filter(queued)
        };
        waiting()
            .find(|message| message.now)
            .or_else(|| waiting().next())
    }

    /// Says whether a message may be typed at this moment.
    pub fn may_type(
        &self,
        message: &Message,
        situation: Situation,
        now_ms: u64,
    ) -> Result<(), Held> {
        let held = |wait| {
            Err(Held {
                wait,
                until_ms: None,
            })
        };
        match situation.doing {
            Doing::Ended | Doing::Away => return held(Wait::Start),
            Doing::Starting => return held(Wait::Ready),
            Doing::Asking => return held(Wait::Answer),
            Doing::Working | Doing::Idle => {}
        }
        // A clock that was set back must not hold a message for hours.
        let quiet = situation.key_ms.filter(|&key| key <= now_ms);
        if let Some(key) = quiet.filter(|key| now_ms < key + QUIET_MS) {
            return Err(Held {
                wait: Wait::Keys,
                until_ms: Some(key + QUIET_MS),
            });
        }
        let any = |fits: fn(&Stage) -> bool| self.messages.iter().any(|one| fits(&one.stage));
        if any(|stage| *stage == Stage::Typing) {
            return held(Wait::Before);
        }
        if message.now {
            return Ok(());
        }
        if situation.draft {
            return held(Wait::Draft);
        }
        if any(|stage| matches!(stage, Stage::NotDelivered { .. })) {
            return held(Wait::Undelivered);
        }
        if any(|stage| *stage == Stage::Typed) {
            return held(Wait::Before);
        }
        match situation.doing {
            Doing::Working => held(Wait::Working),
            _ => Ok(()),
        }
    }

    /// Returns the message for which Enter may be pressed once more: an agent that draws slowly takes the first for a part of
    /// the text. One that has nothing in its input line does nothing then.
    pub fn wants_enter(&self, situation: Situation, now_ms: u64) -> Option<&Message> {
        let idle = self.idle_ms.filter(|_| situation.doing == Doing::Idle)?;
        let mut typed = self.messages.iter().filter(|one| one.stage == Stage::Typed);
        typed.find(|message| {
            let untouched = situation.key_ms.is_none_or(|key| key < message.since_ms);
            let waited = now_ms.saturating_sub(message.since_ms.max(idle));
            untouched && waited >= SLOW_MS && !is_command(&message.text)
        })
    }

    /// Says for what each message that waits does so.
    pub fn wait_of(&self, message: &Message, situation: Situation, now_ms: u64) -> Option<Wait> {
        if message.stage != Stage::Queued {
            return None;
        }
        let next = self.next()?;
        match next.id == message.id {
            true => self
                .may_type(next, situation, now_ms)
                .err()
                .map(|held| held.wait),
            false => Some(Wait::Before),
        }
    }
}
