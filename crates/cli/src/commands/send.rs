//! `clauderon send`: a message for a session's agent, followed until the agent took it.

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use clauderon_api::{Client, ConversationEvent, Error, MessageView, SendMessage, Stage};
use clauderon_transcript::Activity;

use crate::context::Context;
use crate::output;

const EXAMPLES: &str = "\
The message is written down, typed into the agent's terminal once the agent is idle and nobody types there, and followed
until the agent has taken it. Ends with 0 where it was delivered, with 1 where it was not, or the time was up: then it goes
on without you, and `clauderon messages` shows how far it came.

Examples:
  clauderon send fix 'Run the tests again'
  clauderon send fix 'Run the tests again' --wait    until it is answered
  clauderon send fix 'Stop after this one' --now     although the agent works
  clauderon send fix 'And then this' --no-wait       once it is written down
  git diff | clauderon send fix -                    a long one becomes a file that the agent is told to read";

/// Send a session's agent a message and see it delivered
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Send {
    /// The session's name or identifier
    session: String,
    /// The message; `-` reads it from standard input
    text: String,
    /// Type it although the agent works: both agents keep it until they have time for it
    #[arg(long)]
    now: bool,
    /// Wait until it is answered
    #[arg(long)]
    wait: bool,
    /// Do not wait until it is delivered
    #[arg(long, conflicts_with = "wait")]
    no_wait: bool,
    /// Wait no longer than this many seconds
    #[arg(long, value_name = "SECONDS")]
    timeout: Option<u64>,
}

impl Send {
    /// Sends it.
    pub async fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let message = SendMessage {
            id: None,
            text: super::say::text(self.text)?,
            now: self.now,
        };
        let client = context.connect().await?;
        let sent = client.send_message(&self.session, &message).await?;
        if self.no_wait {
            context.print(&sent, words)?;
            return Ok(ExitCode::SUCCESS);
        }
        let limit = self.timeout.map_or(Duration::MAX, Duration::from_secs);
        let followed = follow(&client, &self.session, &sent.message.id, self.wait);
        let Ok(last) = tokio::time::timeout(limit, followed).await else {
            let sentence = format!("the message to {} did not get there in time", self.session);
            let hint = format!(
                "`clauderon messages {}` shows how far it came",
                self.session
            );
            return Err(Error::failed(sentence).hint(hint).into());
        };
        let last = last?;
        context.print(&last, words)?;
        Ok(match is_delivered(&last.message.stage) {
            true => ExitCode::SUCCESS,
            false => ExitCode::FAILURE,
        })
    }
}

/// Follows a message until it has come as far as is waited for, or will come no further.
async fn follow(
    client: &Client,
    session: &str,
    id: &str,
    answered: bool,
) -> anyhow::Result<MessageView> {
    let mut followed = client.follow_conversation(session).await?;
    let mut latest = Vec::new();
    while let Some(event) = followed.next().await? {
        let (messages, status) = match event {
            ConversationEvent::State(view) => (Some(view.messages), view.standing.status),
            ConversationEvent::News(news) => (news.messages, news.standing.status),
        };
        latest = messages.unwrap_or(latest);
        let Some(view) = latest.iter().find(|one| one.message.id == id) else {
            return Err(Error::failed("the message was taken back").into());
        };
        if is_settled(&view.message.stage, answered) {
            return Ok(view.clone());
        }
        // What is seen of it may be seen after its turn has failed.
        let since = view.message.typed_ms.unwrap_or(view.message.since_ms);
        if is_delivered(&view.message.stage)
            && status.since_ms >= since
            && is_lost(&status.activity)
        {
            let word = status.activity.word();
            return Err(Error::failed(format!("it was taken and not answered: {word}")).into());
        }
    }
    let gone = format!("session {session} is gone, or the daemon ended");
    Err(Error::failed(gone).into())
}

fn is_settled(stage: &Stage, answered: bool) -> bool {
    match stage {
        Stage::Queued | Stage::Typing | Stage::Typed => false,
        Stage::Accepted { .. } => !answered,
        Stage::Entered | Stage::Answered { .. } | Stage::NotDelivered { .. } | Stage::Withdrawn => {
            true
        }
    }
}

/// Says whether no answer will come.
fn is_lost(activity: &Activity) -> bool {
    matches!(
        activity,
        Activity::Interrupted | Activity::Failed { .. } | Activity::Done
    )
}

fn is_delivered(stage: &Stage) -> bool {
    matches!(
        stage,
        Stage::Entered | Stage::Accepted { .. } | Stage::Answered { .. }
    )
}

fn words(view: &MessageView) -> String {
    let word = view.message.stage.word();
    match &view.why {
        Some(why) => output::escape(&format!("{word}: {why}")),
        None => word.to_owned(),
    }
}
