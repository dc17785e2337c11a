//! The command line: every verb of Clauderon, one file a subcommand.
//!
//! It parses, asks the daemon and prints; it decides nothing about sessions and holds no state.

mod attach;
mod commands;
mod context;
mod failure;
mod launch;
mod output;

use std::process::ExitCode;

use clap::Parser;

use commands::{Cli, Command};
use context::Context;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let json = cli.json;
    let outcome = Context::new(&cli).and_then(|context| run(cli.command, context));
    outcome.unwrap_or_else(|error| failure::report(&error, json))
}

fn run(command: Command, context: Context) -> anyhow::Result<ExitCode> {
    // The daemon makes its own runtimes, and completions need none.
    let command = match command.without_runtime(&context)? {
        commands::Ready::Done(code) => return Ok(code),
        commands::Ready::Needs(command) => command,
    };
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(command.run(&context))
}
