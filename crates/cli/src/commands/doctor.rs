//! `clauderon doctor`: what a session needs on this machine, each with its fix. The daemon tries the
//! things; where none comes up, that itself is the finding.

use std::process::ExitCode;

use clap::Args;
use clauderon_api::{Check, DoctorReport, Error, Status};

use crate::context::Context;
use crate::output;

const EXAMPLES: &str = "\
Ends with 1 where sessions cannot run.

Examples:
  clauderon doctor
  clauderon doctor --json | jq '.checks[] | select(.status != \"ok\")'";

/// Check what sessions need on this machine
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Doctor {}

impl Doctor {
    /// Prints the checks.
    pub async fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let mut report = DoctorReport::default();
        match context.connect().await {
            Ok(client) => {
                let info = client.daemon().await?;
                report.checks.push(daemon(&info.version, info.pid));
                report.checks.extend(client.doctor().await?.checks);
            }
            Err(error) => report.checks = without_daemon(&error),
        }
        let worst = report.checks.iter().map(|check| check.status).max();
        context.print(&report, text)?;
        Ok(ExitCode::from(u8::from(worst == Some(Status::Fail))))
    }
}

fn daemon(version: &str, pid: u32) -> Check {
    let ours = env!("CARGO_PKG_VERSION");
    let (status, fix) = match version == ours {
        true => (Status::Ok, None),
        false => (
            Status::Warn,
            Some(format!("This is {ours}: `clauderon daemon restart`.")),
        ),
    };
    Check {
        check: "daemon".to_owned(),
        status,
        detail: format!("version {version}, process {pid}"),
        fix,
    }
}

/// The basics: what can be seen without a daemon.
fn without_daemon(error: &anyhow::Error) -> Vec<Check> {
    let known = error.downcast_ref::<Error>();
    let daemon = Check {
        check: "daemon".to_owned(),
        status: Status::Fail,
        detail: known.map_or_else(|| format!("{error:#}"), |error| error.message.clone()),
        fix: known
            .and_then(|error| error.hint.clone())
            .or_else(|| Some("`clauderon daemon` runs it here and says what is wrong.".to_owned())),
    };
    let programs = [
        ("git", "Install git."),
        ("bwrap", "Install bubblewrap, or start a Docker Engine."),
    ];
    let found = programs.map(|(program, fix)| match find(program) {
        Some(path) => Check {
            check: program.to_owned(),
            status: Status::Ok,
            detail: path.display().to_string(),
            fix: None,
        },
        None => Check {
            check: program.to_owned(),
            status: Status::Warn,
            detail: "not on the PATH".to_owned(),
            fix: Some(fix.to_owned()),
        },
    });
    std::iter::once(daemon).chain(found).collect()
}

fn find(program: &str) -> Option<std::path::PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(|candidate| candidate.is_file())
}

fn text(report: &DoctorReport) -> String {
    let width = report
        .checks
        .iter()
        .map(|check| check.check.chars().count())
        .max();
    let width = width.unwrap_or_default();
    let mut lines = Vec::new();
    for check in &report.checks {
        let word = match check.status {
            Status::Ok => "ok  ",
            Status::Warn => "warn",
            Status::Fail => "FAIL",
        };
        let name = output::escape(&check.check);
        lines.push(format!(
            "{word}  {name:<width$}  {}",
            output::escape(&check.detail)
        ));
        if let Some(fix) = &check.fix {
            lines.push(format!("      {:<width$}  -> {}", "", output::escape(fix)));
        }
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_finding_has_its_fix_below_it() {
        let error = Error::failed("It is broken.").hint("Mend it.").into();
        let checks = without_daemon(&error);
        let text = text(&DoctorReport { checks });
        assert!(
            text.starts_with("FAIL  daemon  It is broken.\n              -> Mend it."),
            "{text}"
        );
    }
}
