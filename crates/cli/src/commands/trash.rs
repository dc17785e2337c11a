//! `clauderon trash`: deleted sessions, restored or gone for good.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use clauderon_api::TrashRow;
use serde_json::json;

use super::delete::confirmed;
use crate::context::Context;
use crate::output;

const EXAMPLES: &str = "\
A deleted session is kept for 7 days with all its work.

Examples:
  clauderon trash
  clauderon trash restore fix
  clauderon trash purge --yes fix
  clauderon trash empty";

/// List, restore and purge deleted sessions
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Trash {
    #[command(subcommand)]
    verb: Option<Verb>,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List what can be restored
    List,
    /// Bring a session back, stopped
    Restore {
        /// The session's identifier, or its name: of several the last deleted
        session: String,
    },
    /// Delete a session in the trash for good
    Purge {
        /// The session's identifier, or its name: of several the last deleted
        session: String,
        /// Do not ask
        #[arg(short, long)]
        yes: bool,
    },
    /// Delete everything in the trash for good
    Empty {
        /// Do not ask
        #[arg(short, long)]
        yes: bool,
    },
}

impl Trash {
    /// Does it.
    pub async fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let client = context.connect().await?;
        match self.verb.unwrap_or(Verb::List) {
            Verb::List => {
                context.print(&client.trash().await?, |rows| text(rows, output::now_ms()))?
            }
            Verb::Restore { session } => {
                let restored = client.restore_session(&session).await?;
                context.print(&restored, |session| {
                    let name = &session.name;
                    let last = session.notices.last();
                    let renamed = last.filter(|notice| notice.starts_with("It was restored as"));
                    let said = renamed.map_or(String::new(), |notice| format!(" {notice}"));
                    output::escape(&format!(
                        "Restored {name}.{said} `clauderon start {name}` goes on."
                    ))
                })?;
            }
            Verb::Purge { session, yes } => {
                if !yes && !confirmed(&format!("Delete {session} for good, with all its work?"))? {
                    return Ok(ExitCode::FAILURE);
                }
                client.purge_session(&session).await?;
                context.print(&json!({ "purged": [session] }), |_| {
                    output::escape(&format!("Deleted {session} for good."))
                })?;
            }
            Verb::Empty { yes } => {
                let rows = client.trash().await?;
                let question = match rows.len() {
                    1 => "Delete 1 session for good, with all its work?".to_owned(),
                    many => format!("Delete {many} sessions for good, with all their work?"),
                };
                if !yes && !rows.is_empty() && !confirmed(&question)? {
                    return Ok(ExitCode::FAILURE);
                }
                client.empty_trash().await?;
                let names: Vec<_> = rows.into_iter().map(|row| row.name).collect();
                context.print(&json!({ "purged": names }), |_| {
                    "The trash is empty.".to_owned()
                })?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn text(rows: &[TrashRow], now_ms: u64) -> String {
    if rows.is_empty() {
        return "The trash is empty.".to_owned();
    }
    let rows: Vec<[String; 5]> = rows
        .iter()
        .map(|row| {
            [
                row.id.clone(),
                row.title.clone().unwrap_or_else(|| row.name.clone()),
                output::ago(now_ms, row.deleted_ms),
                output::ago(row.until_ms, now_ms),
                output::size(row.bytes),
            ]
        })
        .collect();
    output::table(["ID", "NAME", "DELETED", "KEPT FOR", "SIZE"], &rows)
}
