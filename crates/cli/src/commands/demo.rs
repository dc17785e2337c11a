//! Placeholder.
use std::process::ExitCode;

use clap::Args;

use crate::context::Context;

/// Show one session at work, with a scripted model and no account
#[derive(Debug, Args)]
#[command(after_help = "clauderon demo")]
pub struct Demo {}

impl Demo {
    /// Shows it.
    pub async fn run(self, _: &Context) -> anyhow::Result<ExitCode> {
        anyhow::bail!("not yet")
    }
}
