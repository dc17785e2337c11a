//! A refusal: what was asked, why it was not done, and what the person can do about it.

use serde::Serialize;

use crate::decide::Request;

/// The codes of a refusal. Those of the proxy's own checks stand here too, so that there is one list.
pub mod code {
    /// No row names this host, or this way of using it.
    pub const NOT_ALLOWED: &str = "not_allowed";
    /// A row refuses exactly this.
    pub const FORBIDDEN: &str = "forbidden";
    /// The authority, method or path cannot be read in one way only.
    pub const MALFORMED: &str = "malformed_request";
    /// The path or the query is longer than its row allows.
    pub const TOO_LONG: &str = "too_long";
    /// A model request asks the provider to reach out, or names a tool that is not known.
    pub const MODEL_BODY: &str = "model_body_refused";
    /// A body is larger than its row allows.
    pub const BODY_TOO_LARGE: &str = "body_too_large";
    /// The vault holds no credential for this route.
    pub const CREDENTIAL_MISSING: &str = "credential_missing";
    /// A placeholder was seen where it does not belong.
    pub const PLACEHOLDER: &str = "placeholder_misplaced";
    /// The request's host is not the tunnel's host.
    pub const HOST_MISMATCH: &str = "host_mismatch";
    /// The name leads to an address that is not public, or to none.
    pub const ADDRESS: &str = "address_refused";
    /// The upstream could not be reached or verified.
    pub const UPSTREAM: &str = "upstream_unreachable";
    /// The person paused the network of all sessions.
    pub const NETWORK_PAUSED: &str = "network_paused";
    /// The session's budget is used up, or cannot be counted.
    pub const BUDGET: &str = "budget";
    /// The decision could not be recorded.
    pub const AUDIT: &str = "audit_unavailable";
}

/// What an agent gets instead of an answer, as JSON with status 403.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Refusal {
    /// One of [`code`].
    pub code: &'static str,
    /// The host that was asked for.
    pub host: String,
    /// The request's method.
    pub method: String,
    /// The request's path, without its query.
    pub path: String,
    /// The row that refused, or `none`.
    pub rule: String,
    /// One sentence for the person: the agent cannot widen anything.
    pub hint: String,
}

impl Refusal {
    /// Makes a refusal that does not yet say where; [`Refusal::at`] fills that in.
    pub fn new(code: &'static str, hint: impl Into<String>) -> Self {
        Refusal {
            code,
            host: String::new(),
            method: String::new(),
            path: String::new(),
            rule: "none".to_owned(),
            hint: hint.into(),
        }
    }

    /// Fills in what was asked for.
    pub fn at(mut self, request: &Request<'_>) -> Self {
        self.host = request.host.to_string();
        self.method = request.method.to_owned();
        self.path = request.path.to_owned();
        self
    }

    /// Fills in the row that refused.
    pub fn by(mut self, rule: &str) -> Self {
        self.rule = rule.to_owned();
        self
    }

    /// Fills in a host, for a refusal that has no request yet.
    pub fn for_host(mut self, host: impl Into<String>) -> Self {
        self.host = host.into();
        self
    }

    /// Gives the JSON that the agent sees.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("strings always serialise")
    }
}
