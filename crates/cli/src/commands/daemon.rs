//! `clauderon daemon`: the daemon itself, and the running one's state.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::{Args, Subcommand};
use clauderon_api::{Client, DaemonInfo, Error};
use serde_json::json;

use crate::context::Context;
use crate::output;

const EXAMPLES: &str = "\
Every command starts a daemon where none answers; sessions go on without one.

Examples:
  clauderon daemon             in the foreground, with its log on standard error
  clauderon daemon status
  clauderon daemon restart     after a credential in this shell's environment changed";

/// How long a daemon may take to end.
const PATIENCE: Duration = Duration::from_secs(20);

/// Run the daemon in the foreground, or stop, restart or show the running one
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Daemon {
    /// Leave the terminal's session; set by whoever starts a daemon in the background
    #[arg(long, hide = true)]
    detached: bool,
    #[command(subcommand)]
    verb: Option<Verb>,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Stop the running daemon; sessions go on
    Stop,
    /// Show the running daemon
    Status,
    /// Stop the running daemon and start one with this shell's environment
    Restart,
}

impl Daemon {
    /// Says whether this process is to be the daemon.
    pub fn is_foreground(&self) -> bool {
        self.verb.is_none()
    }

    /// Is the daemon until it is asked to end.
    pub fn foreground(self, context: &Context) -> anyhow::Result<ExitCode> {
        if self.detached {
            // Fails only where we lead a session already, which is what we want.
            let _ = rustix::process::setsid();
        }
        clauderon_daemon::run(context.home.clone())?;
        Ok(ExitCode::SUCCESS)
    }

    /// Speaks to the running daemon.
    pub async fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let running = context.running().await;
        match (self.verb, running) {
            (Some(Verb::Restart), running) => {
                if let Some(client) = running {
                    stop(&client).await?;
                }
                let info = context.connect().await?.daemon().await?;
                context.print(&info, text)?;
            }
            (Some(Verb::Stop), Some(client)) => {
                stop(&client).await?;
                context.print(&json!({ "stopped": true }), |_| "Stopped.".to_owned())?;
            }
            (Some(Verb::Stop), None) => {
                context.print(&json!({ "stopped": false }), |_| {
                    "No daemon runs.".to_owned()
                })?;
            }
            (Some(Verb::Status), Some(client)) => {
                context.print(&client.daemon().await?, text)?;
            }
            (Some(Verb::Status), None) | (None, _) => {
                return Err(Error::not_found("No daemon runs.")
                    .hint("Any command starts one; `clauderon daemon` runs it here.")
                    .into());
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Asks a daemon to end and waits until its process is gone.
async fn stop(client: &Client) -> anyhow::Result<()> {
    let info = client.daemon().await?;
    client.stop_daemon().await?;
    let asked = Instant::now();
    while alive(info.pid) {
        if asked.elapsed() > PATIENCE {
            return Err(Error::failed(format!(
                "The daemon (process {}) was asked to end {} s ago and still runs.",
                info.pid,
                PATIENCE.as_secs()
            ))
            .hint(format!("`kill {}` ends it; sessions go on.", info.pid))
            .into());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}

fn alive(pid: u32) -> bool {
    let Some(pid) = i32::try_from(pid)
        .ok()
        .and_then(rustix::process::Pid::from_raw)
    else {
        return false;
    };
    // A process that ended but was not waited for (its parent is a test) answers signals still.
    let zombie =
        std::fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).is_ok_and(|stat| {
            stat.rsplit(") ")
                .next()
                .is_some_and(|rest| rest.starts_with('Z'))
        });
    !zombie && rustix::process::test_kill_process(pid).is_ok()
}

fn text(info: &DaemonInfo) -> String {
    format!(
        "clauderon {} runs as process {} for {}, home {}",
        info.version,
        info.pid,
        output::ago(output::now_ms(), info.started_ms),
        info.home.display()
    )
}
