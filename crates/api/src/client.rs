//! The typed client: one method an endpoint, over the daemon's unix socket.
//!
//! Each request has its own connection: the socket is local, and a request that is cut off harms no
//! other.

mod carry;
mod conversation;
mod files;
mod messages;
mod socket;
mod spending;
mod transport;

use std::path::{Path, PathBuf};

use bytes::Bytes;
use futures_util::stream::BoxStream;

pub use carry::{Carried, RawSocket, Said};
pub use socket::{ConsoleSocket, ConversationSocket, EventSocket, FilesSocket, SignInSocket};
use transport::Body;

use crate::endpoint::Endpoint;
use crate::error::Error;
use crate::wire::{
    Account, AccountCheck, AccountsView, AgentsView, AllowHost, AuditQuery, AuditReport, AuditRow,
    ConfigView, ConsoleQuery, CreateLine, CreateOptions, CreateSession, Created, DaemonInfo, Desk,
    DiffView, DoctorReport, Fix, FixLine, ForkSession, LogsQuery, Network, PolicyView, PullView,
    RecentRepository, SaveAccount, SayText, Session, SessionInfo, StatusView, StorageView,
    TrashRow, UpdateSession, WebLink,
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

    /// Makes a link that signs a browser in, once.
    pub async fn web_link(&self) -> Result<WebLink, Error> {
        self.json(Endpoint::WebLink, "", Body::None).await
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
        created(transport::lines(response), &mut progress).await
    }

    /// Forks a session and hands each step to `progress`.
    pub async fn fork_session(
        &self,
        session: &str,
        request: &ForkSession,
        mut progress: impl FnMut(&str),
    ) -> Result<Created, Error> {
        let path = Endpoint::ForkSession.path_for(session);
        let response = self
            .send(Endpoint::ForkSession, &path, Body::json(request))
            .await?;
        created(transport::lines(response), &mut progress).await
    }

    /// Starts a session that needs no account and hands each step to `progress`.
    pub async fn demo(&self, mut progress: impl FnMut(&str)) -> Result<Created, Error> {
        let path = Endpoint::Demo.path();
        let response = self.send(Endpoint::Demo, path, Body::None).await?;
        created(transport::lines(response), &mut progress).await
    }

    /// Repairs something, hands each step and the share that is done in percent to `progress`, and returns what was done.
    /// Dropping the future gives the repair up.
    pub async fn repair(
        &self,
        fix: Fix,
        mut progress: impl FnMut(&str, Option<u8>),
    ) -> Result<String, Error> {
        let path = Endpoint::Repair.path_for(fix.name());
        let response = self.send(Endpoint::Repair, &path, Body::None).await?;
        let mut lines = transport::lines::<FixLine>(response);
        loop {
            match transport::next(&mut lines).await? {
                Some(FixLine::Progress { message, percent }) => progress(&message, percent),
                Some(FixLine::Done { message }) => return Ok(message),
                Some(FixLine::Error(error)) => return Err(error),
                None => {
                    return Err(Error::failed("The daemon went away during the repair.")
                        .hint("`clauderon doctor` shows what became of it."));
                }
            }
        }
    }

    /// Says what a new session can be made with.
    pub async fn create_options(&self) -> Result<CreateOptions, Error> {
        self.json(Endpoint::CreateOptions, "", Body::None).await
    }

    /// Says what the window remembers.
    pub async fn desk(&self) -> Result<Desk, Error> {
        self.json(Endpoint::Desk, "", Body::None).await
    }

    /// Remembers it.
    pub async fn save_desk(&self, desk: &Desk) -> Result<(), Error> {
        self.json(Endpoint::SaveDesk, "", Body::json(desk)).await
    }

    /// Shows one session.
    pub async fn session(&self, session: &str) -> Result<Session, Error> {
        self.json(Endpoint::Session, session, Body::None).await
    }

    /// Changes a session's title, pin, notifications or posture.
    pub async fn update_session(
        &self,
        session: &str,
        change: &UpdateSession,
    ) -> Result<Session, Error> {
        self.json(Endpoint::UpdateSession, session, Body::json(change))
            .await
    }

    /// Puts a session away.
    pub async fn archive_session(&self, session: &str) -> Result<Session, Error> {
        self.json(Endpoint::ArchiveSession, session, Body::None)
            .await
    }

    /// Takes a session out of the archive.
    pub async fn unarchive_session(&self, session: &str) -> Result<Session, Error> {
        self.json(Endpoint::UnarchiveSession, session, Body::None)
            .await
    }

    /// Makes a session's sandbox anew.
    pub async fn recreate_session(&self, session: &str) -> Result<Session, Error> {
        self.json(Endpoint::RecreateSession, session, Body::None)
            .await
    }

    /// Shows what a session holds, may use, uses and how it is.
    pub async fn session_info(&self, session: &str) -> Result<SessionInfo, Error> {
        self.json(Endpoint::SessionInfo, session, Body::None).await
    }

    /// Types text into a session's terminal.
    pub async fn say(&self, session: &str, text: &SayText) -> Result<(), Error> {
        self.json(Endpoint::Say, session, Body::json(text)).await
    }

    /// Names the files that differ from the base commit.
    pub async fn file_status(&self, session: &str) -> Result<StatusView, Error> {
        self.json(Endpoint::FileStatus, session, Body::None).await
    }

    /// Lists the deleted sessions.
    pub async fn trash(&self) -> Result<Vec<TrashRow>, Error> {
        self.json(Endpoint::Trash, "", Body::None).await
    }

    /// Restores a deleted session.
    pub async fn restore_session(&self, id: &str) -> Result<Session, Error> {
        self.json(Endpoint::RestoreSession, id, Body::None).await
    }

    /// Deletes a session in the trash for good.
    pub async fn purge_session(&self, id: &str) -> Result<(), Error> {
        self.json(Endpoint::PurgeSession, id, Body::None).await
    }

    /// Deletes every session in the trash for good.
    pub async fn empty_trash(&self) -> Result<(), Error> {
        self.json(Endpoint::EmptyTrash, "", Body::None).await
    }

    /// Lists the credentials.
    pub async fn accounts(&self) -> Result<AccountsView, Error> {
        self.json(Endpoint::Accounts, "", Body::None).await
    }

    /// Keeps a credential.
    pub async fn save_account(&self, name: &str, save: &SaveAccount) -> Result<Account, Error> {
        self.json(Endpoint::SaveAccount, name, Body::json(save))
            .await
    }

    /// Removes a credential.
    pub async fn remove_account(&self, name: &str) -> Result<Account, Error> {
        self.json(Endpoint::RemoveAccount, name, Body::None).await
    }

    /// Asks the service whether a credential works.
    pub async fn check_account(&self, name: &str) -> Result<AccountCheck, Error> {
        self.json(Endpoint::CheckAccount, name, Body::None).await
    }

    /// Says how much room the sessions take.
    pub async fn storage(&self) -> Result<StorageView, Error> {
        self.json(Endpoint::Storage, "", Body::None).await
    }

    /// Says whether the network is paused.
    pub async fn network(&self) -> Result<Network, Error> {
        self.json(Endpoint::Network, "", Body::None).await
    }

    /// Pauses every session's network, or lets it go on.
    pub async fn set_network(&self, network: Network) -> Result<Network, Error> {
        self.json(Endpoint::SetNetwork, "", Body::json(&network))
            .await
    }

    /// Moves a session to the trash.
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

    /// Opens a session's console at a place, or with a snapshot.
    pub async fn console(
        &self,
        session: &str,
        query: ConsoleQuery,
    ) -> Result<ConsoleSocket, Error> {
        let path = format!(
            "{}?{}",
            Endpoint::Console.path_for(session),
            query.to_query()
        );
        ConsoleSocket::open(transport::dial(&self.socket).await?, &path).await
    }

    /// Begins to sign in for a credential.
    pub async fn sign_in(&self, name: &str) -> Result<SignInSocket, Error> {
        let path = Endpoint::SignIn.path_for(name);
        SignInSocket::open(transport::dial(&self.socket).await?, &path).await
    }

    /// Watches all sessions.
    pub async fn events(&self) -> Result<EventSocket, Error> {
        let path = Endpoint::Events.path();
        EventSocket::open(transport::dial(&self.socket).await?, path).await
    }
}

/// Reads the lines of a creation to their end.
async fn created(
    mut lines: BoxStream<'static, Result<CreateLine, Error>>,
    progress: &mut impl FnMut(&str),
) -> Result<Created, Error> {
    loop {
        match transport::next(&mut lines).await? {
            Some(CreateLine::Progress { message }) => progress(&message),
            Some(CreateLine::Created(created)) => return Ok(*created),
            Some(CreateLine::Error(error)) => return Err(error),
            None => {
                return Err(
                    Error::failed("The daemon went away while it created the session.")
                        .hint("`clauderon list` shows what became of it."),
                );
            }
        }
    }
}
