//! The proxy as the daemon sees it: parts in, one call for each of a sandbox's streams.

use std::{
    hash::{BuildHasher, RandomState},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};

use clauderon_audit::Log;
use clauderon_vault::Vaults;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::{
    gate,
    observer::Observer,
    session::EgressSession,
    turnstile::Turnstile,
    upstream::{Resolver, SystemResolver, Upstream, UpstreamConfig, UpstreamError},
};

/// What a proxy is made of.
pub struct ProxyParts {
    /// How upstreams are reached.
    pub upstream: UpstreamConfig,
    /// Where credentials live.
    pub vaults: Arc<Vaults>,
    /// Where decisions are written.
    pub audit: Log,
    /// Who hears of traffic.
    pub observer: Arc<dyn Observer>,
    /// Who decides when a request to a model goes up.
    pub turnstile: Arc<dyn Turnstile>,
}

/// The gate between every sandbox and everything else.
#[derive(Clone)]
pub struct Proxy(Arc<Engine>);

/// What all sessions share: no state of any of them.
pub(crate) struct Engine {
    pub upstream: Upstream,
    pub vaults: Arc<Vaults>,
    pub audit: Log,
    pub observer: Arc<dyn Observer>,
    pub turnstile: Arc<dyn Turnstile>,
    fingerprints: RandomState,
    began_ms: u64,
    links: AtomicU64,
    paused: watch::Sender<bool>,
}

impl Proxy {
    /// Builds a proxy; opens nothing.
    ///
    /// # Errors
    /// Names the upstream setting that cannot be used.
    pub fn new(parts: ProxyParts) -> Result<Self, UpstreamError> {
        Self::with_resolver(parts, Arc::new(SystemResolver))
    }

    /// Builds a proxy that resolves names in its own way.
    ///
    /// # Errors
    /// Names the upstream setting that cannot be used.
    pub fn with_resolver(
        parts: ProxyParts,
        resolver: Arc<dyn Resolver>,
    ) -> Result<Self, UpstreamError> {
        Ok(Self(Arc::new(Engine {
            upstream: Upstream::new(&parts.upstream, resolver)?,
            vaults: parts.vaults,
            audit: parts.audit,
            observer: parts.observer,
            turnstile: parts.turnstile,
            fingerprints: RandomState::new(),
            began_ms: now_ms(),
            links: AtomicU64::new(0),
            paused: watch::Sender::new(false),
        })))
    }

    /// Refuses every request of every session from the next one on, or lets them through again. An answer that is under way
    /// is not cut: half of one is worth nothing, and the request for it has left. A raw tunnel is.
    pub fn pause(&self, paused: bool) {
        self.0.paused.send_replace(paused);
    }

    /// Tells whether every request is refused for now.
    pub fn is_paused(&self) -> bool {
        self.0.is_paused()
    }

    /// The way to upstreams that all sessions share.
    pub(crate) fn upstream(&self) -> &Upstream {
        &self.0.upstream
    }

    /// Serves one connection of a session to its end, or until it is cancelled.
    pub async fn serve<S>(&self, session: Arc<EgressSession>, stream: S, cancel: CancellationToken)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        tokio::select! {
            () = cancel.cancelled() => {}
            () = gate::serve(&self.0, &session, stream) => {}
        }
    }
}

impl Engine {
    /// Makes an id that links the records of one request.
    pub fn link(&self) -> String {
        format!(
            "{:x}-{:x}",
            self.began_ms,
            self.links.fetch_add(1, Ordering::Relaxed)
        )
    }

    /// Tells whether the person paused the network.
    pub fn is_paused(&self) -> bool {
        *self.paused.borrow()
    }

    /// Waits until the person pauses the network.
    pub async fn paused(&self) {
        // The sender lives as long as this does.
        let _ = self.paused.subscribe().wait_for(|paused| *paused).await;
    }

    /// Tells two values of a credential apart without keeping either.
    pub fn fingerprint(&self, secret: &str) -> u64 {
        self.fingerprints.hash_one(secret)
    }
}

pub(crate) fn now_ms() -> u64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
