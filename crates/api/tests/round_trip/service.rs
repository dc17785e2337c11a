//! A service in memory: every answer is visible in the test that asks.

use std::path::PathBuf;
use std::sync::Mutex;

use async_trait::async_trait;
use bytes::Bytes;
use clauderon_api::*;
use futures_util::stream::{self, BoxStream, StreamExt};
use tokio::sync::{broadcast, mpsc};

/// Few, so that a watcher lags soon.
const CHANNEL: usize = 4;

pub struct InMemory {
    sessions: Mutex<(u64, Vec<Session>)>,
    changes: broadcast::Sender<ServerEvent>,
}

pub fn request(name: &str, prompt: &str) -> CreateSession {
    CreateSession {
        name: Some(name.into()),
        repository: PathBuf::from("/r"),
        agent: None,
        backend: None,
        image: None,
        model: None,
        mode: Mode::Print,
        prompt: Some(prompt.into()),
        posture: None,
        cols: 0,
        rows: 0,
        credential_fingerprints: None,
    }
}

pub fn session(name: &str) -> Session {
    Session {
        id: format!("id-{name}"),
        name: name.into(),
        agent: Agent::Claude,
        backend: Backend::Bubblewrap,
        mode: Mode::Print,
        image: None,
        model: None,
        repository: PathBuf::from("/r"),
        branch: format!("clauderon/{name}"),
        base: "0".repeat(40),
        state: State::Exited { code: 3 },
        attention: Attention::Idle,
        posture: Posture::Balanced,
        created_ms: 1,
        last_activity_ms: None,
        notices: vec![],
        limits: vec![],
    }
}

impl InMemory {
    pub fn new() -> InMemory {
        InMemory {
            sessions: Mutex::default(),
            changes: broadcast::channel(CHANNEL).0,
        }
    }

    /// Adds a session and tells the watchers.
    pub fn change(&self, name: &str) {
        let mut sessions = self.sessions.lock().unwrap();
        sessions.0 += 1;
        sessions.1.push(session(name));
        let _ = self.changes.send(ServerEvent::Session {
            seq: sessions.0,
            session: Box::new(session(name)),
        });
    }

    fn with_state(&self, name: &str, state: State) -> Result<Session, Error> {
        let mut sessions = self.sessions.lock().unwrap();
        let found = sessions.1.iter_mut().find(|session| session.name == name);
        let session = found.ok_or_else(|| Error::not_found("no"))?;
        session.state = state;
        Ok(session.clone())
    }
}

/// `error-<code>` fails with that code.
fn check(name: &str) -> Result<(), Error> {
    match name.strip_prefix("error-") {
        Some(code) => {
            let code = serde_json::from_value(code.into()).unwrap();
            Err(Error::new(code, "As asked.").hint("Ask for less."))
        }
        None => Ok(()),
    }
}

#[async_trait]
impl Service for InMemory {
    async fn daemon(&self) -> Result<DaemonInfo, Error> {
        Ok(DaemonInfo {
            version: "1".into(),
            pid: 7,
            home: "/h".into(),
            started_ms: 1,
        })
    }
    async fn stop_daemon(&self) -> Result<(), Error> {
        Ok(())
    }
    async fn sessions(&self) -> Result<Vec<Session>, Error> {
        Ok(self.sessions.lock().unwrap().1.clone())
    }
    async fn create_session(
        &self,
        request: CreateSession,
        progress: Progress,
    ) -> Result<Created, Error> {
        let name = request.name.unwrap();
        assert_ne!(name, "panic");
        if name == "taken" {
            return Err(Error::conflict("taken"));
        }
        progress.say("Clone the repository");
        if name == "late" {
            return Err(Error::conflict("late"));
        }
        progress.say("Start the sandbox");
        self.change(&name);
        Ok(Created {
            session: session(&name),
            notices: vec![format!("prompt: {}", request.prompt.unwrap())],
        })
    }
    async fn session(&self, name: &str) -> Result<Session, Error> {
        check(name)?;
        Ok(session(name))
    }
    async fn delete_session(&self, name: &str) -> Result<(), Error> {
        self.sessions.lock().unwrap().1.retain(|s| s.name != name);
        Ok(())
    }
    async fn start_session(&self, name: &str) -> Result<Session, Error> {
        self.with_state(name, State::Running)
    }
    async fn stop_session(&self, name: &str) -> Result<Session, Error> {
        self.with_state(name, State::Stopped)
    }
    async fn pull(&self, name: &str) -> Result<PullView, Error> {
        Ok(PullView {
            reference: format!("refs/clauderon/{name}/head"),
            commits: 1,
            wip: None,
            merge: vec![format!("git merge {name}")],
            notices: vec![],
        })
    }
    async fn diff(&self, _: &str) -> Result<DiffView, Error> {
        Ok(DiffView {
            base: "0".into(),
            branch: "b".into(),
            head: "1".into(),
            commits: 1,
            files: vec![],
            patch: "+line\n".into(),
            truncated: false,
            notices: vec![],
        })
    }
    async fn logs(
        &self,
        _: &str,
        query: LogsQuery,
    ) -> Result<BoxStream<'static, Result<Bytes, Error>>, Error> {
        let all = b"abc\xff\x00";
        let from = all.len() - query.tail.unwrap() as usize;
        let chunks = all[from..].chunks(1).map(|byte| Ok(Bytes::from(byte)));
        Ok(stream::iter(chunks).boxed())
    }
    async fn policy(&self, _: &str) -> Result<PolicyView, Error> {
        Ok(PolicyView {
            posture: Posture::Balanced,
            grants: vec![],
            refused: vec![],
        })
    }
    async fn allow_host(&self, name: &str, grant: AllowHost) -> Result<PolicyView, Error> {
        let mut policy = self.policy(name).await?;
        policy.grants.push(GrantRow {
            host: grant.host,
            port: 443,
            always: grant.always,
        });
        Ok(policy)
    }
    async fn audit(
        &self,
        query: AuditQuery,
    ) -> Result<BoxStream<'static, Result<AuditRow, Error>>, Error> {
        let session = query.session.unwrap();
        let row = move |seq| {
            Ok(AuditRow {
                seq: seq as u64,
                session: session.clone(),
                ..AuditRow::default()
            })
        };
        Ok(stream::iter(0..query.n.unwrap()).map(row).boxed())
    }
    async fn verify_audit(&self) -> Result<AuditReport, Error> {
        Ok(AuditReport {
            ok: true,
            records: 0,
            anchored: true,
            findings: vec![],
        })
    }
    async fn agents(&self) -> Result<AgentsView, Error> {
        Ok(AgentsView { agents: vec![] })
    }
    async fn doctor(&self) -> Result<DoctorReport, Error> {
        Ok(DoctorReport::default())
    }
    async fn config(&self) -> Result<ConfigView, Error> {
        Ok(ConfigView {
            settings: vec![],
            paths: vec![],
            credentials: vec![],
        })
    }
    async fn recent_repositories(&self) -> Result<Vec<RecentRepository>, Error> {
        Ok(vec![])
    }
    async fn console(&self, name: &str, from: Option<u64>) -> Result<Console, Error> {
        check(name)?;
        let (events_in, events) = mpsc::channel(8);
        let (input, mut typed) = mpsc::channel(8);
        tokio::spawn(async move {
            while let Some(input) = typed.recv().await {
                let bytes = match input {
                    ConsoleInput::Bytes(bytes) if bytes == "exit" => break,
                    ConsoleInput::Bytes(bytes) => bytes,
                    ConsoleInput::Resize { cols, rows } => format!("{cols}x{rows}").into(),
                    ConsoleInput::Signal(number) => format!("signal {number}").into(),
                };
                let output = ConsoleEvent::Output {
                    stream: PTY,
                    next: 0,
                    bytes,
                };
                events_in.send(output).await.unwrap();
            }
            let exit = Exit {
                code: 3,
                signal: None,
                oom: false,
            };
            let _ = events_in.send(ConsoleEvent::Exit(exit)).await;
        });
        let hello = ConsoleHello {
            session: name.into(),
            mode: Mode::Interactive,
            offset_start: from.unwrap_or(0),
            offset_end: 9,
            running: true,
        };
        Ok(Console {
            hello,
            events,
            input,
        })
    }
    async fn subscribe(&self) -> Result<Subscription, Error> {
        let sessions = self.sessions.lock().unwrap();
        Ok(Subscription {
            seq: sessions.0,
            sessions: sessions.1.clone(),
            changes: self.changes.subscribe(),
        })
    }
}
