//! What an agent wants of a person, exactly and readable: nothing in it can hide, or look like something else.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::call::detail;
use crate::bounded;
use crate::claude::questions_of;
use crate::item::{Question, ToolDetail};

/// What an agent wants of a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(tag = "wants", rename_all = "lowercase")]
pub enum Wanted {
    /// That a tool may run.
    Tool {
        /// The tool.
        tool: String,
        /// All that it would be given, in lines. What cannot be seen is spelled out.
        exactly: String,
        /// What the agent says about it, in a line: words of its choice.
        says: Option<String>,
    },
    /// Answers to questions.
    Answers {
        /// The questions.
        questions: Vec<Question>,
    },
    /// That a plan is approved.
    Plan {
        /// The plan: Markdown.
        text: String,
    },
}

/// The parts of a tool's input that are an agent's words about it.
const SAYS: [&str; 2] = ["description", "justification"];

impl Wanted {
    /// Reads what a tool's use asks of a person.
    pub fn of(tool: &str, input: &Value) -> Self {
        match tool {
            "AskUserQuestion" | "request_user_input" => Self::Answers {
                questions: questions_of(input),
            },
            "ExitPlanMode" => Self::Plan {
                text: input["plan"].as_str().unwrap_or_default().to_owned(),
            },
            _ => Self::Tool {
                tool: visible(tool),
                exactly: visible(&exactly(tool, input)),
                says: SAYS
                    .iter()
                    .find_map(|key| input[*key].as_str())
                    .map(|says| bounded::line(&visible(&says.replace(['\r', '\n'], " ")))),
            },
        }
    }
}

fn exactly(tool: &str, input: &Value) -> String {
    let (mut lines, told): (Vec<String>, &[&str]) = match detail(tool, input) {
        ToolDetail::Command { command, .. } if !command.is_empty() => {
            (vec![command], &["command", "cmd"])
        }
        ToolDetail::Edit { path, hunks } if !hunks.is_empty() => {
            let changed = hunks.into_iter().flat_map(|hunk| hunk.lines);
            let told = &[
                "file_path",
                "notebook_path",
                "old_string",
                "new_string",
                "edits",
                "content",
                "new_source",
                "input",
                "patch",
            ];
            (std::iter::once(path).chain(changed).collect(), told)
        }
        _ => (Vec::new(), &[]),
    };
    match input {
        Value::Object(fields) => {
            let rest = fields
                .iter()
                .filter(|(key, _)| !told.contains(&key.as_str()) && !SAYS.contains(&key.as_str()));
            lines.extend(rest.map(|(key, value)| match value {
                Value::String(text) => format!("{key}: {text}"),
                value => format!("{key}: {value}"),
            }));
        }
        Value::Null => {}
        other if lines.is_empty() => lines.push(other.to_string()),
        _ => {}
    }
    lines.join("\n")
}

/// Spells out what a screen would hide, or would show in another order than it stands there.
fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' | '\t' => shown.push(character),
            _ if hides(character) => shown.extend(character.escape_unicode()),
            _ => shown.push(character),
        }
    }
    shown
}

fn hides(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
            | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn check(tool: &str, input: Value, exactly: &str, says: Option<&str>) {
        let wanted = Wanted::Tool {
            tool: tool.to_owned(),
            exactly: exactly.to_owned(),
            says: says.map(str::to_owned),
        };
        assert_eq!(Wanted::of(tool, &input), wanted);
    }

    #[test]
    fn what_would_run_is_whole_and_the_agents_words_stand_apart() {
        check(
            "Bash",
            json!({"command": "touch a\nrm b", "description": "list\nfiles", "timeout": 9}),
            "touch a\nrm b\ntimeout: 9",
            Some("list files"),
        );
        check(
            "Write",
            json!({"file_path": "/etc/x", "content": "one\ntwo"}),
            "/etc/x\n+one\n+two",
            None,
        );
        check(
            "mcp__x__send",
            json!({"to": "a@b", "n": [1]}),
            "n: [1]\nto: a@b",
            None,
        );
        check("Strange", json!("text"), "\"text\"", None);
    }

    #[test]
    fn nothing_hides() {
        check(
            "Bash",
            json!({"command": "ls \u{202e}#\u{1b}[8m x\r\u{200b}"}),
            "ls \\u{202e}#\\u{1b}[8m x\\u{d}\\u{200b}",
            None,
        );
    }

    #[test]
    fn questions_and_plans_are_no_tools() {
        let plan = Wanted::of("ExitPlanMode", &json!({"plan": "# P"}));
        assert!(matches!(plan, Wanted::Plan { text } if text == "# P"));
        let asked = json!({"questions": [{"question": "Which?", "header": "h", "options": [{"label": "A"}]}]});
        assert!(matches!(
            Wanted::of("AskUserQuestion", &asked),
            Wanted::Answers { questions } if questions[0].options[0].label == "A"
        ));
    }
}
