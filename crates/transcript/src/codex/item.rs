//! The items of a rollout: what the person and the model say, tools and what came of them.

use serde_json::{Value, json};

use super::{Meaning, text};
use crate::bounded;
use crate::item::{Hunk, Origin};
use crate::observation::{Account, CallResult, End, Prompt, Said, Words};
use crate::recall::Recall;

/// Reads an item as Codex shows it.
pub(super) fn completed(item: &Value, turn: &Value, accounted: &mut Recall) -> Meaning {
    let Some(id) = item["id"].as_str().map(bounded::line) else {
        return Meaning::Unknown("item");
    };
    let said = match item["type"].as_str() {
        Some("UserMessage") => prompt(item, turn),
        Some("AgentMessage") => Said::Text(words(id, paragraphs(&item["content"]))),
        Some("Reasoning") => Said::Thinking(words(id, paragraphs(&item["summary_text"]))),
        // A command that a person stopped is told of again when it ends.
        Some("CommandExecution" | "FileChange") if !accounted.is_new(&id) => return Meaning::Quiet,
        Some("CommandExecution") => command(id, item),
        Some("FileChange") => change(id, item),
        Some("ContextCompaction") => Said::Compacted {
            trigger: None,
            tokens_before: None,
            summary: None,
        },
        // A tool's use, which the response's own items tell whole.
        Some(
            "McpToolCall"
            | "WebSearch"
            | "ImageView"
            | "DynamicToolCall"
            | "CollabAgentToolCall"
            | "SubAgentActivity"
            | "Plan"
            | "HookPrompt",
        ) => {
            return Meaning::Quiet;
        }
        _ => return Meaning::Unknown("item"),
    };
    match said {
        Said::Text(Words { text, .. }) | Said::Thinking(Words { text, .. }) if text.is_empty() => {
            Meaning::Quiet
        }
        said => Meaning::Told(vec![said]),
    }
}

/// Reads an item as the model's service knows it.
pub(super) fn response(item: &Value, accounted: &mut Recall) -> Meaning {
    let word = |key: &str| item[key].as_str().map(bounded::line);
    let said = match (item["type"].as_str(), item["role"].as_str()) {
        (Some("message"), Some("assistant")) => {
            word("id").map(|id| Said::Text(words(id, paragraphs(&item["content"]))))
        }
        // What the person says stands in an item of its own; the rest is for the model.
        (Some("message"), _) => return Meaning::Quiet,
        (Some("reasoning"), _) => {
            word("id").map(|id| Said::Thinking(words(id, paragraphs(&item["summary"]))))
        }
        (Some("function_call"), _) => {
            call(item, item["arguments"].as_str().map(crate::tap::input_of))
        }
        (Some("custom_tool_call"), _) => call(item, Some(item["input"].clone())),
        (Some("local_shell_call"), _) => call(item, Some(item["action"].clone())),
        (Some("web_search_call"), _) => call(item, Some(item["action"].clone())),
        (Some("function_call_output" | "custom_tool_call_output"), _) => match word("call_id") {
            Some(id) if !accounted.holds(&id) => Some(output(id, &item["output"], accounted)),
            Some(_) => return Meaning::Quiet,
            None => None,
        },
        (
            Some(
                "compaction" | "compaction_summary" | "ghost_snapshot" | "other"
                | "additional_tools" | "agent_message",
            ),
            _,
        ) => {
            return Meaning::Quiet;
        }
        _ => None,
    };
    match said {
        Some(Said::Text(Words { text, .. }) | Said::Thinking(Words { text, .. }))
            if text.is_empty() =>
        {
            Meaning::Quiet
        }
        Some(said) => Meaning::Told(vec![said]),
        None => Meaning::Unknown("response item"),
    }
}

/// Reads a question for leave.
pub(super) fn asks(event: &Value) -> Option<Said> {
    Some(Said::Asks {
        call: event["call_id"].as_str().map(bounded::line),
        tool: "exec_command".to_owned(),
        input: bounded::value(
            json!({ "command": event["command"], "reason": event["reason"] }),
            bounded::INPUT,
        ),
    })
}

fn prompt(item: &Value, turn: &Value) -> Said {
    let parts = item["content"].as_array().map_or(&[][..], Vec::as_slice);
    let images = parts.iter().filter(|part| {
        part["type"]
            .as_str()
            .is_some_and(|kind| kind.to_lowercase().contains("image"))
    });
    Said::Prompt(Prompt {
        turn: turn.as_str().map(bounded::line),
        text: bounded::text(paragraphs(&item["content"]), bounded::TEXT),
        images: u32::try_from(images.count()).unwrap_or(u32::MAX),
        origin: Origin::Person,
    })
}

fn words(message: String, text: String) -> Words {
    Words {
        message,
        nth: 0,
        text: bounded::text(text, bounded::TEXT),
        model: None,
    }
}

/// The parts of an item are paragraphs of one text.
fn paragraphs(parts: &Value) -> String {
    let parts = parts.as_array().map_or(&[][..], Vec::as_slice);
    let texts = parts
        .iter()
        .filter_map(|part| part.as_str().or_else(|| part["text"].as_str()));
    texts.collect::<Vec<_>>().join("\n\n")
}

fn call(item: &Value, input: Option<Value>) -> Option<Said> {
    let id = ["call_id", "id"]
        .iter()
        .find_map(|key| item[*key].as_str())?;
    let tool = match item["type"].as_str()? {
        "local_shell_call" => "local_shell",
        "web_search_call" => "web_search",
        _ => item["name"].as_str()?,
    };
    Some(Said::Call {
        id: bounded::line(id),
        tool: bounded::line(tool),
        input: bounded::value(input.unwrap_or_default(), bounded::INPUT),
    })
}

fn command(id: String, item: &Value) -> Said {
    let output = text(&item["aggregated_output"], bounded::OUTPUT).unwrap_or_default();
    let exit = item["exit_code"]
        .as_i64()
        .and_then(|code| i32::try_from(code).ok());
    let duration = &item["duration"];
    let ms = duration["secs"].as_u64().and_then(|secs| {
        secs.checked_mul(1_000)?
            .checked_add(duration["nanos"].as_u64()? / 1_000_000)
    });
    Said::Result(CallResult {
        id,
        text: output.clone(),
        images: 0,
        end: match (item["status"].as_str(), exit) {
            (Some("declined"), _) => End::Interrupted,
            (Some("failed"), _) => End::Failed,
            (_, Some(code)) if code != 0 => End::Failed,
            _ => End::Done,
        },
        ms,
        account: Some(Account::Shell { output, exit }),
    })
}

/// A changed file: the first of them, for a patch mostly has one.
fn change(id: String, item: &Value) -> Said {
    let first = item["changes"]
        .as_object()
        .and_then(|changes| changes.iter().next());
    let account = first.map(|(path, change)| {
        let diff = ["unified_diff", "diff", "content"]
            .iter()
            .find_map(|key| change[*key].as_str());
        Account::Edit {
            path: bounded::line(path),
            hunks: diff.map(hunks).unwrap_or_default(),
        }
    });
    Said::Result(CallResult {
        id,
        text: text(&item["stdout"], bounded::OUTPUT).unwrap_or_default(),
        images: 0,
        end: match item["status"].as_str() {
            Some("declined") => End::Interrupted,
            Some("failed") => End::Failed,
            _ => End::Done,
        },
        ms: None,
        account,
    })
}

/// The hunks of a unified diff.
fn hunks(diff: &str) -> Vec<Hunk> {
    let mut hunks: Vec<Hunk> = Vec::new();
    for line in diff.lines() {
        if let Some(head) = line.strip_prefix("@@ ") {
            let start = |sign: char| {
                let (_, rest) = head.split_once(sign)?;
                rest.split(|letter: char| !letter.is_ascii_digit())
                    .next()?
                    .parse()
                    .ok()
            };
            hunks.push(Hunk {
                old_start: start('-').unwrap_or(0),
                new_start: start('+').unwrap_or(0),
                lines: Vec::new(),
            });
        } else if let Some(hunk) = hunks.last_mut() {
            hunk.lines
                .push(bounded::text(line.to_owned(), bounded::RAW));
        }
    }
    hunks
}

/// What the model is told of a tool, without what Codex puts around it.
fn output(id: String, output: &Value, accounted: &mut Recall) -> Said {
    let told = output
        .as_str()
        .map(str::to_owned)
        .or_else(|| Some(paragraphs(output)).filter(|text| !text.is_empty()));
    let told = told.unwrap_or_else(|| output["content"].as_str().unwrap_or_default().to_owned());
    let wrapped: Value = serde_json::from_str(&told).unwrap_or_default();
    let (mut exit, mut text) = (wrapped["metadata"]["exit_code"].as_i64(), told.clone());
    if let Some(inner) = wrapped["output"].as_str() {
        inner.clone_into(&mut text);
    } else if let Some((head, printed)) = told.split_once("\nOutput:\n") {
        exit = head.lines().find_map(|line| {
            line.strip_prefix("Process exited with code ")?
                .trim()
                .parse()
                .ok()
        });
        printed.clone_into(&mut text);
    }
    let exit = exit.and_then(|code| i32::try_from(code).ok());
    let text = bounded::text(text, bounded::OUTPUT);
    let aborted = told
        .lines()
        .last()
        .is_some_and(|line| line.starts_with("aborted by user"));
    if aborted {
        accounted.is_new(&id);
    }
    Said::Result(CallResult {
        id,
        end: match exit {
            _ if aborted => End::Interrupted,
            Some(code) if code != 0 => End::Failed,
            _ if output["success"] == false => End::Failed,
            _ => End::Done,
        },
        account: exit.map(|exit| Account::Shell {
            output: text.clone(),
            exit: Some(exit),
        }),
        text,
        images: 0,
        ms: None,
    })
}
