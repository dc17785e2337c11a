//! The way to an upstream: names to addresses, addresses that may be dialled, verified TLS.
//!
//! Must never dial an address that is not public, save those that the person named in the resolve table, and never
//! dial anything but an address that was checked: a name is resolved once for each connection.

use std::{collections::BTreeMap, io, net::SocketAddr, path::PathBuf, sync::Arc};

use clauderon_policy::{Target, address};
use futures_util::future::BoxFuture;
use rustls::pki_types::ServerName;
use serde::{Deserialize, Serialize};
use tokio::{net::TcpStream, time::timeout};
use tokio_rustls::TlsConnector;

use crate::{limits, tls};

mod alive;
mod body;
mod link;
mod parent;
mod pool;

pub(crate) use body::{Piece, UpstreamBody};
pub(crate) use link::{Link, Unsent};
pub(crate) use pool::{Identity, Key, Pool};

/// The `[upstream]` table of `proxy.toml`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct UpstreamConfig {
    /// A PEM file of roots that are trusted beside the system's.
    pub ca_file: Option<PathBuf>,
    /// A parent proxy, `http://host:port` or `http://user:password@host:port`, through which every exactly named host is reached.
    pub proxy: Option<String>,
    /// Lets hosts that no rule names exactly go through the parent proxy, where the address check is not ours.
    pub proxy_may_reach_any: bool,
    /// Where to find `host:port`, instead of resolving it: the one exception to the address check.
    pub resolve: BTreeMap<String, SocketAddr>,
}

/// Turns a name into addresses: the network edge that tests replace.
pub trait Resolver: Send + Sync {
    /// Looks a name up.
    fn lookup<'a>(&'a self, host: &'a str, port: u16)
    -> BoxFuture<'a, io::Result<Vec<SocketAddr>>>;
}

/// The system's resolver.
pub struct SystemResolver;

impl Resolver for SystemResolver {
    fn lookup<'a>(
        &'a self,
        host: &'a str,
        port: u16,
    ) -> BoxFuture<'a, io::Result<Vec<SocketAddr>>> {
        Box::pin(async move { Ok(tokio::net::lookup_host((host, port)).await?.collect()) })
    }
}

/// Why the upstream settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum UpstreamError {
    /// The roots cannot be read.
    #[error("read the trusted roots: {0}")]
    Roots(#[source] io::Error),
    /// The parent proxy's address is not `http://host:port`.
    #[error("[upstream] proxy must be http://host:port, not {0:?}")]
    Parent(String),
    /// A key of the resolve table is not `host:port`.
    #[error("[upstream] resolve: {0:?} is not host:port")]
    Resolve(String),
}

/// Why no connection came about.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DialError {
    #[error("the name leads to no public address")]
    NotPublic,
    #[error("a parent proxy is set, and no rule names this host exactly")]
    NotNamed,
    #[error("the name could not be resolved: {0}")]
    Lookup(io::Error),
    #[error("the upstream could not be reached: {0}")]
    Connect(io::Error),
    #[error("the upstream's certificate was not accepted: {0}")]
    Tls(io::Error),
    #[error("the upstream did not answer in time")]
    Slow,
}

/// Dials upstreams.
pub(crate) struct Upstream {
    tls: TlsConnector,
    resolver: Arc<dyn Resolver>,
    table: BTreeMap<Target, SocketAddr>,
    parent: Option<parent::Parent>,
    parent_reaches_any: bool,
}

impl Upstream {
    pub fn new(
        config: &UpstreamConfig,
        resolver: Arc<dyn Resolver>,
    ) -> Result<Self, UpstreamError> {
        let client = tls::client(config.ca_file.as_deref()).map_err(UpstreamError::Roots)?;
        let place = |(name, address): (&String, &SocketAddr)| {
            let target =
                Target::parse_authority(name).map_err(|_| UpstreamError::Resolve(name.clone()))?;
            Ok((target, *address))
        };
        Ok(Self {
            tls: TlsConnector::from(Arc::new(client)),
            resolver,
            table: config
                .resolve
                .iter()
                .map(place)
                .collect::<Result<_, UpstreamError>>()?,
            parent: config
                .proxy
                .as_deref()
                .map(parent::Parent::parse)
                .transpose()?,
            parent_reaches_any: config.proxy_may_reach_any,
        })
    }

    /// Opens a new connection to a target; `named` says that a rule names its host exactly.
    pub async fn connect(
        &self,
        target: &Target,
        encrypted: bool,
        named: bool,
    ) -> Result<Link, DialError> {
        let stream = self.reach(target, named).await?;
        stream.set_nodelay(true).map_err(DialError::Connect)?;
        alive::watch(&stream).map_err(DialError::Connect)?;
        if !encrypted {
            return Link::open(stream).await.map_err(DialError::Connect);
        }
        let name = ServerName::try_from(target.host.as_str().to_owned())
            .map_err(|error| DialError::Tls(io::Error::other(error)))?;
        let handshake = self.tls.connect(name, stream);
        let stream = timeout(limits::CONNECT_TIME, handshake)
            .await
            .map_err(|_| DialError::Slow)?;
        Link::open(stream.map_err(DialError::Tls)?)
            .await
            .map_err(DialError::Connect)
    }

    /// Opens a connection to a target that a rule names exactly, for bytes that nobody reads.
    pub async fn raw(&self, target: &Target) -> Result<TcpStream, DialError> {
        let stream = self.reach(target, true).await?;
        stream.set_nodelay(true).map_err(DialError::Connect)?;
        alive::watch(&stream).map_err(DialError::Connect)?;
        Ok(stream)
    }

    async fn reach(&self, target: &Target, named: bool) -> Result<TcpStream, DialError> {
        if let Some(address) = self.table.get(target) {
            return dial(*address).await;
        }
        if let Some(parent) = &self.parent {
            if !named && !self.parent_reaches_any {
                return Err(DialError::NotNamed);
            }
            return parent.reach(target).await;
        }
        let mut last = DialError::NotPublic;
        for address in self.public_addresses(target).await?.into_iter().take(4) {
            match dial(address).await {
                // A host that dials one of its own addresses is its own peer, whatever address that is.
                Ok(stream) if is_own(&stream) => last = DialError::NotPublic,
                Ok(stream) => return Ok(stream),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    async fn public_addresses(&self, target: &Target) -> Result<Vec<SocketAddr>, DialError> {
        let found = match target.host.ip() {
            Some(ip) => vec![SocketAddr::new(ip, target.port)],
            None => {
                let lookup = self.resolver.lookup(target.host.as_str(), target.port);
                let found = timeout(limits::LOOKUP_TIME, lookup)
                    .await
                    .map_err(|_| DialError::Slow)?;
                found.map_err(DialError::Lookup)?
            }
        };
        let public = found
            .into_iter()
            .filter(|found| address::is_public(found.ip()));
        Ok(public
            .map(|found| SocketAddr::new(found.ip(), target.port))
            .collect())
    }
}

async fn dial(address: SocketAddr) -> Result<TcpStream, DialError> {
    let dialling = timeout(limits::CONNECT_TIME, TcpStream::connect(address));
    dialling
        .await
        .map_err(|_| DialError::Slow)?
        .map_err(DialError::Connect)
}

fn is_own(stream: &TcpStream) -> bool {
    match (stream.local_addr(), stream.peer_addr()) {
        (Ok(local), Ok(peer)) => local.ip() == peer.ip(),
        _ => true,
    }
}
