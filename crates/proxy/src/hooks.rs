//! The one host verb that a sandbox reaches: `POST http://clauderon.internal/hooks`.
//!
//! It only takes reports. Whose they are is known from the stream, never from what they say.

use std::{sync::atomic::Ordering, time::Instant};

use bytes::BytesMut;
use http::{Method, StatusCode};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::{
    answer::Answer,
    body::Body,
    exchange::Door,
    head::{Head, Incoming},
    limits,
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
    door.engine.observer.hook(&door.session.id, report.freeze());
    answer
        .whole(StatusCode::NO_CONTENT, None, Vec::new())
        .await
        .map_err(|_| Rejection::gone())
}
