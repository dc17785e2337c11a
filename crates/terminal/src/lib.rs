//! A session's console, read: the bytes of its log and how the agent ended, live or afterwards, and what must not reach a
//! person's own terminal.
//!
//! This crate never writes a log and never interprets what an agent prints beyond what it filters.

mod console;
pub mod filter;
pub mod title;

pub use console::{Console, ConsoleEvent, ConsoleInput, PTY};
