//! One set of behaviours, asked of every backend from inside real sandboxes.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod engine;
mod hardening;
mod one_shot;
mod place;
mod session;
