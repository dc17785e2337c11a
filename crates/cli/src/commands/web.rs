//! `clauderon web`: a link that opens the window's page in a browser on this machine.

use std::process::ExitCode;

use clap::Args;

use crate::context::Context;

const EXAMPLES: &str = "\
The link signs one browser in, once, within ten minutes. It needs a daemon that serves the page:
`clauderon daemon --http-port 0`.

Examples:
  clauderon web";

/// Print a link that opens the window's page in a browser on this machine
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Web {}

impl Web {
    /// Asks for a link and prints it.
    pub async fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let link = context.connect().await?.web_link().await?;
        context.print(&link, |link| link.url.clone())?;
        Ok(ExitCode::SUCCESS)
    }
}
