//! A whole installation to test from outside: the built `clauderon` in a home of its own, a real repository, and the
//! scripted upstream in place of every host that a route names.
//!
//! What a machine lacks is a visible skip for a person and a failure in CI: see [`lacks`].

#![allow(clippy::print_stderr)]

pub mod canary;
pub mod desktop;
pub mod disk;
pub mod engine;
mod inside;
pub mod keyring;
pub mod programs;
mod scene;
pub mod sockets;
pub mod terminal;
pub mod wait;
pub mod webdriver;
pub mod world;

pub use canary::Canary;
pub use disk::Disk;
pub use engine::Engine;
pub use programs::{Finished, lacks};
pub use scene::{Scene, Window};
pub use terminal::Terminal;
pub use wait::{PATIENCE, wait_for, wait_until};
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
