//! What the loop asks of the sandbox it holds, whichever it is.

use std::time::Instant;

use crate::exec::Execs;
use crate::sys::PollSet;

/// How a sandbox ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    pub code: i32,
    pub signal: Option<i32>,
    pub oom: bool,
    pub error: Option<String>,
}

/// A running sandbox.
pub trait Held {
    /// Names the descriptors to wait for; output only where it is wanted now.
    fn watch(&self, output: bool, set: &mut PollSet);

    /// Does what is ready; output goes to `sink` with its stream.
    fn turn(
        &mut self,
        set: &PollSet,
        now: Instant,
        sink: &mut dyn FnMut(u8, &[u8]),
    ) -> Option<Ended>;

    /// When [`Self::turn`] wants to be called again without any event.
    fn deadline(&self) -> Option<Instant> {
        None
    }

    /// The agent's input.
    fn feed(&mut self) -> &mut crate::feed::Feed;

    fn resize(&mut self, cols: u16, rows: u16) -> Result<(), String>;

    /// Signals the agent's process group.
    fn signal(&mut self, signal: i32) -> Result<(), String>;

    /// Ends the sandbox without asking it.
    fn kill(&mut self);

    /// Whether it ends with the holder.
    fn is_bound_to_holder(&self) -> bool;

    /// Why nobody can say how the sandbox fares just now.
    fn away(&self) -> Option<&'static str> {
        None
    }

    /// Programs beside the agent, where the holder can start them.
    fn execs(&mut self) -> Option<&mut Execs>;
}
