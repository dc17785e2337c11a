//! Answers to requests for JSON of a given schema: the session's title and its like.

use serde_json::{Map, Value, json};

use crate::cue::first_words;

/// The schema that a request asks its answer to have.
pub(super) fn asked_for(body: &Value) -> Option<&Value> {
    let formats = [&body["output_config"]["format"], &body["output_format"]];
    let format = formats
        .into_iter()
        .find(|format| format["type"] == "json_schema")?;
    Some(&format["schema"])
}

/// A value of the schema, its strings filled with the prompt's first words.
pub(super) fn filled(schema: &Value, prompt: &str) -> Value {
    if let Some(first) = schema["enum"]
        .as_array()
        .and_then(|choices| choices.first())
    {
        return first.clone();
    }
    match schema["type"].as_str() {
        Some("object") => {
            let properties = schema["properties"].as_object().into_iter().flatten();
            Value::Object(
                properties
                    .map(|(name, part)| (name.clone(), filled(part, prompt)))
                    .collect::<Map<_, _>>(),
            )
        }
        Some("array") => json!([]),
        Some("boolean") => json!(false),
        Some("integer" | "number") => json!(0),
        Some("null") => Value::Null,
        _ => json!(title(prompt)),
    }
}

/// A short title: the words of the prompt without the script in it, and without what the agent writes around it.
fn title(prompt: &str) -> String {
    let from = prompt
        .split_once("<session>")
        .map_or(prompt, |(_, after)| after);
    let within = from.split("</session>").next().unwrap_or_default();
    let prose = within.split("SCRIPT:").next().unwrap_or_default();
    let words: Vec<&str> = prose
        .split_whitespace()
        .filter(|word| !word.starts_with('<'))
        .collect();
    match first_words(&words.join(" "), 6) {
        words if words.is_empty() => "Rehearsal".to_owned(),
        words => words,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(schema: Value, prompt: &str, expected: Value) {
        assert_eq!(filled(&schema, prompt), expected, "{schema}");
    }

    #[test]
    fn fills_every_kind_of_property() {
        check(
            json!({ "type": "object", "properties": { "title": { "type": "string" } } }),
            "fix it",
            json!({ "title": "fix it" }),
        );
        check(
            json!({ "type": "object", "properties": { "title": { "type": "string" } } }),
            "SCRIPT:[]",
            json!({ "title": "Rehearsal" }),
        );
        check(
            json!({ "type": "string" }),
            "<session> fix it </session> Write its title.",
            json!("fix it"),
        );
        check(json!({ "type": "array" }), "", json!([]));
        check(json!({ "type": "boolean" }), "", json!(false));
        check(json!({ "type": "integer" }), "", json!(0));
        check(json!({ "enum": ["a", "b"] }), "", json!("a"));
        check(json!({}), "x", json!("x"));
    }

    #[test]
    fn finds_the_schema_in_both_places() {
        let format = json!({ "type": "json_schema", "schema": { "type": "object" } });
        assert!(asked_for(&json!({ "output_config": { "format": format } })).is_some());
        assert!(asked_for(&json!({ "output_format": format })).is_some());
        assert!(asked_for(&json!({ "output_config": { "effort": "high" } })).is_none());
    }
}
