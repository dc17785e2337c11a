//! One event of a stream of the Responses API.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::put;
use crate::bounded;
use crate::tap::{Limits, ServiceError, Stop, TapEvent, Usage, Window};

/// What is known of an answer between its events.
#[derive(Debug, Default)]
pub(super) struct State {
    /// The part of each block that text was last told of; a block that is not here has told none.
    parts: BTreeMap<u32, u32>,
    uses_tools: bool,
    pub finished: bool,
}

#[derive(Deserialize)]
struct Event {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    output_index: u32,
    #[serde(default)]
    item_id: Option<String>,
    /// The part of the item: of its summary, or of its content.
    #[serde(default)]
    summary_index: Option<u32>,
    #[serde(default)]
    content_index: Option<u32>,
    #[serde(default)]
    delta: Option<String>,
    #[serde(default)]
    item: Option<Value>,
    #[serde(default)]
    response: Option<Value>,
    #[serde(default)]
    rate_limits: Option<Value>,
    #[serde(default)]
    error: Option<Value>,
    #[serde(default)]
    status: Value,
    #[serde(default)]
    code: Option<String>,
    #[serde(default)]
    message: Option<String>,
}

/// Events that tell nothing that others do not.
const QUIET: [&str; 16] = [
    "response.in_progress",
    "response.queued",
    "response.content_part.added",
    "response.content_part.done",
    "response.output_text.done",
    "response.output_text.annotation.added",
    "response.reasoning_summary_part.added",
    "response.reasoning_summary_part.done",
    "response.reasoning_summary_text.done",
    "response.reasoning_text.done",
    "response.function_call_arguments.done",
    "response.custom_tool_call_input.done",
    "response.refusal.done",
    "response.metadata",
    "keepalive",
    "codex.response.metadata",
];

impl State {
    /// Reads one event; false where it is not understood.
    pub fn read(&mut self, data: &[u8], told: &mut Vec<TapEvent>) -> bool {
        let Ok(event) = serde_json::from_slice::<Event>(data) else {
            return data == b"[DONE]";
        };
        let block = event.output_index;
        let status = event
            .status
            .as_u64()
            .and_then(|status| u16::try_from(status).ok());
        match event.kind.as_str() {
            "response.created" => message(&event.response.unwrap_or_default(), told),
            "response.output_item.added" => {
                self.begin(block, &event.item.unwrap_or_default(), told)
            }
            "response.output_item.done" => self.done(block, &event.item.unwrap_or_default(), told),
            "response.output_text.delta" | "response.refusal.delta" => {
                self.piece(
                    block,
                    event.content_index,
                    event.item_id,
                    event.delta,
                    false,
                    told,
                );
            }
            "response.reasoning_summary_text.delta" => {
                self.piece(
                    block,
                    event.summary_index,
                    event.item_id,
                    event.delta,
                    true,
                    told,
                );
            }
            "response.reasoning_text.delta" => {
                self.piece(
                    block,
                    event.content_index,
                    event.item_id,
                    event.delta,
                    true,
                    told,
                );
            }
            "response.function_call_arguments.delta" | "response.custom_tool_call_input.delta" => {
                self.parts.insert(block, 0);
                told.extend(event.delta.map(|json| TapEvent::Input { block, json }));
            }
            "response.completed" | "response.incomplete" | "response.done" => {
                self.finish(&event.response.unwrap_or_default(), told);
            }
            "response.failed" => {
                let response = event.response.unwrap_or_default();
                failed(&response["error"], status, None, told);
                self.finished = true;
            }
            "error" => {
                let flat = event.message.map(|message| (event.code, message));
                failed(&event.error.unwrap_or_default(), status, flat, told);
                self.finished = true;
            }
            "codex.rate_limits" => told.extend(limits(&event.rate_limits.unwrap_or_default())),
            kind => return QUIET.contains(&kind) || kind.starts_with("response.web_search_call."),
        }
        true
    }

    /// Reads an answer that was not streamed.
    pub fn whole(&mut self, response: &Value, told: &mut Vec<TapEvent>) {
        message(response, told);
        let output = response["output"].as_array().map_or(&[][..], Vec::as_slice);
        for (block, item) in (0..).zip(output) {
            self.begin(block, item, told);
            self.done(block, item, told);
        }
        self.finish(response, told);
    }

    fn begin(&mut self, block: u32, item: &Value, told: &mut Vec<TapEvent>) {
        if let Some((id, tool)) = tool(item) {
            self.uses_tools = true;
            told.push(TapEvent::Tool { block, id, tool });
        }
    }

    fn done(&mut self, block: u32, item: &Value, told: &mut Vec<TapEvent>) {
        // What came in pieces is known; the rest comes only here.
        if !self.parts.contains_key(&block) {
            let id = item["id"].as_str().map(bounded::line);
            match item["type"].as_str() {
                Some("message") => {
                    for (part, text) in (0..).zip(texts(&item["content"])) {
                        self.piece(block, Some(part), id.clone(), Some(text), false, told);
                    }
                }
                Some("reasoning") => {
                    for (part, text) in (0..).zip(texts(&item["summary"])) {
                        self.piece(block, Some(part), id.clone(), Some(text), true, told);
                    }
                }
                _ => told.extend(input(item).map(|json| TapEvent::Input { block, json })),
            }
        }
        told.push(TapEvent::BlockEnded { block });
    }

    fn piece(
        &mut self,
        block: u32,
        part: Option<u32>,
        id: Option<String>,
        text: Option<String>,
        thinking: bool,
        told: &mut Vec<TapEvent>,
    ) {
        let Some(mut text) = text else { return };
        let part = part.unwrap_or(0);
        // The parts of an item are paragraphs of one text.
        if self
            .parts
            .insert(block, part)
            .is_some_and(|last| last != part)
        {
            text.insert_str(0, "\n\n");
        }
        told.push(match thinking {
            true => TapEvent::Thinking { block, id, text },
            false => TapEvent::Text { block, id, text },
        });
    }

    fn finish(&mut self, response: &Value, told: &mut Vec<TapEvent>) {
        if std::mem::replace(&mut self.finished, true) {
            return;
        }
        let stop = match response["incomplete_details"]["reason"].as_str() {
            Some("max_output_tokens") => Stop::Length,
            Some("content_filter") => Stop::Refusal,
            Some(other) => Stop::Other(bounded::line(other)),
            None if self.uses_tools => Stop::ToolUse,
            None => Stop::EndTurn,
        };
        told.push(TapEvent::Finished {
            usage: usage(&response["usage"]),
            stop: Some(stop),
        });
    }
}

fn message(response: &Value, told: &mut Vec<TapEvent>) {
    told.push(TapEvent::Message {
        id: bounded::line(response["id"].as_str().unwrap_or_default()),
        model: bounded::line(response["model"].as_str().unwrap_or_default()),
        usage: Usage::default(),
    });
}

/// The id and the name of a tool's use.
fn tool(item: &Value) -> Option<(String, String)> {
    let name = match item["type"].as_str()? {
        "function_call" | "custom_tool_call" => item["name"].as_str()?,
        "local_shell_call" => "local_shell",
        "web_search_call" => "web_search",
        _ => return None,
    };
    let id = ["call_id", "id"]
        .iter()
        .find_map(|key| item[*key].as_str())?;
    Some((bounded::line(id), bounded::line(name)))
}

fn input(item: &Value) -> Option<String> {
    match item["type"].as_str()? {
        "function_call" => item["arguments"].as_str().map(str::to_owned),
        "custom_tool_call" => item["input"].as_str().map(str::to_owned),
        "local_shell_call" | "web_search_call" => Some(item["action"].to_string()),
        _ => None,
    }
}

fn texts(parts: &Value) -> impl Iterator<Item = String> {
    let parts = parts.as_array().map_or(&[][..], Vec::as_slice);
    parts.iter().filter_map(|part| {
        let text = part["text"].as_str().or_else(|| part["refusal"].as_str());
        text.map(str::to_owned)
    })
}

/// Tokens as this service counts them: its input holds those from the cache.
pub(crate) fn usage(usage: &Value) -> Usage {
    let number = |value: &Value| value.as_u64().unwrap_or(0);
    let cached = number(&usage["input_tokens_details"]["cached_tokens"]);
    let written = number(&usage["input_tokens_details"]["cache_write_tokens"]);
    Usage {
        input: number(&usage["input_tokens"])
            .saturating_sub(cached)
            .saturating_sub(written),
        output: number(&usage["output_tokens"]),
        cache_read: cached,
        cache_write: written,
        cache_write_hour: 0,
        reasoning: number(&usage["output_tokens_details"]["reasoning_tokens"]),
    }
}

fn failed(
    error: &Value,
    status: Option<u16>,
    flat: Option<(Option<String>, String)>,
    told: &mut Vec<TapEvent>,
) {
    let (code, text) = flat.unwrap_or_default();
    let word = ["code", "type"].iter().find_map(|key| error[*key].as_str());
    told.push(TapEvent::Error(ServiceError {
        status,
        error: word
            .map(bounded::line)
            .or(code.map(|code| bounded::line(&code))),
        message: bounded::text(
            error["message"].as_str().map_or(text, str::to_owned),
            bounded::RAW,
        ),
    }));
}

/// Limits that come as an event of a WebSocket.
fn limits(told: &Value) -> Option<TapEvent> {
    let mut limits = Limits::default();
    for (at, which) in ["primary", "secondary"].into_iter().enumerate() {
        let window = &told[which];
        let Some(used) = window["used_percent"].as_f64() else {
            continue;
        };
        let known = Window {
            used: Some(used / 100.0),
            resets_at_ms: window["reset_at"]
                .as_u64()
                .or(window["resets_at"].as_u64())
                .and_then(|at| at.checked_mul(1_000)),
            status: None,
        };
        put(&mut limits, known, window["window_minutes"].as_u64(), at);
    }
    (limits != Limits::default()).then_some(TapEvent::Limits(limits))
}
