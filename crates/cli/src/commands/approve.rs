//! `clauderon approve` and `clauderon deny`: answers to what a session's agent waits for.

mod words;

use std::io::IsTerminal as _;
use std::process::ExitCode;

use clap::Args;
use clauderon_api::{AnswerApproval, Approval, Client, Error};
use clauderon_transcript::{Answer, Question, Wanted};
use serde_json::json;

use super::delete::confirmed;
use crate::context::Context;
use crate::{failure, output};

const APPROVE: &str = "\
What will be allowed is printed first. On a terminal, without ID, it is asked for once more.
The same question stands in the session's terminal; the first answer counts.

Examples:
  clauderon approve fix
  clauderon approve fix k4wd2a
  clauderon approve fix --answer 'The second one'";

const DENY: &str = "\
With a reason the agent goes on and knows why; without one it stops and waits for you.

Examples:
  clauderon deny fix
  clauderon deny fix k4wd2a --message 'Not on the main branch'";

/// Allow what a session's agent waits for, or answer its questions
#[derive(Debug, Args)]
#[command(after_help = APPROVE)]
pub struct Approve {
    /// The session's name or identifier
    session: String,
    /// Which one, where the agent waits for several
    id: Option<String>,
    /// The answer to a question, once for each of them in their order
    #[arg(long = "answer", value_name = "TEXT")]
    answers: Vec<String>,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
}

/// Refuse what a session's agent waits for
#[derive(Debug, Args)]
#[command(after_help = DENY)]
pub struct Deny {
    /// The session's name or identifier
    session: String,
    /// Which one, where the agent waits for several
    id: Option<String>,
    /// Why: the agent is told
    #[arg(short, long, value_name = "TEXT")]
    message: Option<String>,
}

impl Approve {
    /// Prints what will be allowed, and allows it.
    pub async fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let client = context.connect().await?;
        let named = self.id.is_some();
        let approval = find(&client, &self.session, self.id).await?;
        let answers = match &approval.wanted {
            Wanted::Answers { questions } => answers(questions, self.answers)?,
            _ if !self.answers.is_empty() => {
                return Err(failure::usage(
                    "the agent asks no question",
                    "leave --answer out to allow what it wants",
                ));
            }
            _ => Vec::new(),
        };
        if !context.json {
            output::line(&words::of(&approval))?;
        }
        let asks = !named && !self.yes && answers.is_empty() && std::io::stdin().is_terminal();
        if asks && !confirmed("Allow it?")? {
            return Ok(ExitCode::FAILURE);
        }
        let answer = AnswerApproval {
            id: approval.id.clone(),
            allow: true,
            message: None,
            answers,
        };
        client.answer_approval(&self.session, &answer).await?;
        say(context, &approval, "Allowed.", true)
    }
}

impl Deny {
    /// Prints what is refused, and refuses it.
    pub async fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let client = context.connect().await?;
        let approval = find(&client, &self.session, self.id).await?;
        if !context.json {
            output::line(&words::of(&approval))?;
        }
        let answer = AnswerApproval {
            id: approval.id.clone(),
            allow: false,
            message: self.message,
            answers: Vec::new(),
        };
        client.answer_approval(&self.session, &answer).await?;
        say(context, &approval, "Refused.", false)
    }
}

fn say(
    context: &Context,
    approval: &Approval,
    word: &str,
    allowed: bool,
) -> anyhow::Result<ExitCode> {
    let answered = json!({ "allowed": allowed, "approval": approval });
    context.print(&answered, |_| word.to_owned())?;
    Ok(ExitCode::SUCCESS)
}

/// Finds the one that is meant: by its id, or the only one.
async fn find(client: &Client, session: &str, id: Option<String>) -> anyhow::Result<Approval> {
    let mut open = client.approvals(session).await?;
    if let Some(id) = id {
        let found = open.into_iter().find(|one| one.id == id);
        let gone = || Error::conflict(format!("session {session} does not wait for {id:?}"));
        return Ok(found.ok_or_else(gone)?);
    }
    match open.len() {
        0 => Err(Error::conflict(format!(
            "session {session} waits for nothing that can be answered here"
        ))
        .hint(format!("`clauderon attach {session}` shows its terminal"))
        .into()),
        1 => Ok(open.remove(0)),
        count => {
            let list: Vec<String> = open.iter().map(words::line).collect();
            output::note(&list.join("\n"));
            Err(failure::usage(
                format!("session {session} waits for {count} things"),
                "say which by its id, the first word of a line above",
            ))
        }
    }
}

fn answers(questions: &[Question], given: Vec<String>) -> anyhow::Result<Vec<Answer>> {
    if given.len() != questions.len() {
        let asked: Vec<&str> = questions.iter().map(|one| one.question.as_str()).collect();
        return Err(failure::usage(
            format!("the agent asks: {}", asked.join(" / ")),
            "give --answer once for each question, in their order",
        ));
    }
    let pairs = questions.iter().zip(given);
    Ok(pairs
        .map(|(question, answer)| Answer {
            question: question.question.clone(),
            answer,
        })
        .collect())
}
