//! The one host verb that a sandbox reaches: `POST http://clauderon.internal/hooks`.
//!
//! It takes reports, and holds those that ask something until somebody outside has answered. Whose they are is known from
//! the stream, never from what they say. Whatever goes wrong, the answer is empty: the agent then asks in its terminal.

use std::{future::pending, sync::atomic::Ordering, time::Instant};

use bytes::BytesMut;
use http::{Method, StatusCode};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::timeout,
};

use crate::{
    answer::Answer,
    body::Body,
    exchange::Door,
    head::{Head, Incoming},
    limits,
    observer::Held,
    rejection::Rejection,
};

/// The host that the gate itself answers.
pub(crate) const HOST: &str = "clauderon.internal";
/// Its only port; nothing else is ever plain inside a tunnel.
pub(crate) const PORT: u16 = 80;

/// Takes one report.
pub(crate) async fn take<R, W>(
    door: &Door<'_>,
    head: &Head,
    path: &str,
    body: &mut Body,
    incoming: &mut Incoming<R>,
    answer: &mut Answer<'_, W>,
) -> Result<(), Rejection>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    if head.method != Method::POST || path != "/hooks" {
        return Err(Rejection::not_allowed(
            "this host takes POST /hooks and nothing else",
        ));
    }
    if !door.session.hooks.allows(Instant::now()) {
        return Err(Rejection::too_many_reports(
            door.session.hooks_flooded.swap(true, Ordering::Relaxed),
        ));
    }
    door.session.hooks_flooded.store(false, Ordering::Relaxed);
    if head.expects_continue() {
        answer.invite().await.map_err(|_| Rejection::gone())?;
    }
    let mut report = BytesMut::new();
    while let Some(piece) = body.next(incoming).await.map_err(Rejection::body)? {
        if report.len() + piece.len() > limits::HOOK_BODY {
            return Err(Rejection::body(crate::body::BodyError::TooLarge));
        }
        report.extend_from_slice(&piece);
    }
    let held = door.engine.observer.hook(&door.session.id, report.freeze());
    let decision = match held {
        Some(held) => hold(door, held, incoming).await?,
        None => None,
    };
    let told = match decision {
        Some(decision) => {
            let json = Some("application/json");
            answer.whole(StatusCode::OK, json, decision).await
        }
        None => answer.whole(StatusCode::NO_CONTENT, None, Vec::new()).await,
    };
    told.map_err(|_| Rejection::gone())
}

/// Waits for the answer: as long as the agent does, not for ever, and not for too many at once.
async fn hold<R>(
    door: &Door<'_>,
    held: Held,
    incoming: &mut Incoming<R>,
) -> Result<Option<Vec<u8>>, Rejection>
where
    R: AsyncRead + Unpin,
{
    let Ok(_permit) = door.session.held_hooks.try_acquire() else {
        return Ok(None);
    };
    let gone = async {
        // Whoever sends more before the answer is still there.
        if incoming.readable().await {
            pending::<()>().await;
        }
    };
    tokio::select! {
        decision = timeout(limits::HOOK_HOLD, held) => Ok(decision.unwrap_or_default()),
        () = gone => Err(Rejection::gone()),
    }
}
