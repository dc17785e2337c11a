//! The rehearsal as a whole: parse the options, bind, run, stop.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::certificates::Certificates;
use crate::connection;
use crate::github::Repositories;
use crate::lines::Lines;
use crate::record::{NotSeen, Record, Recorded};
use crate::route::HOSTS;
use crate::tries::Tries;

/// What a rehearsal serves.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where it listens; port 0 takes a free one.
    pub listen: SocketAddr,
    /// More host names, which answer the endpoints for trying a proxy.
    pub extra_hosts: Vec<String>,
    /// A folder of bare repositories named `OWNER/NAME.git`, served as github.com. None are served without it.
    pub repositories: Option<PathBuf>,
    /// The repositories (`owner/name`) that answer 401 without a credential.
    pub private: Vec<String>,
    /// The only token that opens a private repository or a push; any credential does when this is not set.
    pub github_token: Option<String>,
    /// What is answered to prompts that hold no script.
    pub lines: Lines,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            extra_hosts: Vec::new(),
            repositories: None,
            private: Vec::new(),
            github_token: None,
            lines: Lines::default(),
        }
    }
}

/// A running rehearsal. It ends when it is stopped or dropped.
pub struct Rehearsal {
    addr: SocketAddr,
    ca_pem: String,
    stage: Arc<Stage>,
    end: CancellationToken,
    tasks: TaskTracker,
}

/// What every connection shares.
pub(crate) struct Stage {
    /// None where nobody will ask what was received.
    pub record: Option<Record>,
    pub extra_hosts: Vec<String>,
    pub repositories: Repositories,
    pub lines: Lines,
    pub tries: Tries,
}

impl Rehearsal {
    /// Makes certificates, binds and serves on the current tokio runtime.
    ///
    /// Fails when the address cannot be bound or an extra host is no valid name.
    pub async fn start(options: Options) -> Result<Self> {
        let extra_hosts: Vec<String> = options
            .extra_hosts
            .iter()
            .map(|host| host.to_ascii_lowercase())
            .collect();
        let names: Vec<String> = HOSTS
            .iter()
            .map(|host| (*host).to_owned())
            .chain(extra_hosts.iter().cloned())
            .collect();
        let certificates = Certificates::generate(&names)?;
        let listener = TcpListener::bind(options.listen)
            .await
            .with_context(|| format!("listen on {}", options.listen))?;
        let addr = listener
            .local_addr()
            .context("read the address that was bound")?;

        let repositories = Repositories {
            folder: options
                .repositories
                .unwrap_or_else(|| PathBuf::from("/nonexistent")),
            private: options.private,
            token: options.github_token,
        };
        let stage = Arc::new(Stage {
            record: Some(Record::new()),
            extra_hosts,
            repositories,
            lines: options.lines,
            tries: Tries::default(),
        });
        let end = CancellationToken::new();
        let tasks = TaskTracker::new();
        let tls = TlsAcceptor::from(certificates.server);
        tasks.spawn(accept(
            listener,
            tls,
            stage.clone(),
            tasks.clone(),
            end.clone(),
        ));
        Ok(Self {
            addr,
            ca_pem: certificates.ca_pem,
            stage,
            end,
            tasks,
        })
    }

    /// The address it listens on.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The certificate to trust, in PEM.
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// All requests so far, the oldest first; the oldest of very many are forgotten.
    pub fn requests(&self) -> Vec<Recorded> {
        self.record().all()
    }

    /// Forgets all requests so far.
    pub fn clear(&self) {
        self.record().clear();
    }

    /// The first request, past or to come, that fits.
    ///
    /// Fails with [`NotSeen`] when none arrives within `timeout`.
    pub async fn wait_for(
        &self,
        fits: impl FnMut(&Recorded) -> bool,
        timeout: Duration,
    ) -> Result<Recorded, NotSeen> {
        self.record().wait_for(fits, timeout).await
    }

    fn record(&self) -> &Record {
        let record = self.stage.record.as_ref();
        record.expect("a rehearsal with a port records")
    }

    /// Closes every connection, in the middle of an answer too, and returns when all have ended.
    pub async fn stop(self) {
        self.end.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

impl Drop for Rehearsal {
    fn drop(&mut self) {
        self.end.cancel();
    }
}

async fn accept(
    listener: TcpListener,
    tls: TlsAcceptor,
    stage: Arc<Stage>,
    tasks: TaskTracker,
    end: CancellationToken,
) {
    loop {
        let accepted = tokio::select! {
            () = end.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, _)) = accepted else {
            // Out of file descriptors: existing connections must end before new ones can begin.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let (tls, stage, end) = (tls.clone(), stage.clone(), end.clone());
        tasks.spawn(async move {
            tokio::select! {
                () = end.cancelled() => {}
                served = connection::serve(stage, stream, tls) => {
                    if let Err(error) = served {
                        tracing::debug!(%error, "a connection ended early");
                    }
                }
            }
        });
    }
}
