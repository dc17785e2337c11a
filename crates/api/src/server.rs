//! Serves the router on the unix socket, to this user's own processes and to root's.

use std::io;

use axum::Router;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::net::{UnixListener, UnixStream};
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
    let connections = TaskTracker::new();
    loop {
        let stream = tokio::select! {
            () = cancel.cancelled() => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    // Out of descriptors: others will be given back. Never end for it.
                    tracing::warn!(%error, "accept a connection");
                    tokio::task::yield_now().await;
                    continue;
                }
            },
        };
        if !is_ours(&stream) {
            tracing::warn!("closed a connection of another user");
            continue;
        }
        connections.spawn(serve(router.clone(), stream, cancel.clone()));
    }
    connections.close();
    connections.wait().await;
    Ok(())
}

async fn serve(router: Router, stream: UnixStream, cancel: CancellationToken) {
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
