//! The record of what left a sandbox and what was refused: append-only, chained by hash, its head signed.
//!
//! An appended record is on the disk when [`Log::append`] returns. This crate must never hold a credential, a header or a body, and must
//! never write text from a sandbox as it came: everything passes [`escape`].

mod chain;
mod entry;
mod head;
mod keeper;
mod log;
mod record;
mod reserve;
mod segments;
mod tail;
mod verify;
mod writer;

#[cfg(test)]
mod tests;

pub use entry::Entry;
pub use log::{AuditError, Log, Options};
pub use record::{Kind, Record, escape};
pub use tail::{Filter, tail};
pub use verify::{Fault, FaultKind, Report, verify};
