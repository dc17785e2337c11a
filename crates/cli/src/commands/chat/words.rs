//! An item of a conversation in words.

use clauderon_api::ConversationStanding;
use clauderon_transcript::{Activity, Body, Item, State, Step, ToolCall};

use crate::output::escape;

/// Lines of a tool's output that are shown.
const LINES: usize = 5;

/// Says an item, without colours; the text of a sub-agent is set in.
pub fn of(item: &Item) -> String {
    let text = body(item);
    match item.parent {
        Some(_) => set_in(&text, "    "),
        None => text,
    }
}

/// Says how a conversation stands: what the agent does, and what was used.
pub fn standing(standing: &ConversationStanding) -> String {
    let does = match &standing.status.activity {
        Activity::Working { doing: Some(doing) } => format!("working: {}", escape(doing)),
        Activity::Failed { why } => format!("failed: {}", escape(why)),
        activity => activity.word().to_owned(),
    };
    let does = match &standing.held {
        Some(held) => format!("{does}\n{}", held.sentence),
        None => does,
    };
    let (usage, requests) = (standing.used.usage, standing.used.requests);
    let read = usage.input + usage.cache_read + usage.cache_write + usage.cache_write_hour;
    let cost = match standing.used.dollars {
        Some(dollars) => format!(", ${dollars:.2}"),
        None => String::new(),
    };
    format!(
        "{does}\n{requests} requests, {read} tokens read, {} written{cost}",
        usage.output
    )
}

fn body(item: &Item) -> String {
    match &item.body {
        Body::Prompt { text, images, .. } => match images {
            0 => set_in(text, "> "),
            count => format!("{}\n> ({count} images)", set_in(text, "> ")),
        },
        Body::Text { text, .. } => text.clone(),
        Body::Thinking { text } if text.is_empty() => "(thinks)".to_owned(),
        Body::Thinking { text } => format!("(thinks) {text}"),
        Body::Tool(call) => tool(call, item.state),
        Body::Plan { text, approved } => {
            let stands = match approved {
                Some(true) => "approved",
                Some(false) => "not approved",
                None => "waits for you",
            };
            format!("Plan ({stands}):\n{text}")
        }
        Body::Todos { entries } => {
            let step = |step: Step| match step {
                Step::Open => "[ ]",
                Step::Active => "[>]",
                Step::Done => "[x]",
            };
            let lines = entries
                .iter()
                .map(|entry| format!("{} {}", step(entry.step), entry.text));
            lines.collect::<Vec<_>>().join("\n")
        }
        Body::Question { questions, answers } => {
            let asked = questions.iter().map(|one| format!("? {}", one.question));
            let answered = answers.iter().map(|one| format!("> {}", one.answer));
            asked.chain(answered).collect::<Vec<_>>().join("\n")
        }
        Body::Approval { tool, allowed, .. } => {
            let stands = match allowed {
                Some(true) => "allowed",
                Some(false) => "refused",
                None => "waits for you",
            };
            format!("! {tool} ({stands})")
        }
        Body::Agent { title, result, .. } => match result {
            Some(result) => format!("@ {title}\n{}", set_in(result, "    ")),
            None => format!("@ {title}"),
        },
        Body::Compaction { .. } => {
            "--- what was said before was replaced by a summary ---".to_owned()
        }
        Body::Error {
            status, message, ..
        } => match status {
            Some(status) => format!("! {status}: {message}"),
            None => format!("! {message}"),
        },
        Body::Notice { about, text } => format!("({about}) {text}"),
        Body::Raw { record, bytes, .. } => {
            format!("(a record that is not known: {record}, {bytes} bytes)")
        }
    }
}

fn tool(call: &ToolCall, state: State) -> String {
    let end = match state {
        State::Failed => " - failed",
        State::Interrupted => " - interrupted",
        State::Streaming | State::Running => " …",
        State::Done => "",
    };
    let head = format!("* {}{end}", call.title);
    let Some(outcome) = call.outcome.as_ref().filter(|one| !one.text.is_empty()) else {
        return head;
    };
    let mut lines: Vec<&str> = outcome.text.lines().collect();
    let left_out = lines.len().saturating_sub(LINES);
    lines.truncate(LINES);
    let mut text = format!("{head}\n{}", set_in(&lines.join("\n"), "  | "));
    if left_out > 0 {
        text.push_str(&format!("\n  | ({left_out} more lines)"));
    }
    text
}

fn set_in(text: &str, mark: &str) -> String {
    let lines = text.lines().map(|line| format!("{mark}{line}"));
    lines.collect::<Vec<_>>().join("\n")
}
