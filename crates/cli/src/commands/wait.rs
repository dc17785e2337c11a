//! `clauderon wait`: until a session's agent has come so far.

use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, ValueEnum};
use clauderon_api::{ConversationEvent, ConversationStanding, Error, ErrorCode};
use clauderon_transcript::Activity;

use crate::context::Context;

const EXAMPLES: &str = "\
Ends with 0 once the agent does what was waited for, with 1 where it ended or failed instead, or the time was up.

Examples:
  clauderon wait fix --for idle                  until it has answered
  clauderon wait fix --for attention             until it wants something of you, or is idle
  clauderon wait fix --for done --timeout 600    until it ended, ten minutes at most";

/// Wait until a session's agent is idle, needs you, or has ended
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Wait {
    /// The session's name or identifier
    session: String,
    /// What to wait for
    #[arg(long = "for", value_name = "WHAT", default_value = "idle")]
    what: What,
    /// Give up after this many seconds
    #[arg(long, value_name = "SECONDS")]
    timeout: Option<u64>,
}

/// What can be waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum What {
    /// It has answered and waits.
    Idle,
    /// It wants something of a person, or is idle, or has ended.
    Attention,
    /// It ended.
    Done,
}

impl Wait {
    /// Waits.
    pub async fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let limit = self.timeout.map_or(Duration::MAX, Duration::from_secs);
        let Ok(standing) = tokio::time::timeout(limit, self.until(context)).await else {
            let sentence = format!("session {} did not get there in time", self.session);
            return Err(Error::failed(sentence).into());
        };
        let standing = standing?;
        context.print(&standing.status.activity, |activity| match &standing.held {
            Some(held) => held.sentence.clone(),
            None => activity.word().to_owned(),
        })?;
        Ok(match self.what.is_met_by(&standing) {
            Some(true) => ExitCode::SUCCESS,
            Some(false) | None => ExitCode::FAILURE,
        })
    }

    async fn until(&self, context: &Context) -> anyhow::Result<ConversationStanding> {
        let client = context.connect().await?;
        let mut followed = client.follow_conversation(&self.session).await?;
        while let Some(event) = followed.next().await? {
            let standing = match event {
                ConversationEvent::State(view) => view.standing,
                ConversationEvent::News(news) => news.standing,
            };
            if self.what.is_met_by(&standing).is_some() {
                return Ok(standing);
            }
        }
        let gone = format!("session {} is gone, or the daemon ended", self.session);
        Err(Error::new(ErrorCode::Failed, gone).into())
    }
}

impl What {
    /// Says whether it is met; none where it is worth waiting on.
    fn is_met_by(self, standing: &ConversationStanding) -> Option<bool> {
        match &standing.status.activity {
            // It works on, and nothing comes of it before somebody decides.
            _ if standing.held.is_some() && self == Self::Attention => Some(true),
            Activity::Working { .. } | Activity::Unknown => None,
            Activity::Idle | Activity::Interrupted => (self != Self::Done).then_some(true),
            Activity::NeedsApproval { .. } | Activity::NeedsInput { .. } | Activity::Stuck => {
                (self == Self::Attention).then_some(true)
            }
            Activity::Done => Some(self != Self::Idle),
            Activity::Failed { .. } => Some(self == Self::Attention),
        }
    }
}
