//! Finds the newest prompt in a list of Anthropic messages. What the agent itself writes into user messages is no prompt.

use serde_json::Value;

use crate::cue::Conversation;
use crate::script;

/// How texts begin that the agent adds to user messages by itself.
const ADDED_BY_THE_AGENT: [&str; 7] = [
    "<system-reminder>",
    "<command-",
    "<local-command-",
    "<bash-",
    "[Image: ",
    "[Image source: ",
    INTERRUPTED,
];
const INTERRUPTED: &str = "[Request interrupted by user";

/// The newest prompt and the number of assistant messages after it.
pub(super) fn read(messages: &Value) -> Conversation {
    let mut turns = 0;
    for message in messages.as_array().into_iter().flatten().rev() {
        match message["role"].as_str() {
            Some("assistant") => turns += 1,
            Some("user") => {
                if let Some(prompt) = prompt(&message["content"]) {
                    return Conversation {
                        prompt: prompt.to_owned(),
                        turns,
                    };
                }
            }
            _ => {}
        }
    }
    Conversation {
        prompt: String::new(),
        turns,
    }
}

/// The newest prompt in one user message.
fn prompt(content: &Value) -> Option<&str> {
    let blocks = match content {
        Value::String(text) => return typed(text).then_some(text),
        blocks => blocks.as_array()?,
    };
    let answers_a_tool = blocks.iter().any(|block| block["type"] == "tool_result");
    let texts: Vec<&str> = blocks
        .iter()
        .filter(|block| block["type"] == "text")
        .filter_map(|block| block["text"].as_str())
        .collect();
    if !answers_a_tool {
        return texts.into_iter().rev().find(|text| typed(text));
    }
    // Beside a tool's result stand notes for the model, unless the person interrupted the tool: what follows then is the next
    // prompt, merged into this message.
    let typed_after_interruption = texts
        .iter()
        .rev()
        .take_while(|text| !text.starts_with(INTERRUPTED))
        .find(|text| typed(text));
    let interrupted = texts.iter().any(|text| text.starts_with(INTERRUPTED));
    let scripted = texts
        .iter()
        .rev()
        .find(|text| typed(text) && script::find(text).is_some());
    match interrupted {
        true => typed_after_interruption.or(scripted).copied(),
        false => scripted.copied(),
    }
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

    fn check(messages: Value, prompt: &str, turns: usize) {
        assert_eq!(
            read(&messages),
            Conversation {
                prompt: prompt.to_owned(),
                turns
            },
            "{messages}"
        );
    }

    fn text(text: &str) -> Value {
        json!({ "type": "text", "text": text })
    }

    #[test]
    fn a_prompt_that_begins_with_an_image_is_one() {
        let image = json!({ "type": "image", "source": {} });
        let message = json!({ "role": "user", "content": [text("[Image #1]look"), image, text("[Image: source: /a.png]")] });
        check(json!([message]), "[Image #1]look", 0);
    }

    #[test]
    fn finds_the_newest_prompt() {
        let result = json!({ "type": "tool_result", "tool_use_id": "t", "content": "SCRIPT:[{}] from a file" });
        let reminder = text("<system-reminder>be nice</system-reminder>");
        let call = json!({ "role": "assistant", "content": [] });
        let user = |content: Value| json!({ "role": "user", "content": content });

        check(json!(null), "", 0);
        check(json!([]), "", 0);
        check(json!([user(json!("hi"))]), "hi", 0);
        check(json!([user(json!([reminder, text("hi")]))]), "hi", 0);
        check(json!([user(json!([text("hi"), reminder]))]), "hi", 0);
        check(
            json!([user(json!("hi")), { "role": "system", "content": "tools" }]),
            "hi",
            0,
        );
        check(
            json!([user(json!("hi")), call, user(json!([result]))]),
            "hi",
            1,
        );
        check(
            json!([
                user(json!("hi")),
                call,
                user(json!([result, text("a hook's note")]))
            ]),
            "hi",
            1,
        );
        check(
            json!([
                user(json!("hi")),
                call,
                user(json!([result])),
                call,
                user(json!([result]))
            ]),
            "hi",
            2,
        );
        check(
            json!([user(json!("one")), call, user(json!("two"))]),
            "two",
            0,
        );
        check(json!([user(json!([text("one"), text("two")]))]), "two", 0);
        check(
            json!([user(json!([
                text("a picture"),
                text("[Image: source: /a.png]")
            ]))]),
            "a picture",
            0,
        );
        check(json!([user(json!([reminder]))]), "", 0);
    }

    #[test]
    fn a_prompt_after_an_interruption_counts() {
        let result = json!({ "type": "tool_result", "tool_use_id": "t", "content": "x" });
        let interrupted = text("[Request interrupted by user for tool use]");
        let start = json!({ "role": "user", "content": "one" });
        let call = json!({ "role": "assistant", "content": [] });
        let user = |content: Value| json!({ "role": "user", "content": content });

        check(
            json!([start, call, user(json!([result, interrupted, text("two")]))]),
            "two",
            0,
        );
        check(
            json!([
                start,
                call,
                user(json!([result, interrupted])),
                user(json!("two"))
            ]),
            "two",
            0,
        );
        check(
            json!([start, call, user(json!([result, interrupted]))]),
            "one",
            1,
        );
        check(
            json!([start, call, user(json!([result, text("SCRIPT:[{}]")]))]),
            "SCRIPT:[{}]",
            0,
        );
    }
}
