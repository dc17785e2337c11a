//! What one record of Claude Code's transcript means.

use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::{Pieces, user};
use crate::bounded;
use crate::item::{Retry, Source};
use crate::observation::{Said, Told, Words};

/// What a record means.
pub(super) enum Meaning {
    Told(Vec<Told>),
    /// It is understood, and there is nothing to show.
    Quiet,
    /// Nobody knows; with what it calls itself.
    Unknown(&'static str),
}

pub(super) fn read(record: &Value, pieces: &mut Pieces) -> Meaning {
    let said = match record["type"].as_str() {
        Some("user") => user::read(record),
        Some("assistant") => Some(assistant(record, pieces)),
        Some("system") => return told_or_unknown(record, system(record)),
        Some("attachment") => return told_or_unknown(record, attachment(record)),
        Some("ai-title") => Some(named(&record["aiTitle"])),
        Some("summary") => Some(named(&record["summary"])),
        Some(
            "mode"
            | "permission-mode"
            | "last-prompt"
            | "file-history-snapshot"
            | "queue-operation"
            | "progress"
            | "agent-name"
            | "custom-title"
            | "tag",
        ) => return Meaning::Quiet,
        _ => return Meaning::Unknown("record"),
    };
    match said {
        Some(said) if said.is_empty() => Meaning::Quiet,
        Some(said) => Meaning::Told(told(record, said)),
        None => Meaning::Unknown("user"),
    }
}

fn told_or_unknown(record: &Value, said: Result<Vec<Said>, &'static str>) -> Meaning {
    match said {
        Ok(said) if said.is_empty() => Meaning::Quiet,
        Ok(said) => Meaning::Told(told(record, said)),
        Err(name) => Meaning::Unknown(name),
    }
}

fn told(record: &Value, said: Vec<Said>) -> Vec<Told> {
    let agent = match record["isSidechain"] == true {
        true => record["agentId"].as_str().map(bounded::line),
        false => None,
    };
    let at_ms = record["timestamp"].as_str().and_then(milliseconds);
    said.into_iter()
        .map(|said| Told {
            source: Source::Transcript,
            agent: agent.clone(),
            at_ms,
            said,
        })
        .collect()
}

/// Reads a time such as `2026-11-22T18:49:17.298Z`.
pub(crate) fn milliseconds(text: &str) -> Option<u64> {
    let at = OffsetDateTime::parse(text, &Rfc3339).ok()?;
    u64::try_from(at.unix_timestamp_nanos() / 1_000_000).ok()
}

fn named(name: &Value) -> Vec<Said> {
    name.as_str()
        .map(|name| Said::Named(bounded::line(name)))
        .into_iter()
        .collect()
}

fn assistant(record: &Value, pieces: &mut Pieces) -> Vec<Said> {
    let message = &record["message"];
    let blocks = message["content"].as_array().map_or(&[][..], Vec::as_slice);
    if message["model"] == "<synthetic>" || record["isApiErrorMessage"] == true {
        return synthetic(record, blocks);
    }
    let Some(id) = message["id"].as_str() else {
        return Vec::new();
    };
    let model = message["model"].as_str().map(bounded::line);
    let mut words = |text: &Value, thinking: bool| {
        let text = text.as_str().filter(|text| !text.is_empty())?;
        Some(Words {
            message: bounded::line(id),
            nth: pieces.nth(id, thinking),
            text: bounded::text(text.to_owned(), bounded::TEXT),
            model: model.clone(),
        })
    };
    blocks
        .iter()
        .filter_map(|block| match block["type"].as_str() {
            Some("text") => words(&block["text"], false).map(Said::Text),
            Some("thinking") => words(&block["thinking"], true).map(Said::Thinking),
            Some("tool_use" | "server_tool_use") => Some(Said::Call {
                id: bounded::line(block["id"].as_str()?),
                tool: bounded::line(block["name"].as_str()?),
                input: bounded::value(block["input"].clone(), bounded::INPUT),
            }),
            _ => None,
        })
        .collect()
}

/// What Claude Code says in the model's place: errors, and answers of its own to nothing.
fn synthetic(record: &Value, blocks: &[Value]) -> Vec<Said> {
    let text: String = blocks
        .iter()
        .filter_map(|block| block["text"].as_str())
        .collect();
    if text.is_empty() || text == "No response requested." {
        return Vec::new();
    }
    // What was said before a person interrupted is kept under a name that the service never gave.
    if record["isApiErrorMessage"] == false {
        return vec![Said::Cut(Words {
            message: bounded::line(record["message"]["id"].as_str().unwrap_or_default()),
            nth: 0,
            text: bounded::text(text, bounded::TEXT),
            model: None,
        })];
    }
    let status = record["apiErrorStatus"]
        .as_u64()
        .or_else(|| status_in(&text))
        .and_then(|status| u16::try_from(status).ok());
    vec![Said::Failed {
        id: record["uuid"].as_str().map(bounded::line),
        status,
        error: record["error"].as_str().map(bounded::line),
        message: bounded::text(text, bounded::RAW),
        retry: None,
    }]
}

/// The status in `API Error: 529 …`.
fn status_in(text: &str) -> Option<u64> {
    let rest = text.split("API Error: ").nth(1)?;
    rest.split(|letter: char| !letter.is_ascii_digit())
        .next()?
        .parse()
        .ok()
}

fn system(record: &Value) -> Result<Vec<Said>, &'static str> {
    let notice = |about: &str| {
        let text = record["content"].as_str()?;
        Some(Said::Notice {
            id: record["uuid"].as_str().map(bounded::line),
            about: about.to_owned(),
            text: bounded::text(user::without_escapes(text), bounded::RAW),
        })
    };
    match record["subtype"].as_str() {
        Some("turn_duration") => Ok(vec![Said::TurnEnded {
            ms: record["durationMs"].as_u64(),
        }]),
        Some("compact_boundary") => Ok(vec![Said::Compacted {
            trigger: record["compactMetadata"]["trigger"]
                .as_str()
                .map(bounded::line),
            tokens_before: record["compactMetadata"]["preTokens"].as_u64(),
            summary: None,
        }]),
        Some("api_error") => Ok(vec![api_error(record)]),
        Some("stop_hook_summary") => Ok(Vec::new()),
        Some("local_command") => user::local_command(record).ok_or("system"),
        Some(about) => notice(about).map(|notice| vec![notice]).ok_or("system"),
        None => Err("system"),
    }
}

fn api_error(record: &Value) -> Said {
    let error = &record["error"];
    let inner = &error["error"]["error"];
    let message = [
        &inner["message"],
        &error["message"],
        &record["content"],
        error,
    ]
    .into_iter()
    .find_map(Value::as_str)
    .unwrap_or("The service answered with an error.");
    Said::Failed {
        id: record["uuid"].as_str().map(bounded::line),
        status: error["status"]
            .as_u64()
            .and_then(|status| u16::try_from(status).ok()),
        error: inner["type"].as_str().map(bounded::line),
        message: bounded::text(message.to_owned(), bounded::RAW),
        retry: record["retryAttempt"].as_u64().map(|attempt| Retry {
            attempt: u32::try_from(attempt).unwrap_or(u32::MAX),
            most: record["maxRetries"]
                .as_u64()
                .and_then(|most| u32::try_from(most).ok()),
            delay_ms: record["retryInMs"].as_f64().map(|ms| ms as u64),
        }),
    }
}

/// Attachments that tell the model what the person knows anyway.
const FOR_THE_MODEL: [&str; 24] = [
    "agent_listing_delta",
    "agent_mention",
    "async_hook_response",
    "budget_usd",
    "command_permissions",
    "compact_file_reference",
    "critical_system_reminder",
    "current_session_memory",
    "date_change",
    "deferred_tools_delta",
    "diagnostics",
    "edited_text_file",
    "hook_additional_context",
    "hook_success",
    "invoked_skills",
    "mcp_instructions_delta",
    "nested_memory",
    "opened_file_in_ide",
    "plan_file_reference",
    "relevant_memories",
    "selected_lines_in_ide",
    "skill_listing",
    "task_reminder",
    "todo_reminder",
];

fn attachment(record: &Value) -> Result<Vec<Said>, &'static str> {
    let attachment = &record["attachment"];
    let name = attachment["type"].as_str().ok_or("attachment")?;
    let id = record["uuid"].as_str().map(bounded::line);
    match name {
        "file" | "already_read_file" | "directory" => {
            let path = ["displayPath", "filename", "path"]
                .iter()
                .find_map(|key| attachment[*key].as_str())
                .ok_or("attachment")?;
            Ok(vec![Said::Notice {
                id,
                about: "file".to_owned(),
                text: bounded::line(path),
            }])
        }
        "hook_permission_decision" => {
            let call = attachment["toolUseID"].as_str().ok_or("attachment")?;
            Ok(vec![Said::Answered {
                call: bounded::line(call),
                allowed: attachment["decision"] == "allow",
            }])
        }
        "queued_command" => Ok(user::queued(attachment).into_iter().collect()),
        "hook_blocking_error"
        | "hook_non_blocking_error"
        | "hook_error_during_execution"
        | "hook_stopped_continuation"
        | "hook_cancelled" => Ok(vec![Said::Notice {
            id,
            about: "hook".to_owned(),
            text: bounded::line(attachment["hookName"].as_str().unwrap_or(name)),
        }]),
        name if FOR_THE_MODEL.contains(&name) || name.starts_with("plan_mode") => Ok(Vec::new()),
        _ => Err("attachment"),
    }
}
