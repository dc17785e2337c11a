//! Starts a daemon in the background and waits until it answers.
//!
//! The daemon keeps this shell's environment, since that is one of the sources of credentials; it
//! has a session of its own, so that closing the terminal does not end it.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use clauderon_api::{Client, Error, ErrorCode};

use crate::context::Context;

/// How long a daemon may take to answer.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often it is asked.
const INTERVAL: Duration = Duration::from_millis(15);
/// When a person is told that we wait.
const SILENCE: Duration = Duration::from_secs(1);

/// Starts a daemon and waits until it answers.
pub async fn daemon(context: &Context) -> anyhow::Result<Client> {
    let (mut log, logged) = open_log(&context.home)?;
    let mut child = spawn(context, &log)?;
    let started = Instant::now();
    let mut said = false;
    // A daemon that another command started a moment before ours makes ours step aside.
    let mut stepped_aside = false;
    while started.elapsed() < PATIENCE {
        if let Some(client) = context.running().await {
            return Ok(client);
        }
        if !stepped_aside && let Some(status) = child.try_wait().context("wait for the daemon")? {
            stepped_aside = status.code() == Some(i32::from(ErrorCode::Conflict.exit_code()));
            if !stepped_aside {
                return Err(failure(&mut log, logged, status.code()).into());
            }
        }
        if !said && started.elapsed() > SILENCE {
            context.say("Starting the daemon…");
            said = true;
        }
        tokio::time::sleep(INTERVAL).await;
    }
    Err(Error::failed(format!(
        "The daemon did not answer within {} s.",
        PATIENCE.as_secs()
    ))
    .hint(format!("Its log is {}.", log_path(&context.home).display()))
    .into())
}

fn spawn(context: &Context, log: &File) -> anyhow::Result<Child> {
    let program = std::env::current_exe().context("find this program")?;
    Command::new(program)
        .args(["daemon", "--detached"])
        .env("CLAUDERON_HOME", &context.home)
        .current_dir(&context.home)
        .stdin(Stdio::null())
        .stdout(log.try_clone().context("share the daemon's log")?)
        .stderr(log.try_clone().context("share the daemon's log")?)
        .spawn()
        .context("start the daemon")
}

fn log_path(home: &Path) -> std::path::PathBuf {
    home.join("logs").join("daemon.log")
}

/// Opens the log for appending and returns its length.
fn open_log(home: &Path) -> Result<(File, u64), Error> {
    let path = log_path(home);
    let opened = std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(home.join("logs"))
        .and_then(|()| {
            OpenOptions::new()
                .create(true)
                .append(true)
                .read(true)
                .mode(0o600)
                .open(&path)
        })
        .and_then(|file| file.metadata().map(|metadata| (file, metadata.len())));
    opened.map_err(|why| {
        Error::failed(format!("{} cannot be written: {why}.", path.display()))
            .hint("Set CLAUDERON_HOME to a folder that can be written.")
    })
}

/// Tells why the daemon ended, in its own last words.
fn failure(log: &mut File, from: u64, code: Option<i32>) -> Error {
    let mut words = Vec::new();
    let read = log
        .seek(SeekFrom::Start(from))
        .and_then(|_| log.read_to_end(&mut words));
    let words = String::from_utf8_lossy(&words);
    let code = ErrorCode::ALL
        .into_iter()
        .find(|known| Some(i32::from(known.exit_code())) == code)
        .unwrap_or(ErrorCode::Failed);
    match read.ok().and(last_words(&words)) {
        Some((message, hint)) => Error {
            code,
            message,
            hint,
        },
        None => Error::new(code, "The daemon ended at once and did not say why."),
    }
}

/// Finds the last `clauderon: …` line and the indented hint below it, as `failure::report` writes.
fn last_words(log: &str) -> Option<(String, Option<String>)> {
    let lines: Vec<&str> = log.lines().collect();
    let at = lines
        .iter()
        .rposition(|line| line.starts_with("clauderon: "))
        .or_else(|| lines.iter().rposition(|line| !line.trim().is_empty()))?;
    let message = lines[at].trim_start_matches("clauderon: ").to_owned();
    let hint = lines
        .get(at + 1)
        .and_then(|line| line.strip_prefix("  "))
        .map(str::to_owned);
    Some((message, hint))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_daemons_last_words_are_ours() {
        let log = "2026 INFO up\nclauderon: `agnet` is not a setting.\n  Did you mean `agent`?\n";
        assert_eq!(
            last_words(log),
            Some((
                "`agnet` is not a setting.".to_owned(),
                Some("Did you mean `agent`?".to_owned())
            ))
        );
        assert_eq!(
            last_words("panicked\n"),
            Some(("panicked".to_owned(), None))
        );
        assert_eq!(last_words(""), None);
    }
}
