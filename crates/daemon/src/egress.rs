//! The only way out of each sandbox: one unix socket a session, whose connections go to the proxy under the session's name.
//!
//! Who is speaking is known by the socket alone. The proxy has a tokio runtime of its own, so that a busy gate never
//! delays the API, nor the API a gate.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use clauderon_policy::Policy;
use clauderon_proxy::{EgressSession, Proxy, SessionCa, StandIn};
use tokio::net::UnixListener;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How long to wait after the system refuses a connection for want of descriptors.
const BREATH: Duration = Duration::from_millis(50);

/// The proxy at work.
pub struct Gate {
    proxy: Proxy,
    runtime: Option<Runtime>,
    tasks: TaskTracker,
    cancel: CancellationToken,
}

/// One session's way out. Dropping it closes it.
pub struct Egress {
    policy: watch::Sender<Arc<Policy>>,
    cancel: CancellationToken,
}

impl Gate {
    /// Gives the proxy its threads.
    pub fn new(proxy: Proxy) -> Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("proxy")
            .enable_all()
            .build()
            .context("start the proxy's threads")?;
        Ok(Self {
            proxy,
            runtime: Some(runtime),
            tasks: TaskTracker::new(),
            cancel: CancellationToken::new(),
        })
    }

    /// Opens a session's socket, in the place of one that an earlier daemon left.
    pub fn open(
        &self,
        id: &str,
        socket: &Path,
        policy: Policy,
        ca: SessionCa,
        placeholders: Vec<String>,
        stand_in: Option<StandIn>,
    ) -> Result<Egress> {
        let runtime = self.runtime.as_ref().context("the proxy has ended")?;
        let _inside = runtime.enter();
        let listener = bind(socket)?;
        let (policy, receiver) = watch::channel(Arc::new(policy));
        let session = EgressSession::new(id, receiver, Arc::new(ca), placeholders)
            .context("begin the session's egress")?;
        let session = match stand_in {
            Some(stand_in) => session.played_by(stand_in),
            None => session,
        };
        let cancel = self.cancel.child_token();
        self.tasks.spawn_on(
            accept(
                self.proxy.clone(),
                Arc::new(session),
                listener,
                self.tasks.clone(),
                cancel.clone(),
            ),
            runtime.handle(),
        );
        Ok(Egress { policy, cancel })
    }

    /// Refuses every request of every session from the next one on, or lets them through again.
    pub fn pause(&self, paused: bool) {
        self.proxy.pause(paused);
    }

    /// Says whether every request is refused for now.
    pub fn is_paused(&self) -> bool {
        self.proxy.is_paused()
    }

    /// Ends every connection and waits for the proxy's tasks.
    pub async fn drain(&self) {
        self.cancel.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // A runtime may not be waited for inside another one.
            runtime.shutdown_background();
        }
    }
}

impl Egress {
    /// Changes the policy; open connections see it at their next request.
    pub fn set_policy(&self, change: impl FnOnce(&mut Policy)) {
        self.policy
            .send_modify(|policy| change(Arc::make_mut(policy)));
    }

    /// Ends every connection and takes no more.
    pub fn close(&self) {
        self.cancel.cancel();
    }

    /// Returns the policy in force.
    pub fn policy(&self) -> Arc<Policy> {
        self.policy.borrow().clone()
    }
}

impl Drop for Egress {
    fn drop(&mut self) {
        self.cancel.cancel();
    }
}

fn bind(socket: &Path) -> Result<UnixListener> {
    match std::fs::remove_file(socket) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(error).context("remove the old egress socket");
        }
        _ => {}
    }
    let listener = UnixListener::bind(socket)
        .with_context(|| format!("open the egress socket {}", socket.display()))?;
    // The sandbox's user may be another than ours; strangers cannot pass the session's folder.
    std::fs::set_permissions(socket, std::fs::Permissions::from_mode(0o666))
        .context("open the egress socket to the sandbox")?;
    Ok(listener)
}

async fn accept(
    proxy: Proxy,
    session: Arc<EgressSession>,
    listener: UnixListener,
    tasks: TaskTracker,
    cancel: CancellationToken,
) {
    loop {
        let accepted = tokio::select! {
            () = cancel.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, _)) => {
                let serve = {
                    let (proxy, session, cancel) = (proxy.clone(), session.clone(), cancel.clone());
                    async move { proxy.serve(session, stream, cancel).await }
                };
                tasks.spawn(serve);
            }
            Err(error) => {
                tracing::warn!(%error, session = session.id(), "a connection could not be accepted");
                tokio::time::sleep(BREATH).await;
            }
        }
    }
}
