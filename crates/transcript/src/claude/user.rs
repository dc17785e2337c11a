//! The records under the name of the user: prompts, results of tools, and what Claude Code writes there by itself.

use serde_json::Value;

use super::{account_of, text_of};
use crate::bounded;
use crate::item::Origin;
use crate::observation::{CallResult, End, Prompt, Said};

/// How Claude Code marks that a person ended the turn early.
pub(crate) const INTERRUPTED: &str = "[Request interrupted by user";
/// What stands in place of a result that a person refused.
const REJECTED: &str = "The user doesn't want to proceed with this tool use.";

/// Reads a record; none where it is not understood.
pub(super) fn read(record: &Value) -> Option<Vec<Said>> {
    let content = &record["message"]["content"];
    if record["isCompactSummary"] == true {
        return Some(vec![Said::Compacted {
            trigger: None,
            tokens_before: None,
            summary: Some(bounded::text(text_of(content).0, bounded::OUTPUT)),
        }]);
    }
    if record["isMeta"] == true {
        return Some(Vec::new());
    }
    let sidechain = record["isSidechain"] == true;
    let blocks = match content {
        Value::String(text) => return Some(words(record, text, 0, sidechain)),
        Value::Array(blocks) => blocks,
        _ => return None,
    };
    let mut said: Vec<Said> = blocks
        .iter()
        .filter(|block| block["type"] == "tool_result")
        .filter_map(|block| result(block, &record["toolUseResult"]))
        .collect();
    let images = blocks
        .iter()
        .filter(|block| block["type"] == "image")
        .count();
    let texts: Vec<&str> = blocks
        .iter()
        .filter(|block| block["type"] == "text")
        .filter_map(|block| block["text"].as_str())
        .filter(|text| !text.starts_with("<system-reminder>") && !text.starts_with("[Image: "))
        .collect();
    if !texts.is_empty() || images > 0 {
        let images = u32::try_from(images).unwrap_or(u32::MAX);
        said.extend(words(record, &texts.join("\n"), images, sidechain));
    }
    Some(said)
}

/// A slash command that never reached the model, or what it printed.
pub(super) fn local_command(record: &Value) -> Option<Vec<Said>> {
    Some(words(record, record["content"].as_str()?, 0, false))
}

/// A prompt that was typed while the agent worked.
pub(super) fn queued(attachment: &Value) -> Option<Said> {
    let (text, images) = text_of(&attachment["prompt"]);
    let from_a_task = attachment["commandMode"] == "task-notification";
    (!text.is_empty() && !from_a_task).then(|| {
        Said::Prompt(Prompt {
            turn: None,
            text: bounded::text(text, bounded::TEXT),
            images,
            origin: Origin::Person,
        })
    })
}

fn words(record: &Value, text: &str, images: u32, sidechain: bool) -> Vec<Said> {
    if text.starts_with(INTERRUPTED) {
        return vec![Said::Interrupted];
    }
    let id = || record["uuid"].as_str().map(bounded::line);
    let notice = |about: &str, text: String| {
        let text = text.trim().to_owned();
        let shown = !text.is_empty();
        shown.then(|| Said::Notice {
            id: id(),
            about: about.to_owned(),
            text: bounded::text(text, bounded::OUTPUT),
        })
    };
    for (tag, about) in [
        ("local-command-stdout", "command"),
        ("local-command-stderr", "command"),
    ] {
        if let Some(text) = within(text, tag) {
            return notice(about, without_escapes(text)).into_iter().collect();
        }
    }
    if let Some(printed) = within(text, "bash-stdout") {
        let wrong = within(text, "bash-stderr").unwrap_or_default();
        return notice("shell", format!("{printed}{wrong}"))
            .into_iter()
            .collect();
    }
    let (text, origin) = match (within(text, "command-name"), within(text, "bash-input")) {
        (Some(name), _) => {
            let arguments = within(text, "command-args").unwrap_or_default();
            (
                format!("{} {}", name.trim(), arguments.trim())
                    .trim()
                    .to_owned(),
                Origin::Command,
            )
        }
        (_, Some(command)) => (command.to_owned(), Origin::Shell),
        _ if sidechain => (text.to_owned(), Origin::Agent),
        _ => (text.to_owned(), Origin::Person),
    };
    vec![Said::Prompt(Prompt {
        turn: record["promptId"].as_str().map(bounded::line),
        text: bounded::text(text, bounded::TEXT),
        images,
        origin,
    })]
}

fn result(block: &Value, account: &Value) -> Option<Said> {
    let (text, images) = text_of(&block["content"]);
    let refused = text.starts_with(REJECTED)
        || text.starts_with(INTERRUPTED)
        || account["interrupted"] == true;
    let end = match block["is_error"] == true {
        _ if refused => End::Interrupted,
        true => End::Failed,
        false => End::Done,
    };
    let bare = without_tag(&text, "tool_use_error");
    Some(Said::Result(CallResult {
        id: bounded::line(block["tool_use_id"].as_str()?),
        account: account_of(account, &text),
        text: bounded::text(bare, bounded::OUTPUT),
        images,
        end,
        ms: account["totalDurationMs"]
            .as_u64()
            .or_else(|| account["durationMs"].as_u64()),
    }))
}

/// The text between an opening and a closing tag.
fn within<'a>(text: &'a str, tag: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(&format!("<{tag}>"))?;
    Some(
        rest.split_once(&format!("</{tag}>"))
            .map_or(rest, |(inner, _)| inner),
    )
}

fn without_tag(text: &str, tag: &str) -> String {
    within(text, tag).unwrap_or(text).to_owned()
}

/// Takes out the terminal's colours: a notice is a line of text.
pub(super) fn without_escapes(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\u{1b}' => {
                letters.find(|letter| letter.is_ascii_alphabetic());
            }
            letter => plain.push(letter),
        }
    }
    plain
}
