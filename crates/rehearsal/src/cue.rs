//! Which answer a conversation is waiting for. Pure: both providers reduce their request to a prompt and a number of turns.

use std::time::Duration;

use serde_json::Value;

use crate::answer::{Answer, AtLast, fingerprint};
use crate::lines::Lines;
use crate::playground;
use crate::record::Recorded;
use crate::script::{self, Step};

/// The newest prompt of a conversation, and how many times the model has answered since.
#[derive(Debug, PartialEq)]
pub(crate) struct Conversation {
    pub prompt: String,
    pub turns: usize,
}

/// What to answer.
#[derive(Debug, PartialEq)]
pub(crate) enum Cue {
    /// This step, which a script asks for, or one that stands in for it.
    Play(Box<Step>),
    /// The script cannot be read; its author should see why.
    Broken(String),
}

impl Conversation {
    /// The answer this conversation is waiting for.
    pub fn cue(&self, lines: &Lines) -> Cue {
        let steps = match (script::find(&self.prompt), lines.script(&self.prompt)) {
            (Some(Ok(steps)), _) => steps,
            (Some(Err(reason)), _) => {
                return Cue::Broken(format!("the script in the prompt cannot be read: {reason}"));
            }
            (None, Some(known)) => known.to_vec(),
            (None, None) => {
                return Cue::Play(Box::new(Step::saying(greeting(&self.prompt, lines))));
            }
        };
        let step = steps.into_iter().nth(self.turns);
        Cue::Play(Box::new(
            step.unwrap_or_else(|| Step::saying("The script has ended.")),
        ))
    }

    /// A name for what this conversation asks: a try has the one of the try before, whatever else differs between them.
    pub fn question(&self, form: &Value) -> String {
        fingerprint(format!("{}\n{}\n{form}", self.prompt, self.turns).as_bytes())
    }
}

impl Cue {
    /// Turns the cue into an answer, given a name for what is asked, and how the provider words an error and renders a step.
    pub fn perform(
        self,
        request: &Recorded,
        question: &str,
        error: impl Fn(u16, Option<&str>, &str) -> Answer,
        render: impl Fn(&Step) -> Answer,
    ) -> Answer {
        let step = match self {
            Self::Broken(reason) => return error(400, None, &reason),
            Self::Play(step) => step,
        };
        let answer = |step: &Step| {
            let mut answer = match (&step.reflect, &step.error) {
                (Some(how), _) => Answer::reflected(*how, &playground::reflection(request)),
                (None, Some(fault)) => error(
                    fault.status,
                    fault.kind.as_deref(),
                    fault.message.as_deref().unwrap_or("scripted error"),
                ),
                (None, None) => render(step),
            };
            for (name, value) in &step.headers {
                answer = answer.with(name, value);
            }
            answer.wait = Duration::from_millis(step.wait_ms);
            answer
        };
        let mut first = answer(&step);
        first.at_last = step.times.map(|tries| {
            let answer = answer(&step.mended());
            let question = question.to_owned();
            Box::new(AtLast {
                question,
                tries,
                answer,
            })
        });
        first
    }
}

/// Why a request's body could not be read.
pub(crate) struct Unread {
    pub status: u16,
    pub reason: String,
}

/// A model request's body as JSON.
///
/// Compressed bodies are refused by name: a proxy that must judge a body cannot let through what it does not read, so that
/// an agent which compresses is an error in its configuration.
pub(crate) fn request_body(request: &Recorded) -> Result<Value, Unread> {
    if let Some(encoding) = request
        .header("content-encoding")
        .filter(|encoding| *encoding != "identity")
    {
        return Err(Unread {
            status: 415,
            reason: format!("A request body must not be compressed; this one is {encoding}"),
        });
    }
    serde_json::from_slice(&request.body).map_err(|error| Unread {
        status: 400,
        reason: format!("The request body is not valid JSON: {error}"),
    })
}

/// The first words of a text, on one line.
pub(crate) fn first_words(text: &str, words: usize) -> String {
    let short: Vec<&str> = text.split_whitespace().take(words).collect();
    short.join(" ").chars().take(120).collect()
}

fn greeting(prompt: &str, lines: &Lines) -> String {
    if let Some(text) = lines.other() {
        return text.to_owned();
    }
    match first_words(prompt, 8).as_str() {
        "" => "Hello! This is a rehearsal, no model is behind it.".to_owned(),
        words => format!("Hello! This is a rehearsal, no model is behind it. You said: {words}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(prompt: &str, turns: usize, expected: &str) {
        let answer = match (Conversation {
            prompt: prompt.to_owned(),
            turns,
        })
        .cue(&Lines::default())
        {
            Cue::Play(step) => step.printed().unwrap_or_default(),
            Cue::Broken(reason) => reason,
        };
        assert!(answer.contains(expected), "{prompt} at {turns}: {answer}");
    }

    #[test]
    fn answers_by_prompt_and_turn() {
        check(
            "fix the bug in the parser",
            0,
            "You said: fix the bug in the parser",
        );
        check("", 0, "no model is behind it");
        check("a b c d e f g h i j", 0, "a b c d e f g h");
        check(r#"SCRIPT:[{"text":"one"},{"text":"two"}]"#, 0, "one");
        check(r#"SCRIPT:[{"text":"one"},{"text":"two"}]"#, 1, "two");
        check(
            r#"SCRIPT:[{"text":"one"},{"text":"two"}]"#,
            2,
            "script has ended",
        );
        check("SCRIPT:[]", 0, "script has ended");
        check(r#"SCRIPT:[{"nope":1}]"#, 0, "nope");
    }
}
