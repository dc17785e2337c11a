//! A request to the Responses API: who asks, for what, and what is new in it.

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::bounded;
use crate::tap::{Provider, Purpose, Request, ToolResult};

/// How texts begin that Codex puts into the user's messages by itself.
const BY_THE_AGENT: [&str; 6] = [
    "<environment_context>",
    "<user_instructions>",
    "<turn_aborted>",
    "<skill>",
    "<permissions",
    "# AGENTS.md",
];
/// How the request for a summary is known.
const SUMMARY: &str = "You are performing a CONTEXT CHECKPOINT COMPACTION";
/// Items that are looked at, from the end.
const MOST_ITEMS: usize = 128;

#[derive(Deserialize)]
struct Body<'a> {
    #[serde(default)]
    model: String,
    generate: Option<bool>,
    #[serde(default)]
    text: Value,
    #[serde(borrow)]
    input: Input<'a>,
}

#[derive(Deserialize)]
#[serde(transparent)]
struct Input<'a>(#[serde(borrow)] &'a RawValue);

/// Reads a request, or a `response.create` on a WebSocket; none where it is neither. `header` gives a header's value by its
/// lower-case name.
pub fn request<'a>(header: impl Fn(&str) -> Option<&'a str>, body: &[u8]) -> Option<Request> {
    let body: Body<'_> = serde_json::from_slice(body).ok()?;
    let items = match serde_json::from_str::<Vec<&RawValue>>(body.input.0.get()) {
        Ok(items) => items,
        Err(_) => vec![body.input.0],
    };
    let (prompt, results) = news(&items);
    let purpose = match &prompt {
        _ if body.generate == Some(false) => Purpose::Aside,
        // A thread of its own that gives the conversation a name.
        _ if !body.text["format"]["schema"]["properties"]["title"].is_null() => Purpose::Aside,
        _ if is_compaction(&items) => Purpose::Summary,
        Some(prompt) if prompt.starts_with(SUMMARY) => Purpose::Summary,
        _ => Purpose::Turn,
    };
    let sub_agent = header("x-codex-parent-thread-id").is_some();
    let thread = ["thread-id", "thread_id", "session-id", "session_id"]
        .iter()
        .find_map(|name| header(name));
    Some(Request {
        provider: Provider::OpenAi,
        model: bounded::line(&body.model),
        session: ["session-id", "session_id"]
            .iter()
            .find_map(|name| header(name))
            .map(bounded::line),
        agent: thread.filter(|_| sub_agent).map(bounded::line),
        purpose,
        prompt,
        results,
    })
}

/// What stands after the last answer.
fn news(items: &[&RawValue]) -> (Option<String>, Vec<ToolResult>) {
    let mut prompt = None;
    let mut results = Vec::new();
    for item in items.iter().rev().take(MOST_ITEMS) {
        let Ok(item) = serde_json::from_str::<Value>(item.get()) else {
            continue;
        };
        if let Some(text) = item.as_str() {
            prompt = Some(text.to_owned());
            break;
        }
        match (item["type"].as_str(), item["role"].as_str()) {
            (_, Some("assistant"))
            | (
                Some(
                    "function_call" | "custom_tool_call" | "local_shell_call" | "reasoning"
                    | "web_search_call",
                ),
                _,
            ) => break,
            (
                Some(
                    "function_call_output" | "custom_tool_call_output" | "local_shell_call_output",
                ),
                _,
            ) => {
                results.extend(result(&item));
            }
            (_, Some("user")) if prompt.is_none() => prompt = typed(&item["content"]),
            _ => {}
        }
    }
    // What stands before a result was sent before.
    if !results.is_empty() && prompt.is_some() && !ends_with_prompt(items) {
        prompt = None;
    }
    (
        prompt.map(|text| bounded::text(text, bounded::TEXT)),
        results,
    )
}

fn is_compaction(items: &[&RawValue]) -> bool {
    last(items).is_some_and(|item| item["type"] == "compaction_trigger")
}

fn last(items: &[&RawValue]) -> Option<Value> {
    items
        .last()
        .and_then(|item| serde_json::from_str(item.get()).ok())
}

fn ends_with_prompt(items: &[&RawValue]) -> bool {
    last(items).is_some_and(|item| item["role"] == "user")
}

fn typed(content: &Value) -> Option<String> {
    let texts: Vec<&str> = match content {
        Value::String(text) => vec![text],
        content => content
            .as_array()?
            .iter()
            .filter_map(|part| part["text"].as_str())
            .collect(),
    };
    let typed = texts.into_iter().filter(|text| {
        !BY_THE_AGENT
            .iter()
            .any(|mark| text.trim_start().starts_with(mark))
    });
    let typed: Vec<&str> = typed.collect();
    (!typed.is_empty()).then(|| typed.join("\n"))
}

fn result(item: &Value) -> Option<ToolResult> {
    let output = &item["output"];
    let text = match output {
        Value::String(text) => text.clone(),
        Value::Array(parts) => {
            let texts: Vec<&str> = parts
                .iter()
                .filter_map(|part| part["text"].as_str())
                .collect();
            texts.join("\n")
        }
        output => output["content"].as_str().unwrap_or_default().to_owned(),
    };
    Some(ToolResult {
        id: bounded::line(item["call_id"].as_str()?),
        text: bounded::text(text, bounded::OUTPUT),
        images: 0,
        failed: output["success"] == false,
    })
}
