//! Forks a session: another one of the same repository, with a copy of its files and of its conversation, that goes on by
//! itself. A step that fails takes back all that came before it.

use std::path::Path;
use std::sync::Arc;

use clauderon_agents::{Conversation, conversation_exists};
use clauderon_api::{Created, Error, ForkSession, Progress};
use clauderon_runtime::User;
use clauderon_session::{Event, Lifecycle, Mode, SessionName, Spec};
use clauderon_store::{Record, SessionDir, Shelf, Turn};

use super::plan::{self, Occasion};
use super::{Session, Sessions, create, folders};
use crate::clock::now_ms;
use crate::conversation::copy_transcripts;
use crate::{credentials, failure};

/// What the name of a fork ends with where a person gave none.
const ENDING: &str = "-fork";

/// Forks the session and starts the new one's agent.
pub async fn fork(
    sessions: &Sessions,
    session: &str,
    request: ForkSession,
    progress: Progress,
) -> Result<Created, Error> {
    let source = sessions.find(session)?;
    let shared = &sessions.shared;
    if folders::is_half_made(&source.paths) {
        let sentence = format!("session {} is not made yet", source.spec.name);
        return Err(Error::conflict(sentence).hint("wait until it is, or start it"));
    }
    let original = shared.store.load(source.spec.id).map_err(failure::store)?;
    super::installed(shared, source.spec.agent)?;
    if !original.demo {
        credentials::for_agent(&shared.vaults, source.spec.agent)?;
    }
    let mut notices = Vec::new();
    let name = match &request.name {
        Some(typed) => create::typed_name(typed, &mut notices)?,
        None => sessions.free_name_like(&name_of_a_fork(&source.spec.name)),
    };
    let _reserved = sessions.reserve(name.clone())?;
    let record = record(&original, name, &source, &request)?;
    let spec = record.spec.clone();
    let occasion = Occasion {
        prompt: request.prompt,
        conversation: begins(&spec),
        held: false,
        cols: request.cols,
        rows: request.rows,
    };
    plan::check(&spec, &occasion).map_err(failure::launch)?;
    tracing::info!(session = %spec.id, name = %spec.name, from = %source.spec.id, "fork");

    let half = HalfMade {
        sessions,
        source: &source,
        paths: shared.store.dir(spec.id),
        progress: &progress,
    };
    let made = half.make(record, occasion, notices).await;
    if made.is_err() {
        create::undo(sessions, spec.id).await;
    }
    made
}

/// A fork in the making.
struct HalfMade<'a> {
    sessions: &'a Sessions,
    source: &'a Arc<Session>,
    paths: SessionDir,
    progress: &'a Progress,
}

impl HalfMade<'_> {
    async fn make(
        &self,
        mut record: Record,
        occasion: Occasion,
        mut notices: Vec<String>,
    ) -> Result<Created, Error> {
        let shared = &self.sessions.shared;
        let id = record.spec.id;
        shared.store.create_dir(id).map_err(failure::store)?;
        let ca = folders::fill(&self.paths, id, User::for_caller()).map_err(failure::anyhow)?;
        shared.store.note(&record).map_err(failure::store)?;

        // The conversation first: an agent may find more in its files than it remembers, but not less.
        self.progress.say("copy the conversation");
        self.source.talk.written().await?;
        self.copy_conversation(&record.spec).await?;
        self.progress.say("copy the files");
        let (session_dir, name) = (self.paths.path(), &record.spec.name);
        let forked = self
            .source
            .with_sandboxes(async |sandboxes| {
                clauderon_workspace::fork(sandboxes, &self.source.workspace, session_dir, name)
                    .await
            })
            .await?;
        notices.extend(forked.notes);
        folders::forget_held(&self.paths);

        record.notices = notices.clone();
        let session = self.sessions.adopt(record, forked.workspace, ca)?;
        session.event(Event::Created).await;
        self.progress.say("start the sandbox");
        session.start(occasion).await?;
        shared.tasks.spawn(create::keep(session.clone()));
        Ok(Created {
            session: session.view(),
            notices,
        })
    }

    async fn copy_conversation(&self, spec: &Spec) -> Result<(), Error> {
        let Some(of) = spec.copy_of.clone() else {
            return Ok(());
        };
        let (from, to, agent) = (self.source.paths.home(), self.paths.home(), spec.agent);
        let copied = tokio::task::spawn_blocking(move || {
            copy_transcripts(agent, &of, &from, &to, User::for_caller())
        });
        copied
            .await
            .map_err(anyhow::Error::from)
            .and_then(|copied| copied)
            .map_err(failure::anyhow)
    }
}

/// Says how a session's conversation begins at its next start.
pub fn conversation(home: &Path, spec: &Spec) -> Conversation {
    let exists = |id: &str| conversation_exists(home, spec.agent, id);
    match &spec.copy_of {
        _ if exists(&spec.agent_session) => Conversation::GoesOn,
        Some(of) if exists(of) => Conversation::Copy { of: of.clone() },
        _ => Conversation::New,
    }
}

/// Says how the conversation of a session that was just made begins.
fn begins(spec: &Spec) -> Conversation {
    match spec.copy_of.clone() {
        Some(of) => Conversation::Copy { of },
        None => Conversation::New,
    }
}

/// Builds the record of the fork: what was chosen for the first session holds, and what was granted to it alone does not.
fn record(
    original: &Record,
    name: SessionName,
    source: &Session,
    request: &ForkSession,
) -> Result<Record, Error> {
    let from = &original.spec;
    let copy_of = match conversation(&source.paths.home(), from) {
        Conversation::GoesOn => Some(from.agent_session.clone()),
        Conversation::Copy { of } => Some(of),
        Conversation::New => None,
    };
    let spec = Spec {
        id: create::new_id()?,
        branch: name.branch(),
        name,
        // One that answered its prompt and ended is gone on with in a terminal.
        mode: Mode::Interactive,
        created_ms: now_ms(),
        agent_session: create::uuid()?,
        copy_of,
        ..from.clone()
    };
    let User { uid, gid } = User::for_caller();
    Ok(Record {
        life: Lifecycle::new(spec.created_ms),
        user: (uid, gid),
        prompted: request.prompt.is_some(),
        posture: original.posture,
        agent_version: None,
        budget: original.budget,
        grants: Vec::new(),
        github: original.github.clone(),
        container: None,
        demo: original.demo,
        engine: original.engine.clone(),
        limits: Vec::new(),
        notices: Vec::new(),
        shelf: Shelf::default(),
        turn: Turn::default(),
        deleted: None,
        spec,
    })
}

/// Makes a name of the first session's; a fork of a fork does not end with it twice.
fn name_of_a_fork(from: &SessionName) -> String {
    let name = from.as_str();
    let numbered = name.rsplit_once('-').filter(|(stem, number)| {
        stem.ends_with(ENDING) && number.bytes().all(|digit| digit.is_ascii_digit())
    });
    let stem = numbered.map_or(name, |(stem, _)| stem);
    let stem = stem.strip_suffix(ENDING).unwrap_or(stem);
    let most = SessionName::MAX - ENDING.len();
    let stem = &stem[..stem.len().min(most)];
    format!("{stem}{ENDING}")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_fork_is_named_after_its_session() {
        let check = |from: &str, expected: &str| {
            let name = name_of_a_fork(&from.parse().unwrap());
            assert_eq!(name, expected);
            assert!(name.parse::<SessionName>().is_ok(), "{name}");
        };
        check("fix", "fix-fork");
        check("fix-fork", "fix-fork");
        check("fix-fork-12", "fix-fork");
        check("fix-2", "fix-2-fork");
        check("fork", "fork-fork");
        check(&"x".repeat(63), &format!("{}-fork", "x".repeat(58)));
    }
}
