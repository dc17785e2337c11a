//! The script format: what a prompt may ask the rehearsal to answer. Reads text, decides nothing.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

/// What the model answers in one turn.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Step {
    pub thinking: Option<String>,
    pub text: Option<String>,
    pub big: Option<usize>,
    tool: Option<String>,
    input: Option<Value>,
    tools: Vec<Call>,
    pub error: Option<ScriptedError>,
    pub times: Option<usize>,
    pub headers: BTreeMap<String, String>,
    pub wait_ms: u64,
    pub delay_ms: u64,
    pub cut_after: Option<usize>,
    pub reflect: Option<Reflection>,
}

/// One tool call.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub(crate) struct Call {
    pub tool: String,
    #[serde(default = "no_input")]
    pub input: Value,
}

/// An error in place of an answer.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub(crate) struct ScriptedError {
    pub status: u16,
    #[serde(rename = "type")]
    pub kind: Option<String>,
    pub message: Option<String>,
}

/// How a request's own headers are sent back.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Reflection {
    Plain,
    Gzip,
    Deflate,
    Split,
}

/// The largest `big` that a step may ask for.
const BIG_LIMIT: usize = 64 * 1024 * 1024;

impl Step {
    /// All calls of this step, the single one first.
    pub fn calls(&self) -> Vec<Call> {
        let single = self.tool.iter().map(|tool| Call {
            tool: tool.clone(),
            input: self.input.clone().unwrap_or_else(no_input),
        });
        single.chain(self.tools.iter().cloned()).collect()
    }

    /// The text to print, `big` lines included; none when the step is silent.
    pub fn printed(&self) -> Option<String> {
        match (&self.text, self.big) {
            (None, None) => None,
            (text, big) => {
                let text = text.clone().unwrap_or_default();
                Some(text + &numbered_lines(big.unwrap_or(0).min(BIG_LIMIT)))
            }
        }
    }

    /// The same step without what is wrong with it.
    pub fn mended(&self) -> Self {
        Self {
            error: None,
            cut_after: None,
            times: None,
            headers: BTreeMap::new(),
            ..self.clone()
        }
    }

    /// A step that only says something.
    pub fn saying(text: impl Into<String>) -> Self {
        Self {
            text: Some(text.into()),
            ..Self::default()
        }
    }
}

impl Reflection {
    /// Reads the name that queries and paths use.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "" | "plain" => Some(Self::Plain),
            "gzip" => Some(Self::Gzip),
            "deflate" => Some(Self::Deflate),
            "split" => Some(Self::Split),
            _ => None,
        }
    }
}

/// The last script in a prompt, or why it cannot be read; none when there is no script in it.
///
/// Prompts that follow an interrupted one can arrive merged into one text, so the last one counts; a script inside another
/// one's tool input (a subagent's) is part of that input.
pub(crate) fn find(prompt: &str) -> Option<Result<Vec<Step>, String>> {
    let mut rest = prompt;
    let mut found = None;
    while let Some(start) = next_list(rest) {
        let mut lists = serde_json::Deserializer::from_str(&rest[start..]).into_iter::<Value>();
        let parsed = match lists.next() {
            Some(Ok(list)) => serde_json::from_value(list).map_err(|error| error.to_string()),
            Some(Err(error)) => return Some(Err(error.to_string())),
            None => return found,
        };
        rest = &rest[start + lists.byte_offset()..];
        found = Some(parsed);
    }
    found
}

/// Where the list of the first `SCRIPT:` begins; the word alone, in prose, is no script.
fn next_list(text: &str) -> Option<usize> {
    text.match_indices("SCRIPT:").find_map(|(at, word)| {
        let after = at + word.len();
        let spaces = text[after..].len() - text[after..].trim_start().len();
        text[after + spaces..]
            .starts_with('[')
            .then_some(after + spaces)
    })
}

fn numbered_lines(bytes: usize) -> String {
    let mut text = String::with_capacity(bytes + 64);
    let mut line = 0;
    while text.len() < bytes {
        line += 1;
        text.push_str(&format!(
            "{line:08} the quick brown fox jumps over the lazy dog, again\n"
        ));
    }
    text.truncate(bytes);
    text
}

fn no_input() -> Value {
    Value::Object(serde_json::Map::new())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn check(prompt: &str, expected: Option<Result<usize, &str>>) {
        let found = find(prompt).map(|result| result.map(|steps| steps.len()));
        match (found, expected) {
            (None, None) => {}
            (Some(Ok(steps)), Some(Ok(wanted))) => assert_eq!(steps, wanted, "{prompt}"),
            (Some(Err(error)), Some(Err(part))) => {
                assert!(error.contains(part), "{prompt}: {error}")
            }
            (found, expected) => panic!("{prompt}: found {found:?}, expected {expected:?}"),
        }
    }

    #[test]
    fn finds_scripts() {
        check("hello", None);
        check("a SCRIPT: is a list of steps", None);
        check("SCRIPT:[]", Some(Ok(0)));
        check(r#"SCRIPT:[{"text":"a"}]"#, Some(Ok(1)));
        check(
            r#"please SCRIPT: [{"text":"a"},{"text":"b"}] thanks, é"#,
            Some(Ok(2)),
        );
        check("SCRIPT:\n[{\"text\":\"a\"}]\n", Some(Ok(1)));
        check(
            r#"SCRIPT:[{"text":"a"}] then SCRIPT:[{},{},{}]"#,
            Some(Ok(3)),
        );
        check(
            r#"SCRIPT:[{"tool":"Agent","input":{"prompt":"SCRIPT:[{},{},{}]"}}]"#,
            Some(Ok(1)),
        );
        check(r#"SCRIPT:[{"text":"SCRIPT:[ in text"}]"#, Some(Ok(1)));
        check(r#"SCRIPT:[{"txt":"a"}]"#, Some(Err("txt")));
        check(r#"SCRIPT:[{"text":"a"#, Some(Err("EOF")));
        check(r#"SCRIPT:[{"error":{"status":"x"}}]"#, Some(Err("u16")));
        check(r#"SCRIPT:[{"reflect":"zip"}]"#, Some(Err("zip")));
    }

    #[test]
    fn one_call_and_many_are_listed_in_order() {
        let step: Step = serde_json::from_str(
            r#"{"tool":"A","tools":[{"tool":"B","input":{"x":1}},{"tool":"C"}]}"#,
        )
        .unwrap();
        let names: Vec<String> = step.calls().into_iter().map(|call| call.tool).collect();
        assert_eq!(names, ["A", "B", "C"]);
    }

    #[test]
    fn big_text_has_exactly_its_size() {
        for bytes in [0, 1, 63, 64, 65, 100_000] {
            let step = Step {
                big: Some(bytes),
                ..Step::default()
            };
            assert_eq!(step.printed().unwrap().len(), bytes);
        }
        assert_eq!(Step::default().printed(), None);
    }
}
