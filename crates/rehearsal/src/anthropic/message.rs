//! Renders a step as an Anthropic message, and a message as the events of its stream.

use bytes::Bytes;
use serde_json::{Value, json};

use crate::answer::pieces;
use crate::script::Step;

/// What stands where a real thinking block carries its signature; the agents send it back unread.
const SIGNATURE: &str = "cmVoZWFyc2FsLXNpZ25hdHVyZQ==";

/// The whole message that a step answers with.
pub(super) fn message(step: &Step, id: &str, model: &Value) -> Value {
    let mut content = Vec::new();
    if let Some(thinking) = &step.thinking {
        content.push(json!({ "type": "thinking", "thinking": thinking, "signature": SIGNATURE }));
    }
    if let Some(text) = step.printed() {
        content.push(json!({ "type": "text", "text": text }));
    }
    let calls = step.calls();
    let stop = if calls.is_empty() {
        "end_turn"
    } else {
        "tool_use"
    };
    for (index, call) in calls.into_iter().enumerate() {
        content.push(json!({ "type": "tool_use", "id": format!("toolu_{id}{index:02}"), "name": call.tool, "input": call.input }));
    }
    let output: usize = content
        .iter()
        .map(|block| block.to_string().len() / 4 + 1)
        .sum();
    json!({
        "id": format!("msg_{id}"),
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": content,
        "stop_reason": stop,
        "stop_sequence": null,
        "usage": usage(output),
    })
}

/// The events by which a message is streamed.
pub(super) fn events(message: &Value) -> Vec<Bytes> {
    let mut opening = message.clone();
    opening["content"] = json!([]);
    opening["stop_reason"] = Value::Null;
    opening["usage"] = usage(1);

    let mut events = vec![
        event(&json!({ "type": "message_start", "message": opening })),
        event(&json!({ "type": "ping" })),
    ];
    for (index, block) in message["content"]
        .as_array()
        .into_iter()
        .flatten()
        .enumerate()
    {
        events.push(event(&json!({ "type": "content_block_start", "index": index, "content_block": emptied(block) })));
        let deltas = deltas(block).into_iter();
        events.extend(deltas.map(|delta| {
            event(&json!({ "type": "content_block_delta", "index": index, "delta": delta }))
        }));
        events.push(event(
            &json!({ "type": "content_block_stop", "index": index }),
        ));
    }
    events.push(event(&json!({
        "type": "message_delta",
        "delta": { "stop_reason": message["stop_reason"], "stop_sequence": null },
        "usage": { "output_tokens": message["usage"]["output_tokens"] },
    })));
    events.push(event(&json!({ "type": "message_stop" })));
    events
}

fn emptied(block: &Value) -> Value {
    let mut empty = block.clone();
    match block["type"].as_str() {
        Some("thinking") => {
            empty["thinking"] = json!("");
            empty["signature"] = json!("");
        }
        Some("text") => empty["text"] = json!(""),
        _ => empty["input"] = json!({}),
    }
    empty
}

fn deltas(block: &Value) -> Vec<Value> {
    match block["type"].as_str() {
        Some("thinking") => {
            let thinking = pieces(block["thinking"].as_str().unwrap_or_default()).into_iter();
            let signed = std::iter::once(
                json!({ "type": "signature_delta", "signature": block["signature"] }),
            );
            thinking
                .map(|piece| json!({ "type": "thinking_delta", "thinking": piece }))
                .chain(signed)
                .collect()
        }
        Some("text") => {
            let text = pieces(block["text"].as_str().unwrap_or_default()).into_iter();
            text.map(|piece| json!({ "type": "text_delta", "text": piece }))
                .collect()
        }
        _ => {
            let input = block["input"].to_string();
            pieces(&input)
                .into_iter()
                .map(|piece| json!({ "type": "input_json_delta", "partial_json": piece }))
                .collect()
        }
    }
}

fn usage(output: usize) -> Value {
    json!({ "input_tokens": 12, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0, "output_tokens": output })
}

fn event(data: &Value) -> Bytes {
    Bytes::from(format!(
        "event: {}\ndata: {data}\n\n",
        data["type"].as_str().unwrap_or_default()
    ))
}
