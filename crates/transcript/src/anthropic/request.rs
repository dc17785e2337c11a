//! A request to the Messages API: who asks, for what, and what is new in it.

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::bounded;
use crate::claude::{INTERRUPTED, text_of};
use crate::tap::{Provider, Purpose, Request, ToolResult};

/// How texts begin that Claude Code puts into the user's messages by itself.
const BY_THE_AGENT: [&str; 6] = [
    "<system-reminder>",
    "<command-",
    "<local-command-",
    "<bash-",
    "[Image: ",
    INTERRUPTED,
];
/// How the request for a summary is known: it is the agent's own text, in words that no person types.
const SUMMARY: [&str; 2] = [
    "CRITICAL: Respond with TEXT ONLY. Do NOT call any tools.",
    "Your task is to create a detailed summary of the conversation so far",
];
/// Messages that are looked at, from the end.
const MOST_MESSAGES: usize = 64;

#[derive(Deserialize)]
struct Body<'a> {
    #[serde(default)]
    model: String,
    max_tokens: Option<u64>,
    tools: Option<Vec<IgnoredAny>>,
    output_config: Option<Value>,
    output_format: Option<IgnoredAny>,
    #[serde(borrow, default)]
    messages: Vec<&'a RawValue>,
}

/// Reads a request; none where it is no request of this kind. `header` gives a header's value by its lower-case name.
pub fn request<'a>(header: impl Fn(&str) -> Option<&'a str>, body: &[u8]) -> Option<Request> {
    let body: Body<'_> = serde_json::from_slice(body).ok()?;
    let news = news(&body.messages);
    let has_format = body.output_format.is_some()
        || body
            .output_config
            .as_ref()
            .is_some_and(|config| config["format"].is_object());
    let purpose = match &news.prompt {
        Some(prompt) if SUMMARY.iter().any(|mark| prompt.starts_with(mark)) => Purpose::Summary,
        _ if has_format || body.max_tokens == Some(1) => Purpose::Aside,
        _ if body.tools.is_none_or(|tools| tools.is_empty()) => Purpose::Aside,
        _ => Purpose::Turn,
    };
    Some(Request {
        provider: Provider::Anthropic,
        model: bounded::line(&body.model),
        session: header("x-claude-code-session-id").map(bounded::line),
        agent: header("x-claude-code-agent-id").map(bounded::line),
        purpose,
        prompt: news.prompt,
        results: news.results,
    })
}

#[derive(Default)]
struct News {
    prompt: Option<String>,
    results: Vec<ToolResult>,
}

/// What stands after the last answer. A conversation is sent whole each time, so only its end is looked at.
fn news(messages: &[&RawValue]) -> News {
    let mut news = News::default();
    for message in messages.iter().rev().take(MOST_MESSAGES) {
        let Ok(message) = serde_json::from_str::<Value>(message.get()) else {
            continue;
        };
        match message["role"].as_str() {
            Some("assistant") => break,
            Some("user") => take(&message["content"], &mut news),
            _ => {}
        }
    }
    news
}

fn take(content: &Value, news: &mut News) {
    let blocks = match content {
        Value::String(text) => {
            if news.prompt.is_none() && is_typed(text) {
                news.prompt = Some(bounded::text(text.clone(), bounded::TEXT));
            }
            return;
        }
        content => content.as_array().map_or(&[][..], Vec::as_slice),
    };
    let results = blocks.iter().filter(|block| block["type"] == "tool_result");
    let before = news.results.len();
    news.results.extend(results.filter_map(result));
    if news.prompt.is_some() {
        return;
    }
    let texts = || {
        blocks
            .iter()
            .rev()
            .filter_map(|block| block["text"].as_str())
    };
    let interrupted = texts().any(|text| text.starts_with(INTERRUPTED));
    // Beside results stand notes for the model, unless a person interrupted: what follows then is the next prompt.
    let typed = match (news.results.len() > before, interrupted) {
        (true, false) => None,
        (true, true) => texts()
            .take_while(|text| !text.starts_with(INTERRUPTED))
            .find(|text| is_typed(text)),
        (false, _) => texts().find(|text| is_typed(text)),
    };
    news.prompt = typed.map(|text| bounded::text(text.to_owned(), bounded::TEXT));
}

fn result(block: &Value) -> Option<ToolResult> {
    let (text, images) = text_of(&block["content"]);
    Some(ToolResult {
        id: bounded::line(block["tool_use_id"].as_str()?),
        text: bounded::text(text, bounded::OUTPUT),
        images,
        failed: block["is_error"] == true,
    })
}

fn is_typed(text: &str) -> bool {
    let start = text.trim_start();
    !start.is_empty() && !BY_THE_AGENT.iter().any(|mark| start.starts_with(mark))
}
