//! The typed client: one method an endpoint, over the daemon's unix socket.
//!
//! Each request has its own connection: the socket is local, and a request that is cut off harms no
//! other.

mod socket;
mod transport;

use std::path::{Path, PathBuf};

use bytes::Bytes;
use futures_util::stream::BoxStream;

pub use socket::{ConsoleSocket, EventSocket};
use transport::Body;

use crate::endpoint::Endpoint;
use crate::error::Error;
use crate::wire::{
    AgentsView, AllowHost, AuditQuery, AuditReport, AuditRow, ConfigView, CreateLine,
    CreateSession, Created, DaemonInfo, DiffView, DoctorReport, LogsQuery, PolicyView, PullView,
    RecentRepository, Session,
};

/// A way to one daemon.
#[derive(Debug, Clone)]
pub struct Client {
    socket: PathBuf,
}

impl Client {
    /// Makes a client of the daemon at `socket` and checks that one answers there.
    ///
    /// # Errors
    /// `Failed` where nobody listens.
    pub async fn connect(socket: impl AsRef<Path>) -> Result<Client, Error> {
        let client = Client::at(socket);
        client.daemon().await?;
        Ok(client)
    }

    /// Makes a client of whatever will answer at `socket`.
    pub fn at(socket: impl AsRef<Path>) -> Client {
        Client {
            socket: socket.as_ref().to_owned(),
        }
    }

    /// Returns the socket's path.
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// Says who the daemon is.
    pub async fn daemon(&self) -> Result<DaemonInfo, Error> {
        self.json(Endpoint::Daemon, "", Body::None).await
    }

    /// Asks the daemon to end.
    pub async fn stop_daemon(&self) -> Result<(), Error> {
        self.json(Endpoint::StopDaemon, "", Body::None).await
    }

    /// Lists the sessions.
    pub async fn sessions(&self) -> Result<Vec<Session>, Error> {
        self.json(Endpoint::Sessions, "", Body::None).await
    }

    /// Creates a session and hands each step to `progress`.
    pub async fn create_session(
        &self,
        request: &CreateSession,
        mut progress: impl FnMut(&str),
    ) -> Result<Created, Error> {
        let path = Endpoint::CreateSession.path();
        let response = self
            .send(Endpoint::CreateSession, path, Body::json(request))
            .await?;
        let mut lines = transport::lines::<CreateLine>(response);
        loop {
            match transport::next(&mut lines).await? {
                Some(CreateLine::Progress { message }) => progress(&message),
                Some(CreateLine::Created(created)) => return Ok(*created),
                Some(CreateLine::Error(error)) => return Err(error),
                None => {
                    return Err(Error::failed(
                        "The daemon went away while it created the session.",
                    )
                    .hint("`clauderon list` shows what became of it."));
                }
            }
        }
    }

    /// Shows one session.
    pub async fn session(&self, session: &str) -> Result<Session, Error> {
        self.json(Endpoint::Session, session, Body::None).await
    }

    /// Deletes a session.
    pub async fn delete_session(&self, session: &str) -> Result<(), Error> {
        self.json(Endpoint::DeleteSession, session, Body::None)
            .await
    }

    /// Starts a stopped session.
    pub async fn start_session(&self, session: &str) -> Result<Session, Error> {
        self.json(Endpoint::StartSession, session, Body::None).await
    }

    /// Stops a session.
    pub async fn stop_session(&self, session: &str) -> Result<Session, Error> {
        self.json(Endpoint::StopSession, session, Body::None).await
    }

    /// Brings a session's work into the source repository.
    pub async fn pull(&self, session: &str) -> Result<PullView, Error> {
        self.json(Endpoint::Pull, session, Body::None).await
    }

    /// Shows a session's work.
    pub async fn diff(&self, session: &str) -> Result<DiffView, Error> {
        self.json(Endpoint::Diff, session, Body::None).await
    }

    /// Streams what a session's agent printed.
    pub async fn logs(
        &self,
        session: &str,
        query: &LogsQuery,
    ) -> Result<BoxStream<'static, Result<Bytes, Error>>, Error> {
        let path = transport::with_query(Endpoint::Logs.path_for(session), query);
        let response = self.send(Endpoint::Logs, &path, Body::None).await?;
        Ok(transport::bytes(response))
    }

    /// Shows a session's policy.
    pub async fn policy(&self, session: &str) -> Result<PolicyView, Error> {
        self.json(Endpoint::Policy, session, Body::None).await
    }

    /// Grants a session a host.
    pub async fn allow_host(&self, session: &str, grant: &AllowHost) -> Result<PolicyView, Error> {
        self.json(Endpoint::AllowHost, session, Body::json(grant))
            .await
    }

    /// Streams audit records, oldest first.
    pub async fn audit(
        &self,
        query: &AuditQuery,
    ) -> Result<BoxStream<'static, Result<AuditRow, Error>>, Error> {
        let path = transport::with_query(Endpoint::Audit.path().to_owned(), query);
        let response = self.send(Endpoint::Audit, &path, Body::None).await?;
        Ok(transport::lines(response))
    }

    /// Checks the audit log.
    pub async fn verify_audit(&self) -> Result<AuditReport, Error> {
        self.json(Endpoint::VerifyAudit, "", Body::None).await
    }

    /// Lists the agents.
    pub async fn agents(&self) -> Result<AgentsView, Error> {
        self.json(Endpoint::Agents, "", Body::None).await
    }

    /// Checks the machine.
    pub async fn doctor(&self) -> Result<DoctorReport, Error> {
        self.json(Endpoint::Doctor, "", Body::None).await
    }

    /// Shows the configuration.
    pub async fn config(&self) -> Result<ConfigView, Error> {
        self.json(Endpoint::Config, "", Body::None).await
    }

    /// Lists the repositories of earlier sessions.
    pub async fn recent_repositories(&self) -> Result<Vec<RecentRepository>, Error> {
        self.json(Endpoint::RecentRepositories, "", Body::None)
            .await
    }

    /// Opens a session's console; output begins at the log offset `from`, or now where `None`.
    pub async fn console(&self, session: &str, from: Option<u64>) -> Result<ConsoleSocket, Error> {
        let mut path = Endpoint::Console.path_for(session);
        if let Some(from) = from {
            path.push_str(&format!("?from={from}"));
        }
        ConsoleSocket::open(transport::dial(&self.socket).await?, &path).await
    }

    /// Watches all sessions.
    pub async fn events(&self) -> Result<EventSocket, Error> {
        let path = Endpoint::Events.path();
        EventSocket::open(transport::dial(&self.socket).await?, path).await
    }
}
