//! `clauderon audit`: what left the sandboxes, and whether the record of it is whole.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use clauderon_api::{AuditQuery, AuditReport, AuditRow};
use futures_util::StreamExt;

use crate::context::Context;
use crate::output;

const EXAMPLES: &str = "\
Examples:
  clauderon audit tail -n 50
  clauderon audit tail --session fix --follow --json
  clauderon audit verify";

/// Read and check the record of all that left a sandbox
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Audit {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Print the last records
    Tail {
        /// How many
        #[arg(short, default_value_t = 20)]
        n: usize,
        /// Only this session's
        #[arg(long)]
        session: Option<String>,
        /// Go on with each new record
        #[arg(short, long)]
        follow: bool,
    },
    /// Check the chain from its first record to its signed head
    Verify,
}

impl Audit {
    /// Prints or checks.
    pub async fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let client = context.connect().await?;
        match self.verb {
            Verb::Tail { n, session, follow } => {
                let query = AuditQuery {
                    session,
                    n: Some(n),
                    follow,
                };
                let mut rows = client.audit(&query).await?;
                while let Some(row) = rows.next().await {
                    let row = row?;
                    match context.json {
                        true => output::json_line(&row)?,
                        false => output::line(&text(&row))?,
                    }
                }
                Ok(ExitCode::SUCCESS)
            }
            Verb::Verify => {
                let report = client.verify_audit().await?;
                context.print(&report, verdict)?;
                Ok(ExitCode::from(u8::from(!report.ok)))
            }
        }
    }
}

fn text(row: &AuditRow) -> String {
    let mut words = vec![
        row.at.clone(),
        row.session.clone(),
        row.kind.clone(),
        format!("{} {}:{}{}", row.method, row.host, row.port, row.path),
        row.decision.clone(),
        row.rule.clone(),
        row.note.clone(),
    ];
    if let Some(name) = &row.auth_injected {
        words.push(format!("with {name}"));
    }
    if let Some(status) = row.status {
        words.push(format!(
            "{status} up {} down {} in {} ms",
            row.bytes_up, row.bytes_down, row.duration_ms
        ));
    }
    words.retain(|word| !word.is_empty());
    output::escape(&words.join("  "))
}

fn verdict(report: &AuditReport) -> String {
    let whole = if report.ok { "whole" } else { "broken" };
    let anchor = if report.anchored { "" } else { ", unanchored" };
    let mut lines = vec![format!("{} records, {whole}{anchor}", report.records)];
    lines.extend(
        report
            .findings
            .iter()
            .map(|finding| output::escape(finding)),
    );
    lines.join("\n")
}
