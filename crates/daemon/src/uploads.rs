//! Files that a person puts into a session: streamed into its uploads folder under a safe name, or not at all.

mod inbox;
mod name;

use std::io;
use std::path::Path;

use bytes::Bytes;
use clauderon_api::{self as api, Error};
use clauderon_runtime::User;
use futures_util::stream::{BoxStream, StreamExt as _};
use tokio::io::AsyncWriteExt as _;

use inbox::Incoming;
use name::SafeName;

/// Most bytes of one file.
const MOST: u64 = 100_000_000;
/// Where the agent sees the folder.
const INSIDE: &str = "/clauderon/uploads";

/// Puts one file into `folder`.
pub async fn take(
    folder: &Path,
    name: &str,
    bytes: BoxStream<'static, Result<Bytes, Error>>,
) -> Result<api::Upload, Error> {
    take_at_most(MOST, folder, name, bytes).await
}

async fn take_at_most(
    most: u64,
    folder: &Path,
    name: &str,
    mut bytes: BoxStream<'static, Result<Bytes, Error>>,
) -> Result<api::Upload, Error> {
    let safe = SafeName::of(name);
    let begun = Incoming::begin(folder, &safe, User::for_caller());
    let (incoming, file) = begun.map_err(|error| failed(name, &error))?;
    let mut file = tokio::fs::File::from_std(file);
    let mut count = 0;
    while let Some(piece) = bytes.next().await {
        let piece = piece?;
        count += piece.len() as u64;
        if count > most {
            return Err(too_large(name, most));
        }
        let written = file.write_all(&piece).await;
        written.map_err(|error| failed(name, &error))?;
    }
    file.flush().await.map_err(|error| failed(name, &error))?;
    let name = incoming.name().to_owned();
    incoming.keep();
    Ok(api::Upload {
        path: format!("{INSIDE}/{name}"),
        name,
        bytes: count,
    })
}

fn too_large(name: &str, most: u64) -> Error {
    let most = most / 1_000_000;
    Error::usage(format!(
        "{name:?} is larger than {most} MB and was not taken."
    ))
    .hint("Put large files into the repository, or let the agent fetch them.")
}

fn failed(name: &str, error: &io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::AlreadyExists => {
            Error::conflict(format!("There are too many uploads named like {name:?}."))
                .hint("Rename the file.")
        }
        io::ErrorKind::StorageFull => {
            Error::failed(format!("The disk is full: {name:?} was not taken."))
                .hint("Make room and try again.")
        }
        _ => Error::failed(format!(
            "{name:?} could not be put into the session: {error}."
        )),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::fs;
    use std::os::unix::fs::symlink;

    use futures_util::stream;

    use super::*;

    fn body(pieces: &[&'static str]) -> BoxStream<'static, Result<Bytes, Error>> {
        let pieces: Vec<_> = pieces.iter().map(|piece| Ok(Bytes::from(*piece))).collect();
        stream::iter(pieces).boxed()
    }

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[tokio::test]
    async fn a_file_arrives_whole_under_a_free_name() {
        let dir = tempfile::tempdir().unwrap();
        for (expected, text) in [("a-b.txt", "one"), ("a-b-2.txt", "two"), ("a-b-3.txt", "")] {
            let taken = take(dir.path(), "../a b.txt", body(&[text])).await.unwrap();
            assert_eq!(taken.name, expected);
            assert_eq!(taken.path, format!("/clauderon/uploads/{expected}"));
            assert_eq!(taken.bytes, text.len() as u64);
            assert_eq!(fs::read_to_string(dir.path().join(expected)).unwrap(), text);
        }
    }

    #[tokio::test]
    async fn what_is_too_large_or_breaks_off_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let fits = take_at_most(4, dir.path(), "fits", body(&["ab", "cd"])).await;
        assert_eq!(fits.unwrap().bytes, 4);
        let large = take_at_most(4, dir.path(), "large", body(&["ab", "cde"])).await;
        assert_eq!(large.unwrap_err().code, api::ErrorCode::Usage);
        let torn = stream::iter([Ok(Bytes::from("ab")), Err(Error::failed("gone"))]).boxed();
        assert!(take(dir.path(), "torn", torn).await.is_err());
        assert_eq!(names(dir.path()), ["fits"]);
    }

    #[tokio::test]
    async fn an_upload_that_is_given_up_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let endless = stream::iter([Ok(Bytes::from("ab"))])
            .chain(stream::pending())
            .boxed();
        let taking = take(dir.path(), "endless", endless);
        let waited = tokio::time::timeout(std::time::Duration::from_millis(50), taking).await;
        assert!(waited.is_err());
        assert!(names(dir.path()).is_empty());
    }

    #[tokio::test]
    async fn links_that_the_agent_planted_lead_nowhere() {
        let dir = tempfile::tempdir().unwrap();
        let (inbox, host) = (dir.path().join("uploads"), dir.path().join("host"));
        fs::create_dir(&inbox).unwrap();
        fs::write(&host, "the host's").unwrap();
        symlink(&host, inbox.join("a.txt")).unwrap();
        symlink(dir.path().join("new"), inbox.join("a-2.txt")).unwrap();
        let taken = take(&inbox, "a.txt", body(&["mine"])).await.unwrap();
        assert_eq!(taken.name, "a-3.txt");
        assert_eq!(fs::read_to_string(&host).unwrap(), "the host's");
        assert!(!dir.path().join("new").exists());
        // A whole folder that is a link is refused.
        symlink(dir.path(), dir.path().join("elsewhere")).unwrap();
        let refused = take(&dir.path().join("elsewhere"), "b", body(&["mine"])).await;
        assert!(refused.is_err() && !dir.path().join("b").exists());
    }
}
