//! A service in memory: every answer is visible in the test that asks.

use std::path::PathBuf;
use std::sync::Mutex;

use async_trait::async_trait;
use bytes::Bytes;
use clauderon_api::*;
use clauderon_transcript::tap::Limits;
use clauderon_transcript::{Activity, Conversation, Status as AgentStatus, Totals};
use futures_util::stream::{self, BoxStream, StreamExt};
use tokio::sync::{broadcast, mpsc, watch};

/// Few, so that a watcher lags soon.
const CHANNEL: usize = 4;

pub struct InMemory {
    sessions: Mutex<(u64, Vec<Session>)>,
    changes: broadcast::Sender<ServerEvent>,
    desk: Mutex<Desk>,
    /// Told when the caller of a repair that never ends has gone away.
    pub given_up: std::sync::Arc<tokio::sync::Notify>,
    /// What was typed last into a console that never stops to print.
    pub typed: watch::Sender<Bytes>,
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
        budget: None,
        isolate_history: false,
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
        status: AgentStatus {
            activity: Activity::Done,
            since_ms: 1,
        },
        standing: Standing::Done,
        needs_you: false,
        title: None,
        last_line: None,
        pinned: false,
        notify: true,
        archived_ms: None,
        posture: Posture::Balanced,
        budget: None,
        untested: None,
        demo: false,
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
            desk: Mutex::default(),
            given_up: std::sync::Arc::default(),
            typed: watch::Sender::new(Bytes::new()),
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
    async fn web_link(&self) -> Result<WebLink, Error> {
        Err(Error::conflict("This daemon serves no page."))
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
    async fn fork_session(
        &self,
        from: &str,
        request: ForkSession,
        progress: Progress,
    ) -> Result<Created, Error> {
        check(from)?;
        progress.say("Copy the files");
        Ok(Created {
            session: session(&request.name.unwrap()),
            notices: vec![format!("{from}: {}", request.prompt.unwrap())],
        })
    }
    async fn session(&self, name: &str) -> Result<Session, Error> {
        check(name)?;
        Ok(session(name))
    }
    async fn update_session(
        &self,
        _session: &str,
        _change: UpdateSession,
    ) -> Result<Session, Error> {
        Err(Error::failed("not kept in memory"))
    }

    async fn set_budget(&self, name: &str, set: SetBudget) -> Result<Session, Error> {
        check(name)?;
        let mut session = session(name);
        session.budget = set.budget.budget().map(|budget| BudgetView {
            budget,
            words: budget.words(),
            tokens: 1,
            dollars: Some(0.5),
            share: 0.1,
            near: false,
            held: Some(BudgetHold {
                since_ms: 1,
                why: clauderon_transcript::meter::Why::Unpriced { model: "m".into() },
                sentence: "why".into(),
            }),
        });
        Ok(session)
    }

    async fn archive_session(&self, _session: &str) -> Result<Session, Error> {
        Err(Error::failed("not kept in memory"))
    }

    async fn unarchive_session(&self, _session: &str) -> Result<Session, Error> {
        Err(Error::failed("not kept in memory"))
    }

    async fn approvals(&self, _session: &str) -> Result<Vec<Approval>, Error> {
        Ok(Vec::new())
    }

    async fn answer_approval(&self, _session: &str, _answer: AnswerApproval) -> Result<(), Error> {
        Err(Error::conflict("nothing is asked"))
    }

    async fn recreate_session(&self, _session: &str) -> Result<Session, Error> {
        Err(Error::failed("not kept in memory"))
    }

    async fn session_info(&self, _session: &str) -> Result<SessionInfo, Error> {
        Err(Error::failed("not kept in memory"))
    }

    async fn trash(&self) -> Result<Vec<TrashRow>, Error> {
        Err(Error::failed("not kept in memory"))
    }

    async fn restore_session(&self, _id: &str) -> Result<Session, Error> {
        Err(Error::failed("not kept in memory"))
    }

    async fn purge_session(&self, _id: &str) -> Result<(), Error> {
        Err(Error::failed("not kept in memory"))
    }

    async fn empty_trash(&self) -> Result<(), Error> {
        Err(Error::failed("not kept in memory"))
    }

    async fn network(&self) -> Result<Network, Error> {
        Err(Error::failed("not kept in memory"))
    }

    async fn set_network(&self, _network: Network) -> Result<Network, Error> {
        Err(Error::failed("not kept in memory"))
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
    async fn say(&self, name: &str, text: SayText) -> Result<(), Error> {
        check(name)?;
        assert_eq!((text.text.as_str(), text.send), ("a\x1bb\n", true));
        Ok(())
    }
    async fn messages(&self, name: &str) -> Result<Vec<MessageView>, Error> {
        check(name)?;
        Ok(vec![message("m", Stage::Queued)])
    }
    async fn send_message(&self, name: &str, sent: SendMessage) -> Result<MessageView, Error> {
        check(name)?;
        assert_eq!(sent.text, "a\n\"b\"");
        Ok(message(&sent.id.unwrap_or_default(), Stage::Queued))
    }
    async fn change_message(&self, _: &str, change: ChangeMessage) -> Result<MessageView, Error> {
        assert_eq!(change.change, MessageChange::Text("c".into()));
        Ok(message(&change.id, Stage::Typed))
    }
    async fn withdraw_message(&self, _: &str, id: &str) -> Result<MessageView, Error> {
        Ok(message(id, Stage::Withdrawn))
    }
    async fn upload(
        &self,
        session: &str,
        name: &str,
        mut bytes: BoxStream<'static, Result<Bytes, Error>>,
    ) -> Result<Upload, Error> {
        let mut count = 0;
        while let Some(piece) = bytes.next().await {
            count += piece?.len() as u64;
            if session == "small" && count > 1_000_000 {
                return Err(Error::usage("too large"));
            }
        }
        Ok(Upload {
            name: name.into(),
            path: "/clauderon/uploads".into(),
            bytes: count,
        })
    }
    async fn folder(&self, _: &str, path: &str) -> Result<FolderView, Error> {
        Ok(FolderView {
            path: path.into(),
            entries: vec![],
            truncated: false,
        })
    }
    async fn file(&self, _: &str, path: &str) -> Result<FileView, Error> {
        Ok(FileView {
            path: path.into(),
            bytes: 1,
            modified_ms: 2,
            content: FileContent::Binary,
        })
    }
    async fn raw_file(&self, _: &str, path: &str) -> Result<RawFile, Error> {
        Ok(RawFile {
            name: path.into(),
            bytes: 5,
            mime: "image/png".into(),
            content: stream::iter([Ok(Bytes::from_static(b"ab\xff\0c"))]).boxed(),
        })
    }
    async fn conversation(
        &self,
        name: &str,
        query: ConversationQuery,
    ) -> Result<ConversationView, Error> {
        check(name)?;
        Ok(ConversationView {
            number: u64::from(query.most.unwrap_or(7)),
            items: Vec::new(),
            earlier: query.before.is_some(),
            standing: ConversationStanding {
                title: Some("a title".into()),
                status: Conversation::new().status(0),
                used: Totals::default().session,
                limits: Limits::default(),
                approvals: Vec::new(),
                held: None,
            },
            turns: Vec::new(),
            messages: vec![],
        })
    }
    async fn follow_conversation(
        &self,
        name: &str,
    ) -> Result<mpsc::Receiver<ConversationEvent>, Error> {
        let view = self
            .conversation(name, ConversationQuery::default())
            .await?;
        let (told, events) = mpsc::channel(1);
        tokio::spawn(async move {
            let state = ConversationEvent::State(Box::new(view));
            while told.send(state.clone()).await.is_ok() {}
        });
        Ok(events)
    }
    async fn watch_files(&self, name: &str) -> Result<mpsc::Receiver<FilesChanged>, Error> {
        check(name)?;
        let (told, changes) = mpsc::channel(1);
        tokio::spawn(async move {
            let change = FilesChanged {
                folders: vec!["src".into()],
                git: false,
                note: None,
            };
            while told.send(change.clone()).await.is_ok() {}
        });
        Ok(changes)
    }
    async fn file_status(&self, _: &str) -> Result<StatusView, Error> {
        Ok(StatusView { files: vec![] })
    }
    async fn file_sides(&self, _: &str, path: &str) -> Result<FileSides, Error> {
        Ok(FileSides {
            path: path.into(),
            before: None,
            now: None,
            left_out: true,
        })
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
            risky: vec![],
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
    async fn accounts(&self) -> Result<AccountsView, Error> {
        Ok(AccountsView {
            accounts: vec![],
            keychain: Keychain::Open { name: "k".into() },
        })
    }
    async fn save_account(&self, name: &str, save: SaveAccount) -> Result<Account, Error> {
        assert_eq!(save.value, "the-value");
        Ok(account(name))
    }
    async fn sign_in(&self, _: &str) -> Result<SignIn, Error> {
        let (said, events) = mpsc::channel(8);
        let (input, mut typed) = mpsc::channel(8);
        tokio::spawn(async move {
            let url = "https://example.com".to_owned();
            let link = SignInEvent::Text(SignInText::Link { url });
            let _ = said.send(link).await;
            if let Some(ConsoleInput::Bytes(code)) = typed.recv().await {
                let _ = said.send(SignInEvent::Output(code)).await;
            }
            let name = "n".to_owned();
            let _ = said
                .send(SignInEvent::Text(SignInText::Done { name }))
                .await;
        });
        Ok(SignIn { events, input })
    }
    async fn check_account(&self, _: &str) -> Result<AccountCheck, Error> {
        Err(Error::failed("not asked"))
    }
    async fn remove_account(&self, name: &str) -> Result<Account, Error> {
        Ok(account(name))
    }
    async fn repair(&self, fix: Fix) -> Result<mpsc::Receiver<FixLine>, Error> {
        let (lines, listener) = mpsc::channel(8);
        let given_up = self.given_up.clone();
        tokio::spawn(async move {
            let message = fix.name().to_owned();
            let step = FixLine::Progress {
                message: message.clone(),
                percent: Some(50),
            };
            let _ = lines.send(step).await;
            if fix == Fix::BuildImage {
                lines.closed().await;
                given_up.notify_one();
                return;
            }
            let _ = lines.send(FixLine::Done { message }).await;
        });
        Ok(listener)
    }
    async fn demo(&self, progress: Progress) -> Result<Created, Error> {
        self.create_session(request("demo", ""), progress).await
    }
    async fn create_options(&self) -> Result<CreateOptions, Error> {
        Ok(CreateOptions {
            budget: None,
            backends: vec![Backend::Docker],
            missing: vec![],
            image: Some("i".into()),
            images: vec!["i".into()],
        })
    }
    async fn usage(&self, query: UsageQuery) -> Result<UsageView, Error> {
        Ok(UsageView {
            today: format!("{:?}", query.days),
            prices_of: String::new(),
            days: vec![],
            plans: vec![],
        })
    }
    async fn storage(&self) -> Result<StorageView, Error> {
        Ok(StorageView {
            sessions: vec![],
            trash_bytes: 1,
            agents_bytes: 2,
            logs_bytes: 3,
            free_bytes: 4,
        })
    }
    async fn desk(&self) -> Result<Desk, Error> {
        Ok(self.desk.lock().unwrap().clone())
    }
    async fn save_desk(&self, desk: Desk) -> Result<(), Error> {
        *self.desk.lock().unwrap() = desk;
        Ok(())
    }
    async fn recent_repositories(&self) -> Result<Vec<RecentRepository>, Error> {
        Ok(vec![])
    }
    async fn console(&self, name: &str, query: ConsoleQuery) -> Result<Console, Error> {
        check(name)?;
        let (events_in, events) = mpsc::channel(8);
        let (input, mut typed) = mpsc::channel(8);
        if name == "chatter" {
            let (heard, events_in) = (self.typed.clone(), events_in.clone());
            tokio::spawn(async move {
                let bytes = Bytes::from_static(&[b'x'; 4096]);
                let event = ConsoleEvent::Output {
                    stream: PTY,
                    next: 0,
                    bytes,
                };
                while events_in.send(event.clone()).await.is_ok() {}
            });
            tokio::spawn(async move {
                while let Some(input) = typed.recv().await {
                    if let ConsoleInput::Bytes(bytes) = input {
                        heard.send_replace(bytes);
                    }
                }
            });
            return Ok(Console {
                hello: hello(name, query),
                events,
                input,
            });
        }
        tokio::spawn(async move {
            while let Some(input) = typed.recv().await {
                let output = |bytes| ConsoleEvent::Output {
                    stream: PTY,
                    next: 0,
                    bytes,
                };
                let event = match input {
                    ConsoleInput::Bytes(bytes) if bytes == "exit" => break,
                    ConsoleInput::Bytes(bytes) => output(bytes),
                    ConsoleInput::Resize { cols, rows } => ConsoleEvent::Size { cols, rows },
                    ConsoleInput::Signal(number) => output(format!("signal {number}").into()),
                    ConsoleInput::Parsed(bytes) => output(format!("parsed {bytes}").into()),
                };
                events_in.send(event).await.unwrap();
            }
            let exit = Exit {
                code: 3,
                signal: None,
                oom: false,
            };
            let _ = events_in.send(ConsoleEvent::Exit(exit)).await;
        });
        Ok(Console {
            hello: hello(name, query),
            events,
            input,
        })
    }
    async fn subscribe(&self) -> Result<Subscription, Error> {
        let sessions = self.sessions.lock().unwrap();
        Ok(Subscription {
            seq: sessions.0,
            sessions: sessions.1.clone(),
            network_paused: false,
            disk_full: false,
            changes: self.changes.subscribe(),
        })
    }
}

fn account(name: &str) -> Account {
    Account {
        name: name.to_owned(),
        label: String::new(),
        purpose: String::new(),
        source: None,
        shadowed: vec![],
        editable: false,
        sign_in: false,
        expires_ms: None,
        problem: None,
        checked: None,
    }
}

fn message(id: &str, stage: Stage) -> MessageView {
    MessageView {
        message: Message {
            id: id.into(),
            text: "a".into(),
            stage,
            now: false,
            at_ms: 1,
            since_ms: 2,
            typed_ms: Some(3),
        },
        waits: Some(Wait::Working),
        why: None,
    }
}

fn hello(name: &str, query: ConsoleQuery) -> ConsoleHello {
    ConsoleHello {
        session: name.into(),
        mode: Mode::Interactive,
        offset_start: query.from.unwrap_or(0),
        offset_end: 9,
        epoch: query.epoch.unwrap_or(0),
        cols: 80,
        rows: 24,
        running: true,
    }
}
