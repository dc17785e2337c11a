//! What a daemon must be able to do to be served by the router: one method an endpoint.

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::BoxStream;
use tokio::sync::{broadcast, mpsc};

use crate::error::Error;
use crate::wire::{
    AgentsView, AllowHost, AuditQuery, AuditReport, AuditRow, ConfigView, ConsoleEvent,
    ConsoleHello, ConsoleInput, CreateSession, Created, DaemonInfo, DiffView, DoctorReport,
    LogsQuery, PolicyView, PullView, RecentRepository, ServerEvent, Session,
};

/// The daemon, as the router sees it. `session` is always a name or an identifier.
#[async_trait]
pub trait Service: Send + Sync + 'static {
    /// Says who it is.
    async fn daemon(&self) -> Result<DaemonInfo, Error>;
    /// Begins to end; returns before it has.
    async fn stop_daemon(&self) -> Result<(), Error>;
    /// Lists the sessions, oldest first.
    async fn sessions(&self) -> Result<Vec<Session>, Error>;
    /// Creates a session and says each step. It runs to its end even where the caller hangs up; on
    /// an error nothing is left of the session.
    async fn create_session(
        &self,
        request: CreateSession,
        progress: Progress,
    ) -> Result<Created, Error>;
    /// Shows one session.
    async fn session(&self, session: &str) -> Result<Session, Error>;
    /// Deletes a session.
    async fn delete_session(&self, session: &str) -> Result<(), Error>;
    /// Starts a stopped session.
    async fn start_session(&self, session: &str) -> Result<Session, Error>;
    /// Stops a session.
    async fn stop_session(&self, session: &str) -> Result<Session, Error>;
    /// Brings its work into the source repository.
    async fn pull(&self, session: &str) -> Result<PullView, Error>;
    /// Shows its work.
    async fn diff(&self, session: &str) -> Result<DiffView, Error>;
    /// Streams what its agent printed.
    async fn logs(
        &self,
        session: &str,
        query: LogsQuery,
    ) -> Result<BoxStream<'static, Result<Bytes, Error>>, Error>;
    /// Shows its policy.
    async fn policy(&self, session: &str) -> Result<PolicyView, Error>;
    /// Grants it a host.
    async fn allow_host(&self, session: &str, grant: AllowHost) -> Result<PolicyView, Error>;
    /// Streams audit records.
    async fn audit(
        &self,
        query: AuditQuery,
    ) -> Result<BoxStream<'static, Result<AuditRow, Error>>, Error>;
    /// Checks the audit log.
    async fn verify_audit(&self) -> Result<AuditReport, Error>;
    /// Lists the agents.
    async fn agents(&self) -> Result<AgentsView, Error>;
    /// Checks the machine.
    async fn doctor(&self) -> Result<DoctorReport, Error>;
    /// Shows the configuration.
    async fn config(&self) -> Result<ConfigView, Error>;
    /// Lists the repositories of earlier sessions, newest first.
    async fn recent_repositories(&self) -> Result<Vec<RecentRepository>, Error>;
    /// Opens a session's console; output begins at the log offset `from`, or now where `None`.
    async fn console(&self, session: &str, from: Option<u64>) -> Result<Console, Error>;
    /// Returns the whole state and the changes after it. Called again for a client that lags.
    async fn subscribe(&self) -> Result<Subscription, Error>;
}

/// An open console. Dropping `input` closes nothing but this view.
#[derive(Debug)]
pub struct Console {
    /// What is known at the start.
    pub hello: ConsoleHello,
    /// What the agent prints; ends after [`ConsoleEvent::Exit`] or [`ConsoleEvent::Error`].
    pub events: mpsc::Receiver<ConsoleEvent>,
    /// What the viewer types.
    pub input: mpsc::Sender<ConsoleInput>,
}

/// The whole state, and the changes that follow it.
#[derive(Debug)]
pub struct Subscription {
    /// The number of the last change in `sessions`.
    pub seq: u64,
    /// All sessions.
    pub sessions: Vec<Session>,
    /// Changes; those numbered up to `seq` are skipped.
    pub changes: broadcast::Receiver<ServerEvent>,
}

/// Where a creation says what it is doing. Saying never fails and never waits.
#[derive(Debug, Clone)]
pub struct Progress(mpsc::UnboundedSender<String>);

impl Progress {
    /// Makes one whose words arrive at the receiver. Unbounded: a creation has a dozen steps.
    pub fn channel() -> (Progress, mpsc::UnboundedReceiver<String>) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (Progress(sender), receiver)
    }

    /// Says a step, such as "Clone the repository".
    pub fn say(&self, message: impl Into<String>) {
        // Nobody listens any more: the creation goes on.
        let _ = self.0.send(message.into());
    }
}
