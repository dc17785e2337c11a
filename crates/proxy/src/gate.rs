//! The first words of a connection: a tunnel, or a plain request where a rule says http.
//!
//! Must decide before any name is looked up: a lookup is itself a way out.

use bytes::BytesMut;
use clauderon_policy::{ConnectDecision, Host, Scheme, Target, decide_connect};
use http::{Method, StatusCode};
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf},
    time::timeout,
};

use crate::{
    answer::Answer,
    exchange::{self, Door},
    head::{Framing, Head, Incoming},
    hooks, limits,
    proxy::Engine,
    raw::Raw,
    record::{self, Asked},
    rejection::Rejection,
    rewound::Rewound,
    session::EgressSession,
    tunnel,
};

/// Serves one connection to its end.
pub(crate) async fn serve<S>(engine: &Engine, session: &EgressSession, stream: S)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (reader, mut writer) = tokio::io::split(stream);
    let mut incoming = Incoming::new(reader, BytesMut::new());
    let Ok(_permit) = session.connections.try_acquire() else {
        let rejection = Rejection::busy("this session has too many connections open");
        turn_away(engine, session, &Asked::nothing(), rejection, &mut writer).await;
        return exchange::hang_up(&mut incoming, &mut writer).await;
    };
    while let Some(head) = next_head(engine, session, &mut incoming, &mut writer).await {
        if head.method == Method::CONNECT {
            return match admit(session, &head) {
                Ok(way) => open_tunnel(engine, session, way, head, incoming, writer).await,
                Err(rejection) => {
                    let asked = Asked::connect(&head.target);
                    turn_away(engine, session, &asked, rejection, &mut writer).await;
                    exchange::hang_up(&mut incoming, &mut writer).await;
                }
            };
        }
        if !plain(engine, session, head, &mut incoming, &mut writer).await {
            break;
        }
        if !matches!(
            timeout(limits::KEEP_ALIVE, incoming.readable()).await,
            Ok(true)
        ) {
            break;
        }
    }
    exchange::hang_up(&mut incoming, &mut writer).await;
}

async fn next_head<R, W>(
    engine: &Engine,
    session: &EgressSession,
    incoming: &mut Incoming<R>,
    writer: &mut W,
) -> Option<Head>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    match incoming.head(limits::GATE_HEAD).await {
        Ok(head) => Some(head),
        Err(error) => {
            turn_away(
                engine,
                session,
                &Asked::nothing(),
                Rejection::head(&error),
                writer,
            )
            .await;
            None
        }
    }
}

/// Records a rejection and answers it; the connection ends with it.
pub(crate) async fn turn_away<W>(
    engine: &Engine,
    session: &EgressSession,
    asked: &Asked,
    rejection: Rejection,
    writer: &mut W,
) where
    W: AsyncWrite + Unpin,
{
    if rejection.gone {
        return;
    }
    let rejection = record::rejection(engine, session, &engine.link(), asked, rejection).await;
    let mut answer = Answer::to_nothing_readable(writer);
    // A failed write means that nobody reads: there is nobody left to tell.
    drop(answer.refuse(rejection.status, &rejection.refusal).await);
}

/// Where a tunnel leads.
struct Way {
    target: Target,
    /// The rule that lets its bytes through unread.
    unread: Option<String>,
}

/// Decides whether a tunnel is opened at all.
fn admit(session: &EgressSession, head: &Head) -> Result<Way, Rejection> {
    if head.framing != Framing::None {
        return Err(Rejection::malformed("a CONNECT has no body"));
    }
    if session.placeholders.are_in_target(&head.target)
        || session.placeholders.are_misplaced_in(&head.headers, false)
    {
        return Err(Rejection::placeholder());
    }
    let target = match Target::parse_authority(&head.target) {
        Ok(target) => target,
        Err(error) => {
            return Err(Rejection {
                status: StatusCode::FORBIDDEN,
                ..Rejection::malformed(&error.to_string())
            });
        }
    };
    let read = |target| Way {
        target,
        unread: None,
    };
    if is_hooks(&target) {
        return Ok(read(target));
    }
    match decide_connect(&session.policy(), &target) {
        ConnectDecision::Intercept | ConnectDecision::InterceptToRefuse(_) => Ok(read(target)),
        ConnectDecision::Passthrough { rule } => Ok(Way {
            target,
            unread: Some(rule),
        }),
        ConnectDecision::Reject(refusal) => Err(refusal.into()),
    }
}

pub(crate) fn is_hooks(target: &Target) -> bool {
    target.host.as_str() == hooks::HOST && target.port == hooks::PORT
}

async fn open_tunnel<S>(
    engine: &Engine,
    session: &EgressSession,
    way: Way,
    head: Head,
    mut incoming: Incoming<ReadHalf<S>>,
    mut writer: WriteHalf<S>,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let Way { target, unread } = way;
    let raw = match unread {
        None => None,
        Some(rule) => match Raw::dial(engine, session, &target, &rule).await {
            Ok(raw) => Some(raw),
            Err(rejection) => {
                let asked = Asked::connect(&head.target);
                turn_away(engine, session, &asked, rejection, &mut writer).await;
                return exchange::hang_up(&mut incoming, &mut writer).await;
            }
        },
    };
    let established = async {
        writer
            .write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")
            .await?;
        writer.flush().await
    };
    if !matches!(timeout(limits::WRITE_IDLE, established).await, Ok(Ok(()))) {
        return;
    }
    drop(head);
    let (reader, buffer) = incoming.into_parts();
    let stream = Rewound::new(buffer.freeze(), reader.unsplit(writer));
    if let Some(raw) = raw {
        return raw.carry(engine, session, &target, stream).await;
    }
    if is_hooks(&target) {
        let door = Door {
            engine,
            session,
            target: &target,
            scheme: Scheme::Http,
        };
        return tunnel::requests(&door, stream).await;
    }
    tunnel::intercept(engine, session, &target, stream).await;
}

/// Serves one request in absolute form; false ends the connection.
async fn plain<R, W>(
    engine: &Engine,
    session: &EgressSession,
    mut head: Head,
    incoming: &mut Incoming<R>,
    writer: &mut W,
) -> bool
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    match split_absolute(&head.target) {
        Ok((target, path)) => {
            // With an absolute target the authority is the target's; a Host that differs is judged like any other.
            head.target = path;
            let door = Door {
                engine,
                session,
                target: &target,
                scheme: Scheme::Http,
            };
            exchange::serve(&door, head, incoming, writer).await
        }
        Err(rejection) => {
            let asked = Asked::plain(&head);
            turn_away(engine, session, &asked, rejection, writer).await;
            false
        }
    }
}

/// Splits `http://host[:port]/path?query`.
fn split_absolute(target: &str) -> Result<(Target, String), Rejection> {
    let Some((scheme, rest)) = target.split_once("://") else {
        return Err(Rejection::malformed(
            "this is a proxy: ask with CONNECT or with a full http:// address",
        ));
    };
    if !scheme.eq_ignore_ascii_case("http") {
        return Err(Rejection::malformed(
            "https goes through CONNECT, never in clear through the proxy",
        ));
    }
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let path = if path.starts_with('/') {
        path.to_owned()
    } else {
        format!("/{path}")
    };
    let target = parse_host(authority, 80)
        .ok_or_else(|| Rejection::malformed("the address names no host"))?;
    Ok((target, path))
}

/// Parses `host` or `host:port`.
pub(crate) fn parse_host(authority: &str, port: u16) -> Option<Target> {
    if let Ok(target) = Target::parse_authority(authority) {
        return Some(target);
    }
    // A port that is there but is no port must not be taken for a part of the name.
    if authority.contains(':') && !authority.ends_with(']') {
        return None;
    }
    Some(Target {
        host: Host::parse(authority).ok()?,
        port,
    })
}
