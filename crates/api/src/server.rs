//! Serves the router: on the unix socket to this user's own processes and to root's, on a loopback port to whoever the
//! router itself lets in.

use std::io;

use axum::Router;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Accepts connections until `cancel`, then waits for those that are being answered.
///
/// Long streams (consoles, events) end when the service drops their channels; the caller sets the
/// deadline. A connection of another user is closed without an answer.
pub async fn serve_unix(
    router: Router,
    listener: UnixListener,
    cancel: CancellationToken,
) -> io::Result<()> {
    serve(router, listener, cancel).await
}

/// Where connections come from.
pub(crate) trait Listener {
    /// A connection.
    type Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static;

    /// Waits for a connection; `None` where it is not to be answered.
    async fn next(&self) -> io::Result<Option<Self::Stream>>;
}

impl Listener for UnixListener {
    type Stream = UnixStream;

    async fn next(&self) -> io::Result<Option<UnixStream>> {
        let (stream, _) = self.accept().await?;
        if is_ours(&stream) {
            return Ok(Some(stream));
        }
        tracing::warn!("closed a connection of another user");
        Ok(None)
    }
}

impl Listener for TcpListener {
    type Stream = TcpStream;

    async fn next(&self) -> io::Result<Option<TcpStream>> {
        let (stream, _) = self.accept().await?;
        // A keystroke's echo waits for nothing.
        stream.set_nodelay(true)?;
        Ok(Some(stream))
    }
}

/// Accepts connections of any kind until `cancel`, then waits for those that are being answered.
pub(crate) async fn serve(
    router: Router,
    listener: impl Listener,
    cancel: CancellationToken,
) -> io::Result<()> {
    let connections = TaskTracker::new();
    loop {
        let accepted = tokio::select! {
            () = cancel.cancelled() => break,
            accepted = listener.next() => accepted,
        };
        match accepted {
            Ok(Some(stream)) => {
                connections.spawn(answer(router.clone(), stream, cancel.clone()));
            }
            Ok(None) => {}
            Err(error) => {
                // Out of descriptors: others will be given back. Never end for it.
                tracing::warn!(%error, "accept a connection");
                tokio::task::yield_now().await;
            }
        }
    }
    connections.close();
    connections.wait().await;
    Ok(())
}

/// Answers one connection until it ends.
async fn answer(
    router: Router,
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    cancel: CancellationToken,
) {
    let connection = hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router))
        .with_upgrades();
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = &mut connection => ended,
        () = cancel.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended");
    }
}

/// The socket's mode is 0600 already; this also holds where somebody widened it.
fn is_ours(stream: &UnixStream) -> bool {
    match stream.peer_cred() {
        Ok(peer) => peer.uid() == 0 || peer.uid() == rustix::process::getuid().as_raw(),
        Err(_) => false,
    }
}
