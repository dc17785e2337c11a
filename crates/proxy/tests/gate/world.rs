//! One proxy, one session, one upstream, and everything that heard of them.

use std::{
    collections::BTreeMap,
    io,
    net::SocketAddr,
    os::unix::fs::PermissionsExt,
    path::Path,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use clauderon_audit::{Filter, Kind, Log, Record};
use clauderon_policy::{Policy, Posture, Repository, Routes, Subject};
use clauderon_proxy::{
    EgressSession, Held, Observer, Passing, Proxy, ProxyParts, Resolver, SessionCa, Traffic,
    TrafficKind, UpstreamConfig,
};
use clauderon_vault::{Files, Vaults};
use futures_util::future::BoxFuture;
use tempfile::TempDir;
use tokio::{
    io::DuplexStream,
    sync::{oneshot, watch},
};
use tokio_util::sync::CancellationToken;

use crate::upstream::{Script, Upstream};

pub const TOKEN: &str = "sk-ant-oat01-the-real-Token/of+the-person";
pub const PLACEHOLDER: &str = "sk-ant-oat01-clauderon-proxy-placeholder";

const ROUTES: &str = r#"
[[route]]
name = "echo"
hosts = ["echo.example"]
methods = ["GET", "HEAD", "POST", "PUT"]
paths = ["/**", "/"]
act = "inject"
credentials = [{ name = "github_token", scheme = "basic-x-access-token" }]

[[route]]
name = "sink"
hosts = ["sink.example"]
methods = ["GET", "HEAD", "POST", "PUT"]
paths = ["/**", "/"]
act = "forward"

[[route]]
name = "plain"
scheme = "http"
hosts = ["plain.example"]
port = 80
methods = ["GET"]
paths = ["/**"]
act = "forward"
"#;

#[derive(Default)]
pub struct Heard {
    pub traffic: Mutex<Vec<Traffic>>,
    pub hooks: Mutex<Vec<(String, Bytes)>>,
    /// The answers to those that asked something.
    pub held: Mutex<Vec<oneshot::Sender<Vec<u8>>>>,
    pub model: Mutex<Vec<Passing>>,
    /// Where requests to models wait; open where nobody says otherwise.
    pub gate: crate::turnstile::Gate,
    changed: tokio::sync::Notify,
    /// Who hears of models in the place of the list.
    ear: std::sync::OnceLock<tokio::sync::mpsc::UnboundedSender<Passing>>,
}

impl Heard {
    /// Tells somebody else of models from now on.
    #[allow(dead_code)]
    pub fn forward(&self, to: tokio::sync::mpsc::UnboundedSender<Passing>) {
        drop(self.ear.set(to));
    }

    /// Waits until something like this was heard.
    async fn wait_for(&self, what: impl Fn(&TrafficKind) -> bool) {
        self.wait_until(|heard| heard.iter().any(|traffic| what(&traffic.kind)))
            .await;
    }

    async fn wait_until(&self, enough: impl Fn(&[Traffic]) -> bool) {
        let waiting = async {
            loop {
                let changed = self.changed.notified();
                if enough(&self.traffic.lock().unwrap()) {
                    return;
                }
                changed.await;
            }
        };
        // Generous, and in real time: a paused clock runs ahead while a disk is written.
        let (late, limit) = tokio::sync::oneshot::channel::<()>();
        std::thread::spawn(move || {
            std::thread::sleep(std::time::Duration::from_secs(5));
            drop(late);
        });
        tokio::select! {
            biased;
            () = waiting => {}
            _ = limit => panic!("not heard in {:#?}", self.traffic.lock().unwrap()),
        }
    }
}

impl Observer for Heard {
    fn traffic(&self, traffic: Traffic) {
        self.traffic.lock().unwrap().push(traffic);
        self.changed.notify_one();
    }

    fn model(&self, passing: Passing) {
        if let Some(ear) = self.ear.get() {
            drop(ear.send(passing));
            return;
        }
        self.model.lock().unwrap().push(passing);
        self.changed.notify_one();
    }

    fn hook(&self, session: &str, report: Bytes) -> Option<Held> {
        let asks = report.starts_with(b"{\"asks\"");
        self.hooks
            .lock()
            .unwrap()
            .push((session.to_owned(), report));
        asks.then(|| {
            let (answer, held) = oneshot::channel();
            self.held.lock().unwrap().push(answer);
            Box::pin(async { held.await.ok() }) as Held
        })
    }
}

/// Answers from a list and records what was asked.
#[derive(Default)]
pub struct Names {
    pub asked: Mutex<Vec<String>>,
    pub known: Mutex<BTreeMap<String, Vec<SocketAddr>>>,
}

impl Resolver for Names {
    fn lookup<'a>(
        &'a self,
        host: &'a str,
        _port: u16,
    ) -> BoxFuture<'a, io::Result<Vec<SocketAddr>>> {
        self.asked.lock().unwrap().push(host.to_owned());
        let found = self.known.lock().unwrap().get(host).cloned();
        Box::pin(async move { found.ok_or_else(|| io::ErrorKind::NotFound.into()) })
    }
}

pub struct World {
    pub dir: TempDir,
    pub proxy: Proxy,
    pub session: Arc<EgressSession>,
    pub ca: Arc<SessionCa>,
    pub policy: watch::Sender<Arc<Policy>>,
    pub upstream: Upstream,
    pub names: Arc<Names>,
    pub heard: Arc<Heard>,
    audit: std::path::PathBuf,
}

pub fn policy(agent: &str) -> Policy {
    let routes = Routes::builtin().with_extra(Routes::parse(ROUTES).unwrap());
    let repository = Some(Repository {
        owner: "acme".to_owned(),
        name: "shop".to_owned(),
    });
    let subject = Subject {
        agent: agent.to_owned(),
        repository,
    };
    Policy {
        posture: Posture::Balanced,
        routes: Arc::new(routes),
        grants: Vec::new(),
        subject,
    }
}

pub fn store(secrets: &Path, name: &str, value: &str) {
    std::fs::create_dir_all(secrets).unwrap();
    std::fs::set_permissions(secrets, std::fs::Permissions::from_mode(0o700)).unwrap();
    std::fs::write(secrets.join(name), value).unwrap();
    std::fs::set_permissions(secrets.join(name), std::fs::Permissions::from_mode(0o600)).unwrap();
}

impl World {
    pub async fn new(
        script: impl Fn(&crate::upstream::Seen) -> crate::upstream::Reply + Send + Sync + 'static,
    ) -> Self {
        let dir = TempDir::new().unwrap();
        let audit = dir.path().to_owned();
        Self::with_audit_in(dir, &audit, Box::new(script)).await
    }

    pub async fn with_audit_in(dir: TempDir, audit: &Path, script: Script) -> Self {
        Self::with_settings(dir, audit, script, |_| {}).await
    }

    pub async fn with_settings(
        dir: TempDir,
        audit: &Path,
        script: Script,
        change: impl FnOnce(&mut UpstreamConfig),
    ) -> Self {
        let upstream = Upstream::start(dir.path(), script).await;
        let secrets = dir.path().join("secrets");
        for name in ["anthropic_oauth_token", "github_token", "openai_api_key"] {
            store(&secrets, name, TOKEN);
        }
        let mut resolve: BTreeMap<String, SocketAddr> = crate::upstream::NAMES
            .iter()
            .map(|name| (format!("{name}:443"), upstream.tls))
            .collect();
        resolve.insert("plain.example:80".to_owned(), upstream.plain);
        let audit = audit.join("audit.jsonl");
        let log = Log::open(&audit, &dir.path().join("key")).unwrap();
        let (heard, names) = (Arc::new(Heard::default()), Arc::new(Names::default()));
        let mut settings = UpstreamConfig {
            ca_file: Some(upstream.ca_file.clone()),
            resolve,
            ..UpstreamConfig::default()
        };
        change(&mut settings);
        let parts = ProxyParts {
            upstream: settings,
            vaults: Arc::new(Vaults::new(vec![Box::new(Files::new(&secrets))])),
            audit: log,
            observer: Arc::clone(&heard) as Arc<dyn Observer>,
            turnstile: Arc::clone(&heard) as Arc<dyn clauderon_proxy::Turnstile>,
        };
        let proxy = Proxy::with_resolver(parts, Arc::clone(&names) as Arc<dyn Resolver>).unwrap();
        let (policy, watched) = watch::channel(Arc::new(policy("claude")));
        let ca = Arc::new(SessionCa::generate("session-a").unwrap());
        let placeholders = vec![PLACEHOLDER.to_owned()];
        let session =
            EgressSession::new("session-a", watched, Arc::clone(&ca), placeholders).unwrap();
        Self {
            dir,
            proxy,
            session: Arc::new(session),
            ca,
            policy,
            upstream,
            names,
            heard,
            audit,
        }
    }

    /// Another session of the same proxy.
    pub fn neighbour(&self) -> Arc<EgressSession> {
        let policy = self.policy.subscribe();
        Arc::new(EgressSession::new("session-b", policy, Arc::clone(&self.ca), Vec::new()).unwrap())
    }

    /// Opens a stream of the session.
    pub fn open(&self) -> DuplexStream {
        self.open_for(&self.session)
    }

    pub fn open_for(&self, session: &Arc<EgressSession>) -> DuplexStream {
        let (agent, gate) = tokio::io::duplex(64 * 1024);
        let (proxy, session) = (self.proxy.clone(), Arc::clone(session));
        tokio::spawn(async move { proxy.serve(session, gate, CancellationToken::new()).await });
        agent
    }

    pub fn records(&self) -> Vec<Record> {
        let entries = clauderon_audit::tail(&self.audit, 10_000, &Filter::default()).unwrap();
        entries.into_iter().map(|entry| entry.record).collect()
    }

    pub fn records_of(&self, kind: Kind) -> Vec<Record> {
        self.records()
            .into_iter()
            .filter(|record| record.kind == kind)
            .collect()
    }

    /// Waits for a refusal with this code and gives its record, which is written before anyone hears of it.
    pub async fn refused(&self, code: &str) -> Record {
        let refused = |kind: &TrafficKind| matches!(kind, TrafficKind::Refused(refusal) if refusal.code == code);
        self.heard.wait_for(refused).await;
        let found = self
            .records_of(Kind::Refusal)
            .into_iter()
            .find(|record| record.note == code);
        found.unwrap_or_else(|| panic!("no refusal {code:?} in {:#?}", self.records()))
    }

    /// Waits for so many refusals and gives their records.
    pub async fn refusals(&self, count: usize) -> Vec<Record> {
        let refused = |traffic: &&Traffic| matches!(traffic.kind, TrafficKind::Refused(_));
        self.heard
            .wait_until(|heard| heard.iter().filter(refused).count() >= count)
            .await;
        self.records_of(Kind::Refusal)
    }

    /// Waits until a request has ended and gives the newest record of an end.
    pub async fn closed(&self) -> Record {
        self.heard
            .wait_for(|kind| matches!(kind, TrafficKind::Finished { .. }))
            .await;
        self.records_of(Kind::Close)
            .pop()
            .unwrap_or_else(|| panic!("no close in {:#?}", self.records()))
    }

    pub fn asked_names(&self) -> Vec<String> {
        self.names.asked.lock().unwrap().clone()
    }
}
