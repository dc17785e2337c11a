//! `clauderon messages`: what was sent to a session's agent, and how far each message came.

use std::process::ExitCode;

use clap::Args;
use clauderon_api::{ChangeMessage, MessageChange, MessageView};

use crate::context::Context;
use crate::output;

const EXAMPLES: &str = "\
Examples:
  clauderon messages fix
  clauderon messages fix --retry NAME       type one again that was not delivered
  clauderon messages fix --withdraw NAME    take one back that was not typed, or put one aside
  clauderon messages fix --now NAME         type one although the agent works";

/// Show how far each message to a session's agent came
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Messages {
    /// The session's name or identifier
    session: String,
    /// Type this one again, which was not delivered
    #[arg(long, value_name = "NAME", group = "deed")]
    retry: Option<String>,
    /// Take this one back
    #[arg(long, value_name = "NAME", group = "deed")]
    withdraw: Option<String>,
    /// Type this one although the agent works
    #[arg(long, value_name = "NAME", group = "deed")]
    now: Option<String>,
}

impl Messages {
    /// Shows or changes them.
    pub async fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let client = context.connect().await?;
        let session = &self.session;
        let changed = |id, change| ChangeMessage { id, change };
        let views = match (self.retry, self.withdraw, self.now) {
            (Some(id), ..) => {
                let change = changed(id, MessageChange::Retry);
                vec![client.change_message(session, &change).await?]
            }
            (_, Some(id), _) => vec![client.withdraw_message(session, &id).await?],
            (.., Some(id)) => {
                let change = changed(id, MessageChange::Now);
                vec![client.change_message(session, &change).await?]
            }
            (None, None, None) => client.messages(session).await?,
        };
        context.print(&views, |views| text(views))?;
        Ok(ExitCode::SUCCESS)
    }
}

/// Characters of a message that are shown.
const SHOWN: usize = 50;

fn text(views: &[MessageView]) -> String {
    let rows: Vec<_> = views.iter().map(row).collect();
    output::table(["NAME", "STAGE", "TEXT", "WHY"], &rows)
}

fn row(view: &MessageView) -> [String; 4] {
    let message = &view.message;
    let line = message.text.lines().next().unwrap_or_default();
    [
        message.id.clone(),
        message.stage.word().to_owned(),
        line.chars().take(SHOWN).collect(),
        view.why.clone().unwrap_or_default(),
    ]
}
