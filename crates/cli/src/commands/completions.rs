//! `clauderon completions`: what a shell needs to complete our words.

use std::process::ExitCode;

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::output;

const EXAMPLES: &str = "\
Examples:
  clauderon completions bash > ~/.local/share/bash-completion/completions/clauderon
  clauderon completions zsh > ~/.zfunc/_clauderon";

/// Print a shell's completion script
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Completions {
    /// The shell
    shell: Shell,
}

impl Completions {
    /// Prints it.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let mut script = Vec::new();
        let mut command = super::Cli::command();
        clap_complete::generate(self.shell, &mut command, "clauderon", &mut script);
        output::raw(&script)?;
        Ok(ExitCode::SUCCESS)
    }
}
