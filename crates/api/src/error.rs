//! What goes wrong, as the wire and the person see it: a code to branch on, a sentence, a way out.
//!
//! Never a stack of causes: whoever builds an [`Error`] has already turned the cause into a sentence.

use std::fmt;

use http::StatusCode;
use serde::{Deserialize, Serialize};

/// The reasons a caller may branch on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// Something failed while doing what was asked.
    Failed,
    /// The request itself is wrong: a bad name, an unreadable path, an unknown field.
    Usage,
    /// No session, endpoint or thing of that name.
    NotFound,
    /// The name is taken, or the session is in a state that does not allow it.
    Conflict,
    /// No sandbox runtime answers.
    NoRuntime,
    /// The policy refuses it.
    Refused,
    /// The agent's credential is in no source.
    CredentialMissing,
}

impl ErrorCode {
    /// Every code, in the order of the exit codes.
    pub const ALL: [ErrorCode; 7] = [
        ErrorCode::Failed,
        ErrorCode::Usage,
        ErrorCode::NotFound,
        ErrorCode::Conflict,
        ErrorCode::NoRuntime,
        ErrorCode::Refused,
        ErrorCode::CredentialMissing,
    ];

    /// Returns the HTTP status that carries this code.
    pub fn status(self) -> StatusCode {
        match self {
            ErrorCode::Failed => StatusCode::INTERNAL_SERVER_ERROR,
            ErrorCode::Usage => StatusCode::BAD_REQUEST,
            ErrorCode::NotFound => StatusCode::NOT_FOUND,
            ErrorCode::Conflict => StatusCode::CONFLICT,
            ErrorCode::NoRuntime => StatusCode::SERVICE_UNAVAILABLE,
            ErrorCode::Refused => StatusCode::FORBIDDEN,
            ErrorCode::CredentialMissing => StatusCode::FAILED_DEPENDENCY,
        }
    }

    /// Returns the exit code of a command that ends with this error.
    pub fn exit_code(self) -> u8 {
        match self {
            ErrorCode::Failed => 1,
            ErrorCode::Usage => 2,
            ErrorCode::NotFound => 3,
            ErrorCode::Conflict => 4,
            ErrorCode::NoRuntime => 5,
            ErrorCode::Refused => 6,
            ErrorCode::CredentialMissing => 7,
        }
    }
}

/// An answer that is not what was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Error {
    /// The reason to branch on.
    pub code: ErrorCode,
    /// What happened, in one sentence, naming the thing.
    pub message: String,
    /// What to do about it, where there is something to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl Error {
    /// Makes an error of `code` that says `message`.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Error {
        Error {
            code,
            message: message.into(),
            hint: None,
        }
    }

    /// Adds the way out.
    pub fn hint(mut self, hint: impl Into<String>) -> Error {
        self.hint = Some(hint.into());
        self
    }

    /// Something failed while doing what was asked.
    pub fn failed(message: impl Into<String>) -> Error {
        Error::new(ErrorCode::Failed, message)
    }

    /// The request itself is wrong.
    pub fn usage(message: impl Into<String>) -> Error {
        Error::new(ErrorCode::Usage, message)
    }

    /// Nothing of that name.
    pub fn not_found(message: impl Into<String>) -> Error {
        Error::new(ErrorCode::NotFound, message)
    }

    /// Taken, or in the wrong state.
    pub fn conflict(message: impl Into<String>) -> Error {
        Error::new(ErrorCode::Conflict, message)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match &self.hint {
            Some(hint) => write!(f, "\n{hint}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Error {}
