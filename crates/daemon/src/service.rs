//! The API's verbs, each a few lines over what does the work.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use clauderon_agents::Pin;
use clauderon_api::{self as api, Error, Progress, Service};
use clauderon_policy::{Grant, Host, Target};
use clauderon_session::Agent;
use futures_util::stream::BoxStream;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::sessions::Sessions;
use crate::{
    audit, configuration, console, credentials, demo, desk, doctor, failure, files, info, network,
    options, repair, say, storage, uploads, web,
};

/// How many repositories of earlier sessions are offered.
const RECENT: u32 = 20;

/// The daemon behind its API.
pub struct Daemon {
    /// All sessions.
    pub sessions: Arc<Sessions>,
    /// Who this daemon is.
    pub info: api::DaemonInfo,
    /// Cancelled by whoever asks the daemon to end.
    pub asked_to_stop: CancellationToken,
    /// The door of the page's port, where it is served.
    pub door: Option<Arc<api::Door>>,
}

#[async_trait]
impl Service for Daemon {
    async fn daemon(&self) -> Result<api::DaemonInfo, Error> {
        Ok(self.info.clone())
    }

    async fn stop_daemon(&self) -> Result<(), Error> {
        self.asked_to_stop.cancel();
        Ok(())
    }

    async fn web_link(&self) -> Result<api::WebLink, Error> {
        web::link(self.door.as_ref())
    }

    async fn sessions(&self) -> Result<Vec<api::Session>, Error> {
        Ok(self.sessions.views())
    }

    async fn create_session(
        &self,
        request: api::CreateSession,
        progress: Progress,
    ) -> Result<api::Created, Error> {
        self.sessions.create(request, progress).await
    }

    async fn fork_session(
        &self,
        session: &str,
        request: api::ForkSession,
        progress: Progress,
    ) -> Result<api::Created, Error> {
        self.sessions.fork(session, request, progress).await
    }

    async fn session(&self, session: &str) -> Result<api::Session, Error> {
        Ok(self.sessions.find(session)?.view())
    }

    async fn delete_session(&self, session: &str) -> Result<(), Error> {
        self.sessions.delete(session).await
    }

    async fn update_session(
        &self,
        session: &str,
        change: api::UpdateSession,
    ) -> Result<api::Session, Error> {
        self.sessions.find(session)?.update(change).await
    }

    async fn set_budget(
        &self,
        session: &str,
        budget: api::SetBudget,
    ) -> Result<api::Session, Error> {
        self.sessions.find(session)?.set_budget(budget).await
    }

    async fn archive_session(&self, session: &str) -> Result<api::Session, Error> {
        self.sessions.find(session)?.archive().await
    }

    async fn unarchive_session(&self, session: &str) -> Result<api::Session, Error> {
        self.sessions.find(session)?.unarchive().await
    }

    async fn recreate_session(&self, session: &str) -> Result<api::Session, Error> {
        let session = self.sessions.find(session)?;
        session.recreate().await?;
        Ok(session.view())
    }

    async fn session_info(&self, session: &str) -> Result<api::SessionInfo, Error> {
        info::of(&*self.sessions.find(session)?).await
    }

    async fn trash(&self) -> Result<Vec<api::TrashRow>, Error> {
        self.sessions.trash().await
    }

    async fn restore_session(&self, id: &str) -> Result<api::Session, Error> {
        self.sessions.restore(id).await
    }

    async fn purge_session(&self, id: &str) -> Result<(), Error> {
        self.sessions.purge(id).await
    }

    async fn empty_trash(&self) -> Result<(), Error> {
        self.sessions.empty_trash().await
    }

    async fn network(&self) -> Result<api::Network, Error> {
        Ok(network::now(&self.sessions))
    }

    async fn set_network(&self, network: api::Network) -> Result<api::Network, Error> {
        network::set(&self.sessions, network)
    }

    async fn start_session(&self, session: &str) -> Result<api::Session, Error> {
        let session = self.sessions.find(session)?;
        session.start_again().await?;
        Ok(session.view())
    }

    async fn stop_session(&self, session: &str) -> Result<api::Session, Error> {
        let session = self.sessions.find(session)?;
        session.stop().await?;
        Ok(session.view())
    }

    async fn pull(&self, session: &str) -> Result<api::PullView, Error> {
        let session = self.sessions.find(session)?;
        let workspace = &session.workspace;
        let pulled = session
            .with_sandboxes(async |sandboxes| clauderon_workspace::pull(sandboxes, workspace).await)
            .await?;
        let mut notices = pulled.notes;
        notices.extend(pulled.risky.iter().map(|risky| {
            format!(
                "Look at {} before you merge: {}.",
                risky.path,
                risky.risk.words()
            )
        }));
        Ok(api::PullView {
            reference: format!("refs/clauderon/{}/head", session.spec.name.as_str()),
            commits: pulled.commits,
            wip: pulled
                .wip
                .map(|_| format!("refs/clauderon/{}/wip", session.spec.name.as_str())),
            merge: pulled.merge,
            notices,
        })
    }

    async fn diff(&self, session: &str) -> Result<api::DiffView, Error> {
        let session = self.sessions.find(session)?;
        let workspace = &session.workspace;
        let diff = session
            .with_sandboxes(async |sandboxes| clauderon_workspace::diff(sandboxes, workspace).await)
            .await?;
        Ok(api::DiffView {
            base: diff.base,
            branch: session.spec.branch.clone(),
            head: diff.head,
            commits: diff.commits,
            files: diff
                .files
                .into_iter()
                .map(|file| api::ChangedFile {
                    path: file.path,
                    from: file.from,
                    added: file.added,
                    removed: file.removed,
                })
                .collect(),
            risky: diff.risky.into_iter().map(files::risky).collect(),
            patch: diff.patch,
            truncated: diff.cut,
            notices: diff.notes,
        })
    }

    async fn say(&self, session: &str, text: api::SayText) -> Result<(), Error> {
        say::say(&*self.sessions.find(session)?, text).await
    }

    async fn approvals(&self, session: &str) -> Result<Vec<api::Approval>, Error> {
        Ok(self.sessions.find(session)?.talk.approvals())
    }

    async fn answer_approval(
        &self,
        session: &str,
        answer: api::AnswerApproval,
    ) -> Result<(), Error> {
        self.sessions.find(session)?.talk.answer(&answer)
    }

    async fn messages(&self, session: &str) -> Result<Vec<api::MessageView>, Error> {
        self.sessions.find(session)?.delivery.list().await
    }

    async fn send_message(
        &self,
        session: &str,
        message: api::SendMessage,
    ) -> Result<api::MessageView, Error> {
        self.sessions.find(session)?.delivery.send(message).await
    }

    async fn change_message(
        &self,
        session: &str,
        change: api::ChangeMessage,
    ) -> Result<api::MessageView, Error> {
        let api::ChangeMessage { id, change } = change;
        self.sessions
            .find(session)?
            .delivery
            .change(id, change)
            .await
    }

    async fn withdraw_message(&self, session: &str, id: &str) -> Result<api::MessageView, Error> {
        self.sessions.find(session)?.delivery.withdraw(id).await
    }

    async fn conversation(
        &self,
        session: &str,
        query: api::ConversationQuery,
    ) -> Result<api::ConversationView, Error> {
        let session = self.sessions.find(session)?;
        session.talk.view(query, session.delivery.watch()).await
    }

    async fn follow_conversation(
        &self,
        session: &str,
    ) -> Result<mpsc::Receiver<api::ConversationEvent>, Error> {
        let session = self.sessions.find(session)?;
        session.talk.follow(session.delivery.watch()).await
    }

    async fn upload(
        &self,
        session: &str,
        name: &str,
        bytes: BoxStream<'static, Result<Bytes, Error>>,
    ) -> Result<api::Upload, Error> {
        let folder = self.sessions.find(session)?.paths.uploads();
        uploads::take(&folder, name, bytes).await
    }

    async fn folder(&self, session: &str, path: &str) -> Result<api::FolderView, Error> {
        files::folder(self.sessions.find(session)?, path).await
    }

    async fn file(&self, session: &str, path: &str) -> Result<api::FileView, Error> {
        files::file(self.sessions.find(session)?, path).await
    }

    async fn raw_file(&self, session: &str, path: &str) -> Result<api::RawFile, Error> {
        files::raw(self.sessions.find(session)?, path).await
    }

    async fn watch_files(&self, session: &str) -> Result<mpsc::Receiver<api::FilesChanged>, Error> {
        files::watch(&*self.sessions.find(session)?).await
    }

    async fn file_status(&self, session: &str) -> Result<api::StatusView, Error> {
        files::status(&*self.sessions.find(session)?).await
    }

    async fn file_sides(&self, session: &str, path: &str) -> Result<api::FileSides, Error> {
        files::sides(&*self.sessions.find(session)?, path).await
    }

    async fn logs(
        &self,
        session: &str,
        query: api::LogsQuery,
    ) -> Result<BoxStream<'static, Result<Bytes, Error>>, Error> {
        console::logs(&*self.sessions.find(session)?, query).await
    }

    async fn policy(&self, session: &str) -> Result<api::PolicyView, Error> {
        let session = self.sessions.find(session)?;
        let (posture, grants) = session.policy();
        let always = self
            .sessions
            .shared()
            .store
            .always_allowed(&session.spec.repository);
        let grants = grants
            .iter()
            .map(|grant| api::GrantRow {
                host: grant.host.to_string(),
                port: grant.port,
                always: always.contains(grant),
            })
            .collect();
        let log = self.sessions.shared().paths.audit();
        let routes = self.sessions.shared().routes.borrow().clone();
        let governed = |host: &Host| routes.governs(host);
        Ok(api::PolicyView {
            posture,
            grants,
            refused: audit::refused(log, &session.spec, governed).await?,
        })
    }

    async fn allow_host(
        &self,
        session: &str,
        allow: api::AllowHost,
    ) -> Result<api::PolicyView, Error> {
        let found = self.sessions.find(session)?;
        let grant = grant(&allow.host)?;
        if self.sessions.shared().routes.borrow().governs(&grant.host) {
            return Err(Error::new(
                api::ErrorCode::Refused,
                format!("{} cannot be allowed as a whole: it carries a credential, so only its own routes are open", grant.host),
            )
            .hint("add a [[route]] for exactly what is needed to proxy.toml"));
        }
        if allow.always {
            let repository = &found.spec.repository;
            self.sessions
                .shared()
                .store
                .always_allow(repository, grant.clone())
                .map_err(failure::store)?;
            self.sessions.grant_all(repository, &grant);
        } else {
            found.grant(grant).await?;
        }
        Service::policy(self, session).await
    }

    async fn audit(
        &self,
        query: api::AuditQuery,
    ) -> Result<BoxStream<'static, Result<api::AuditRow, Error>>, Error> {
        let session = match &query.session {
            Some(wanted) => Some(self.sessions.find(wanted)?.spec.id),
            None => None,
        };
        let log = self.sessions.shared().paths.audit();
        audit::rows(log, session, query.n, query.follow).await
    }

    async fn verify_audit(&self) -> Result<api::AuditReport, Error> {
        let paths = &self.sessions.shared().paths;
        audit::verify(paths.audit(), paths.audit_key()).await
    }

    async fn agents(&self) -> Result<api::AgentsView, Error> {
        let home = self.sessions.shared().paths.home();
        let view = |agent: &Agent| {
            let pin = Pin::of(*agent)?;
            Some(api::AgentView {
                agent: *agent,
                version: pin.version,
                installed: clauderon_agents::installed(home, *agent).map(|found| found.dir),
            })
        };
        Ok(api::AgentsView {
            agents: Agent::ALL.iter().filter_map(view).collect(),
        })
    }

    async fn doctor(&self) -> Result<api::DoctorReport, Error> {
        let shared = self.sessions.shared();
        let image = shared.preferences.defaults.image.as_deref();
        Ok(doctor::report(&shared.paths, &shared.runtimes, &shared.vaults, image).await)
    }

    async fn repair(&self, fix: api::Fix) -> Result<mpsc::Receiver<api::FixLine>, Error> {
        Ok(repair::begin(self.sessions.shared().clone(), fix))
    }

    async fn demo(&self, progress: Progress) -> Result<api::Created, Error> {
        demo::begin(&self.sessions, progress).await
    }

    async fn create_options(&self) -> Result<api::CreateOptions, Error> {
        let shared = self.sessions.shared();
        Ok(options::view(&shared.runtimes, &shared.preferences.defaults).await)
    }

    async fn usage(&self, query: api::UsageQuery) -> Result<api::UsageView, Error> {
        self.sessions.shared().books.view(query).await
    }

    async fn storage(&self) -> Result<api::StorageView, Error> {
        storage::view(&self.sessions).await
    }

    async fn desk(&self) -> Result<api::Desk, Error> {
        let shared = self.sessions.shared();
        let _alone = shared.desk.lock().await;
        desk::read(shared.paths.desk()).await
    }

    async fn save_desk(&self, desk: api::Desk) -> Result<(), Error> {
        let shared = self.sessions.shared();
        let _alone = shared.desk.lock().await;
        desk::write(shared.paths.desk(), desk).await
    }

    async fn config(&self) -> Result<api::ConfigView, Error> {
        let shared = self.sessions.shared();
        Ok(api::ConfigView {
            settings: configuration::settings(&shared.preferences),
            paths: configuration::paths(&shared.paths),
            credentials: credentials::rows(&shared.vaults),
        })
    }

    async fn accounts(&self) -> Result<api::AccountsView, Error> {
        self.sessions.shared().accounts.list().await
    }

    async fn save_account(
        &self,
        name: &str,
        save: api::SaveAccount,
    ) -> Result<api::Account, Error> {
        self.sessions.shared().accounts.save(name, save).await
    }

    async fn sign_in(&self, name: &str) -> Result<api::SignIn, Error> {
        let shared = self.sessions.shared();
        shared.accounts.sign_in(shared.paths.home(), name).await
    }

    async fn check_account(&self, name: &str) -> Result<api::AccountCheck, Error> {
        self.sessions.shared().accounts.check(name).await
    }

    async fn remove_account(&self, name: &str) -> Result<api::Account, Error> {
        self.sessions.shared().accounts.remove(name).await
    }

    async fn recent_repositories(&self) -> Result<Vec<api::RecentRepository>, Error> {
        let recent = self
            .sessions
            .shared()
            .store
            .recent_repositories(RECENT)
            .map_err(failure::store)?;
        Ok(recent
            .into_iter()
            // A throw-away one is nothing to come back to.
            .filter(|(path, _)| !path.starts_with(self.sessions.shared().paths.demo()))
            .map(|(path, last_used_ms)| api::RecentRepository { path, last_used_ms })
            .collect())
    }

    async fn console(
        &self,
        session: &str,
        query: api::ConsoleQuery,
    ) -> Result<api::Console, Error> {
        let session = self.sessions.find(session)?;
        let console = console::open(&session, query).await?;
        session.seen().await;
        Ok(console)
    }

    async fn subscribe(&self) -> Result<api::Subscription, Error> {
        let (seq, changes) = self.sessions.shared().events.subscribe();
        Ok(api::Subscription {
            seq,
            sessions: self.sessions.views(),
            network_paused: network::now(&self.sessions).paused,
            disk_full: self.sessions.shared().room.is_full(),
            changes,
        })
    }
}

/// Reads `host` or `host:port`.
fn grant(text: &str) -> Result<Grant, Error> {
    let bad = |error: String| {
        Error::usage(format!("{text:?} is not a host: {error}"))
            .hint("give a host such as docs.example.com, or host:port")
    };
    match Target::parse_authority(text) {
        Ok(target) => Ok(Grant {
            host: target.host,
            port: target.port,
        }),
        Err(_) => Host::parse(text)
            .map(|host| Grant { host, port: 443 })
            .map_err(|error| bad(error.to_string())),
    }
}
