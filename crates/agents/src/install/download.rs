//! A download by the machine's own curl: it knows the person's proxy and authorities, and brings no second TLS into
//! this program.
//!
//! What arrives is worth nothing until its checksum was compared; https here keeps bystanders from seeing and stalling it.

use std::io;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::process::Command;

use super::archive::ARCHIVE_LIMIT;
use super::{InstallError, Progress};

/// How often the size is looked at.
const LOOK: Duration = Duration::from_millis(250);

/// Fetches `url` into `target`, telling how far it is. Dropping the future ends curl.
pub(super) async fn fetch(
    curl: &Path,
    url: &str,
    target: &Path,
    size: Option<u64>,
    progress: &mut (impl FnMut(Progress) + Send),
) -> Result<(), InstallError> {
    if !url.starts_with("https://") {
        return Err(InstallError::NotHttps(url.chars().take(200).collect()));
    }
    let mut child = Command::new(curl)
        // First, so that a personal .curlrc changes nothing.
        .arg("-q")
        .args([
            "--proto",
            "=https",
            "--proto-redir",
            "=https",
            "--tlsv1.2",
            "--globoff",
        ])
        .args([
            "--fail",
            "--silent",
            "--show-error",
            "--location",
            "--max-redirs",
            "3",
        ])
        .args([
            "--connect-timeout",
            "20",
            "--speed-limit",
            "1000",
            "--speed-time",
            "60",
        ])
        .args([
            "--max-filesize",
            &ARCHIVE_LIMIT.to_string(),
            "--url",
            url,
            "--output",
        ])
        .arg(target)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => InstallError::NoCurl,
            _ => InstallError::Io {
                doing: "start curl".to_owned(),
                source: error,
            },
        })?;
    let mut stderr = child.stderr.take().expect("stderr is piped").take(4_096);
    let end = async {
        let mut said = Vec::new();
        // What curl says only explains its exit status; without it the status is shown.
        let _ = stderr.read_to_end(&mut said).await;
        child.wait().await.map(|status| (status, said))
    };
    tokio::pin!(end);
    let mut looks = tokio::time::interval(LOOK);
    let mut told = 0;
    let (status, said) = loop {
        tokio::select! {
            ended = &mut end => break ended.map_err(InstallError::io("wait for curl"))?,
            _ = looks.tick() => {
                let bytes = tokio::fs::metadata(target).await.map_or(0, |found| found.len());
                if bytes > told {
                    told = bytes;
                    progress(Progress::Fetched { bytes, of: size });
                }
            }
        }
    };
    if status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&said);
    let said = said.trim().trim_start_matches("curl: ");
    let reason = if said.is_empty() {
        status.to_string()
    } else {
        said.to_owned()
    };
    Err(InstallError::Download {
        url: url.to_owned(),
        reason,
    })
}
