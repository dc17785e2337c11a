//! Renders a step as a Responses object, and that object as the events of its stream.

use bytes::Bytes;
use serde_json::{Value, json};

use crate::answer::pieces;
use crate::openai::conversation::call_id;
use crate::script::{Call, Step};

/// What the parts of one answer are named after.
pub(super) struct Naming<'a> {
    pub id: &'a str,
    pub turn: usize,
}

/// The whole response that a step answers with.
pub(super) fn response(step: &Step, naming: &Naming<'_>, request: &Value) -> Value {
    let id = naming.id;
    let mut output = Vec::new();
    if let Some(thinking) = &step.thinking {
        let summary = json!([{ "type": "summary_text", "text": thinking }]);
        output.push(json!({ "type": "reasoning", "id": format!("rs_{id}"), "summary": summary, "encrypted_content": "cmVoZWFyc2Fs" }));
    }
    if let Some(text) = step.printed() {
        let content = json!([{ "type": "output_text", "text": text, "annotations": [] }]);
        output.push(json!({ "type": "message", "id": format!("msg_{id}"), "role": "assistant", "status": "completed", "content": content }));
    }
    for (index, call) in step.calls().iter().enumerate() {
        let (name, arguments) = translated(call, &request["tools"]);
        output.push(json!({
            "type": "function_call",
            "id": format!("fc_{id}{index:02}"),
            "call_id": call_id(naming.turn, index, id),
            "name": name,
            "arguments": arguments.to_string(),
            "status": "completed",
        }));
    }
    whole(&output, id, request)
}

/// The response to a conversation that is to be summed up: nobody but the service reads what is in it.
pub(super) fn summary(id: &str, request: &Value) -> Value {
    let item = json!({ "type": "compaction", "id": format!("cmp_{id}"), "encrypted_content": "cmVoZWFyc2Fs" });
    whole(&[item], id, request)
}

fn whole(output: &[Value], id: &str, request: &Value) -> Value {
    let (read, written) = (12, json!(output).to_string().len() / 4);
    json!({
        "id": format!("resp_{id}"),
        "object": "response",
        "created_at": 1_700_000_000,
        "status": "completed",
        "model": request["model"],
        "output": output,
        "parallel_tool_calls": true,
        "usage": {
            "input_tokens": read,
            "input_tokens_details": { "cached_tokens": 0 },
            "output_tokens": written,
            "output_tokens_details": { "reasoning_tokens": 0 },
            "total_tokens": read + written,
        },
    })
}

/// The events by which a response is streamed.
pub(super) fn events(response: &Value) -> Vec<Bytes> {
    let mut opening = response.clone();
    opening["status"] = json!("in_progress");
    opening["output"] = json!([]);
    opening["usage"] = Value::Null;

    let mut events = vec![json!({ "type": "response.created", "response": opening })];
    for (index, item) in response["output"]
        .as_array()
        .into_iter()
        .flatten()
        .enumerate()
    {
        events.push(json!({ "type": "response.output_item.added", "output_index": index, "item": emptied(item) }));
        events.extend(deltas(item, index));
        events.push(
            json!({ "type": "response.output_item.done", "output_index": index, "item": item }),
        );
    }
    events.push(json!({ "type": "response.completed", "response": response }));
    events
        .iter_mut()
        .enumerate()
        .map(|(number, data)| numbered(data, number))
        .collect()
}

/// Scripts name the tools of Claude; Codex has one shell tool, so that the usual ones become its commands.
fn translated(call: &Call, tools: &Value) -> (String, Value) {
    let command = match call.tool.as_str() {
        "Bash" => call.input["command"].as_str().map(str::to_owned),
        "Read" => call.input["file_path"]
            .as_str()
            .map(|path| format!("cat {}", quoted(path))),
        "Write" => call.input["file_path"].as_str().map(|path| {
            let content = call.input["content"].as_str().unwrap_or_default();
            format!("printf %s {} > {}", quoted(content), quoted(path))
        }),
        _ => None,
    };
    let Some(command) = command else {
        return (call.tool.clone(), call.input.clone());
    };
    let offered = |name: &str| {
        tools
            .as_array()
            .into_iter()
            .flatten()
            .any(|tool| tool["name"] == name)
    };
    match !offered("exec_command") && offered("shell") {
        true => (
            "shell".to_owned(),
            json!({ "command": ["bash", "-lc", command] }),
        ),
        false => ("exec_command".to_owned(), json!({ "cmd": command })),
    }
}

fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

fn emptied(item: &Value) -> Value {
    let mut empty = item.clone();
    match item["type"].as_str() {
        Some("reasoning") => empty["summary"] = json!([]),
        Some("message") => {
            empty["content"] = json!([]);
            empty["status"] = json!("in_progress");
        }
        Some("function_call") => {
            empty["arguments"] = json!("");
            empty["status"] = json!("in_progress");
        }
        _ => {}
    }
    empty
}

fn deltas(item: &Value, index: usize) -> Vec<Value> {
    let (kind, text) = match item["type"].as_str() {
        Some("reasoning") => (
            "response.reasoning_summary_text.delta",
            &item["summary"][0]["text"],
        ),
        Some("message") => ("response.output_text.delta", &item["content"][0]["text"]),
        _ => ("response.function_call_arguments.delta", &item["arguments"]),
    };
    let delta = |piece: &str| json!({ "type": kind, "item_id": item["id"], "output_index": index, "content_index": 0, "summary_index": 0, "delta": piece });
    pieces(text.as_str().unwrap_or_default())
        .into_iter()
        .map(delta)
        .collect()
}

fn numbered(data: &mut Value, number: usize) -> Bytes {
    data["sequence_number"] = json!(number);
    Bytes::from(format!(
        "event: {}\ndata: {data}\n\n",
        data["type"].as_str().unwrap_or_default()
    ))
}
