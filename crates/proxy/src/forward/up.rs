//! The body's way up: piece by piece, without placeholders, within the rule's length.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use bytes::Bytes;
use tokio::{io::AsyncRead, sync::mpsc};

use super::Passage;
use crate::{
    body::{Body, BodyError},
    head::Incoming,
    rejection::Rejection,
    scan::Scanner,
    upstream::Piece,
};

impl Passage<'_> {
    /// Carries the body up as it comes, then waits for the agent to go away.
    pub(super) async fn pump<R>(
        &self,
        pieces: Option<mpsc::Sender<Piece>>,
        body: &mut Body,
        incoming: &mut Incoming<R>,
        up: Arc<AtomicU64>,
    ) -> Rejection
    where
        R: AsyncRead + Unpin,
    {
        if let Some(pieces) = pieces
            && let Err(rejection) = self.carry(&pieces, body, incoming, &up).await
        {
            return rejection;
        }
        if incoming.buffer.is_empty() && !incoming.readable().await {
            return Rejection::gone();
        }
        // The agent has sent its next request already; it is read when this one is done.
        std::future::pending().await
    }

    async fn carry<R>(
        &self,
        pieces: &mpsc::Sender<Piece>,
        body: &mut Body,
        incoming: &mut Incoming<R>,
        up: &AtomicU64,
    ) -> Result<(), Rejection>
    where
        R: AsyncRead + Unpin,
    {
        let mut scanner = Scanner::stopping(&self.door.session.placeholders.needles);
        let mut left = self.most_body();
        // The receiver goes away with an upstream that has answered already: then the rest is nobody's.
        let send = async |bytes: Bytes| {
            up.fetch_add(bytes.len() as u64, Ordering::Relaxed);
            drop(pieces.send(Piece::Bytes(bytes)).await);
        };
        while let Some(piece) = body.next(incoming).await.map_err(Rejection::body)? {
            if let Some(left) = &mut left {
                *left = left
                    .checked_sub(piece.len() as u64)
                    .ok_or_else(|| Rejection::body(BodyError::TooLarge))?;
            }
            let clean = scanner.push(piece).map_err(|_| Rejection::placeholder())?;
            if !clean.is_empty() {
                send(clean).await;
            }
        }
        let rest = scanner.finish();
        if !rest.is_empty() {
            send(rest).await;
        }
        drop(pieces.send(Piece::End).await);
        Ok(())
    }
}
