//! Puts the daemon together: `build` opens and binds, `spawn` starts, `drain` ends.

use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use clauderon_api::{DaemonInfo, router, serve_http, serve_unix};
use clauderon_audit::{AuditError, Log};
use clauderon_policy::Routes;
use clauderon_proxy::{Proxy, ProxyParts};
use clauderon_runtime::Installation;
use clauderon_store::{Record, Store};
use clauderon_terminal::Keeper;
use clauderon_vault::{Environment, Files, Keychain, Vault, Vaults};
use tokio::net::UnixListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::accounts::{Accounts, Parts, Seen};
use crate::books::Books;
use crate::clock::now_ms;
use crate::config::Config;
use crate::demo::Stage;
use crate::egress::Gate;
use crate::events::Events;
use crate::instance::{self, Instance};
use crate::observer::Pulses;
use crate::paths::Paths;
use crate::programs::Programs;
use crate::room::{self, Room};
use crate::runtimes::Runtimes;
use crate::service::Daemon;
use crate::sessions::{Sessions, Shared, disk, trash};
use crate::web::{self, Web};
use crate::{network, reload};

/// A daemon that has everything and has started nothing.
pub struct Built {
    instance: Instance,
    listener: UnixListener,
    web: Option<web::Bound>,
    sessions: Arc<Sessions>,
    routes: watch::Sender<Arc<Routes>>,
    info: DaemonInfo,
    records: Vec<Record>,
    audit: Log,
}

/// How long the daemon before may take to let go of the audit log, and how often it is tried.
const HANDOVER: Duration = Duration::from_secs(10);
const INTERVAL: Duration = Duration::from_millis(20);

/// A daemon that serves.
pub struct Running {
    _instance: Instance,
    sessions: Arc<Sessions>,
    stop: CancellationToken,
    server: JoinHandle<()>,
    web: Option<JoinHandle<()>>,
    reload: JoinHandle<()>,
    disk: JoinHandle<()>,
    trash: JoinHandle<()>,
    room: JoinHandle<()>,
    audit: Log,
}

/// Opens and binds everything.
pub async fn build(paths: Paths, config: Config, web: Option<Web>) -> Result<Built> {
    let instance = Instance::claim(&paths)?;
    let programs = Programs::install(&paths)?;
    let id = instance::installation_id(&paths)?;
    let keychain = Keychain::open((!is_usual(&paths)).then_some(id.as_str()))
        .context("start the keychain's thread")?;
    let mut places: Vec<Box<dyn Vault>> = vec![Box::new(Environment::capture())];
    if let Some(shell) = &config.shell {
        places.push(Box::new(shell.clone()));
    }
    places.push(Box::new(keychain.clone()));
    places.push(Box::new(Files::new(paths.secrets())));
    let vaults = Arc::new(Vaults::new(places));
    let audit = open_audit(&paths).await.context("open the audit log")?;
    let pulses = Arc::new(Pulses::default());
    let proxy = Proxy::new(ProxyParts {
        upstream: config.proxy.upstream.clone(),
        vaults: vaults.clone(),
        audit: audit.clone(),
        observer: pulses.clone(),
        turnstile: pulses.clone(),
    })?;
    let (store, found) = Store::open(paths.home()).context("open the store")?;
    for broken in &found.broken {
        tracing::error!(session = %broken.id, error = %broken.error, "the session's record cannot be read; its folder is left as it is");
    }
    let books = Books::open(paths.home());
    let installation = Installation {
        id,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        home: paths.home().to_owned(),
        user_home: std::env::home_dir(),
        holder: programs.holder.clone(),
    };
    let (routes, receiver) = watch::channel(config.routes);
    let web = match web {
        Some(web) => Some(web::bind(web).await?),
        None => None,
    };
    let accounts = Accounts::new(Parts {
        vaults: vaults.clone(),
        keychain,
        files: Files::new(paths.secrets()),
        routes: receiver.clone(),
        seen: Seen::open(paths.accounts()),
        proxy: proxy.clone(),
    });
    let listener = bind(&paths)?;
    let info = DaemonInfo {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        pid: std::process::id(),
        home: paths.home().to_owned(),
        started_ms: now_ms(),
    };
    instance.announce(&info);
    let sessions = Arc::new(Sessions::new(Arc::new(Shared {
        runtimes: Runtimes::new(installation, config.shell),
        gate: Gate::new(proxy)?,
        room: Room::at(paths.home()),
        paths,
        preferences: config.preferences,
        programs,
        store,
        vaults,
        accounts,
        environment: Environment::capture(),
        routes: receiver,
        pulses,
        events: Events::default(),
        tasks: TaskTracker::new(),
        checkpoints: Keeper::start().context("no thread can be started")?,
        stage: Stage::set()?,
        books,
        counting: tokio::sync::Mutex::default(),
        desk: tokio::sync::Mutex::default(),
    })));
    Ok(Built {
        instance,
        listener,
        web,
        sessions,
        routes,
        info,
        records: found.sessions,
        audit,
    })
}

/// Opens the log, which a daemon that just ended may still be bringing to the disk.
async fn open_audit(paths: &Paths) -> Result<Log, AuditError> {
    let started = tokio::time::Instant::now();
    loop {
        match Log::open(&paths.audit(), &paths.audit_key()) {
            Err(AuditError::Held { .. }) if started.elapsed() < HANDOVER => {
                tokio::time::sleep(INTERVAL).await;
            }
            opened => return opened,
        }
    }
}

/// Whether this is the person's usual installation, whose items in the keychain have plain names.
fn is_usual(paths: &Paths) -> bool {
    std::env::home_dir().is_some_and(|home| home.join(".clauderon") == paths.home())
}

fn bind(paths: &Paths) -> Result<UnixListener> {
    let socket = paths.socket();
    match std::fs::remove_file(&socket) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(error).with_context(|| format!("remove the old {}", socket.display()));
        }
        _ => {}
    }
    let listener =
        UnixListener::bind(&socket).with_context(|| format!("open {}", socket.display()))?;
    std::fs::set_permissions(&socket, std::fs::Permissions::from_mode(0o600))
        .with_context(|| format!("narrow {}", socket.display()))?;
    Ok(listener)
}

impl Built {
    /// Makes a link to the page, where it is to be served.
    pub fn link(&self) -> Option<String> {
        let web = self.web.as_ref()?;
        web::link(Some(&web.door)).ok().map(|link| link.url)
    }

    /// Takes up the sessions of earlier daemons and starts to serve.
    pub async fn spawn(self) -> Running {
        network::take_up(self.sessions.shared());
        self.sessions.reattach(self.records).await;
        let stop = CancellationToken::new();
        let service = Arc::new(Daemon {
            sessions: self.sessions.clone(),
            info: self.info,
            asked_to_stop: stop.clone(),
            door: self.web.as_ref().map(|web| web.door.clone()),
        });
        let router = router(service);
        // Before anything answers: whoever was answered finds it in the log.
        tracing::info!(version = env!("CARGO_PKG_VERSION"), "serving");
        let web = self
            .web
            .map(|web| tokio::spawn(serve_web(router.clone(), web, stop.clone())));
        let server = tokio::spawn(serve(router, self.listener, stop.clone()));
        let reload = tokio::spawn(reload::watch_routes(
            self.sessions.shared().paths.clone(),
            self.sessions.clone(),
            self.routes,
        ));
        let disk = tokio::spawn(disk::watch(self.sessions.clone()));
        let trash = tokio::spawn(trash::watch(self.sessions.clone()));
        let room = tokio::spawn(room::watch(self.sessions.shared().clone()));
        Running {
            audit: self.audit,
            _instance: self.instance,
            sessions: self.sessions,
            stop,
            server,
            web,
            reload,
            disk,
            trash,
            room,
        }
    }
}

async fn serve(router: axum::Router, listener: UnixListener, stop: CancellationToken) {
    if let Err(error) = serve_unix(router, listener, stop).await {
        tracing::error!(%error, "the API ended");
    }
}

async fn serve_web(router: axum::Router, web: web::Bound, stop: CancellationToken) {
    if let Err(error) = serve_http(router, web.folder, web.door, web.listener, stop).await {
        tracing::error!(%error, "the page's port ended");
    }
}

impl Running {
    /// Waits until somebody asks over the API.
    pub async fn asked_to_stop(&mut self) {
        self.stop.cancelled().await;
    }

    /// Ends what this daemon does. Agents go on: their holders are processes of their own.
    pub async fn drain(self) {
        self.stop.cancel();
        self.reload.abort();
        self.disk.abort();
        self.trash.abort();
        self.room.abort();
        for server in [Some(self.server), self.web].into_iter().flatten() {
            if let Err(error) = server.await
                && error.is_panic()
            {
                tracing::error!("the API panicked");
            }
        }
        self.sessions.cleared().await;
        self.sessions.shared().gate.drain().await;
        self.sessions.shared().books.settle().await;
        self.audit.settle().await;
    }
}
