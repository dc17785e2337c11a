//! How a command ends badly: one sentence, the way out, and the exit code.

use std::process::ExitCode;

use clauderon_api::{Error, ErrorCode};

use crate::output;

/// Says what went wrong on standard error and returns the exit code.
pub fn report(error: &anyhow::Error, json: bool) -> ExitCode {
    if is_closed_pipe(error) {
        return ExitCode::from(141);
    }
    let error = match error.downcast_ref::<Error>() {
        Some(known) => known.clone(),
        None => unknown(error),
    };
    if json {
        let line = serde_json::to_string(&error).expect("wire types are plain values");
        output::note(&line);
    } else {
        output::note(&sentence(&error));
    }
    ExitCode::from(error.code.exit_code())
}

/// An error that no daemon put into words. A second daemon is a conflict: whoever starts one in the
/// background then waits for the first.
fn unknown(error: &anyhow::Error) -> Error {
    let code = match error.downcast_ref::<clauderon_daemon::AlreadyRuns>() {
        Some(_) => ErrorCode::Conflict,
        None => ErrorCode::Failed,
    };
    Error::new(code, format!("{error:#}"))
}

fn sentence(error: &Error) -> String {
    let message = output::escape(&error.message);
    match &error.hint {
        Some(hint) => format!("clauderon: {message}\n  {}", output::escape(hint)),
        None => format!("clauderon: {message}"),
    }
}

/// The reader went away, as in `clauderon list | head -1`: nothing to say to anybody.
fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<std::io::Error>())
        .any(|cause| cause.kind() == std::io::ErrorKind::BrokenPipe)
}

/// Makes a usage error, for what clap cannot see.
pub fn usage(message: impl Into<String>, hint: impl Into<String>) -> anyhow::Error {
    Error::new(ErrorCode::Usage, message).hint(hint).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_error_shows_its_causes_and_a_known_one_its_way_out() {
        let known = Error::not_found("There is no session \"a\".").hint("`clauderon list`");
        assert_eq!(
            sentence(&known),
            "clauderon: There is no session \"a\".\n  `clauderon list`"
        );
        let pipe = std::io::Error::from(std::io::ErrorKind::BrokenPipe);
        assert!(is_closed_pipe(&anyhow::Error::from(pipe).context("print")));
        assert!(!is_closed_pipe(&anyhow::anyhow!("x")));
    }
}
