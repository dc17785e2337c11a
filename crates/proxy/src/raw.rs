//! A raw tunnel: bytes both ways, unread, to the one host and port that a rule of the person's names for it.
//!
//! Nothing of ours goes with them: no credential is looked up here. The address is checked as for every other, both ends are
//! written down, and the tunnel is cut when its rule goes or the network is paused.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};

use clauderon_policy::{ConnectDecision, Target, decide_connect};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
    time::sleep,
};

use crate::{
    limits, proxy::Engine, record::Open, rejection::Rejection, rewound::Rewound,
    session::EgressSession,
};

/// Bytes that are carried at a time.
const PIECE: usize = 32 * 1024;

/// A tunnel whose far end answers.
pub(crate) struct Raw {
    upstream: TcpStream,
    open: Open,
}

impl Raw {
    /// Writes the tunnel down and dials.
    pub async fn dial(
        engine: &Engine,
        session: &EgressSession,
        target: &Target,
        rule: &str,
    ) -> Result<Self, Rejection> {
        if engine.is_paused() {
            return Err(Rejection::paused());
        }
        if session.stand_in.is_some() {
            return Err(Rejection::not_allowed("a demo has no network"));
        }
        let open = Open::raw(engine, session, target, rule)
            .await
            .map_err(|_| Rejection::unrecorded())?;
        match engine.upstream.raw(target).await {
            Ok(upstream) => Ok(Self { upstream, open }),
            Err(error) => {
                open.end().await;
                Err(Rejection::dial(&error))
            }
        }
    }

    /// Carries bytes until one side has no more, the rule is gone or the network is paused.
    pub async fn carry<S>(
        self,
        engine: &Engine,
        session: &EgressSession,
        target: &Target,
        agent: Rewound<S>,
    ) where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let Self { upstream, mut open } = self;
        let (up, down) = (open.bytes_up.clone(), open.bytes_down.clone());
        let (agent_reader, agent_writer) = tokio::io::split(agent);
        let (upstream_reader, upstream_writer) = upstream.into_split();
        let both = async {
            tokio::try_join!(
                copy(agent_reader, upstream_writer, &up),
                copy(upstream_reader, agent_writer, &down),
            )
        };
        open.whole = tokio::select! {
            carried = both => carried.is_ok(),
            () = engine.paused() => false,
            () = withdrawn(session, target) => false,
            () = resting(&up, &down) => false,
        };
        open.end().await;
    }
}

/// Waits until no rule lets the tunnel through any more.
async fn withdrawn(session: &EgressSession, target: &Target) {
    let mut policy = session.policy.clone();
    let gone = |policy: &std::sync::Arc<clauderon_policy::Policy>| {
        !matches!(
            decide_connect(policy, target),
            ConnectDecision::Passthrough { .. }
        )
    };
    // A session whose policy is given up is closed.
    let _ = policy.wait_for(gone).await;
}

/// Waits until nothing has passed for a long time.
async fn resting(up: &AtomicU64, down: &AtomicU64) {
    let passed = || (up.load(Ordering::Relaxed), down.load(Ordering::Relaxed));
    loop {
        let before = passed();
        sleep(limits::RAW_IDLE).await;
        if passed() == before {
            return;
        }
    }
}

async fn copy<R, W>(mut reader: R, mut writer: W, passed: &AtomicU64) -> io::Result<()>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let mut piece = vec![0; PIECE];
    loop {
        let count = reader.read(&mut piece).await?;
        if count == 0 {
            return writer.shutdown().await;
        }
        writer.write_all(&piece[..count]).await?;
        writer.flush().await?;
        passed.fetch_add(count as u64, Ordering::Relaxed);
    }
}
