//! What the demo says: the agent's turns as the model heard them, and afterwards the evidence.

use std::collections::{BTreeMap, BTreeSet};

use clauderon_api::{AuditRow, PolicyView};
use clauderon_rehearsal::Recorded;
use clauderon_vault::KNOWN;
use serde_json::Value;

use super::Stage;
use super::page::{Ink, Page};

/// How to begin with one's own account: the commands, and what each is for.
const OWN_TOKEN: [(&str, &str); 5] = [
    ("claude setup-token", "prints a token of your subscription"),
    (
        "export CLAUDE_CODE_OAUTH_TOKEN=…",
        "or the file ~/.clauderon/secrets/anthropic_oauth_token (0600)",
    ),
    (
        "clauderon daemon restart",
        "only if a daemon ran before the variable was set",
    ),
    (
        "clauderon create",
        "in a git repository: a session of your own; Ctrl-] detaches",
    ),
    ("clauderon doctor", "says what is missing, if anything is"),
];

/// Remembers which turns were shown.
#[derive(Debug, Default)]
pub struct Turns {
    shown: BTreeSet<String>,
}

impl Turns {
    /// Shows each sentence, tool call and result that the model newly heard of.
    pub fn show(&mut self, page: &Page, requests: &[Recorded]) -> std::io::Result<()> {
        for request in requests.iter().filter(|one| one.path == "/v1/messages") {
            let Ok(body) = serde_json::from_slice::<Value>(&request.body) else {
                continue;
            };
            for message in body["messages"].as_array().into_iter().flatten() {
                for block in message["content"].as_array().into_iter().flatten() {
                    self.show_block(page, &message["role"], block)?;
                }
            }
        }
        Ok(())
    }

    fn show_block(&mut self, page: &Page, role: &Value, block: &Value) -> std::io::Result<()> {
        let key = match block["type"].as_str() {
            Some("text") if role == "assistant" => format!("text {}", block["text"]),
            Some("tool_use") => format!("use {}", block["id"]),
            Some("tool_result") => format!("result {}", block["tool_use_id"]),
            _ => return Ok(()),
        };
        if !self.shown.insert(key) {
            return Ok(());
        }
        match block["type"].as_str() {
            Some("text") => page.labelled(
                AGENT,
                Ink::Plain,
                block["text"].as_str().unwrap_or_default(),
            ),
            Some("tool_use") => {
                let command = block["input"]["command"].as_str().unwrap_or_default();
                page.labelled("          $ ", Ink::Command, command)
            }
            _ => {
                let printed = plain(&block["content"]);
                page.labelled("            ", Ink::Faint, printed.trim_end())
            }
        }
    }
}

/// What stands before the agent's sentences.
pub const AGENT: &str = "  claude  ";

fn plain(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(blocks) => {
            let texts = blocks.iter().filter_map(|block| block["text"].as_str());
            texts.collect::<Vec<_>>().join("\n")
        }
        _ => String::new(),
    }
}

/// Counts what went out, by route; what the proxy answered by itself is told apart.
pub fn left(page: &Page, rows: &[AuditRow]) -> std::io::Result<()> {
    let mut counted: BTreeMap<(String, Option<&str>), usize> = BTreeMap::new();
    let decided = || rows.iter().filter(|row| row.kind == "decision");
    for row in decided().filter(|row| row.decision != "answer") {
        let request = format!("{} {}{}", row.method, row.host, row.path);
        *counted
            .entry((request, row.auth_injected.as_deref()))
            .or_default() += 1;
    }
    if counted.is_empty() {
        page.text(Ink::Plain, "nothing")?;
    }
    for ((request, credential), count) in counted {
        let with = match credential {
            Some(name) => format!("with {name}, set by the proxy"),
            None => "without a credential".to_owned(),
        };
        page.labelled(
            &format!("  {count}x  "),
            Ink::Good,
            &format!("{request}  {with}"),
        )?;
    }
    let answered = decided().filter(|row| row.decision == "answer").count();
    if answered > 0 {
        let text =
            format!("answered here, nothing left: {answered} requests of telemetry and settings");
        page.text(Ink::Faint, &text)?;
    }
    Ok(())
}

/// Lists what was refused, with what a person could do.
pub fn refused(page: &Page, policy: &PolicyView) -> std::io::Result<()> {
    if policy.refused.is_empty() {
        page.text(Ink::Plain, "nothing")?;
    }
    for row in &policy.refused {
        let method = row.method.as_deref().unwrap_or("CONNECT");
        let path = row.path.as_deref().unwrap_or_default();
        let request = format!("{method} {}{path}  {}", row.host, row.code);
        page.labelled(&format!("  {}x  ", row.count), Ink::Bad, &request)?;
        if let Some(hint) = &row.hint {
            let advice = format!("only you could let it through: {hint}");
            page.labelled("      ", Ink::Faint, &advice)?;
        }
    }
    Ok(())
}

/// Compares the token inside with the one that the upstream received.
pub fn token(page: &Page, stage: &Stage) -> std::io::Result<()> {
    let requests = stage.upstream.requests();
    let said = |text: &str| {
        requests
            .iter()
            .any(|request| contains(&request.body, text.as_bytes()))
    };
    let placeholder = KNOWN
        .iter()
        .filter_map(|known| known.placeholder)
        .find(|placeholder| said(placeholder));
    page.labelled(
        "  in the sandbox   ",
        Ink::Plain,
        placeholder.unwrap_or("none that the agent could find"),
    )?;
    let authorized = |request: &&Recorded| {
        request
            .header("authorization")
            .is_some_and(|value| value.contains(&stage.token))
    };
    let real = requests.iter().filter(authorized).count();
    let received = format!("{}  on {real} requests", stage.token);
    page.labelled("  at the upstream  ", Ink::Plain, &received)?;
    let label = "  the real one     ";
    match said(&stage.token) {
        true => page.labelled(
            label,
            Ink::Bad,
            "FOUND IN WHAT THE AGENT SENT: this is a fault, please report it",
        ),
        false => page.labelled(label, Ink::Good, "in nothing that the agent said or sent"),
    }
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

/// Shows a patch in the usual colours.
pub fn patch(page: &Page, patch: &str) -> std::io::Result<()> {
    for line in patch.trim_end().lines() {
        let ink = match line.as_bytes().first() {
            _ if line.starts_with("+++") || line.starts_with("---") => Ink::Bold,
            Some(b'+') => Ink::Good,
            Some(b'-') => Ink::Bad,
            Some(b'@') => Ink::Command,
            Some(b' ') => Ink::Plain,
            _ => Ink::Faint,
        };
        page.text(ink, line)?;
    }
    Ok(())
}

/// Says how to begin with one's own account, and where this program is if a shell would not find it.
pub fn own_token(page: &Page) -> std::io::Result<()> {
    for (command, purpose) in OWN_TOKEN {
        page.labelled(&format!("  {command:<34}"), Ink::Faint, purpose)?;
    }
    let here = std::env::current_exe().ok();
    match here.as_deref().and_then(std::path::Path::parent) {
        Some(folder) if !on_the_path(folder) => {
            let text = format!(
                "The programs are in {}: put it on your PATH.",
                folder.display()
            );
            page.text(Ink::Plain, &text)
        }
        _ => Ok(()),
    }
}

fn on_the_path(folder: &std::path::Path) -> bool {
    std::env::var_os("PATH").is_some_and(|path| {
        std::env::split_paths(&path).any(|one| {
            one == folder
                || one
                    .join("clauderon")
                    .canonicalize()
                    .is_ok_and(|program| program.parent() == Some(folder))
        })
    })
}
