//! Takes up the sessions of an earlier daemon.

use std::time::Duration;

use clauderon_api as api;
use clauderon_session::State;
use clauderon_store::Record;
use clauderon_workspace::Workspace;
use futures_util::future::join_all;
use tokio::time::timeout;

use super::{Sessions, folders};

/// How long the first who asks may have to wait until it is read what the agents wrote down.
const RECALL: Duration = Duration::from_secs(1);

impl Sessions {
    /// Takes up every session of an earlier daemon, those whose agents still run included.
    pub async fn reattach(&self, records: Vec<Record>) {
        for record in records {
            let id = record.spec.id;
            if let Err(error) = self.take_up(record).await {
                tracing::error!(session = %id, error = %format!("{error:#}"), "the session could not be taken up");
            }
        }
        self.recall().await;
    }

    /// Reads what the agents that run have printed and written down, so that the first who asks is told what they do.
    async fn recall(&self) {
        let sessions: Vec<_> = self.all().values().cloned().collect();
        let running = sessions
            .iter()
            .filter(|session| session.view().state == api::State::Running);
        let read = join_all(running.map(|session| async {
            session.pulse.caught_up().await;
            // Its owner tells the conversation what the terminal says. One that is gone has nothing to tell.
            if session.settled().await.is_ok() {
                let _ = session.talk.settled().await;
            }
        }));
        if timeout(RECALL, read).await.is_err() {
            tracing::warn!("some conversations are long: what their agents do is shown later");
        }
    }

    pub(super) async fn take_up(&self, record: Record) -> anyhow::Result<()> {
        let paths = self.shared.store.dir(record.spec.id);
        let ca = folders::load_ca(&paths, record.spec.id)?;
        let workspace = match Workspace::load(paths.path()) {
            Err(clauderon_workspace::Error::NotAWorkspace(_))
                if *record.life.state() == State::Creating =>
            {
                // No agent has worked in it, and nothing outside of its folder knows of it.
                tracing::info!(session = %record.spec.id, "its making broke off before it had a workspace; it is removed");
                return Ok(self.shared.store.remove(record.spec.id)?);
            }
            loaded => loaded?,
        };
        let folder = paths.path().to_owned();
        // Nobody waits for what a killed daemon left behind.
        drop(tokio::task::spawn_blocking(move || {
            clauderon_workspace::sweep(&folder);
        }));
        let (mut actor, orders, session) = self.assemble(record, workspace, ca)?;
        actor.reattach().await;
        self.shared.tasks.spawn(actor.live(orders));
        self.all().insert(session.spec.id, session);
        Ok(())
    }
}
