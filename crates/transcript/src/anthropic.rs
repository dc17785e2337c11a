//! Reads what passes between an agent and Anthropic's Messages API: requests, streams, plain answers, limits.

mod event;
mod request;

use serde_json::Value;

use crate::bounded;
use crate::sse::Events;
use crate::tap::{Limits, ServiceError, Stop, TapEvent, Usage, Window};

pub use request::request;

/// Bytes of a plain answer that are read.
const ANSWER: usize = 32 * 1024 * 1024;

/// One answer as it passes. It must be given decoded bytes. It never fails: what it does not understand is skipped and counted.
#[derive(Debug)]
pub struct Stream {
    status: u16,
    shape: Shape,
    usage: Usage,
    stop: Option<Stop>,
    finished: bool,
    skipped: u64,
}

#[derive(Debug)]
enum Shape {
    Events(Events),
    /// A plain answer, or an error; read when it is whole.
    Plain(Vec<u8>),
}

impl Stream {
    /// Begins with the head of an answer.
    pub fn new(status: u16, content_type: &str) -> Self {
        let streamed = (200..300).contains(&status)
            && content_type.trim_start().starts_with("text/event-stream");
        Self {
            status,
            shape: match streamed {
                true => Shape::Events(Events::default()),
                false => Shape::Plain(Vec::new()),
            },
            usage: Usage::default(),
            stop: None,
            finished: false,
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
                let (usage, stop) = (&mut self.usage, &mut self.stop);
                let (finished, skipped) = (&mut self.finished, &mut self.skipped);
                events.push(bytes, |data| {
                    let mut state = event::State {
                        usage,
                        stop,
                        finished,
                    };
                    if !event::read(data, &mut state, &mut told) {
                        *skipped += 1;
                    }
                });
            }
        }
        told
    }

    /// Ends the answer, whole or not. The last thing returned is always `Ended`.
    pub fn end(mut self) -> Vec<TapEvent> {
        let mut told = Vec::new();
        match &self.shape {
            Shape::Events(_) if !self.finished && self.stop.is_some() => {
                told.push(TapEvent::Finished {
                    usage: self.usage,
                    stop: self.stop.take(),
                });
            }
            Shape::Events(_) => {}
            Shape::Plain(body) => plain(self.status, body, &mut told),
        }
        told.push(TapEvent::Ended);
        told
    }

    /// Returns how many events were not understood.
    pub fn skipped(&self) -> u64 {
        let too_long = match &self.shape {
            Shape::Events(events) => events.skipped,
            Shape::Plain(_) => 0,
        };
        self.skipped + too_long
    }
}

/// Reads an answer that was not streamed.
fn plain(status: u16, body: &[u8], told: &mut Vec<TapEvent>) {
    let answer: Value = serde_json::from_slice(body).unwrap_or_default();
    if !(200..300).contains(&status) || answer["type"] == "error" {
        let text = || String::from_utf8_lossy(&body[..body.len().min(400)]).into_owned();
        told.push(TapEvent::Error(ServiceError {
            status: Some(status),
            error: answer["error"]["type"].as_str().map(bounded::line),
            message: answer["error"]["message"]
                .as_str()
                .map_or_else(text, |message| {
                    bounded::text(message.to_owned(), bounded::RAW)
                }),
        }));
        return;
    }
    let (Some(id), Some(blocks)) = (answer["id"].as_str(), answer["content"].as_array()) else {
        return;
    };
    let mut usage = Usage::default();
    event::learn(
        &mut usage,
        &serde_json::from_value(answer["usage"].clone()).unwrap_or_default(),
    );
    told.push(TapEvent::Message {
        id: bounded::line(id),
        model: bounded::line(answer["model"].as_str().unwrap_or_default()),
        usage,
    });
    for (block, content) in (0..).zip(blocks) {
        event::whole_block(block, content, told);
    }
    told.push(TapEvent::Finished {
        usage,
        stop: answer["stop_reason"].as_str().map(event::stop),
    });
}

/// Reads the headers that tell how much of a plan is used. `header` gives a header's value by its lower-case name.
pub fn limits<'a>(header: impl Fn(&str) -> Option<&'a str>) -> Option<Limits> {
    let get = |name: &str| header(&format!("anthropic-ratelimit-unified-{name}")).map(str::trim);
    let seconds = |name: &str| get(name)?.parse::<u64>().ok()?.checked_mul(1_000);
    let window = |short: &str| {
        let window = Window {
            used: get(&format!("{short}-utilization")).and_then(|used| used.parse().ok()),
            resets_at_ms: seconds(&format!("{short}-reset")),
            status: get(&format!("{short}-status")).map(bounded::line),
        };
        (window != Window::default()).then_some(window)
    };
    let mut limits = Limits {
        five_hour: window("5h"),
        weekly: window("7d"),
        status: get("status").map(bounded::line),
        binding: get("representative-claim").map(bounded::line),
    };
    // The window that binds may be told of by the short names alone.
    if let Some(resets_at_ms) = seconds("reset") {
        let told = match limits.binding.as_deref() {
            Some("five_hour") => Some(&mut limits.five_hour),
            Some(week) if week.starts_with("seven_day") => Some(&mut limits.weekly),
            _ => None,
        };
        if let Some(window) = told {
            let window = window.get_or_insert_default();
            window.resets_at_ms.get_or_insert(resets_at_ms);
            window.status = window.status.take().or_else(|| limits.status.clone());
        }
    }
    (limits != Limits::default()).then_some(limits)
}
