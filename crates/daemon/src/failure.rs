//! Turns what went wrong below into the code and the sentence that a person gets. Nowhere else is an error converted.

use clauderon_agents::LaunchError;
use clauderon_api::{Error, ErrorCode};

use clauderon_runtime::{RuntimeError, Unavailable};
use clauderon_session::Spec;
use clauderon_store::StoreError;
use clauderon_workspace::{Lost, Workspace};

/// A backend cannot be used.
pub fn unavailable(why: Unavailable) -> Error {
    Error::new(ErrorCode::NoRuntime, why.sentence).hint(why.fix)
}

/// A sandbox could not be had.
pub fn runtime(error: RuntimeError) -> Error {
    match error {
        RuntimeError::Unavailable(why) => unavailable(why),
        other => Error::failed(other.to_string()),
    }
}

/// Something could not be remembered.
pub fn store(error: StoreError) -> Error {
    match error.is_full_disk() {
        true => full_disk(error.to_string()),
        false => Error::failed(error.to_string()),
    }
}

/// The disk has no room: the sentence says what could not be done.
fn full_disk(sentence: String) -> Error {
    Error::failed(format!("the disk is full: {sentence}"))
        .hint("make room and try again; `clauderon storage` shows what Clauderon keeps, and `clauderon trash empty` lets go of what was deleted")
}

fn is_full(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{QuotaExceeded, StorageFull};
    matches!(error.kind(), StorageFull | QuotaExceeded)
}

/// A workspace could not be made or read.
pub fn workspace(error: clauderon_workspace::Error) -> Error {
    use clauderon_workspace::Error as Work;
    match error {
        Work::NoSuchPath(_)
        | Work::NotARepository(_)
        | Work::NoCommits(_)
        | Work::UnusablePath { .. }
        | Work::MissingObjects(_)
        | Work::BadPath { .. }
        | Work::ThroughALink(_)
        | Work::NotAFolder(_)
        | Work::NotAFile(_) => Error::usage(error.to_string()),
        Work::NotThere(_) => Error::not_found(error.to_string()),
        Work::Io { ref source, .. } if is_full(source) => full_disk(error.to_string()),
        other => Error::failed(other.to_string()),
    }
}

/// The repository which a session was made from is not there: its history lies in it.
pub fn lost_repository(session: &Spec, workspace: &Workspace, lost: Lost) -> Error {
    let repository = workspace.repository.display();
    let name = session.name.as_str();
    let (sentence, place) = match lost {
        Lost::Gone => (
            format!(
                "the repository {repository} is gone, and session {name} cannot do without it: the history before the session lies there"
            ),
            "put it back in the same place",
        ),
        Lost::Another => (
            format!(
                "{repository} is another repository now, and session {name} cannot do without the first: the commit that it started from lies there"
            ),
            "put the first one back in that place",
        ),
    };
    Error::failed(sentence).hint(format!(
        "{place}; the session's own files are kept in {}",
        workspace.folder().display()
    ))
}

/// The agent cannot be started as asked.
pub fn launch(error: LaunchError) -> Error {
    Error::usage(error.to_string())
}

/// Something of the machine failed, with its whole story in one sentence.
pub fn anyhow(error: anyhow::Error) -> Error {
    let full = error
        .chain()
        .filter_map(|cause| cause.downcast_ref())
        .any(is_full);
    match full {
        true => full_disk(format!("{error:#}")),
        false => Error::failed(format!("{error:#}")),
    }
}
