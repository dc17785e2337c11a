//! Whole conversations of the real agents, and the items that they become: `tests/golden/NAME.json`, the same in each backend.
//!
//! A golden file that is to be different is written anew with `CLAUDERON_BLESS=1`; the difference is then read like code.

mod outline;
mod refusals;
mod told;
mod turns;
