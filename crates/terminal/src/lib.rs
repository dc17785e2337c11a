//! A session's console, read: the bytes of its log and how the agent ended, live or afterwards; the screen that they make;
//! and what must not reach a person's own terminal.
//!
//! This crate never writes a log; beside it it keeps checkpoints of the screen, which can be lost without harm.

mod console;
pub mod filter;
pub mod history;
pub mod screen;
pub mod title;

pub use console::{Console, ConsoleEvent, ConsoleInput, PTY, Place, SNAPSHOT, View};
pub use history::{Checkpoints, Keeper};
