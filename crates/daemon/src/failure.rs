//! Turns what went wrong below into the code and the sentence that a person gets. Nowhere else is an error converted.

use clauderon_agents::LaunchError;
use clauderon_api::{Error, ErrorCode};
use clauderon_runtime::{RuntimeError, Unavailable};

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

/// A workspace could not be made or read.
pub fn workspace(error: clauderon_workspace::Error) -> Error {
    use clauderon_workspace::Error as Work;
    match error {
        Work::NoSuchPath(_)
        | Work::NotARepository(_)
        | Work::NoCommits(_)
        | Work::UnusablePath { .. }
        | Work::MissingObjects(_) => Error::usage(error.to_string()),
        other => Error::failed(other.to_string()),
    }
}

/// The agent cannot be started as asked.
pub fn launch(error: LaunchError) -> Error {
    Error::usage(error.to_string())
}

/// Something of the machine failed, with its whole story in one sentence.
pub fn anyhow(error: anyhow::Error) -> Error {
    Error::failed(format!("{error:#}"))
}
