//! What an agent waits for, in words. What the proxy saw and what the agent says are told apart.

use clauderon_api::Approval;
use clauderon_transcript::Wanted;

use crate::output::{escape, escape_text};

/// Says all of it.
pub fn of(approval: &Approval) -> String {
    let by = match approval.seen {
        true => "the proxy saw the model ask for exactly this",
        false => "only the agent says so; the proxy did not see the model ask for this",
    };
    let who = match &approval.agent {
        Some(agent) => format!("The sub-agent {}", escape(agent)),
        None => "The agent".to_owned(),
    };
    let (wants, what, says) = match &approval.wanted {
        Wanted::Tool {
            tool,
            exactly,
            says,
        } => (
            format!("wants to use {}", escape(tool)),
            escape_text(exactly),
            says.as_ref(),
        ),
        Wanted::Plan { text } => (
            "wants its plan approved".to_owned(),
            escape_text(text),
            None,
        ),
        Wanted::Answers { questions } => {
            let lines = questions.iter().map(|question| {
                let options: Vec<&str> = question
                    .options
                    .iter()
                    .map(|option| option.label.as_str())
                    .collect();
                format!(
                    "{} ({})",
                    escape(&question.question),
                    escape(&options.join(" / "))
                )
            });
            (
                "asks".to_owned(),
                lines.collect::<Vec<_>>().join("\n"),
                None,
            )
        }
    };
    let what: Vec<String> = what.lines().map(|line| format!("    {line}")).collect();
    let mut text = format!("{who} {wants} ({by}):\n{}", what.join("\n"));
    if let Some(says) = says {
        text.push_str(&format!("\nThe agent says: {}", escape(says)));
    }
    text
}

/// Says it in a line that begins with its id.
pub fn line(approval: &Approval) -> String {
    let what = match &approval.wanted {
        Wanted::Tool { tool, exactly, .. } => {
            format!("{tool}: {}", exactly.lines().next().unwrap_or_default())
        }
        Wanted::Plan { .. } => "a plan".to_owned(),
        Wanted::Answers { questions } => questions
            .first()
            .map_or_else(|| "a question".to_owned(), |one| one.question.clone()),
    };
    let what: String = what.chars().take(100).collect();
    format!("{}  {}", approval.id, escape(&what))
}
