//! What is outside of the sandbox: the model's service, and whoever hears the hooks. Both are reached through the proxy.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

const SETTINGS: &str = "/etc/claude-code/managed-settings.json";

#[derive(Clone)]
pub struct Outside {
    session: String,
    settings: Value,
}

impl Outside {
    pub fn new(session: &str) -> Result<Self> {
        let settings = std::fs::read(SETTINGS).context("read the managed settings")?;
        Ok(Self {
            session: session.to_owned(),
            settings: serde_json::from_slice(&settings)?,
        })
    }

    /// Asks the model, and returns its message as far as it came before it left.
    pub fn ask(&self, messages: &[Value], leave_ms: Option<u64>) -> Result<Value> {
        let token = std::env::var("CLAUDE_CODE_OAUTH_TOKEN")?;
        let body = json!({
            "model": "claude-sonnet-5", "max_tokens": 64000, "stream": true, "messages": messages,
            "tools": [{"name": "Bash", "description": "Runs a command.", "input_schema": {"type": "object"}}],
        });
        let mut curl = curl("https://api.anthropic.com/v1/messages?beta=true");
        for header in [
            format!("authorization: Bearer {token}"),
            format!("x-claude-code-session-id: {}", self.session),
            "anthropic-version: 2023-06-01".to_owned(),
            "anthropic-beta: oauth-2025-04-20".to_owned(),
            "user-agent: claude-cli/2.1.197 (external, cli)".to_owned(),
        ] {
            curl.args(["--header", &header]);
        }
        if let Some(ms) = leave_ms {
            curl.args(["--max-time", &format!("{}.{:03}", ms / 1_000, ms % 1_000)]);
        }
        let mut sent = send(curl, &body)?;
        let lines = BufReader::new(sent.stdout.take().context("an answer")?).lines();
        let mut message = Message::default();
        for line in lines {
            if let Some(data) = line?.strip_prefix("data: ") {
                message.take(&serde_json::from_str(data)?);
            }
        }
        sent.wait()?;
        Ok(message.whole)
    }

    /// Fires a hook, if the settings have one, and waits for what it is answered.
    pub fn fire(&self, event: &str, told: Value, transcript: &Path) -> Result<()> {
        let Some(url) = self.settings["hooks"][event][0]["hooks"][0]["url"].as_str() else {
            return Ok(());
        };
        let mut report = told;
        report["hook_event_name"] = json!(event);
        report["session_id"] = json!(self.session);
        report["transcript_path"] = json!(transcript);
        report["cwd"] = json!(super::WORKSPACE);
        report["permission_mode"] = json!("bypassPermissions");
        let mut curl = curl(url);
        curl.arg("--proxytunnel");
        send(curl, &report)?.wait_with_output()?;
        Ok(())
    }
}

fn curl(url: &str) -> Command {
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--no-buffer", "--data-binary", "@-"])
        .args(["--header", "content-type: application/json", url])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    curl
}

fn send(mut curl: Command, body: &Value) -> Result<Child> {
    let mut sent = curl.spawn().context("start curl")?;
    let mut pipe = sent.stdin.take().context("a pipe")?;
    pipe.write_all(body.to_string().as_bytes())?;
    Ok(sent)
}

/// A message that is put together from its stream.
#[derive(Default)]
struct Message {
    whole: Value,
    input: String,
}

impl Message {
    fn take(&mut self, event: &Value) {
        let at = usize::try_from(event["index"].as_u64().unwrap_or(0)).unwrap_or(0);
        match event["type"].as_str() {
            Some("message_start") => self.whole = event["message"].clone(),
            Some("content_block_start") => {
                self.input.clear();
                let blocks = self.whole["content"].as_array_mut();
                blocks
                    .expect("a message has blocks")
                    .push(event["content_block"].clone());
            }
            Some("content_block_delta") => {
                let block = &mut self.whole["content"][at];
                let delta = &event["delta"];
                if let (Some(text), Some(more)) = (block["text"].as_str(), delta["text"].as_str()) {
                    block["text"] = json!(format!("{text}{more}"));
                }
                self.input
                    .push_str(delta["partial_json"].as_str().unwrap_or_default());
            }
            Some("content_block_stop") if !self.input.is_empty() => {
                self.whole["content"][at]["input"] =
                    serde_json::from_str(&self.input).unwrap_or_default();
            }
            _ => {}
        }
    }
}
