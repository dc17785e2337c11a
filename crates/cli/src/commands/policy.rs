//! `clauderon policy`: what a session may reach, what it was refused, and granting a host.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use clauderon_api::{AllowHost, PolicyView, RefusedRow};

use crate::context::Context;
use crate::output;

const EXAMPLES: &str = "\
Only a person widens a policy; the agent cannot.

Examples:
  clauderon policy recent fix                   what was refused, and what to do
  clauderon policy allow fix docs.example.com   from the next request on
  clauderon policy show fix --json";

/// See and widen what a session may reach
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Policy {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Show the preset and the grants
    Show {
        /// The session's name or identifier
        session: String,
    },
    /// Show what was refused lately
    Recent {
        /// The session's name or identifier
        session: String,
    },
    /// Grant a host, without any credential
    Allow {
        /// The session's name or identifier
        session: String,
        /// `host` or `host:port`
        host: String,
        /// Grant it to every session of the same repository, now and later
        #[arg(long)]
        always: bool,
    },
}

impl Policy {
    /// Shows or grants.
    pub async fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let client = context.connect().await?;
        match self.verb {
            Verb::Show { session } => context.print(&client.policy(&session).await?, shown)?,
            Verb::Recent { session } => {
                let refused = client.policy(&session).await?.refused;
                context.print(&refused, |refused| recent(refused, output::now_ms()))?;
            }
            Verb::Allow {
                session,
                host,
                always,
            } => {
                let grant = AllowHost { host, always };
                context.print(&client.allow_host(&session, &grant).await?, shown)?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn shown(policy: &PolicyView) -> String {
    let mut lines = vec![format!("policy {}", policy.posture)];
    for grant in &policy.grants {
        let always = if grant.always {
            "  (every session of this repository)"
        } else {
            ""
        };
        let host = output::escape(&grant.host);
        lines.push(format!("allow  {host}:{}{always}", grant.port));
    }
    lines.join("\n")
}

fn recent(refused: &[RefusedRow], now_ms: u64) -> String {
    if refused.is_empty() {
        return "Nothing was refused.".to_owned();
    }
    let rows: Vec<[String; 5]> = refused
        .iter()
        .map(|row| {
            let method = row.method.as_deref().unwrap_or("CONNECT");
            let path = row.path.as_deref().unwrap_or_default();
            [
                output::ago(now_ms, row.at_ms),
                format!("{}x", row.count),
                format!("{method} {}:{}{path}", row.host, row.port),
                row.code.clone(),
                row.hint.clone().unwrap_or_default(),
            ]
        })
        .collect();
    output::table(["AGO", "TIMES", "REQUEST", "CODE", "WHAT TO DO"], &rows)
}
