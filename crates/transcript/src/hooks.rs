//! Reads what the hooks of both agents report. Everything in the sandbox can forge a report: it is shown, and decides nothing.

mod result;

use serde_json::Value;

use crate::bounded;
use crate::item::{Origin, Source};
use crate::observation::{Observation, Prompt, Said, Told};

/// A report that asks for leave, or for answers.
#[derive(Debug, Clone, PartialEq)]
pub struct Asks {
    /// The tool.
    pub tool: String,
    /// Exactly what would run.
    pub input: Value,
    /// The sub-agent that asks; none for the main one.
    pub agent: Option<String>,
}

impl Asks {
    /// Reads what a report asks for; none where it asks for nothing.
    pub fn read(report: &[u8]) -> Option<Self> {
        let mut report = serde_json::from_slice::<Value>(report).ok()?;
        if report["hook_event_name"] != "PermissionRequest" {
            return None;
        }
        Some(Self {
            tool: bounded::line(report["tool_name"].as_str()?),
            agent: report["agent_id"].as_str().map(bounded::line),
            input: report["tool_input"].take(),
        })
    }
}

/// Reads reports. Both agents' reports have one shape, but for `notify`.
#[derive(Debug, Default)]
pub struct Reports {
    unknown: u64,
}

/// Events that tell nothing that others do not tell better.
const QUIET: [&str; 17] = [
    "ConfigChange",
    "CwdChanged",
    "Elicitation",
    "ElicitationResult",
    "FileChanged",
    "InstructionsLoaded",
    "MessageDisplay",
    "PostToolBatch",
    "Setup",
    "TaskCompleted",
    "TaskCreated",
    "TeammateIdle",
    "UserPromptExpansion",
    "WorktreeCreate",
    "WorktreeRemove",
    "CwdChange",
    "PermissionDenied",
];

impl Reports {
    /// Makes a reader of reports.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns what a hook's report tells.
    pub fn hook(&mut self, report: &[u8]) -> Vec<Observation> {
        let Ok(report) = serde_json::from_slice::<Value>(report) else {
            self.unknown += 1;
            return Vec::new();
        };
        let event = report["hook_event_name"].as_str().unwrap_or_default();
        let Some(said) = said(event, &report) else {
            self.unknown += u64::from(!QUIET.contains(&event));
            return Vec::new();
        };
        // What is told of a sub-agent's life is told to the one who started it.
        let within = report["agent_id"].as_str().map(bounded::line);
        let agent = match &said {
            Said::AgentStarted { .. } | Said::AgentEnded { .. } => None,
            _ => within,
        };
        vec![told(agent, said)]
    }

    /// Returns what Codex's `notify` tells.
    pub fn notify(&mut self, report: &[u8]) -> Vec<Observation> {
        let report = serde_json::from_slice::<Value>(report).unwrap_or_default();
        match report["type"].as_str() {
            Some("agent-turn-complete") => vec![told(None, Said::TurnEnded { ms: None })],
            _ => {
                self.unknown += 1;
                Vec::new()
            }
        }
    }

    /// Returns how many reports were not understood.
    pub fn unknown(&self) -> u64 {
        self.unknown
    }
}

fn told(agent: Option<String>, said: Said) -> Observation {
    Observation::Told(Told {
        source: Source::Hook,
        agent,
        at_ms: None,
        said,
    })
}

fn said(event: &str, report: &Value) -> Option<Said> {
    let word = |key: &str| report[key].as_str().map(bounded::line);
    let text = |key: &str, most: usize| {
        let text = report[key].as_str()?;
        Some(bounded::text(text.to_owned(), most))
    };
    Some(match event {
        "SessionStart" => Said::Started {
            session: word("session_id"),
            model: word("model"),
            prompted: false,
        },
        "UserPromptSubmit" => Said::Prompt(Prompt {
            turn: word("prompt_id").or_else(|| word("turn_id")),
            text: text("prompt", bounded::TEXT)?,
            images: 0,
            origin: Origin::Person,
        }),
        "PreToolUse" => Said::Call {
            id: word("tool_use_id")?,
            tool: word("tool_name")?,
            input: bounded::value(report["tool_input"].clone(), bounded::INPUT),
        },
        "PostToolUse" | "PostToolUseFailure" => Said::Result(result::read(event, report)?),
        "PermissionRequest" => Said::Asks {
            call: word("tool_use_id"),
            tool: word("tool_name")?,
            input: bounded::value(report["tool_input"].clone(), bounded::INPUT),
        },
        "Notification" => match report["notification_type"].as_str() {
            Some("permission_prompt") => Said::Asking,
            Some("idle_prompt") => Said::TurnEnded { ms: None },
            _ => Said::Notice {
                id: None,
                about: "notification".to_owned(),
                text: text("message", bounded::RAW)?,
            },
        },
        "Stop" => Said::TurnEnded { ms: None },
        "StopFailure" => Said::Failed {
            id: None,
            status: None,
            error: word("error").filter(|word| word != "unknown"),
            message: text("last_assistant_message", bounded::RAW).or_else(|| word("error"))?,
            retry: None,
        },
        "Interrupt" => Said::Interrupted,
        "SubagentStart" => Said::AgentStarted {
            agent: word("agent_id")?,
            role: word("agent_type").filter(|role| !role.is_empty()),
            call: None,
        },
        "SubagentStop" => Said::AgentEnded {
            agent: word("agent_id")?,
            result: text("last_assistant_message", bounded::OUTPUT),
        },
        "PreCompact" => Said::Compacting,
        "PostCompact" => Said::Compacted {
            trigger: word("trigger"),
            tokens_before: None,
            summary: text("compact_summary", bounded::OUTPUT),
        },
        // A cleared or resumed session goes on under another id.
        "SessionEnd" if matches!(report["reason"].as_str(), Some("clear" | "resume")) => {
            Said::TurnEnded { ms: None }
        }
        "SessionEnd" => Said::Ended {
            code: None,
            reason: word("reason"),
        },
        _ => return None,
    })
}
