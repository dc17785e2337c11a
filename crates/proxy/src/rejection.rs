//! A refusal together with the status it is answered with, and whether it is worth a record.

use clauderon_policy::{Refusal, code};
use http::StatusCode;

use crate::{body::BodyError, head::HeadError, tls::HelloError, upstream::DialError};

/// Why a request is not done.
#[derive(Debug)]
pub(crate) struct Rejection {
    pub status: StatusCode,
    pub refusal: Box<Refusal>,
    /// False where the agent has gone, or was told of the same thing just now.
    pub recorded: bool,
    /// True where nobody is left to answer.
    pub gone: bool,
}

impl From<Refusal> for Rejection {
    fn from(refusal: Refusal) -> Self {
        Self {
            status: StatusCode::FORBIDDEN,
            refusal: Box::new(refusal),
            recorded: true,
            gone: false,
        }
    }
}

impl Rejection {
    fn new(status: StatusCode, code: &'static str, hint: impl Into<String>) -> Self {
        Self {
            status,
            ..Refusal::new(code, hint).into()
        }
    }

    pub fn not_allowed(hint: &str) -> Self {
        Self::new(StatusCode::FORBIDDEN, code::NOT_ALLOWED, hint)
    }

    pub fn malformed(hint: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code::MALFORMED, hint)
    }

    pub fn method() -> Self {
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            code::NOT_ALLOWED,
            "this method is never passed on",
        )
    }

    pub fn other_host() -> Self {
        let hint = "the request names another host than the tunnel it came through";
        Self::new(StatusCode::MISDIRECTED_REQUEST, code::HOST_MISMATCH, hint)
    }

    pub fn websocket() -> Self {
        let hint = "WebSocket is not passed on; use the same address without an upgrade";
        Self::new(StatusCode::UPGRADE_REQUIRED, code::NOT_ALLOWED, hint)
    }

    pub fn encoded_body() -> Self {
        let hint = "send this body without a content encoding: it must be read before it may leave";
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, code::MODEL_BODY, hint)
    }

    pub fn placeholder() -> Self {
        let hint = "a credential's placeholder stands where no credential belongs; it is worth nothing and is never exchanged there";
        Self::new(StatusCode::FORBIDDEN, code::PLACEHOLDER, hint)
    }

    pub fn credential_missing(names: &str) -> Self {
        let hint = format!(
            "the host holds no credential for this route: set {names} and run `clauderon daemon restart`, or store it as a file (see `clauderon doctor`)"
        );
        Self::new(StatusCode::FORBIDDEN, code::CREDENTIAL_MISSING, hint)
    }

    pub fn credential_unusable(reason: &str) -> Self {
        let hint = format!("the credential for this route cannot be used: {reason}");
        Self::new(StatusCode::FORBIDDEN, code::CREDENTIAL_MISSING, hint)
    }

    pub fn credential_in_clear() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            code::NOT_ALLOWED,
            "a credential is only ever sent over TLS",
        )
    }

    pub fn audit() -> Self {
        let hint = "the decision cannot be written to the audit log, so nothing is sent with a credential; is the disk full?";
        Self::new(StatusCode::FORBIDDEN, code::AUDIT, hint)
    }

    pub fn unrecorded() -> Self {
        let hint =
            "the tunnel cannot be written to the audit log, so it is not opened; is the disk full?";
        Self::new(StatusCode::FORBIDDEN, code::AUDIT, hint)
    }

    /// An agent tries again by itself after this status, so that a short pause costs it nothing.
    pub fn paused() -> Self {
        let hint = "the person paused the network of all sessions: nothing leaves until `clauderon network resume`";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, code::NETWORK_PAUSED, hint)
    }

    /// An agent tries again by itself after this status; it is held again then.
    pub fn held(why: &str) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, code::BUDGET, why)
    }

    pub fn busy(hint: &str) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy", hint)
    }

    pub fn too_many_reports(told: bool) -> Self {
        let rejection = Self::new(StatusCode::TOO_MANY_REQUESTS, "busy", "too many reports");
        Self {
            recorded: !told,
            ..rejection
        }
    }

    pub fn upstream(hint: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_GATEWAY, code::UPSTREAM, hint)
    }

    pub fn upstream_slow() -> Self {
        Self::new(
            StatusCode::GATEWAY_TIMEOUT,
            code::UPSTREAM,
            "the upstream did not answer in time",
        )
    }

    /// Nobody is left to answer.
    pub fn gone() -> Self {
        let rejection = Self::malformed("the agent went away");
        Self {
            recorded: false,
            gone: true,
            ..rejection
        }
    }

    pub fn hello(error: &HelloError) -> Self {
        match error {
            HelloError::OtherName => Self::new(
                StatusCode::FORBIDDEN,
                code::HOST_MISMATCH,
                error.to_string(),
            ),
            HelloError::Slow | HelloError::NotTls | HelloError::OtherProtocol => {
                Self::malformed(&error.to_string())
            }
        }
    }

    pub fn head(error: &HeadError) -> Self {
        let rejection = Self::malformed(&error.to_string());
        match error {
            HeadError::Ended => Self {
                recorded: false,
                gone: true,
                ..rejection
            },
            HeadError::Slow => Self {
                status: StatusCode::REQUEST_TIMEOUT,
                ..rejection
            },
            HeadError::TooLarge => Self {
                status: StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
                ..rejection
            },
            HeadError::Malformed(_) => rejection,
        }
    }

    pub fn body(error: BodyError) -> Self {
        let hint = error.to_string();
        match error {
            BodyError::Ended => Self::gone(),
            BodyError::Slow => Self::new(StatusCode::REQUEST_TIMEOUT, code::MALFORMED, hint),
            BodyError::Malformed(_) => Self::malformed(&hint),
            BodyError::TooLarge => {
                Self::new(StatusCode::PAYLOAD_TOO_LARGE, code::BODY_TOO_LARGE, hint)
            }
        }
    }

    pub fn dial(error: &DialError) -> Self {
        let hint = error.to_string();
        match error {
            DialError::NotPublic | DialError::NotNamed => {
                Self::new(StatusCode::FORBIDDEN, code::ADDRESS, hint)
            }
            DialError::Slow => Self::upstream_slow(),
            DialError::Lookup(_) | DialError::Connect(_) | DialError::Tls(_) => {
                Self::upstream(hint)
            }
        }
    }
}
