//! `clauderon accounts`: the credentials, where each comes from, kept and removed. A value is read from a hidden prompt or from
//! standard input, never from an argument: those are seen by everybody on the machine.

mod sign_in;
mod value;

use std::process::ExitCode;

use clap::{Args, Subcommand, ValueEnum};
use clauderon_api::{
    Account, AccountCheck, AccountsView, Error, Keychain, Place as WirePlace, SaveAccount,
};

use crate::context::Context;
use crate::output;

const EXAMPLES: &str = "\
Examples:
  clauderon accounts                                 where each comes from; values are never shown
  clauderon accounts set anthropic_oauth_token       asks for the value and keeps it in the keychain
  pass show github | clauderon accounts set github_token --place file
  clauderon accounts check github_token              asks the service whether it works, and how far it reaches
  clauderon accounts sign-in anthropic_oauth_token   signs in to Claude in your browser
  clauderon accounts remove github_token";

/// Show, keep, check and remove credentials
#[derive(Debug, Args)]
#[command(visible_alias = "account", after_help = EXAMPLES)]
pub struct Accounts {
    #[command(subcommand)]
    verb: Option<Verb>,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Show each credential and where it comes from
    List,
    /// Keep a value, read from a hidden prompt or from standard input
    Set {
        /// The credential, as `clauderon accounts` names it
        name: String,
        /// Where to keep it; nothing is ever kept in a file unasked
        #[arg(long, value_enum, default_value_t = Place::Keychain)]
        place: Place,
    },
    /// Remove a value that is kept in the keychain or in a file
    Remove {
        /// The credential
        name: String,
    },
    /// Sign in with the agent's own sign-in, and keep the result in the keychain
    SignIn {
        /// The credential
        #[arg(default_value = "anthropic_oauth_token")]
        name: String,
    },
    /// Ask the service whether a credential works
    Check {
        /// The credential
        name: String,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Place {
    /// The system's keychain
    Keychain,
    /// A file in secrets/ that only you can read
    File,
}

impl Accounts {
    /// Does the part asked for.
    pub async fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        match self.verb.unwrap_or(Verb::List) {
            Verb::List => {
                let view = context.connect().await?.accounts().await?;
                context.print(&view, list)?;
            }
            Verb::Set { name, place } => set(context, &name, place).await?,
            Verb::Remove { name } => {
                let account = context.connect().await?.remove_account(&name).await?;
                context.print(&account, |account| match &account.source {
                    None => format!("Removed {}.", account.name),
                    Some(source) => {
                        format!("Removed {}; it now comes from the {source}.", account.name)
                    }
                })?;
            }
            Verb::SignIn { name } => sign_in::run(context, &name).await?,
            Verb::Check { name } => {
                let check = context.connect().await?.check_account(&name).await?;
                context.print(&check, checked)?;
                return Ok(ExitCode::from(u8::from(!check.ok)));
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

async fn set(context: &Context, name: &str, place: Place) -> anyhow::Result<()> {
    let client = context.connect().await?;
    let view = client.accounts().await?;
    if !view.accounts.iter().any(|account| account.name == name) {
        let names: Vec<&str> = view
            .accounts
            .iter()
            .map(|account| account.name.as_str())
            .collect();
        return Err(Error::not_found(format!("There is no account {name:?}."))
            .hint(format!("There are {}.", names.join(", ")))
            .into());
    }
    let save = SaveAccount {
        value: value::read(name)?,
        place: match place {
            Place::Keychain => WirePlace::Keychain,
            Place::File => WirePlace::File,
        },
    };
    let account = client.save_account(name, &save).await?;
    context.print(&account, |account| match &account.problem {
        None => format!(
            "Kept {} in the {}.",
            account.name,
            account.source.as_deref().unwrap_or("vault")
        ),
        Some(problem) => format!("Kept {}. {problem}", account.name),
    })
}

fn list(view: &AccountsView) -> String {
    let rows: Vec<[String; 4]> = view
        .accounts
        .iter()
        .map(|account| {
            [
                account.name.clone(),
                account.label.clone(),
                account.source.clone().unwrap_or_else(|| "-".to_owned()),
                note(account),
            ]
        })
        .collect();
    let table = output::table(["ACCOUNT", "WHAT", "FROM", "NOTE"], &rows);
    format!("{table}\n\n{}", output::escape(&keychain(&view.keychain)))
}

fn note(account: &Account) -> String {
    let checked = account.checked.as_ref().map(|check| check.sentence.clone());
    account.problem.clone().or(checked).unwrap_or_default()
}

fn keychain(keychain: &Keychain) -> String {
    match keychain {
        Keychain::Open { name } => format!("Keychain: open ({name})"),
        Keychain::Locked { hint } => format!("Keychain: locked. {hint}"),
        Keychain::Absent { hint } => format!("Keychain: none. {hint}"),
    }
}

fn checked(check: &AccountCheck) -> String {
    let lines = [Some(&check.sentence), check.wide.as_ref()];
    lines
        .into_iter()
        .flatten()
        .map(|line| output::escape(line))
        .collect::<Vec<_>>()
        .join("\n")
}
