//! The body of a request on its way up.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::sync::{OwnedSemaphorePermit, mpsc};

/// A piece of a streamed body. The end is said, so that a sender that goes away can never pass for one.
pub(crate) enum Piece {
    /// More bytes.
    Bytes(Bytes),
    /// The body is complete.
    End,
}

/// The body of an upstream request.
pub(crate) enum UpstreamBody {
    /// No body.
    None,
    /// A held body, with its share of the session's memory.
    Held(
        Option<Bytes>,
        #[allow(dead_code, reason = "gives its share back when dropped")] OwnedSemaphorePermit,
    ),
    /// A body that streams, of this length where it is known.
    Streamed(mpsc::Receiver<Piece>, Option<u64>),
}

impl Body for UpstreamBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        match &mut *self {
            Self::None => Poll::Ready(None),
            Self::Held(bytes, _) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Self::Streamed(pieces, left) => match ready!(pieces.poll_recv(cx)) {
                Some(Piece::Bytes(bytes)) => {
                    *left = left.map(|left| left.saturating_sub(bytes.len() as u64));
                    Poll::Ready(Some(Ok(Frame::data(bytes))))
                }
                Some(Piece::End) => Poll::Ready(None),
                None => Poll::Ready(Some(Err(io::ErrorKind::UnexpectedEof.into()))),
            },
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::None => true,
            Self::Held(bytes, _) => bytes.is_none(),
            Self::Streamed(..) => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::None => SizeHint::with_exact(0),
            Self::Held(bytes, _) => {
                SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
            }
            Self::Streamed(_, Some(left)) => SizeHint::with_exact(*left),
            Self::Streamed(_, None) => SizeHint::default(),
        }
    }
}
