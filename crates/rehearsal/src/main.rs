//! Runs a rehearsal until it is interrupted: for trying an agent, a proxy or a policy by hand.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use clap::Parser;
use clauderon_rehearsal::{Lines, Options, Rehearsal};

/// The scripted upstream: Anthropic, OpenAI and GitHub without any of them.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// Where to listen
    #[arg(long, default_value = "127.0.0.1:9443")]
    listen: SocketAddr,
    /// Write the certificate to trust to this file
    #[arg(long, value_name = "FILE")]
    ca_out: Option<PathBuf>,
    /// Serve the bare repositories OWNER/NAME.git in this folder as github.com
    #[arg(long, value_name = "DIR")]
    repositories: Option<PathBuf>,
    /// A repository that needs a credential
    #[arg(long, value_name = "OWNER/NAME")]
    private: Vec<String>,
    /// One more host to serve, with /echo, /redirect, /status and /bytes
    #[arg(long = "host", value_name = "HOST")]
    hosts: Vec<String>,
    /// What is said to prompts that hold no script: a JSON object of prompts, each with its steps
    #[arg(long, value_name = "FILE")]
    lines: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let lines = match &arguments.lines {
        Some(file) => read_lines(file).with_context(|| format!("read {}", file.display()))?,
        None => Lines::default(),
    };
    let rehearsal = Rehearsal::start(Options {
        listen: arguments.listen,
        extra_hosts: arguments.hosts,
        repositories: arguments.repositories,
        private: arguments.private,
        github_token: None,
        lines,
    })
    .await?;
    if let Some(file) = &arguments.ca_out {
        std::fs::write(file, rehearsal.ca_pem())
            .with_context(|| format!("write {}", file.display()))?;
    }
    writeln!(std::io::stdout(), "listening on {}", rehearsal.addr())
        .context("say where it listens")?;
    tokio::signal::ctrl_c()
        .await
        .context("wait for an interrupt")?;
    rehearsal.stop().await;
    Ok(())
}

fn read_lines(file: &Path) -> Result<Lines> {
    let known: BTreeMap<String, serde_json::Value> = serde_json::from_slice(&std::fs::read(file)?)?;
    known
        .iter()
        .try_fold(Lines::default(), |lines, (prompt, steps)| {
            lines
                .with(prompt, &format!("SCRIPT:{steps}"))
                .with_context(|| format!("the steps of {prompt:?}"))
        })
}
