//! `clauderon config`: what is in force, where it lies, and where credentials come from.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use clauderon_api::{ConfigView, CredentialRow, PathRow};

use crate::context::Context;
use crate::output;

const EXAMPLES: &str = "\
Examples:
  clauderon config show
  clauderon config paths
  clauderon config credentials     where each comes from; values are never shown";

/// Show the configuration
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Config {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Show each setting and where its value comes from
    Show,
    /// Show each file and folder
    Paths,
    /// Show where each credential comes from
    Credentials,
}

impl Config {
    /// Prints the part asked for.
    pub async fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let config = context.connect().await?.config().await?;
        match self.verb {
            Verb::Show => context.print(&config.settings, |_| settings(&config))?,
            Verb::Paths => context.print(&config.paths, |paths| folders(paths))?,
            Verb::Credentials => context.print(&config.credentials, |rows| credentials(rows))?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn settings(config: &ConfigView) -> String {
    let rows: Vec<[String; 3]> = config
        .settings
        .iter()
        .map(|row| [row.key.clone(), row.value.clone(), row.source.clone()])
        .collect();
    output::table(["SETTING", "VALUE", "FROM"], &rows)
}

fn folders(paths: &[PathRow]) -> String {
    let rows: Vec<[String; 2]> = paths
        .iter()
        .map(|row| [row.name.clone(), row.path.display().to_string()])
        .collect();
    output::table(["WHAT", "WHERE"], &rows)
}

fn credentials(rows: &[CredentialRow]) -> String {
    let rows: Vec<[String; 4]> = rows
        .iter()
        .map(|row| {
            [
                row.name.clone(),
                row.source.clone().unwrap_or_else(|| "-".to_owned()),
                row.variables.join(" "),
                row.problem.clone().unwrap_or_default(),
            ]
        })
        .collect();
    output::table(["CREDENTIAL", "FROM", "VARIABLES", "PROBLEM"], &rows)
}
