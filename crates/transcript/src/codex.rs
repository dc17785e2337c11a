//! Reads the rollouts of Codex: one file a thread, one record a line.

mod item;

use serde_json::Value;

use crate::bounded;
use crate::claude::milliseconds;
use crate::item::{Retry, Source};
use crate::lines::{LIMIT, Line, Lines};
use crate::observation::{Observation, Said, Told};
use crate::raw::raw;
use crate::recall::Recall;

/// Reads one rollout file as it grows. A file that became shorter or was replaced needs a new reader.
#[derive(Debug)]
pub struct Reader {
    lines: Lines,
    known: Recall,
    /// Calls of which the agent's own account was read: what the model is told of them says less.
    accounted: Recall,
    /// The sub-agent whose thread this is.
    agent: Option<String>,
    quiet: u64,
}

/// What a record means.
enum Meaning {
    Told(Vec<Said>),
    Quiet,
    Unknown(&'static str),
}

impl Default for Reader {
    fn default() -> Self {
        Self::new()
    }
}

impl Reader {
    /// Makes a reader of a file from its start.
    pub fn new() -> Self {
        Self {
            lines: Lines::new(0, LIMIT),
            known: Recall::default(),
            accounted: Recall::default(),
            agent: None,
            quiet: 0,
        }
    }

    /// Returns what the next bytes of the file tell. A last line without its end is kept until the end comes.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<Observation> {
        let mut whole = Vec::new();
        self.lines.push(bytes, |line| whole.push(line));
        let told = whole.into_iter().flat_map(|line| self.line(line));
        told.map(Observation::Told).collect()
    }

    /// Returns the offset in the file up to which all lines were read.
    pub fn offset(&self) -> u64 {
        self.lines.offset()
    }

    /// Returns how many records were understood to say nothing that is shown.
    pub fn quiet(&self) -> u64 {
        self.quiet
    }

    fn line(&mut self, line: Line) -> Vec<Told> {
        let (at, bytes) = match line {
            Line::TooLong {
                at,
                beginning,
                bytes,
            } => return vec![raw(at, "too long", &beginning, bytes)],
            Line::Whole { bytes, .. } if bytes.iter().all(u8::is_ascii_whitespace) => {
                return Vec::new();
            }
            Line::Whole { at, bytes } => (at, bytes),
        };
        let Ok(record) = serde_json::from_slice::<Value>(&bytes) else {
            return vec![raw(at, "unreadable", &bytes, bytes.len() as u64)];
        };
        if let (Some(ordinal), Some(time)) =
            (record["ordinal"].as_u64(), record["timestamp"].as_str())
            && !self.known.is_new(&format!("{ordinal} {time}"))
        {
            return Vec::new();
        }
        let at_ms = record["timestamp"].as_str().and_then(milliseconds);
        match self.read(&record) {
            Meaning::Told(said) => said
                .into_iter()
                .map(|said| Told {
                    source: Source::Transcript,
                    agent: self.agent.clone(),
                    at_ms,
                    said,
                })
                .collect(),
            Meaning::Quiet => {
                self.quiet += 1;
                Vec::new()
            }
            Meaning::Unknown(name) => vec![Told {
                at_ms,
                agent: self.agent.clone(),
                ..raw(at, name, &bytes, bytes.len() as u64)
            }],
        }
    }

    fn read(&mut self, record: &Value) -> Meaning {
        let payload = &record["payload"];
        match record["type"].as_str() {
            Some("session_meta") => self.meta(payload),
            Some("event_msg") => self.event(payload),
            Some("response_item") => item::response(payload, &mut self.accounted),
            Some("compacted") => Meaning::Told(vec![Said::Compacted {
                trigger: None,
                tokens_before: None,
                summary: text(&payload["message"], bounded::OUTPUT)
                    .filter(|summary| !summary.is_empty()),
            }]),
            Some(
                "turn_context"
                | "world_state"
                | "token_usage_record"
                | "inter_agent_communication_metadata",
            ) => Meaning::Quiet,
            _ => Meaning::Unknown("record"),
        }
    }

    fn meta(&mut self, meta: &Value) -> Meaning {
        let id = ["id", "session_id"]
            .iter()
            .find_map(|key| meta[*key].as_str())
            .map(bounded::line);
        if meta["source"]["subagent"].is_null() {
            return Meaning::Told(vec![Said::Started {
                session: id,
                model: None,
                prompted: false,
            }]);
        }
        self.agent = id;
        Meaning::Quiet
    }

    fn event(&mut self, event: &Value) -> Meaning {
        let said = match event["type"].as_str() {
            Some("item_completed") => {
                return item::completed(&event["item"], &event["turn_id"], &mut self.accounted);
            }
            Some("task_started" | "turn_started") => Said::Working { on: None },
            Some("task_complete" | "turn_complete") if event["error"].is_object() => {
                failed(&event["error"], None)
            }
            Some("task_complete" | "turn_complete") => Said::TurnEnded {
                ms: event["duration_ms"].as_u64(),
            },
            Some("turn_aborted") => Said::Interrupted,
            Some("error") => failed(event, None),
            Some("stream_error") => failed(
                event,
                Some(Retry {
                    attempt: 1,
                    most: None,
                    delay_ms: None,
                }),
            ),
            Some("context_compacted") => Said::Compacted {
                trigger: None,
                tokens_before: None,
                summary: None,
            },
            Some("exec_approval_request") => match item::asks(event) {
                Some(asks) => asks,
                None => return Meaning::Unknown("event"),
            },
            Some("warning") => Said::Notice {
                id: None,
                about: "warning".to_owned(),
                text: text(&event["message"], bounded::RAW).unwrap_or_default(),
            },
            Some("thread_name_updated") => match event["thread_name"].as_str() {
                Some(name) => Said::Named(bounded::line(name)),
                None => return Meaning::Quiet,
            },
            // What these tell stands in items too, or is the tap's to tell.
            Some(
                "token_count"
                | "thread_settings_applied"
                | "user_message"
                | "agent_message"
                | "agent_reasoning"
                | "agent_reasoning_raw_content"
                | "agent_reasoning_section_break"
                | "item_started"
                | "exec_command_begin"
                | "exec_command_end"
                | "patch_apply_begin"
                | "patch_apply_end"
                | "entered_review_mode"
                | "exited_review_mode"
                | "thread_rolled_back"
                | "plan_update"
                | "turn_diff"
                | "web_search_end"
                | "mcp_tool_call_end",
            ) => return Meaning::Quiet,
            _ => return Meaning::Unknown("event"),
        };
        Meaning::Told(vec![said])
    }
}

fn failed(event: &Value, retry: Option<Retry>) -> Said {
    let status = &event["codex_error_info"];
    let word = status
        .as_str()
        .map(str::to_owned)
        .or_else(|| status.as_object()?.keys().next().cloned());
    let status = status.as_object().and_then(|info| {
        info.values()
            .find_map(|info| info["http_status_code"].as_u64())
    });
    Said::Failed {
        id: None,
        status: status.and_then(|status| u16::try_from(status).ok()),
        error: word
            .filter(|word| word != "other")
            .map(|word| bounded::line(&word)),
        message: text(&event["message"], bounded::RAW)
            .map(bare)
            .unwrap_or_default(),
        retry,
    }
}

/// The sentence in an error that is told as the service's own JSON.
fn bare(message: String) -> String {
    let told: Value = serde_json::from_str(&message).unwrap_or_default();
    told["error"]["message"]
        .as_str()
        .map_or(message, str::to_owned)
}

fn text(value: &Value, most: usize) -> Option<String> {
    Some(bounded::text(value.as_str()?.to_owned(), most))
}
