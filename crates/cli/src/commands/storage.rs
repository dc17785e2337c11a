//! `clauderon storage`: how much room sessions, the trash, the agents and the logs take.

use std::process::ExitCode;

use clap::Args;
use clauderon_api::StorageView;

use crate::context::Context;
use crate::output;

const EXAMPLES: &str = "\
Counted anew each time; a session's row is its whole folder.

Examples:
  clauderon storage
  clauderon storage --json | jq '.sessions[] | select(.bytes > 1e9) | .name'";

/// Show how much room the sessions take
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Storage {}

impl Storage {
    /// Prints the sizes.
    pub async fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let view = context.connect().await?.storage().await?;
        context.print(&view, text)?;
        Ok(ExitCode::SUCCESS)
    }
}

fn text(view: &StorageView) -> String {
    let mut rows: Vec<[String; 2]> = view
        .sessions
        .iter()
        .map(|row| [row.name.clone(), output::size(row.bytes)])
        .collect();
    for (what, bytes) in [
        ("(trash)", view.trash_bytes),
        ("(agents)", view.agents_bytes),
        ("(logs)", view.logs_bytes),
        ("(free)", view.free_bytes),
    ] {
        rows.push([what.to_owned(), output::size(bytes)]);
    }
    output::table(["SESSION", "SIZE"], &rows)
}
