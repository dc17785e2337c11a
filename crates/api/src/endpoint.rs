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
    /// Makes a link that signs a browser on this machine in, once.
    WebLink: POST "/api/web-link",
    /// Lists the sessions.
    Sessions: GET "/api/sessions",
    /// Creates a session: NDJSON lines of progress, then one `created` or `error`.
    CreateSession: POST "/api/sessions",
    /// Forks a session: another one with a copy of its files and its conversation; NDJSON lines as those of a creation.
    ForkSession: POST "/api/sessions/{session}/fork",
    /// Shows one session.
    Session: GET "/api/sessions/{session}",
    /// Changes a session's title, pin, notifications or posture.
    UpdateSession: PATCH "/api/sessions/{session}",
    /// Moves a session to the trash, from where it can be restored.
    DeleteSession: DELETE "/api/sessions/{session}",
    /// Starts a stopped session.
    StartSession: POST "/api/sessions/{session}/start",
    /// Stops a session and keeps all of it.
    StopSession: POST "/api/sessions/{session}/stop",
    /// Puts a session away; its agent ends and all of it is kept.
    ArchiveSession: POST "/api/sessions/{session}/archive",
    /// Takes a session out of the archive.
    UnarchiveSession: POST "/api/sessions/{session}/unarchive",
    /// Makes a session's sandbox anew around the same work.
    RecreateSession: POST "/api/sessions/{session}/recreate",
    /// Shows what a session holds, may use, uses and how it is.
    SessionInfo: GET "/api/sessions/{session}/info",
    /// Changes what a session may spend, or lifts its budget.
    SetBudget: PUT "/api/sessions/{session}/budget",
    /// Types text into a session's terminal, as one paste.
    Say: POST "/api/sessions/{session}/say",
    /// Lists what was sent to a session's agent lately, and how far each message has come.
    Messages: GET "/api/sessions/{session}/messages",
    /// Sends a session's agent a message: it is queued, typed, and followed until the agent took it.
    SendMessage: POST "/api/sessions/{session}/messages",
    /// Changes a message that waits, or has one typed again that was not delivered.
    ChangeMessage: PATCH "/api/sessions/{session}/messages",
    /// Takes a message back that was not typed, or puts one aside that was not delivered.
    WithdrawMessage: DELETE "/api/sessions/{session}/messages",
    /// Shows a part of a session's conversation, the newest where nothing else is asked for.
    Conversation: GET "/api/sessions/{session}/conversation",
    /// Lists what a session's agent waits for: leave, or answers.
    Approvals: GET "/api/sessions/{session}/approvals",
    /// Answers one of them; the first answer counts.
    AnswerApproval: POST "/api/sessions/{session}/approvals",
    /// Puts a file into a session; the body is the file.
    Upload: POST "/api/sessions/{session}/uploads",
    /// Lists one folder of a session's workspace.
    Folder: GET "/api/sessions/{session}/folder",
    /// Shows one file of a session's workspace.
    File: GET "/api/sessions/{session}/file",
    /// Sends one file of a session's workspace as it is.
    RawFile: GET "/api/sessions/{session}/file/raw",
    /// Names the files that differ from the base commit.
    FileStatus: GET "/api/sessions/{session}/status",
    /// Shows one changed file before and now.
    FileSides: GET "/api/sessions/{session}/diff/file",
    /// Lists the deleted sessions that can be restored.
    Trash: GET "/api/trash",
    /// Restores a deleted session, by its identifier.
    RestoreSession: POST "/api/trash/{session}/restore",
    /// Deletes a session in the trash for good.
    PurgeSession: DELETE "/api/trash/{session}",
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
    /// Lists the credentials, where each comes from, and how the keychain is.
    Accounts: GET "/api/accounts",
    /// Keeps a credential in the keychain or in a file.
    SaveAccount: PUT "/api/accounts/{name}",
    /// Removes a credential that this installation keeps.
    RemoveAccount: DELETE "/api/accounts/{name}",
    /// Asks the service whether a credential works and what it may do.
    CheckAccount: POST "/api/accounts/{name}/check",
    /// Repairs something that the doctor found: NDJSON lines of progress, then one `done` or `error`.
    Repair: POST "/api/doctor/{name}/fix",
    /// Starts a session that needs no account: NDJSON lines as those of a creation.
    Demo: POST "/api/demo",
    /// Says what a new session can be made with.
    CreateOptions: GET "/api/create-options",
    /// Shows what was used of the models, by day, account and model.
    Usage: GET "/api/usage",
    /// Says how much room the sessions take.
    Storage: GET "/api/storage",
    /// Empties the trash.
    EmptyTrash: DELETE "/api/trash",
    /// Says whether the network is paused.
    Network: GET "/api/network",
    /// Pauses every session's network, or lets it go on.
    SetNetwork: PUT "/api/network",
    /// Says what the window remembers.
    Desk: GET "/api/desk",
    /// Remembers it.
    SaveDesk: PUT "/api/desk",
    /// Lists the repositories of earlier sessions, newest first.
    RecentRepositories: GET "/api/recent-repos",
    /// WebSocket: one session's terminal or pipes.
    Console: GET "/ws/console/{session}",
    /// WebSocket: one session's conversation, the newest part of it first, then each change.
    ConversationEvents: GET "/ws/conversation/{session}",
    /// WebSocket: which folders of one session's workspace change.
    FileEvents: GET "/ws/files/{session}",
    /// WebSocket: a sign-in on this machine; it ends in the vault.
    SignIn: GET "/ws/sign-in/{name}",
    /// WebSocket: every session's state first, then each change.
    Events: GET "/ws/events",
}

impl Endpoint {
    /// Returns the path with `session` (or a credential's name) in the place of the placeholder.
    pub fn path_for(self, session: &str) -> String {
        let encoded = utf8_percent_encode(session, SEGMENT).to_string();
        self.path()
            .replace("{session}", &encoded)
            .replace("{name}", &encoded)
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
