//! The one table of endpoints. The router matches on it exhaustively and the client takes its
//! methods and paths from it, so that the two cannot drift apart.

use http::Method;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What stays readable in a path segment; everything else is percent-encoded.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

macro_rules! endpoints {
    ($($(#[doc = $doc:literal])+ $name:ident: $method:ident $path:literal,)+) => {
        /// One thing that the daemon can be asked.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Endpoint { $($(#[doc = $doc])+ $name,)+ }

        impl Endpoint {
            /// Every endpoint, in the order of the documentation.
            pub const ALL: &'static [Endpoint] = &[$(Endpoint::$name,)+];

            /// Returns the endpoint's name.
            pub fn name(self) -> &'static str {
                match self { $(Endpoint::$name => stringify!($name),)+ }
            }

            /// Returns the HTTP method.
            pub fn method(self) -> Method {
                match self { $(Endpoint::$name => Method::$method,)+ }
            }

            /// Returns the path with its placeholders, as the router spells it.
            pub fn path(self) -> &'static str {
                match self { $(Endpoint::$name => $path,)+ }
            }

            /// Returns what the endpoint does, in one sentence.
            pub fn doc(self) -> &'static str {
                match self { $(Endpoint::$name => concat!($($doc),+).trim_ascii(),)+ }
            }
        }
    };
}

endpoints! {
    /// Says who the daemon is.
    Daemon: GET "/api/daemon",
    /// Asks the daemon to end; sessions go on.
    StopDaemon: POST "/api/daemon/stop",
    /// Lists the sessions.
    Sessions: GET "/api/sessions",
    /// Creates a session: NDJSON lines of progress, then one `created` or `error`.
    CreateSession: POST "/api/sessions",
    /// Shows one session.
    Session: GET "/api/sessions/{session}",
    /// Deletes a session and its workspace.
    DeleteSession: DELETE "/api/sessions/{session}",
    /// Starts a stopped session.
    StartSession: POST "/api/sessions/{session}/start",
    /// Stops a session and keeps all of it.
    StopSession: POST "/api/sessions/{session}/stop",
    /// Fetches the session's commits and uncommitted work into the source repository.
    Pull: POST "/api/sessions/{session}/pull",
    /// Shows what changed against the base commit.
    Diff: GET "/api/sessions/{session}/diff",
    /// Streams what the agent printed, as raw bytes.
    Logs: GET "/api/sessions/{session}/logs",
    /// Shows the session's policy and what it refused lately.
    Policy: GET "/api/sessions/{session}/policy",
    /// Grants the session a host.
    AllowHost: POST "/api/sessions/{session}/policy/allow",
    /// Streams audit records as NDJSON, oldest first.
    Audit: GET "/api/audit",
    /// Checks the audit log's chain.
    VerifyAudit: GET "/api/audit/verify",
    /// Lists the agents and what is installed of them.
    Agents: GET "/api/agents",
    /// Checks what a session needs on this machine.
    Doctor: GET "/api/doctor",
    /// Shows the configuration in force, its paths and where each credential comes from.
    Config: GET "/api/config",
    /// Lists the repositories of earlier sessions, newest first.
    RecentRepositories: GET "/api/recent-repos",
    /// WebSocket: one session's terminal or pipes.
    Console: GET "/ws/console/{session}",
    /// WebSocket: every session's state first, then each change.
    Events: GET "/ws/events",
}

impl Endpoint {
    /// Returns the path with `session` in the place of the placeholder.
    pub fn path_for(self, session: &str) -> String {
        let encoded = utf8_percent_encode(session, SEGMENT).to_string();
        self.path().replace("{session}", &encoded)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_endpoints_share_method_and_path() {
        let mut seen = std::collections::HashSet::new();
        for endpoint in Endpoint::ALL {
            assert!(
                seen.insert((endpoint.method(), endpoint.path())),
                "{endpoint:?}"
            );
            assert!(!endpoint.doc().is_empty());
        }
    }

    #[test]
    fn a_session_name_cannot_leave_its_segment() {
        assert_eq!(
            Endpoint::Session.path_for("../daemon?x"),
            "/api/sessions/..%2Fdaemon%3Fx"
        );
    }
}
