//! The holder as a process, with real sandboxes: bubblewrap, and Docker where an engine answers.
#![allow(clippy::unwrap_used)]

mod bed;
mod bubblewrap;
mod docker;
