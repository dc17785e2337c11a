//! A session's keyboard, which one hand uses at a time: what a person types and what Clauderon types never come between each
//! other.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use clauderon_session::delivery::InputLine;
use tokio::sync::MutexGuard;

use crate::clock::now_ms;

/// The keyboard of one session's terminal.
#[derive(Default)]
pub struct Keyboard {
    hand: tokio::sync::Mutex<()>,
    line: Mutex<InputLine>,
    /// Whether a question of the agent's stands open, which keys answer.
    dialog: AtomicBool,
}

impl Keyboard {
    /// Takes the keyboard for what a person typed, which may be written for as long as the hand is there.
    pub async fn press(&self, bytes: &[u8]) -> MutexGuard<'_, ()> {
        let hand = self.hand.lock().await;
        let dialog = self.dialog.load(Ordering::Relaxed);
        self.line(|line| line.press(bytes, dialog, now_ms()));
        hand
    }

    /// Takes the keyboard.
    pub async fn take(&self) -> MutexGuard<'_, ()> {
        self.hand.lock().await
    }

    /// Takes note that text was put into the input line; whether it was sent too.
    pub fn wrote(&self, sent: bool) {
        self.line(|line| match sent {
            true => line.clear(),
            false => line.insert(),
        });
    }

    /// Takes note whether a question of the agent's stands open.
    pub fn set_dialog(&self, open: bool) {
        self.dialog.store(open, Ordering::Relaxed);
    }

    /// Returns what stands in the input line, as far as the keys tell.
    pub fn input_line(&self) -> InputLine {
        self.line(|line| *line)
    }

    fn line<T>(&self, work: impl FnOnce(&mut InputLine) -> T) -> T {
        work(&mut self.line.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
