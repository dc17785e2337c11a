//! Claude Code's own account of what a tool did, as its transcript and its hooks tell it.

use serde_json::Value;

use crate::bounded;
use crate::item::{Answer, Hunk, Question, QuestionOption};
use crate::observation::Account;

/// Hunks of an edit that are kept.
const MOST_HUNKS: usize = 500;
/// Lines of a hunk that are kept.
const MOST_LINES: usize = 2_000;

/// Reads an account by its shape; `told` is what the model is told.
pub(crate) fn account_of(account: &Value, told: &str) -> Option<Account> {
    let text = |key: &str| account[key].as_str();
    if let Some(path) = text("filePath").filter(|_| account["structuredPatch"].is_array()) {
        return Some(Account::Edit {
            path: bounded::text(path.to_owned(), bounded::LINE),
            hunks: hunks(&account["structuredPatch"]),
        });
    }
    if let Some(printed) = text("stdout") {
        let wrong = text("stderr").unwrap_or_default();
        let between = match printed.is_empty() || wrong.is_empty() || printed.ends_with('\n') {
            true => "",
            false => "\n",
        };
        return Some(Account::Shell {
            output: bounded::text(format!("{printed}{between}{wrong}"), bounded::OUTPUT),
            exit: exit(told),
        });
    }
    if let Some(agent) = text("agentId") {
        let (answer, _) = text_of(&account["content"]);
        return Some(Account::Agent {
            agent: bounded::line(agent),
            role: text("agentType").map(bounded::line),
            result: (account["status"] == "completed")
                .then(|| bounded::text(answer, bounded::OUTPUT)),
        });
    }
    if let Some(answers) = account["answers"].as_object() {
        let answers = answers.iter().map(|(question, answer)| Answer {
            question: bounded::text(question.clone(), bounded::RAW),
            answer: bounded::text(
                answer
                    .as_str()
                    .map_or_else(|| answer.to_string(), str::to_owned),
                bounded::RAW,
            ),
        });
        return Some(Account::Answers(answers.collect()));
    }
    exit(told).map(|exit| Account::Shell {
        output: bounded::text(without_exit(told), bounded::OUTPUT),
        exit: Some(exit),
    })
}

/// Reads the questions of `AskUserQuestion`.
pub(crate) fn questions_of(input: &Value) -> Vec<Question> {
    let text = |value: &Value| bounded::text(value.as_str().unwrap_or_default().to_owned(), 4_096);
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    list(&input["questions"])
        .iter()
        .map(|question| Question {
            question: text(&question["question"]),
            header: text(&question["header"]),
            several: question["multiSelect"] == true,
            options: list(&question["options"])
                .iter()
                .map(|option| QuestionOption {
                    label: text(&option["label"]),
                    description: text(&option["description"]),
                })
                .collect(),
        })
        .collect()
}

/// The texts of a message's content, and the number of its images.
pub(crate) fn text_of(content: &Value) -> (String, u32) {
    match content {
        Value::String(text) => (text.clone(), 0),
        Value::Array(blocks) => {
            let texts: Vec<&str> = blocks
                .iter()
                .filter_map(|block| block["text"].as_str())
                .collect();
            let images = blocks.iter().filter(|block| block["type"] == "image");
            (
                texts.join("\n"),
                u32::try_from(images.count()).unwrap_or(u32::MAX),
            )
        }
        _ => (String::new(), 0),
    }
}

fn hunks(patch: &Value) -> Vec<Hunk> {
    let number = |value: &Value| {
        value
            .as_u64()
            .and_then(|line| u32::try_from(line).ok())
            .unwrap_or(0)
    };
    let patch = patch.as_array().map_or(&[][..], Vec::as_slice);
    patch
        .iter()
        .take(MOST_HUNKS)
        .map(|hunk| Hunk {
            old_start: number(&hunk["oldStart"]),
            new_start: number(&hunk["newStart"]),
            lines: hunk["lines"]
                .as_array()
                .map_or(&[][..], Vec::as_slice)
                .iter()
                .take(MOST_LINES)
                .filter_map(Value::as_str)
                .map(|line| bounded::text(line.to_owned(), 4_096))
                .collect(),
        })
        .collect()
}

/// The number in `Exit code 3`, with which the text of a failed command begins.
fn exit(told: &str) -> Option<i32> {
    told.strip_prefix("Exit code ")?
        .lines()
        .next()?
        .trim()
        .parse()
        .ok()
}

fn without_exit(told: &str) -> String {
    told.split_once('\n')
        .map_or("", |(_, rest)| rest)
        .to_owned()
}
