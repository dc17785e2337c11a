//! Gathers messages for the page: the first goes at once, what follows within a few milliseconds goes together. Small
//! messages are dear, and an echo must not wait.

use std::future::pending;
use std::time::Duration;

use tauri::ipc::{Channel, InvokeResponseBody};
use tokio::time::{Instant, sleep_until};

use super::frames::{Frame, pack};

/// How long a message waits for company.
const WAIT: Duration = Duration::from_millis(8);
/// How much goes together.
const FULL: usize = 128 << 10;

/// The way to the page for one stream.
pub struct Pump {
    channel: Channel<InvokeResponseBody>,
    waiting: Vec<u8>,
    sent: Option<Instant>,
}

impl Pump {
    /// Makes one over a channel.
    pub fn new(channel: Channel<InvokeResponseBody>) -> Pump {
        Pump {
            channel,
            waiting: Vec::new(),
            sent: None,
        }
    }

    /// Takes a message, and sends it where it need not or cannot wait.
    pub fn push(&mut self, frame: Frame<'_>) {
        pack(&mut self.waiting, frame);
        let quiet = self.sent.is_none_or(|sent| sent.elapsed() >= WAIT);
        if quiet || self.waiting.len() >= FULL {
            self.flush();
        }
    }

    /// Waits until what waits must go; for ever where nothing does.
    pub async fn due(&self) {
        match self.sent {
            Some(sent) if !self.waiting.is_empty() => sleep_until(sent + WAIT).await,
            _ => pending().await,
        }
    }

    /// Sends what waits.
    pub fn flush(&mut self) {
        if self.waiting.is_empty() {
            return;
        }
        self.sent = Some(Instant::now());
        let message = InvokeResponseBody::Raw(std::mem::take(&mut self.waiting));
        // The page is gone; whoever owns this stream hears of it from the window.
        let _ = self.channel.send(message);
    }
}
