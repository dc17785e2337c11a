//! OpenAI Responses.

use super::json::{Json, Object};
use super::{Found, check_keys, shown};

/// Keys that are checked below or harmless whatever they hold.
const KEYS: &[&str] = &[
    "model",
    "input",
    "instructions",
    "tools",
    "tool_choice",
    "parallel_tool_calls",
    "reasoning",
    "store",
    "stream",
    "stream_options",
    "include",
    "prompt_cache_key",
    "prompt_cache_options",
    "prompt_cache_retention",
    "text",
    "client_metadata",
    "metadata",
    "service_tier",
    "truncation",
    "previous_response_id",
    "generate",
    "user",
    "safety_identifier",
    "context_management",
    "max_output_tokens",
    "type",
];

/// Tools that the client runs. A namespace holds more of them.
const CLIENT_TOOLS: &[&str] = &["function", "custom", "local_shell", "apply_patch"];

/// Input items that carry words and results only. Their content is checked too.
const ITEMS: &[&str] = &[
    "message",
    "reasoning",
    "function_call",
    "function_call_output",
    "custom_tool_call",
    "custom_tool_call_output",
    "local_shell_call",
    "local_shell_call_output",
    "apply_patch_call",
    "apply_patch_call_output",
    "tool_search_call",
    "tool_search_output",
    "compaction",
    "compaction_summary",
    "compaction_trigger",
    "context_compaction",
    "ghost_snapshot",
    "agent_message",
];

pub(super) fn check(body: &Json<'_>) -> Result<(), Found> {
    let request = body
        .object()
        .ok_or_else(|| Found("be anything but an object".to_owned()))?;
    check_keys(request, KEYS)?;
    check_tools(request.get("tools"))?;
    match request.get("input") {
        None | Some(Json::Null | Json::Text(_)) => Ok(()),
        Some(Json::List(items)) => items.iter().try_for_each(check_item),
        Some(_) => Err(Found(
            "hold input that is neither text nor a list".to_owned(),
        )),
    }?;
    match request.get("tool_choice").and_then(Json::object) {
        Some(choice) => check_tool_choice(choice),
        None => Ok(()),
    }
}

fn check_tool_choice(choice: &Object<'_>) -> Result<(), Found> {
    match choice.get("type").and_then(Json::text) {
        Some("allowed_tools") => check_tools(choice.get("tools")),
        Some(kind) if CLIENT_TOOLS.contains(&kind) => Ok(()),
        _ => Err(Found("choose a server tool".to_owned())),
    }
}

fn check_tools(tools: Option<&Json<'_>>) -> Result<(), Found> {
    match tools {
        None | Some(Json::Null) => Ok(()),
        Some(Json::List(tools)) => tools.iter().try_for_each(check_tool),
        Some(_) => Err(Found("hold tools that are no list".to_owned())),
    }
}

fn check_tool(tool: &Json<'_>) -> Result<(), Found> {
    let tool = tool
        .object()
        .ok_or_else(|| Found("hold a tool that is no object".to_owned()))?;
    // `execution` tells where a tool search runs; the client's own search is a tool like any other.
    let client_side = tool.get("execution").and_then(Json::text) == Some("client");
    match tool.get("type").and_then(Json::text).unwrap_or("") {
        "namespace" => check_tools(tool.get("tools")),
        "tool_search" if client_side => Ok(()),
        kind if CLIENT_TOOLS.contains(&kind) => Ok(()),
        kind => Err(Found(format!("use the server tool \"{}\"", shown(kind)))),
    }
}

fn check_item(item: &Json<'_>) -> Result<(), Found> {
    let item = item
        .object()
        .ok_or_else(|| Found("hold an input item that is no object".to_owned()))?;
    let kind = match item.get("type") {
        // A message may leave its type out.
        None if item.contains_key("role") => "message",
        Some(kind) => kind.text().unwrap_or(""),
        None => "",
    };
    // Codex hands tools over inside the input as well.
    if kind == "additional_tools" {
        return check_tools(item.get("tools"));
    }
    if !ITEMS.contains(&kind) {
        return Err(Found(format!(
            "hold an input item of type \"{}\"",
            shown(kind)
        )));
    }
    // A search's result defines tools for the turns after it.
    check_tools(item.get("tools"))?;
    ["content", "output", "summary"]
        .iter()
        .filter_map(|key| item.get(*key))
        .try_for_each(check_content)
}

fn check_content(content: &Json<'_>) -> Result<(), Found> {
    match content {
        Json::List(parts) => parts.iter().try_for_each(check_content),
        Json::Object(part) => check_part(part),
        Json::Null | Json::Bool | Json::Number | Json::Text(_) => Ok(()),
    }
}

/// Checks a part of a message or of a tool's output. It may hold data, but name nothing that the provider would fetch or look up.
fn check_part(part: &Object<'_>) -> Result<(), Found> {
    for (key, value) in part {
        if value.is_empty() {
            continue;
        }
        match key.to_ascii_lowercase().as_str() {
            "file_id" | "container_id" | "file_ids" | "vector_store_ids" | "server_url" => {
                return Err(Found(format!("name \"{}\"", shown(key))));
            }
            "image_url" | "file_url" | "audio_url" | "video_url" | "url" => check_url(key, value)?,
            _ => {}
        }
    }
    match part.get("type").and_then(Json::text) {
        None => Ok(()),
        Some(
            "input_text" | "output_text" | "text" | "input_image" | "input_file" | "input_audio"
            | "summary_text" | "reasoning_text" | "refusal" | "encrypted_content" | "stdout"
            | "exit" | "timeout",
        ) => Ok(()),
        Some(other) => Err(Found(format!("hold content of type \"{}\"", shown(other)))),
    }
}

fn check_url(key: &str, value: &Json<'_>) -> Result<(), Found> {
    let url = match value {
        Json::Object(inner) => inner.get("url").and_then(Json::text),
        other => other.text(),
    };
    let data = url.is_some_and(|url| {
        url.get(..5)
            .is_some_and(|scheme| scheme.eq_ignore_ascii_case("data:"))
    });
    match data {
        true => Ok(()),
        false => Err(Found(format!("name a URL to fetch ({})", shown(key)))),
    }
}
