//! A tunnel: the agent's TLS ends here, and every request in it is judged for itself.
//!
//! Nothing here is passed on unread: what does not begin with a whole ClientHello for the right name is closed.

use bytes::BytesMut;
use clauderon_policy::{Scheme, Target};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::timeout,
};

use crate::{
    exchange::{self, Door},
    gate::turn_away,
    head::Incoming,
    limits,
    proxy::Engine,
    record::{self, Asked},
    rejection::Rejection,
    session::EgressSession,
    tls,
};

/// Speaks TLS for the target with the session's own certificate and serves the requests inside.
pub(crate) async fn intercept<S>(
    engine: &Engine,
    session: &EgressSession,
    target: &Target,
    stream: S,
) where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let host = target.host.as_str();
    let (link, asked) = (engine.link(), Asked::tunnel(target));
    let refused = |rejection| record::rejection(engine, session, &link, &asked, rejection);
    let start = match tls::read_hello(stream, host).await {
        Ok(start) => start,
        Err(error) => return drop(refused(Rejection::hello(&error)).await),
    };
    let config = match session.leaves.speak_for(host) {
        Ok(config) => config,
        Err(error) => {
            tracing::warn!(%error, host, "no certificate could be made");
            return drop(
                refused(Rejection::malformed(
                    "no certificate can be made for this name",
                ))
                .await,
            );
        }
    };
    let handshake = timeout(limits::HANDSHAKE_TIME, start.into_stream(config));
    let (accepted, ()) = tokio::join!(handshake, record::tunnel(engine, session, target));
    match accepted {
        Ok(Ok(stream)) => {
            let door = Door {
                engine,
                session,
                target,
                scheme: Scheme::Https,
            };
            requests(&door, stream).await;
        }
        // Often an agent that does not trust our CA: nothing was let through, and a person will want to know.
        Ok(Err(error)) => {
            tracing::debug!(%error, host, "the agent broke off the TLS handshake");
            drop(refused(Rejection::malformed("the TLS handshake failed")).await);
        }
        Err(_) => drop(
            refused(Rejection::malformed(
                "the TLS handshake did not end in time",
            ))
            .await,
        ),
    }
}

/// Serves the requests of a stream, one after another.
pub(crate) async fn requests<S>(door: &Door<'_>, stream: S)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (reader, mut writer) = tokio::io::split(stream);
    let mut incoming = Incoming::new(reader, BytesMut::new());
    while matches!(
        timeout(limits::KEEP_ALIVE, incoming.readable()).await,
        Ok(true)
    ) {
        let head = match incoming.head(limits::TUNNEL_HEAD).await {
            Ok(head) => head,
            Err(error) => {
                let asked = Asked::tunnel(door.target);
                turn_away(
                    door.engine,
                    door.session,
                    &asked,
                    Rejection::head(&error),
                    &mut writer,
                )
                .await;
                break;
            }
        };
        if !exchange::serve(door, head, &mut incoming, &mut writer).await {
            break;
        }
    }
    exchange::hang_up(&mut incoming, &mut writer).await;
}
