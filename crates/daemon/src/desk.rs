//! What the window remembers: one small file whose keys only the window knows.
//!
//! A window must always open, so reading never fails: a file that cannot be read as what it should be is moved aside and
//! the desk is empty.

use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clauderon_api::{Desk, Error};

use crate::failure;

/// The largest desk in bytes.
const LIMIT: u64 = 256 << 10;

/// Reads the desk at `file`.
pub async fn read(file: PathBuf) -> Result<Desk, Error> {
    let read = tokio::task::spawn_blocking(move || load(&file));
    read.await.map_err(|error| failure::anyhow(error.into()))
}

/// Writes the desk to `file`: after a crash it holds the old one or the new one.
///
/// # Errors
/// `Usage` where it is too large.
pub async fn write(file: PathBuf, desk: Desk) -> Result<(), Error> {
    let written = tokio::task::spawn_blocking(move || save(&file, &desk));
    written
        .await
        .map_err(|error| failure::anyhow(error.into()))?
}

fn load(file: &Path) -> Desk {
    match attempt(file) {
        Ok(desk) => desk,
        Err(error) => {
            let aside = beside(file, "broken");
            let moved = std::fs::rename(file, &aside).is_ok();
            tracing::warn!(error = %format!("{error:#}"), moved, "what the window remembered is lost; the file is now {}", aside.display());
            Desk::default()
        }
    }
}

fn attempt(file: &Path) -> Result<Desk> {
    let open = match std::fs::File::open(file) {
        Ok(open) => open,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Desk::default()),
        Err(error) => return Err(error).context("open the desk"),
    };
    let mut text = Vec::new();
    open.take(LIMIT + 1)
        .read_to_end(&mut text)
        .context("read the desk")?;
    anyhow::ensure!(text.len() as u64 <= LIMIT, "the desk is too large");
    serde_json::from_slice(&text).context("understand the desk")
}

fn save(file: &Path, desk: &Desk) -> Result<(), Error> {
    let text = serde_json::to_vec(desk).expect("a desk is plain JSON");
    if text.len() as u64 > LIMIT {
        let kib = text.len() >> 10;
        return Err(Error::usage(format!(
            "The window wants {kib} KiB remembered, and {} is the most.",
            LIMIT >> 10
        )));
    }
    replace(file, &text)
        .with_context(|| format!("write {}", file.display()))
        .map_err(failure::anyhow)
}

fn replace(file: &Path, text: &[u8]) -> std::io::Result<()> {
    let half = beside(file, "new");
    match std::fs::remove_file(&half) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut open = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&half)?;
    open.write_all(text)?;
    open.sync_all()?;
    std::fs::rename(&half, file)
}

fn beside(file: &Path, what: &str) -> PathBuf {
    file.with_extension(format!("json.{what}"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn desk(json: &str) -> Desk {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn what_was_written_is_read_again_by_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("desk.json");
        assert_eq!(load(&file), Desk::default());
        for json in [r#"{"theme":"dark"}"#, r#"{"theme":"light","width":3}"#] {
            save(&file, &desk(json)).unwrap();
            assert_eq!(load(&file), desk(json));
        }
        let mode = std::fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_file_that_is_no_desk_is_moved_aside() {
        let too_large = format!("{{\"a\":\"{}\"}}", "x".repeat(LIMIT as usize));
        for text in ["{\"half", "[1]", "\u{0}", &too_large] {
            let folder = tempfile::tempdir().unwrap();
            let file = folder.path().join("desk.json");
            std::fs::write(&file, text).unwrap();
            assert_eq!(load(&file), Desk::default());
            assert!(!file.exists());
            let aside = std::fs::read_to_string(folder.path().join("desk.json.broken"));
            assert_eq!(aside.unwrap(), text);
        }
    }

    #[test]
    fn a_desk_that_is_too_large_is_refused_and_the_old_one_stays() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("desk.json");
        save(&file, &desk(r#"{"a":1}"#)).unwrap();
        let large = Desk(
            [("a".to_owned(), "x".repeat(LIMIT as usize).into())]
                .into_iter()
                .collect(),
        );
        assert!(save(&file, &large).is_err());
        assert_eq!(load(&file), desk(r#"{"a":1}"#));
    }
}
