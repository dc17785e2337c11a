//! `clauderon info`: what a session sees, may use and uses, and how it is.

use std::process::ExitCode;

use clap::Args;
use clauderon_api::{HealthAction, SessionInfo};

use crate::context::Context;
use crate::output;

const EXAMPLES: &str = "\
Examples:
  clauderon info fix
  clauderon info fix --json | jq .usage";

/// Show what a session sees, may use and uses, and whether it is well
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Info {
    /// The session's name or identifier
    session: String,
}

impl Info {
    /// Prints it.
    pub async fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let client = context.connect().await?;
        let info = client.session_info(&self.session).await?;
        context.print(&info, |info| text(&self.session, info))?;
        Ok(ExitCode::SUCCESS)
    }
}

fn text(name: &str, info: &SessionInfo) -> String {
    let unknown = || "unknown".to_owned();
    let usage = &info.usage;
    let mut lines = vec![
        info.health.sentence.clone(),
        info.isolation.clone(),
        format!(
            "Uses memory {}, processor {}, processes {}, disk {}.",
            usage.memory_bytes.map_or_else(unknown, output::size),
            usage
                .cpu_ms
                .map_or_else(unknown, |ms| format!("{:.1} s", ms as f64 / 1000.0)),
            usage
                .processes
                .map_or_else(unknown, |count| count.to_string()),
            usage.disk_bytes.map_or_else(unknown, output::size),
        ),
    ];
    lines.extend(info.health.actions.iter().map(|action| match action {
        HealthAction::Start => format!("To start it: clauderon start {name}"),
        HealthAction::Recreate => format!("To make its sandbox anew: clauderon recreate {name}"),
        HealthAction::CleanUp => {
            format!("To clean up: clauderon pull {name} && clauderon delete {name}")
        }
    }));
    lines.extend(info.placeholders.iter().cloned());
    let mut text: Vec<String> = lines.iter().map(|line| output::escape(line)).collect();
    let credentials: Vec<[String; 3]> = info
        .credentials
        .iter()
        .map(|one| {
            let source = one.source.clone().unwrap_or_else(|| "nowhere".to_owned());
            [one.name.clone(), source, one.hosts.join(", ")]
        })
        .collect();
    text.push(String::new());
    text.push(output::table(["CREDENTIAL", "FROM", "FOR"], &credentials));
    let mounts: Vec<[String; 3]> = info
        .mounts
        .iter()
        .map(|mount| {
            let access = if mount.writable { "write" } else { "read" };
            [
                mount.target.clone(),
                access.to_owned(),
                mount.source.clone(),
            ]
        })
        .collect();
    text.push(String::new());
    text.push(output::table(["INSIDE", "ACCESS", "HERE"], &mounts));
    text.join("\n")
}
