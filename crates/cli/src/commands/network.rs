//! `clauderon network`: every session's way out, paused and resumed.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use clauderon_api::Network;

use crate::context::Context;

const EXAMPLES: &str = "\
While it is paused every request of every session is refused with the code `network_paused`; answers that are under way
arrive. Agents try again by themselves for a few minutes. It stays paused until you resume it, also when the daemon restarts.

Examples:
  clauderon network
  clauderon network pause
  clauderon network resume";

/// Pause every session's network, and resume it
#[derive(Debug, Args)]
#[command(name = "network", after_help = EXAMPLES)]
pub struct SetNetwork {
    #[command(subcommand)]
    verb: Option<Verb>,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Refuse every request of every session
    Pause,
    /// Let requests through again
    Resume,
}

impl SetNetwork {
    /// Pauses, resumes, or says how it is.
    pub async fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let client = context.connect().await?;
        let network = match self.verb {
            None => client.network().await?,
            Some(Verb::Pause) => client.set_network(Network { paused: true }).await?,
            Some(Verb::Resume) => client.set_network(Network { paused: false }).await?,
        };
        context.print(&network, |network| match network.paused {
            true => PAUSED.to_owned(),
            false => "The network is not paused.".to_owned(),
        })?;
        Ok(ExitCode::SUCCESS)
    }
}

/// What is said wherever it matters.
pub const PAUSED: &str =
    "The network of all sessions is paused; `clauderon network resume` lets them go on.";
