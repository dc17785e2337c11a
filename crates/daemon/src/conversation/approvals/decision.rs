//! A person's answer, as both agents' hooks take it.

use clauderon_api::{AnswerApproval, Error};
use clauderon_transcript::{Asks, Wanted};
use serde_json::{Value, json};

/// Most characters of a reason.
const REASON: usize = 4_000;

/// Makes the answer to the hook; an answer that does not fit what was asked is none.
pub fn of(asks: &Asks, wanted: &Wanted, answer: &AnswerApproval) -> Result<Vec<u8>, Error> {
    let decision = match answer.allow {
        true => allowed(asks, wanted, answer)?,
        false => refused(answer)?,
    };
    let answer = json!({
        "hookSpecificOutput": { "hookEventName": "PermissionRequest", "decision": decision }
    });
    Ok(answer.to_string().into_bytes())
}

fn allowed(asks: &Asks, wanted: &Wanted, answer: &AnswerApproval) -> Result<Value, Error> {
    if answer.message.is_some() {
        return Err(Error::usage("only a refusal has a reason"));
    }
    let Wanted::Answers { questions } = wanted else {
        if !answer.answers.is_empty() {
            return Err(Error::usage("there is no question to answer"));
        }
        return Ok(json!({ "behavior": "allow" }));
    };
    let mut given = serde_json::Map::new();
    for question in questions {
        let mut to = answer
            .answers
            .iter()
            .filter(|one| one.question == question.question);
        let (Some(one), None) = (to.next(), to.next()) else {
            return Err(Error::usage(format!(
                "{:?} needs one answer",
                question.question
            )));
        };
        if one.answer.trim().is_empty() {
            return Err(Error::usage(format!(
                "the answer to {:?} is empty",
                question.question
            )));
        }
        given.insert(question.question.clone(), one.answer.clone().into());
    }
    if given.len() != answer.answers.len() {
        return Err(Error::usage("there is an answer to no question"));
    }
    let mut input = asks.input.clone();
    input["answers"] = Value::Object(given);
    Ok(json!({ "behavior": "allow", "updatedInput": input }))
}

/// With a reason the agent goes on and knows why; without one it stops, as with No in its own dialog.
fn refused(answer: &AnswerApproval) -> Result<Value, Error> {
    if !answer.answers.is_empty() {
        return Err(Error::usage("a refusal answers no question"));
    }
    let reason = answer.message.as_deref().map(str::trim);
    match reason.filter(|reason| !reason.is_empty()) {
        Some(reason) if reason.chars().count() > REASON => Err(Error::usage(format!(
            "the reason is longer than {REASON} characters"
        ))),
        Some(reason) => Ok(json!({ "behavior": "deny", "message": reason })),
        None => Ok(json!({ "behavior": "deny", "interrupt": true })),
    }
}
