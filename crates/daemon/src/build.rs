//! Puts the daemon together: `build` opens and binds, `spawn` starts, `drain` ends.

use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;

use anyhow::{Context, Result};
use clauderon_api::{DaemonInfo, router, serve_unix};
use clauderon_policy::Routes;
use clauderon_proxy::{Proxy, ProxyParts};
use clauderon_runtime::Installation;
use clauderon_store::{Record, Store};
use clauderon_vault::{Environment, Files, Vaults};
use tokio::net::UnixListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::clock::now_ms;
use crate::config::Config;
use crate::egress::Gate;
use crate::events::Events;
use crate::instance::{self, Instance};
use crate::observer::Pulses;
use crate::paths::Paths;
use crate::programs::Programs;
use crate::reload;
use crate::runtimes::Runtimes;
use crate::service::Daemon;
use crate::sessions::{Sessions, Shared, disk};

/// A daemon that has everything and has started nothing.
pub struct Built {
    instance: Instance,
    listener: UnixListener,
    sessions: Arc<Sessions>,
    routes: watch::Sender<Arc<Routes>>,
    info: DaemonInfo,
    records: Vec<Record>,
}

/// A daemon that serves.
pub struct Running {
    _instance: Instance,
    sessions: Arc<Sessions>,
    stop: CancellationToken,
    server: JoinHandle<()>,
    reload: JoinHandle<()>,
    disk: JoinHandle<()>,
}

/// Opens and binds everything.
pub async fn build(paths: Paths, config: Config) -> Result<Built> {
    let instance = Instance::claim(&paths)?;
    let programs = Programs::install(&paths)?;
    let vaults = Arc::new(Vaults::new(vec![
        Box::new(Environment::capture()),
        Box::new(Files::new(paths.secrets())),
    ]));
    let audit = clauderon_audit::Log::open(&paths.audit(), &paths.audit_key())
        .context("open the audit log")?;
    let pulses = Arc::new(Pulses::default());
    let proxy = Proxy::new(ProxyParts {
        upstream: config.proxy.upstream.clone(),
        vaults: vaults.clone(),
        audit,
        observer: pulses.clone(),
    })?;
    let (store, found) = Store::open(paths.home()).context("open the store")?;
    for broken in &found.broken {
        tracing::error!(session = %broken.id, error = %broken.error, "the session's record cannot be read; its folder is left as it is");
    }
    let installation = Installation {
        id: instance::installation_id(&paths)?,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        home: paths.home().to_owned(),
        user_home: std::env::home_dir(),
        holder: programs.holder.clone(),
    };
    let (routes, receiver) = watch::channel(config.routes);
    let listener = bind(&paths)?;
    let info = DaemonInfo {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        pid: std::process::id(),
        home: paths.home().to_owned(),
        started_ms: now_ms(),
    };
    instance.announce(&info)?;
    let sessions = Arc::new(Sessions::new(Arc::new(Shared {
        runtimes: Runtimes::new(installation, std::env::var("DOCKER_HOST").ok()),
        gate: Gate::new(proxy)?,
        paths,
        preferences: config.preferences,
        programs,
        store,
        vaults,
        environment: Environment::capture(),
        routes: receiver,
        pulses,
        events: Events::default(),
        tasks: TaskTracker::new(),
    })));
    Ok(Built {
        instance,
        listener,
        sessions,
        routes,
        info,
        records: found.sessions,
    })
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
    /// Takes up the sessions of earlier daemons and starts to serve.
    pub async fn spawn(self) -> Running {
        self.sessions.reattach(self.records).await;
        let stop = CancellationToken::new();
        let service = Arc::new(Daemon {
            sessions: self.sessions.clone(),
            info: self.info,
            asked_to_stop: stop.clone(),
        });
        let server = tokio::spawn(serve(router(service), self.listener, stop.clone()));
        let reload = tokio::spawn(reload::watch_routes(
            self.sessions.shared().paths.clone(),
            self.sessions.clone(),
            self.routes,
        ));
        let disk = tokio::spawn(disk::watch(self.sessions.clone()));
        tracing::info!(version = env!("CARGO_PKG_VERSION"), "serving");
        Running {
            _instance: self.instance,
            sessions: self.sessions,
            stop,
            server,
            reload,
            disk,
        }
    }
}

async fn serve(router: axum::Router, listener: UnixListener, stop: CancellationToken) {
    if let Err(error) = serve_unix(router, listener, stop).await {
        tracing::error!(%error, "the API ended");
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
        if let Err(error) = self.server.await
            && error.is_panic()
        {
            tracing::error!("the API panicked");
        }
        self.sessions.shared().gate.drain().await;
    }
}
