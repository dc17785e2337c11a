//! A whole installation to test from outside: the built `clauderon` in a home of its own, a real repository, and the
//! scripted upstream in place of every host that a route names.
//!
//! What a machine lacks is a visible skip for a person and a failure in CI: see [`lacks`].

#![allow(clippy::print_stderr)]

pub mod canary;
mod inside;
pub mod programs;
pub mod terminal;
pub mod world;

pub use canary::Canary;
pub use programs::{Finished, lacks};
pub use terminal::Terminal;
pub use world::{World, script_prompt};

/// Turns each `fn name(backend: &str)` of a test file into one test a backend.
#[macro_export]
macro_rules! on_each_backend {
    ($($name:ident),+ $(,)?) => {
        mod bubblewrap { $(#[test] fn $name() { if $crate::lacks("bubblewrap").is_none() { super::$name("bubblewrap") } })+ }
        mod docker { $(#[test] fn $name() { if $crate::lacks("docker").is_none() { super::$name("docker") } })+ }
    };
}

/// The backends that every scenario runs on.
pub const BACKENDS: [&str; 2] = ["bubblewrap", "docker"];
