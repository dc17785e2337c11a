//! Reads what passes between an agent and OpenAI's Responses API: requests, streams of either kind, plain answers, limits.

mod event;
mod request;

use serde_json::Value;

use crate::bounded;
use crate::sse::Events;
use crate::tap::{Limits, ServiceError, TapEvent, Window};
use event::State;

pub use request::request;

/// Bytes of a plain answer that are read.
const ANSWER: usize = 32 * 1024 * 1024;

/// One answer as it passes. It must be given decoded bytes. It never fails: what it does not understand is skipped and counted.
#[derive(Debug)]
pub struct Stream {
    status: u16,
    shape: Shape,
    state: State,
    skipped: u64,
}

#[derive(Debug)]
enum Shape {
    Events(Events),
    /// Messages of a WebSocket, each a whole event.
    Messages,
    /// A plain answer, or an error; read when it is whole.
    Plain(Vec<u8>),
}

impl Stream {
    /// Begins with the head of an answer.
    pub fn new(status: u16, content_type: &str) -> Self {
        let streamed = (200..300).contains(&status)
            && content_type.trim_start().starts_with("text/event-stream");
        Self::of(
            status,
            match streamed {
                true => Shape::Events(Events::default()),
                false => Shape::Plain(Vec::new()),
            },
        )
    }

    /// Begins with a `response.create` on a WebSocket; its answer is given by [`Stream::message`].
    pub fn over_websocket() -> Self {
        Self::of(101, Shape::Messages)
    }

    fn of(status: u16, shape: Shape) -> Self {
        Self {
            status,
            shape,
            state: State::default(),
            skipped: 0,
        }
    }

    /// Takes bytes of the answer's body and returns what they tell.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<TapEvent> {
        let mut told = Vec::new();
        match &mut self.shape {
            Shape::Plain(body) => {
                let room = ANSWER.saturating_sub(body.len()).min(bytes.len());
                body.extend_from_slice(&bytes[..room]);
            }
            Shape::Events(events) => {
                let (state, skipped) = (&mut self.state, &mut self.skipped);
                events.push(bytes, |data| {
                    if !state.read(data, &mut told) {
                        *skipped += 1;
                    }
                });
            }
            Shape::Messages => return self.message(bytes),
        }
        told
    }

    /// Takes one message of a WebSocket and returns what it tells.
    pub fn message(&mut self, message: &[u8]) -> Vec<TapEvent> {
        let mut told = Vec::new();
        if !self.state.read(message, &mut told) {
            self.skipped += 1;
        }
        told
    }

    /// Says whether the answer is complete: the next message of a WebSocket belongs to the next request.
    pub fn is_finished(&self) -> bool {
        self.state.finished
    }

    /// Ends the answer, whole or not. The last thing returned is always `Ended`.
    pub fn end(self) -> Vec<TapEvent> {
        let mut told = Vec::new();
        if let Shape::Plain(body) = &self.shape {
            plain(self.status, body, &mut told);
        }
        told.push(TapEvent::Ended);
        told
    }

    /// Returns how many events were not understood.
    pub fn skipped(&self) -> u64 {
        let too_long = match &self.shape {
            Shape::Events(events) => events.skipped,
            _ => 0,
        };
        self.skipped + too_long
    }
}

fn plain(status: u16, body: &[u8], told: &mut Vec<TapEvent>) {
    let answer: Value = serde_json::from_slice(body).unwrap_or_default();
    if (200..300).contains(&status) && answer["object"] == "response" {
        State::default().whole(&answer, told);
        return;
    }
    if (200..300).contains(&status) {
        return;
    }
    let text = || String::from_utf8_lossy(&body[..body.len().min(400)]).into_owned();
    told.push(TapEvent::Error(ServiceError {
        status: Some(status),
        error: ["code", "type"]
            .iter()
            .find_map(|key| answer["error"][*key].as_str())
            .map(bounded::line),
        message: [&answer["error"]["message"], &answer["detail"]]
            .into_iter()
            .find_map(Value::as_str)
            .map_or_else(text, |message| {
                bounded::text(message.to_owned(), bounded::RAW)
            }),
    }));
}

/// Minutes of the longest window that counts as the short one: the service gives the length and no name.
const SHORT_MINUTES: u64 = 24 * 60;

/// Reads the headers that tell how much of a plan is used. `header` gives a header's value by its lower-case name.
pub fn limits<'a>(header: impl Fn(&str) -> Option<&'a str>, now_ms: u64) -> Option<Limits> {
    let mut limits = Limits::default();
    for (at, which) in ["primary", "secondary"].into_iter().enumerate() {
        let get = |name: &str| header(&format!("x-codex-{which}-{name}")).map(str::trim);
        let Some(used) = get("used-percent").and_then(|used| used.parse::<f64>().ok()) else {
            continue;
        };
        let at_ms = get("reset-at").and_then(|at| at.parse::<u64>().ok()?.checked_mul(1_000));
        let after_ms = || {
            let after = get("reset-after-seconds")?.parse::<u64>().ok()?;
            now_ms.checked_add(after.checked_mul(1_000)?)
        };
        let window = Window {
            used: Some(used / 100.0),
            resets_at_ms: at_ms.or_else(after_ms),
            status: None,
        };
        let minutes = get("window-minutes").and_then(|minutes| minutes.parse::<u64>().ok());
        put(&mut limits, window, minutes, at);
    }
    (limits != Limits::default()).then_some(limits)
}

/// Puts a window where its length says, or else its place.
fn put(limits: &mut Limits, window: Window, minutes: Option<u64>, at: usize) {
    let short = minutes.map_or(at == 0, |minutes| minutes <= SHORT_MINUTES);
    let place = match short {
        true => &mut limits.five_hour,
        false => &mut limits.weekly,
    };
    *place = Some(window);
}
