//! An upstream that plays every other one, for a session that needs no account.
//!
//! A session with a stand-in never reaches the network and never has a credential looked up: both are asked here, in one
//! place each, and what is asked here knows neither the resolver nor the vault.

use std::{io, sync::Arc};

use clauderon_vault::Secret;
use futures_util::future::BoxFuture;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::upstream::{DialError, Link};

/// A connection that a stand-in opened.
pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

type Open = dyn Fn() -> BoxFuture<'static, io::Result<Box<dyn Stream>>> + Send + Sync;

/// What plays the upstreams of one session, and the invented credential that its requests carry.
#[derive(Clone)]
pub struct StandIn {
    open: Arc<Open>,
    credential: Arc<Secret>,
}

impl StandIn {
    /// The name under which the invented credential stands in the audit log.
    pub const CREDENTIAL: &'static str = "invented";

    /// Makes one. Connections speak plain HTTP inside this process, whatever the agent was promised: nothing leaves it.
    pub fn new(
        credential: Secret,
        open: impl Fn() -> BoxFuture<'static, io::Result<Box<dyn Stream>>> + Send + Sync + 'static,
    ) -> Self {
        Self {
            open: Arc::new(open),
            credential: Arc::new(credential),
        }
    }

    pub(crate) fn credential(&self) -> &Secret {
        &self.credential
    }

    pub(crate) async fn connect(&self) -> Result<Link, DialError> {
        let stream = (self.open)().await.map_err(DialError::Connect)?;
        Link::open(stream).await.map_err(DialError::Connect)
    }
}
