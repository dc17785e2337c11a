//! `clauderon daemon`: the daemon itself, and the running one's state.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::{Args, Subcommand};
use clauderon_api::{Client, DaemonInfo, Error};
use clauderon_daemon::Web;
use serde_json::json;

use crate::context::Context;
use crate::output;

const EXAMPLES: &str = "\
Every command starts a daemon where none answers; sessions go on without one.

Examples:
  clauderon daemon             in the foreground, with its log on standard error
  clauderon daemon status
  clauderon daemon --http-port 0   also serve the window's page to a browser on this machine
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
    /// Also serve the window's page on this loopback port (0: a free one) and print a link to it
    #[arg(long, value_name = "PORT")]
    http_port: Option<u16>,
    /// The folder of the page, where it is not the one beside this program
    #[arg(long, value_name = "DIR", requires = "http_port")]
    ui_dir: Option<PathBuf>,
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
        let web = self.http_port.map(|port| Web {
            port,
            folder: self.ui_dir,
        });
        clauderon_daemon::run(context.home.clone(), web, |link| {
            // Nobody reads it: the daemon serves all the same, and `clauderon web` makes another.
            let _ = output::line(link);
        })?;
        Ok(ExitCode::SUCCESS)
    }

    /// Speaks to the running daemon.
    pub async fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let running = context.running().await;
        match (self.verb, running) {
            (Some(Verb::Restart), running) => {
                if let Some(client) = running {
                    stop(context, &client).await?;
                }
                let info = context.connect().await?.daemon().await?;
                context.print(&info, text)?;
            }
            (Some(Verb::Stop), Some(client)) => {
                stop(context, &client).await?;
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

/// Asks a daemon to end and waits until it has: until another answers in its place, or its lock is free.
///
/// Its process may go on, where it is the window's.
async fn stop(context: &Context, client: &Client) -> anyhow::Result<()> {
    let info = client.daemon().await?;
    client.stop_daemon().await?;
    let asked = Instant::now();
    while asked.elapsed() < PATIENCE {
        match client.daemon().await {
            Ok(now) if now.started_ms == info.started_ms => {}
            Ok(_) => return Ok(()),
            Err(_) if is_free(&context.home.join("daemon.lock")) => return Ok(()),
            Err(_) => {}
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Err(Error::failed(format!(
        "The daemon (process {}) was asked to end {} s ago and still runs.",
        info.pid,
        PATIENCE.as_secs()
    ))
    .hint(format!("`kill {}` ends it; sessions go on.", info.pid))
    .into())
}

/// Says whether nobody holds the lock of the one daemon.
fn is_free(lock: &Path) -> bool {
    std::fs::File::open(lock).map_or(true, |lock| lock.try_lock().is_ok())
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
