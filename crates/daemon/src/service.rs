//! The API's verbs, each a few lines over what does the work.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use clauderon_agents::Pin;
use clauderon_api::{self as api, Error, Progress, Service};
use clauderon_policy::{Grant, Host, Target};
use clauderon_session::Agent;
use futures_util::stream::BoxStream;
use tokio_util::sync::CancellationToken;

use crate::sessions::Sessions;
use crate::{audit, configuration, console, credentials, doctor};

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

    async fn session(&self, session: &str) -> Result<api::Session, Error> {
        Ok(self.sessions.find(session)?.view())
    }

    async fn delete_session(&self, session: &str) -> Result<(), Error> {
        self.sessions.delete(session).await
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
            patch: diff.patch,
            truncated: diff.cut,
            notices: diff.notes,
        })
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
                .map_err(|error| Error::failed(error.to_string()))?;
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
        Ok(doctor::report(&shared.paths, &shared.runtimes, &shared.vaults).await)
    }

    async fn config(&self) -> Result<api::ConfigView, Error> {
        let shared = self.sessions.shared();
        Ok(api::ConfigView {
            settings: configuration::settings(&shared.preferences),
            paths: configuration::paths(&shared.paths),
            credentials: credentials::rows(&shared.vaults),
        })
    }

    async fn recent_repositories(&self) -> Result<Vec<api::RecentRepository>, Error> {
        let recent = self
            .sessions
            .shared()
            .store
            .recent_repositories(RECENT)
            .map_err(|error| Error::failed(error.to_string()))?;
        Ok(recent
            .into_iter()
            .map(|(path, last_used_ms)| api::RecentRepository { path, last_used_ms })
            .collect())
    }

    async fn console(&self, session: &str, from: Option<u64>) -> Result<api::Console, Error> {
        console::open(&*self.sessions.find(session)?, from).await
    }

    async fn subscribe(&self) -> Result<api::Subscription, Error> {
        let (seq, changes) = self.sessions.shared().events.subscribe();
        Ok(api::Subscription {
            seq,
            sessions: self.sessions.views(),
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
