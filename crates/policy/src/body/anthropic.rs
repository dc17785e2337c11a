//! Anthropic Messages and its count of tokens.

use super::json::{Json, Object};
use super::{Found, check_keys, shown};

/// Keys that are checked below or harmless whatever they hold.
const KEYS: &[&str] = &[
    "model",
    "messages",
    "system",
    "tools",
    "tool_choice",
    "max_tokens",
    "metadata",
    "thinking",
    "context_management",
    "output_config",
    "output_format",
    "stop_sequences",
    "stream",
    "betas",
    "service_tier",
    "cache_control",
    "speed",
    "inference_geo",
    "diagnostics",
    "anthropic_version",
    // Checked: these must be empty.
    "mcp_servers",
    "container",
];

/// Tools of the provider's making that the client runs: nothing happens at the provider.
const CLIENT_TOOLS: &[&str] = &["bash_", "text_editor_", "computer_", "memory_"];

pub(super) fn check(body: &Json<'_>) -> Result<(), Found> {
    let request = body
        .object()
        .ok_or_else(|| Found("be anything but an object".to_owned()))?;
    check_keys(request, KEYS)?;
    if request
        .get("mcp_servers")
        .is_some_and(|servers| !servers.is_empty())
    {
        return Err(Found("name MCP servers (mcp_servers)".to_owned()));
    }
    if request
        .get("container")
        .is_some_and(|container| !container.is_empty())
    {
        return Err(Found("name a container".to_owned()));
    }
    for tool in items(request.get("tools"), "tools")? {
        check_tool(tool)?;
    }
    if let Some(system) = request.get("system") {
        check_content(system)?;
    }
    for message in items(request.get("messages"), "messages")? {
        let message = message
            .object()
            .ok_or_else(|| Found("hold a message that is no object".to_owned()))?;
        check_keys(
            message,
            &["role", "content", "id", "type", "model", "cache_control"],
        )?;
        if let Some(content) = message.get("content") {
            check_content(content)?;
        }
    }
    Ok(())
}

fn items<'j, 'a>(value: Option<&'j Json<'a>>, name: &str) -> Result<&'j [Json<'a>], Found> {
    match value {
        None | Some(Json::Null) => Ok(&[]),
        Some(Json::List(list)) => Ok(list),
        Some(_) => Err(Found(format!("hold {name} that are no list"))),
    }
}

fn check_tool(tool: &Json<'_>) -> Result<(), Found> {
    let tool = tool
        .object()
        .ok_or_else(|| Found("hold a tool that is no object".to_owned()))?;
    if tool
        .keys()
        .any(|key| key != "type" && key.eq_ignore_ascii_case("type"))
    {
        return Err(Found("spell a tool's type in odd case".to_owned()));
    }
    let kind = match tool.get("type") {
        None | Some(Json::Null) => return Ok(()),
        Some(kind) => kind
            .text()
            .ok_or_else(|| Found("hold a tool whose type is no text".to_owned()))?,
    };
    let client = kind == "custom" || CLIENT_TOOLS.iter().any(|prefix| kind.starts_with(prefix));
    match client {
        true => Ok(()),
        false => Err(Found(format!("use the server tool \"{}\"", shown(kind)))),
    }
}

/// Checks a string or a list of blocks. Blocks of an unknown type are refused: the provider may fetch for them.
fn check_content(content: &Json<'_>) -> Result<(), Found> {
    match content {
        Json::Null | Json::Text(_) => Ok(()),
        Json::List(blocks) => blocks.iter().try_for_each(check_block),
        // The API takes one block in place of a list in some places.
        Json::Object(_) => check_block(content),
        Json::Bool | Json::Number => Err(Found(
            "hold content that is neither text nor blocks".to_owned(),
        )),
    }
}

fn check_block(block: &Json<'_>) -> Result<(), Found> {
    let block = match block {
        Json::Text(_) => return Ok(()),
        other => other
            .object()
            .ok_or_else(|| Found("hold a block that is no object".to_owned()))?,
    };
    let kind = block.get("type").and_then(Json::text).unwrap_or("");
    match kind {
        "text" | "thinking" | "redacted_thinking" | "tool_use" | "tool_reference"
        | "compaction" => no_source(block),
        "image" | "document" => check_source(block),
        "tool_result" | "search_result" => match block.get("content") {
            Some(content) => check_content(content),
            None => Ok(()),
        },
        other => Err(Found(format!("hold a block of type \"{}\"", shown(other)))),
    }
}

/// A block without a source must not carry one in another spelling.
fn no_source(block: &Object<'_>) -> Result<(), Found> {
    match block.get("source") {
        None | Some(Json::Null) => Ok(()),
        Some(_) => Err(Found("give a source to a block that has none".to_owned())),
    }
}

fn check_source(block: &Object<'_>) -> Result<(), Found> {
    if block
        .keys()
        .any(|key| key != "source" && key.eq_ignore_ascii_case("source"))
    {
        return Err(Found("spell a source in odd case".to_owned()));
    }
    let source = block
        .get("source")
        .and_then(Json::object)
        .ok_or_else(|| Found("hold an image or document without its data".to_owned()))?;
    let keys = ["type", "media_type", "data", "content"];
    if let Some(key) = source.keys().find(|key| !keys.contains(&key.as_ref())) {
        return Err(Found(format!("name a source by \"{}\"", shown(key))));
    }
    match source.get("type").and_then(Json::text).unwrap_or("") {
        "base64" | "text" => Ok(()),
        "content" => match source.get("content") {
            Some(content) => check_content(content),
            None => Ok(()),
        },
        other => Err(Found(format!("use a source of type \"{}\"", shown(other)))),
    }
}
