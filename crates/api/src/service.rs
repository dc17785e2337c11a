//! What a daemon must be able to do to be served by the router: one method an endpoint.

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::BoxStream;
use tokio::sync::{broadcast, mpsc};

use crate::error::Error;
use crate::wire::{
    Account, AccountCheck, AccountsView, AgentsView, AllowHost, AnswerApproval, Approval,
    AuditQuery, AuditReport, AuditRow, ChangeMessage, ConfigView, ConsoleEvent, ConsoleHello,
    ConsoleInput, ConsoleQuery, ConversationEvent, ConversationQuery, ConversationView,
    CreateOptions, CreateSession, Created, DaemonInfo, Desk, DiffView, DoctorReport, FileSides,
    FileView, FilesChanged, Fix, FixLine, FolderView, ForkSession, LogsQuery, MessageView, Network,
    PolicyView, PullView, RecentRepository, SaveAccount, SayText, SendMessage, ServerEvent,
    Session, SessionInfo, SetBudget, SignInText, StatusView, StorageView, TrashRow, UpdateSession,
    Upload, UsageQuery, UsageView, WebLink,
};

/// The daemon, as the router sees it. `session` is always a name or an identifier.
#[async_trait]
pub trait Service: Send + Sync + 'static {
    /// Says who it is.
    async fn daemon(&self) -> Result<DaemonInfo, Error>;
    /// Begins to end; returns before it has.
    async fn stop_daemon(&self) -> Result<(), Error>;
    /// Makes a link that signs a browser in; `Conflict` where no page is served.
    async fn web_link(&self) -> Result<WebLink, Error>;
    /// Lists the sessions, oldest first.
    async fn sessions(&self) -> Result<Vec<Session>, Error>;
    /// Creates a session and says each step. It runs to its end even where the caller hangs up; on
    /// an error nothing is left of the session.
    async fn create_session(
        &self,
        request: CreateSession,
        progress: Progress,
    ) -> Result<Created, Error>;
    /// Forks a session and says each step, as a creation does.
    async fn fork_session(
        &self,
        session: &str,
        request: ForkSession,
        progress: Progress,
    ) -> Result<Created, Error>;
    /// Shows one session.
    async fn session(&self, session: &str) -> Result<Session, Error>;
    /// Changes its title, pin, notifications or posture.
    async fn update_session(&self, session: &str, change: UpdateSession) -> Result<Session, Error>;
    /// Puts it away.
    async fn archive_session(&self, session: &str) -> Result<Session, Error>;
    /// Takes it out of the archive.
    async fn unarchive_session(&self, session: &str) -> Result<Session, Error>;
    /// Makes its sandbox anew around the same work.
    async fn recreate_session(&self, session: &str) -> Result<Session, Error>;
    /// Shows what it holds, may use, uses and how it is.
    async fn session_info(&self, session: &str) -> Result<SessionInfo, Error>;
    /// Changes what it may spend.
    async fn set_budget(&self, session: &str, budget: SetBudget) -> Result<Session, Error>;
    /// Types text into its terminal.
    async fn say(&self, session: &str, text: SayText) -> Result<(), Error>;
    /// Lists what its agent waits for.
    async fn approvals(&self, session: &str) -> Result<Vec<Approval>, Error>;
    /// Answers one of them.
    async fn answer_approval(&self, session: &str, answer: AnswerApproval) -> Result<(), Error>;
    /// Lists what was sent to its agent lately.
    async fn messages(&self, session: &str) -> Result<Vec<MessageView>, Error>;
    /// Sends its agent a message; it is written down when this returns.
    async fn send_message(&self, session: &str, message: SendMessage)
    -> Result<MessageView, Error>;
    /// Changes a message that waits, or tries one again.
    async fn change_message(
        &self,
        session: &str,
        change: ChangeMessage,
    ) -> Result<MessageView, Error>;
    /// Takes a message back.
    async fn withdraw_message(&self, session: &str, id: &str) -> Result<MessageView, Error>;
    /// Shows a part of its conversation.
    async fn conversation(
        &self,
        session: &str,
        query: ConversationQuery,
    ) -> Result<ConversationView, Error>;
    /// Follows its conversation for as long as the receiver lives: all of it first, then what changes.
    async fn follow_conversation(
        &self,
        session: &str,
    ) -> Result<mpsc::Receiver<ConversationEvent>, Error>;
    /// Puts a file into it.
    async fn upload(
        &self,
        session: &str,
        name: &str,
        bytes: BoxStream<'static, Result<Bytes, Error>>,
    ) -> Result<Upload, Error>;
    /// Lists one folder of its workspace.
    async fn folder(&self, session: &str, path: &str) -> Result<FolderView, Error>;
    /// Shows one file of its workspace.
    async fn file(&self, session: &str, path: &str) -> Result<FileView, Error>;
    /// Sends one file of its workspace as it is.
    async fn raw_file(&self, session: &str, path: &str) -> Result<RawFile, Error>;
    /// Names the files that differ from the base commit.
    async fn file_status(&self, session: &str) -> Result<StatusView, Error>;
    /// Shows one changed file before and now.
    async fn file_sides(&self, session: &str, path: &str) -> Result<FileSides, Error>;
    /// Watches its workspace for as long as the receiver lives.
    async fn watch_files(&self, session: &str) -> Result<mpsc::Receiver<FilesChanged>, Error>;
    /// Lists the deleted sessions that can be restored, the last deleted first.
    async fn trash(&self) -> Result<Vec<TrashRow>, Error>;
    /// Restores a deleted session.
    async fn restore_session(&self, id: &str) -> Result<Session, Error>;
    /// Deletes a session in the trash for good.
    async fn purge_session(&self, id: &str) -> Result<(), Error>;
    /// Deletes every session in the trash for good.
    async fn empty_trash(&self) -> Result<(), Error>;
    /// Lists the credentials.
    async fn accounts(&self) -> Result<AccountsView, Error>;
    /// Keeps a credential.
    async fn save_account(&self, name: &str, save: SaveAccount) -> Result<Account, Error>;
    /// Removes a credential that this installation keeps.
    async fn remove_account(&self, name: &str) -> Result<Account, Error>;
    /// Asks the service whether a credential works.
    async fn check_account(&self, name: &str) -> Result<AccountCheck, Error>;
    /// Signs in on this machine and keeps the result.
    async fn sign_in(&self, name: &str) -> Result<SignIn, Error>;
    /// Repairs something that the doctor found, and says each step.
    async fn repair(&self, fix: Fix) -> Result<mpsc::Receiver<FixLine>, Error>;
    /// Starts a session that needs no account, and says each step.
    async fn demo(&self, progress: Progress) -> Result<Created, Error>;
    /// Says what a new session can be made with.
    async fn create_options(&self) -> Result<CreateOptions, Error>;
    /// Shows what was used of the models.
    async fn usage(&self, query: UsageQuery) -> Result<UsageView, Error>;
    /// Says how much room the sessions take.
    async fn storage(&self) -> Result<StorageView, Error>;
    /// Says whether the network is paused.
    async fn network(&self) -> Result<Network, Error>;
    /// Pauses every session's network, or lets it go on.
    async fn set_network(&self, network: Network) -> Result<Network, Error>;
    /// Says what the window remembers.
    async fn desk(&self) -> Result<Desk, Error>;
    /// Remembers it.
    async fn save_desk(&self, desk: Desk) -> Result<(), Error>;
    /// Moves a session to the trash.
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
    /// Opens a session's console at a place, or with a snapshot.
    async fn console(&self, session: &str, query: ConsoleQuery) -> Result<Console, Error>;
    /// Returns the whole state and the changes after it. Called again for a client that lags.
    async fn subscribe(&self) -> Result<Subscription, Error>;
}

/// A file on its way out.
pub struct RawFile {
    /// Its own name.
    pub name: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// `application/octet-stream`, or the type of a picture that a page can show.
    pub mime: String,
    /// Its content.
    pub content: BoxStream<'static, Result<Bytes, Error>>,
}

/// A sign-in under way.
#[derive(Debug)]
pub struct SignIn {
    /// What the program prints, credentials taken out, and the end.
    pub events: mpsc::Receiver<SignInEvent>,
    /// What the person types.
    pub input: mpsc::Sender<ConsoleInput>,
}

/// Something that a sign-in delivers.
#[derive(Debug, PartialEq)]
pub enum SignInEvent {
    /// Bytes that the program printed.
    Output(Bytes),
    /// A link, or the end.
    Text(SignInText),
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
    /// Whether the network is paused.
    pub network_paused: bool,
    /// Whether the disk has no room.
    pub disk_full: bool,
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
