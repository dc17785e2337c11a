//! Finds the newest prompt in the input of a Responses request, and how often the model has answered since.

use serde_json::Value;

use crate::cue::Conversation;

/// How texts begin that the agent adds as user messages by itself.
const ADDED_BY_THE_AGENT: [&str; 6] = [
    "<environment_context",
    "<user_instructions",
    "<permissions",
    "<turn_aborted",
    "<INSTRUCTIONS",
    "# AGENTS.md",
];

/// The newest prompt and the number of model answers after it.
pub(super) fn read(input: &Value) -> Conversation {
    if let Some(text) = input.as_str() {
        return Conversation {
            prompt: text.to_owned(),
            turns: 0,
        };
    }
    let mut turns = 0;
    let mut within_answer = false;
    for item in input.as_array().into_iter().flatten().rev() {
        if let Some(prompt) = prompt(item) {
            return Conversation {
                prompt: prompt.to_owned(),
                turns,
            };
        }
        // One answer is several items in a row; calls carry the number of the answer they came in, since the agent may put
        // each call's output right behind it.
        let from_model = is_from_model(item);
        if let Some(turn) = turn_of_call(item) {
            turns = turns.max(turn + 1);
        } else if from_model && !within_answer && item["type"] == "message" {
            turns += 1;
        }
        within_answer = from_model;
    }
    Conversation {
        prompt: String::new(),
        turns,
    }
}

/// Whether the agent asks for a summary of its conversation, in a form that the service alone reads.
pub(super) fn is_to_be_summed_up(input: &Value) -> bool {
    let last = input.as_array().and_then(|items| items.last());
    last.is_some_and(|item| item["type"] == "compaction_trigger")
}

/// The identifier of a call made in answer `turn`; [`read`] counts by it.
pub(super) fn call_id(turn: usize, index: usize, id: &str) -> String {
    format!("call_{turn}_{index}_{id}")
}

fn turn_of_call(item: &Value) -> Option<usize> {
    item["call_id"]
        .as_str()?
        .strip_prefix("call_")?
        .split('_')
        .next()?
        .parse()
        .ok()
}

fn is_from_model(item: &Value) -> bool {
    match item["type"].as_str() {
        Some("message") => item["role"] == "assistant",
        Some(kind) => kind == "reasoning" || kind.ends_with("_call"),
        None => false,
    }
}

fn prompt(item: &Value) -> Option<&str> {
    if item["role"] != "user" {
        return None;
    }
    if let Some(text) = item["content"].as_str() {
        return typed(text).then_some(text);
    }
    let texts = item["content"]
        .as_array()?
        .iter()
        .filter_map(|part| part["text"].as_str());
    texts.rev().find(|text| typed(text))
}

fn typed(text: &str) -> bool {
    let start = text.trim_start();
    !start.is_empty()
        && !ADDED_BY_THE_AGENT
            .iter()
            .any(|prefix| start.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(input: Value, prompt: &str, turns: usize) {
        assert_eq!(
            read(&input),
            Conversation {
                prompt: prompt.to_owned(),
                turns
            },
            "{input}"
        );
    }

    #[test]
    fn finds_prompt_and_turn() {
        let user = |text: &str| json!({ "type": "message", "role": "user", "content": [{ "type": "input_text", "text": text }] });
        let said = json!({ "type": "message", "role": "assistant", "content": [{ "type": "output_text", "text": "x" }] });
        let reasoning = json!({ "type": "reasoning", "summary": [] });
        let call = |turn, index| json!({ "type": "function_call", "call_id": call_id(turn, index, "x"), "name": "exec_command" });
        let output = |turn, index| json!({ "type": "function_call_output", "call_id": call_id(turn, index, "x"), "output": "y" });

        check(json!("hi"), "hi", 0);
        check(json!([]), "", 0);
        check(json!([user("hi")]), "hi", 0);
        check(json!([{ "role": "user", "content": "hi" }]), "hi", 0);
        check(
            json!([
                user("hi"),
                user("<environment_context>x</environment_context>")
            ]),
            "hi",
            0,
        );
        check(
            json!([user("# AGENTS.md instructions"), user("hi")]),
            "hi",
            0,
        );
        check(json!([user("hi"), call(0, 0), output(0, 0)]), "hi", 1);
        check(
            json!([user("hi"), reasoning, said, call(0, 0), output(0, 0)]),
            "hi",
            1,
        );
        check(
            json!([
                user("hi"),
                call(0, 0),
                call(0, 1),
                output(0, 0),
                output(0, 1)
            ]),
            "hi",
            1,
        );
        check(
            json!([
                user("hi"),
                call(0, 0),
                output(0, 0),
                call(0, 1),
                output(0, 1)
            ]),
            "hi",
            1,
        );
        check(
            json!([
                user("hi"),
                call(0, 0),
                output(0, 0),
                call(1, 0),
                output(1, 0)
            ]),
            "hi",
            2,
        );
        check(
            json!([user("one"), call(0, 0), output(0, 0), said, user("two")]),
            "two",
            0,
        );
        check(json!([user("one"), said]), "one", 1);
    }
}
