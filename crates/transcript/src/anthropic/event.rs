//! One event of a stream of the Messages API.

use serde::Deserialize;
use serde_json::Value;

use crate::bounded;
use crate::tap::{ServiceError, Stop, TapEvent, Usage};

/// What is known of a stream between its events.
pub(super) struct State<'a> {
    pub usage: &'a mut Usage,
    pub stop: &'a mut Option<Stop>,
    pub finished: &'a mut bool,
}

#[derive(Deserialize)]
struct Event {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    index: u32,
    delta: Option<Delta>,
    content_block: Option<Value>,
    message: Option<Message>,
    usage: Option<Counts>,
    error: Option<Failure>,
}

#[derive(Deserialize)]
struct Delta {
    #[serde(rename = "type", default)]
    kind: String,
    text: Option<String>,
    thinking: Option<String>,
    partial_json: Option<String>,
    stop_reason: Option<String>,
}

#[derive(Deserialize)]
struct Message {
    id: String,
    #[serde(default)]
    model: String,
    #[serde(default)]
    usage: Counts,
}

#[derive(Deserialize)]
struct Failure {
    #[serde(rename = "type")]
    kind: Option<String>,
    message: Option<String>,
}

/// Tokens as this service counts them. What an event leaves out stays as it was.
#[derive(Default, Deserialize)]
pub(super) struct Counts {
    input_tokens: Option<u64>,
    output_tokens: Option<u64>,
    cache_read_input_tokens: Option<u64>,
    cache_creation_input_tokens: Option<u64>,
    cache_creation: Option<CacheCreation>,
}

#[derive(Default, Deserialize)]
struct CacheCreation {
    #[serde(default)]
    ephemeral_5m_input_tokens: u64,
    #[serde(default)]
    ephemeral_1h_input_tokens: u64,
}

/// Reads one event; false where it is not understood.
pub(super) fn read(data: &[u8], state: &mut State<'_>, told: &mut Vec<TapEvent>) -> bool {
    let Ok(event) = serde_json::from_slice::<Event>(data) else {
        return false;
    };
    let block = event.index;
    match event.kind.as_str() {
        "ping" => {}
        "message_stop" if *state.finished => {}
        "message_stop" => {
            *state.finished = true;
            told.push(TapEvent::Finished {
                usage: *state.usage,
                stop: state.stop.take(),
            });
        }
        "message_start" => {
            let Some(message) = event.message else {
                return false;
            };
            learn(state.usage, &message.usage);
            told.push(TapEvent::Message {
                id: bounded::line(&message.id),
                model: bounded::line(&message.model),
                usage: *state.usage,
            });
        }
        "content_block_start" => {
            let Some(content) = event.content_block else {
                return false;
            };
            begin_block(block, &content, told);
        }
        "content_block_delta" => return event.delta.is_some_and(|delta| piece(block, delta, told)),
        "content_block_stop" => told.push(TapEvent::BlockEnded { block }),
        "message_delta" => {
            learn(state.usage, &event.usage.unwrap_or_default());
            if let Some(reason) = event.delta.and_then(|delta| delta.stop_reason) {
                *state.stop = Some(stop(&reason));
            }
        }
        "error" => {
            let failure = event.error;
            told.push(TapEvent::Error(ServiceError {
                status: None,
                error: failure
                    .as_ref()
                    .and_then(|failure| failure.kind.as_deref())
                    .map(bounded::line),
                message: failure
                    .and_then(|failure| failure.message)
                    .map_or_else(String::new, |message| bounded::text(message, bounded::RAW)),
            }));
        }
        _ => return false,
    }
    true
}

fn begin_block(block: u32, content: &Value, told: &mut Vec<TapEvent>) {
    let text = |key: &str| content[key].as_str().filter(|text| !text.is_empty());
    match content["type"].as_str() {
        Some("text") => told.extend(text("text").map(|text| words(block, false, text))),
        Some("thinking") => told.extend(text("thinking").map(|text| words(block, true, text))),
        Some("tool_use" | "server_tool_use") => tool(block, content, told),
        // Results of the service's own tools and hidden thinking: nothing of them is shown.
        _ => {}
    }
}

/// Tells of a block that comes whole.
pub(super) fn whole_block(block: u32, content: &Value, told: &mut Vec<TapEvent>) {
    begin_block(block, content, told);
    told.push(TapEvent::BlockEnded { block });
}

fn tool(block: u32, content: &Value, told: &mut Vec<TapEvent>) {
    let (Some(id), Some(tool)) = (content["id"].as_str(), content["name"].as_str()) else {
        return;
    };
    told.push(TapEvent::Tool {
        block,
        id: bounded::line(id),
        tool: bounded::line(tool),
    });
    // In a stream it begins empty, and its pieces follow.
    if content["input"]
        .as_object()
        .is_some_and(|input| !input.is_empty())
    {
        told.push(TapEvent::Input {
            block,
            json: content["input"].to_string(),
        });
    }
}

fn piece(block: u32, delta: Delta, told: &mut Vec<TapEvent>) -> bool {
    let Delta {
        kind,
        text,
        thinking,
        partial_json,
        ..
    } = delta;
    let id = None;
    let event = match (kind.as_str(), text, thinking, partial_json) {
        ("text_delta", Some(text), ..) => TapEvent::Text { block, id, text },
        ("thinking_delta", _, Some(text), _) => TapEvent::Thinking { block, id, text },
        ("input_json_delta", .., Some(json)) => TapEvent::Input { block, json },
        ("signature_delta" | "citations_delta", ..) => return true,
        _ => return false,
    };
    told.push(event);
    true
}

fn words(block: u32, thinking: bool, text: &str) -> TapEvent {
    let (id, text) = (None, text.to_owned());
    match thinking {
        true => TapEvent::Thinking { block, id, text },
        false => TapEvent::Text { block, id, text },
    }
}

pub(super) fn stop(reason: &str) -> Stop {
    match reason {
        "end_turn" | "stop_sequence" => Stop::EndTurn,
        "tool_use" => Stop::ToolUse,
        "max_tokens" | "model_context_window_exceeded" => Stop::Length,
        "refusal" => Stop::Refusal,
        other => Stop::Other(bounded::line(other)),
    }
}

/// Takes what is counted; the service counts from the start of the message, so what is told last is all.
pub(super) fn learn(usage: &mut Usage, counts: &Counts) {
    let take = |known: &mut u64, told: Option<u64>| *known = told.unwrap_or(*known);
    take(&mut usage.input, counts.input_tokens);
    take(&mut usage.output, counts.output_tokens);
    take(&mut usage.cache_read, counts.cache_read_input_tokens);
    let hour = counts
        .cache_creation
        .as_ref()
        .filter(|created| created.ephemeral_1h_input_tokens + created.ephemeral_5m_input_tokens > 0)
        .map(|created| created.ephemeral_1h_input_tokens);
    if let Some(written) = counts.cache_creation_input_tokens {
        usage.cache_write_hour = hour.unwrap_or(0).min(written);
        usage.cache_write = written - usage.cache_write_hour;
    }
}
