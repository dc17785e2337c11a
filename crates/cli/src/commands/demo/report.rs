//! What the demo says: the agent's turns as the model heard them, and afterwards the evidence.

use std::collections::BTreeMap;

use clauderon_api::{AuditRow, PolicyView};
use clauderon_rehearsal::Recorded;
use serde_json::Value;

use super::Stage;
use crate::output;

/// How to begin with one's own account.
pub const OWN_TOKEN: &str = "\
  claude setup-token                          makes a token of your subscription; then
  export CLAUDE_CODE_OAUTH_TOKEN=…            (or put it into ~/.clauderon/secrets/anthropic_oauth_token, mode 0600)
  clauderon daemon restart                    if a daemon runs already
  cd your-repository && clauderon create      a session of your own; Ctrl-] detaches
  clauderon doctor                            says what is missing, if anything is";

/// Remembers which turns were shown.
#[derive(Debug, Default)]
pub struct Turns {
    shown: BTreeMap<String, ()>,
}

impl Turns {
    /// Returns a line for each tool call and each result that the model newly heard of.
    pub fn new_lines(&mut self, requests: &[Recorded]) -> Vec<String> {
        let mut lines = Vec::new();
        for request in requests {
            if request.path != "/v1/messages" {
                continue;
            }
            let Ok(body) = serde_json::from_slice::<Value>(&request.body) else {
                continue;
            };
            let messages = body["messages"].as_array().cloned().unwrap_or_default();
            for block in messages
                .iter()
                .filter_map(|message| message["content"].as_array())
            {
                lines.extend(block.iter().filter_map(|block| self.new_line(block)));
            }
        }
        lines
    }

    fn new_line(&mut self, block: &Value) -> Option<String> {
        let (key, line) = match block["type"].as_str()? {
            "tool_use" => {
                let command = block["input"]["command"].as_str()?;
                (
                    format!("use {}", block["id"]),
                    format!("  runs    {}", output::escape(command)),
                )
            }
            "tool_result" => {
                let text = plain(&block["content"]);
                let text = output::escape_text(text.trim()).replace('\n', "\n          ");
                (
                    format!("result {}", block["tool_use_id"]),
                    format!("          {text}"),
                )
            }
            _ => return None,
        };
        self.shown.insert(key, ()).is_none().then_some(line)
    }
}

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

/// Counts what went out, by route.
pub fn left(rows: &[AuditRow]) -> String {
    let mut counted: BTreeMap<String, usize> = BTreeMap::new();
    for row in rows.iter().filter(|row| row.kind == "decision") {
        let with = match &row.auth_injected {
            Some(name) => format!(", with {name}"),
            None => String::new(),
        };
        let line = format!(
            "{} {}{} ({}{with})",
            row.method, row.host, row.path, row.rule
        );
        *counted.entry(line).or_default() += 1;
    }
    if counted.is_empty() {
        return "  nothing".to_owned();
    }
    let lines: Vec<String> = counted
        .iter()
        .map(|(line, count)| format!("  {count}x  {}", output::escape(line)))
        .collect();
    lines.join("\n")
}

/// Lists what was refused, with what a person could do.
pub fn refused(policy: &PolicyView) -> String {
    if policy.refused.is_empty() {
        return "  nothing".to_owned();
    }
    let lines: Vec<String> = policy
        .refused
        .iter()
        .map(|row| {
            let method = row.method.as_deref().unwrap_or("CONNECT");
            let path = row.path.as_deref().unwrap_or_default();
            let hint = row.hint.as_deref().unwrap_or_default();
            let line = format!("{method} {}{path}  {}", row.host, row.code);
            format!(
                "  {}\n      {}",
                output::escape(&line),
                output::escape(hint)
            )
        })
        .collect();
    lines.join("\n")
}

/// Compares the token inside with the one that the upstream received.
pub fn token(stage: &Stage) -> String {
    let requests = stage.upstream.requests();
    let authorized = |request: &&Recorded| {
        request
            .header("authorization")
            .is_some_and(|value| value.contains(&stage.token))
    };
    let real = requests.iter().filter(authorized).count();
    let inside = requests
        .iter()
        .any(|request| contains(&request.body, stage.token.as_bytes()));
    let found = match inside {
        true => "FOUND IN WHAT THE AGENT SENT: this is a fault, please report it",
        false => "in nothing that the agent said or sent",
    };
    format!(
        "  inside the sandbox   a placeholder: the agent printed it above\n  \
           at the upstream      {} on {real} requests, set by the proxy\n  \
           the real one         {found}",
        stage.token
    )
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}
