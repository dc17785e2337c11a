//! `clauderon doctor`: what a session needs on this machine, each with its fix. The daemon tries the
//! things and mends what it can, where a person says so; where none comes up, that itself is the finding.

use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;

use clap::Args;
use clauderon_api::{Check, Client, DoctorReport, Error, Fix, Status};

use crate::context::Context;
use crate::{failure, output};

const EXAMPLES: &str = "\
Ends with 1 where sessions cannot run, or where a repair failed.

Examples:
  clauderon doctor
  clauderon doctor --fix                            asks before each repair
  clauderon doctor --fix --yes
  clauderon doctor --json | jq '.checks[] | select(.status != \"ok\")'";

/// Check what sessions need on this machine
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Doctor {
    /// Offer to repair what can be repaired: install an agent, build the default image
    #[arg(long)]
    fix: bool,
    /// Repair without asking
    #[arg(long, requires = "fix")]
    yes: bool,
}

impl Doctor {
    /// Prints the checks, after the repairs where they were asked for.
    pub async fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        if self.fix && !self.yes && !std::io::stdin().is_terminal() {
            return Err(failure::usage(
                "Nobody can be asked here: standard input is not a terminal.",
                "`clauderon doctor --fix --yes` repairs without asking.",
            ));
        }
        let mut failed = false;
        let report = match context.connect().await {
            Ok(client) => {
                let mut report = report(&client).await?;
                if self.fix {
                    failed = repair(context, &client, &report, self.yes).await?;
                    report = self::report(&client).await?;
                }
                report
            }
            Err(error) => DoctorReport {
                checks: without_daemon(&error),
            },
        };
        let worst = report.checks.iter().map(|check| check.status).max();
        context.print(&report, text)?;
        Ok(ExitCode::from(u8::from(
            failed || worst == Some(Status::Fail),
        )))
    }
}

async fn report(client: &Client) -> anyhow::Result<DoctorReport> {
    let info = client.daemon().await?;
    let mut report = client.doctor().await?;
    report.checks.insert(0, daemon(&info.version, info.pid));
    Ok(report)
}

/// Offers each repair and makes those that are wanted; true says that one failed.
async fn repair(
    context: &Context,
    client: &Client,
    report: &DoctorReport,
    yes: bool,
) -> anyhow::Result<bool> {
    let mut failed = false;
    for check in &report.checks {
        let Some(fix) = check.repair else { continue };
        if !yes && !asked(&check.detail, fix)? {
            continue;
        }
        let mut last = None;
        let progress = |step: &str, percent: Option<u8>| {
            // A bar that moves by one percent is nothing to read line by line.
            let tenth = percent.map(|percent| percent / 10);
            if last.as_ref() != Some(&(step.to_owned(), tenth)) {
                last = Some((step.to_owned(), tenth));
                context.say(&match percent {
                    Some(percent) => format!("{percent:>3} %  {step}"),
                    None => step.to_owned(),
                });
            }
        };
        let said = match client.repair(fix, progress).await {
            Ok(done) => done,
            // The other repairs have nothing to do with this one.
            Err(error) => {
                failed = true;
                format!("{}: {error}", check.check)
            }
        };
        output::note(&output::escape(&said));
    }
    Ok(failed)
}

fn asked(finding: &str, fix: Fix) -> std::io::Result<bool> {
    let question = match fix {
        Fix::InstallClaude => "Install Claude Code?",
        Fix::InstallCodex => "Install Codex?",
        Fix::BuildImage => "Build the default image?",
    };
    let mut to = std::io::stderr().lock();
    write!(
        to,
        "{}. {question} [Y/n] ",
        capital(&output::escape(finding))
    )?;
    to.flush()?;
    let mut answer = String::new();
    let read = std::io::stdin().read_line(&mut answer)?;
    Ok(read > 0
        && matches!(
            answer.trim().to_ascii_lowercase().as_str(),
            "" | "y" | "yes"
        ))
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(char::to_uppercase);
    first.into_iter().flatten().chain(letters).collect()
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
        repair: None,
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
        repair: None,
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
            repair: None,
        },
        None => Check {
            check: program.to_owned(),
            status: Status::Warn,
            detail: "not on the PATH".to_owned(),
            fix: Some(fix.to_owned()),
            repair: None,
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
