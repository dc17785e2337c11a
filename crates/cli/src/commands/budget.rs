//! `clauderon budget`: what a session may spend.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use clauderon_api::{Budget, Cap, Client, Error, Session, SetBudget};

use crate::context::Context;

const EXAMPLES: &str = "\
The proxy counts what the model's service says that each answer cost; nothing inside the sandbox has a say in it.
At 80 % you are told. When it is used up, the next request waits at the gate: the agent is not ended, and goes on when you
raise the budget. docs/conversation.md says how far a budget can be passed.

Examples:
  clauderon create --budget 5usd
  clauderon budget fix                 how much is used
  clauderon budget fix set 10usd       10 dollars in all
  clauderon budget fix set 2Mtokens    2,000,000 tokens in all, the cache's included
  clauderon budget fix raise 5usd      5 dollars more than now
  clauderon budget fix lift            as much as it likes";

/// Show, set, raise or lift what a session may spend
#[derive(Debug, Args)]
#[command(name = "budget", after_help = EXAMPLES)]
pub struct ChangeBudget {
    /// The session's name or identifier
    session: String,
    #[command(subcommand)]
    verb: Option<Verb>,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Let it spend so much in all
    Set {
        /// Such as 5usd, 2.50usd, 2000000tokens or 2Mtokens
        budget: Budget,
    },
    /// Let it spend so much more than now
    Raise {
        /// Such as 5usd or 500ktokens
        by: Budget,
    },
    /// Let it spend as much as it likes
    Lift,
}

impl ChangeBudget {
    /// Shows it, or changes it.
    pub async fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let client = context.connect().await?;
        let name = &self.session;
        let session = match self.verb {
            None => client.session(name).await?,
            Some(Verb::Set { budget }) => set(&client, name, Cap::At(budget)).await?,
            Some(Verb::Lift) => set(&client, name, Cap::Lifted).await?,
            Some(Verb::Raise { by }) => {
                let raised = raised(&client.session(name).await?, by)?;
                set(&client, name, Cap::At(raised)).await?
            }
        };
        context.print(&session, text)?;
        Ok(ExitCode::SUCCESS)
    }
}

async fn set(client: &Client, name: &str, budget: Cap) -> Result<Session, Error> {
    client.set_budget(name, SetBudget { budget }).await
}

fn raised(session: &Session, by: Budget) -> Result<Budget, Error> {
    let name = &session.name;
    let Some(now) = &session.budget else {
        return Err(Error::conflict(format!("session {name} has no budget"))
            .hint(format!("set one with `clauderon budget {name} set {by}`")));
    };
    now.budget.plus(by).ok_or_else(|| {
        let words = &now.words;
        Error::usage(format!(
            "the budget of {name} is {words}, which {by} cannot be added to"
        ))
        .hint("raise it in its own unit, or set another")
    })
}

fn text(session: &Session) -> String {
    let name = &session.name;
    let Some(budget) = &session.budget else {
        return format!("{name} has no budget.");
    };
    let dollars = match budget.dollars {
        Some(dollars) => format!(" (${dollars:.2})"),
        None => String::new(),
    };
    let used = format!(
        "{name} used {:.0} % of {}: {} tokens{dollars}.",
        (budget.share * 100.0).floor(),
        budget.words,
        budget.tokens
    );
    match &budget.held {
        Some(held) => format!("{used}\n{}", held.sentence),
        None => used,
    }
}
