//! Conversations of Claude Code and Codex, normalised: one reducer for what is live and what is replayed.
//!
//! Four sources tell of a conversation. The proxy's tap sees the model's answers pass and cannot be forged; the daemon
//! knows what the person did; the agent's transcript and its hooks tell the rest, and everything in the sandbox can write to
//! them. Readers and parsers turn each into [`Observation`]s. Whatever gates something uses the tap and the daemon alone.
//!
//! This crate is pure: bytes and a time go in, items come out. It must never read a file, a clock or the environment. It must
//! never fail on what it is given either: what it does not understand is shown as it is, or counted.

#![deny(clippy::disallowed_methods)]

pub mod anthropic;
mod bounded;
mod budget;
pub mod claude;
pub mod codex;
mod conversation;
pub mod hooks;
mod item;
mod lines;
pub mod meter;
mod observation;
pub mod openai;
pub mod price;
mod raw;
mod recall;
mod sse;
pub mod tap;
mod usage;

pub use budget::{Budget, Cap, NoBudget};
pub use conversation::{Activity, Asked, Change, Conversation, Resumed, Status, Wanted, What};
pub use hooks::Asks;
pub use item::{
    Answer, Body, Entry, Hunk, Item, ItemId, Origin, Outcome, Question, QuestionOption, Retry,
    Source, State, Step, ToolCall, ToolDetail,
};
pub use observation::{Account, CallResult, End, Observation, Prompt, Said, Told, Words};
pub use usage::{AgentSum, ModelSum, Sum, Totals, TurnSum};
