//! One request and its answer: look up, ask, apply, record; nothing else.

use clauderon_policy::{BodyRule, Decision, Request, Scheme, Target, decide};
use http::{Method, StatusCode, header};
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt},
    time::timeout,
};

use crate::{
    answer::Answer,
    body::Body,
    forward::{Passage, Way},
    gate,
    head::{Framing, Head, Incoming},
    hooks, limits,
    proxy::Engine,
    record::{self, Asked},
    rejection::Rejection,
    session::EgressSession,
};

/// Through which door requests come: whose, and to which host they may be.
pub(crate) struct Door<'a> {
    pub engine: &'a Engine,
    pub session: &'a EgressSession,
    pub target: &'a Target,
    pub scheme: Scheme,
}

impl Door<'_> {
    /// Tells whether the upstream is reached over TLS.
    pub fn encrypted(&self) -> bool {
        self.scheme == Scheme::Https
    }

    /// The host as the upstream is asked for it: the port is left out where it is the scheme's own.
    pub fn authority(&self) -> String {
        let own = if self.encrypted() { ":443" } else { ":80" };
        let text = self.target.to_string();
        text.strip_suffix(own).map(str::to_owned).unwrap_or(text)
    }
}

/// Serves one request; true says that the connection can carry another.
pub(crate) async fn serve<R, W>(
    door: &Door<'_>,
    head: Head,
    incoming: &mut Incoming<R>,
    io: &mut W,
) -> bool
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let link = door.engine.link();
    let asked = Asked::request(door.target, &head);
    let mut body = Body::new(head.framing);
    let mut answer = Answer::new(io, &head);
    let waits = head.expects_continue();
    let too_long_to_drain = match head.framing {
        Framing::None => false,
        Framing::Length(length) => length > limits::DRAIN as u64,
        Framing::Chunked => false,
    };
    if let Err(rejection) =
        attempt(door, &link, &asked, head, &mut body, incoming, &mut answer).await
    {
        if rejection.gone {
            return false;
        }
        let rejection =
            record::rejection(door.engine, door.session, &link, &asked, rejection).await;
        if answer.has_begun() {
            return false;
        }
        if waits || too_long_to_drain {
            answer.close_after();
        }
        if answer
            .refuse(rejection.status, &rejection.refusal)
            .await
            .is_err()
        {
            return false;
        }
    }
    answer.keeps_alive() && drain(&mut body, incoming).await
}

async fn attempt<R, W>(
    door: &Door<'_>,
    link: &str,
    asked: &Asked,
    head: Head,
    body: &mut Body,
    incoming: &mut Incoming<R>,
    answer: &mut Answer<'_, W>,
) -> Result<(), Rejection>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    belongs_here(door, &head)?;
    let target = head.target.clone();
    let (path, query) = match target.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (target.as_str(), None),
    };
    if gate::is_hooks(door.target) && door.scheme == Scheme::Http {
        return hooks::take(door, &head, path, body, incoming, answer).await;
    }
    if door.engine.is_paused() {
        return Err(Rejection::paused());
    }
    let request = Request {
        scheme: door.scheme,
        host: &door.target.host,
        port: door.target.port,
        method: head.method.as_str(),
        path,
        query,
    };
    let way = match decide(&door.session.policy(), &request) {
        Decision::Refuse(refusal) => return Err(refusal.into()),
        Decision::Answer {
            rule,
            status,
            content_type,
            body: text,
        } => {
            record::answered(door, link, asked, &rule, status).await;
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::NOT_FOUND);
            let kind = (!text.is_empty()).then_some(content_type.as_str());
            return answer
                .whole(status, kind, text.into())
                .await
                .map_err(|_| Rejection::gone());
        }
        Decision::Forward {
            rule,
            limits,
            keep_client_auth,
        } => Way {
            rule,
            limits,
            credential: None,
            body: BodyRule::Stream,
            keep_client_auth,
        },
        Decision::Inject {
            rule,
            limits,
            credential,
            body,
        } => Way {
            rule,
            limits,
            credential: Some(credential),
            body,
            keep_client_auth: false,
        },
    };
    Passage {
        door,
        link,
        asked,
        way,
        head,
        tap: None,
    }
    .make(body, incoming, answer)
    .await
}

/// Refuses what does not belong into this tunnel, whatever the policy says.
fn belongs_here(door: &Door<'_>, head: &Head) -> Result<(), Rejection> {
    if head.method == Method::CONNECT || head.method == Method::TRACE {
        return Err(Rejection::method());
    }
    if !head.target.starts_with('/') {
        let absolute = head.target.contains("://");
        return Err(if absolute {
            Rejection::other_host()
        } else {
            Rejection::malformed("the target is not a path")
        });
    }
    let default_port = if door.scheme == Scheme::Https {
        443
    } else {
        80
    };
    let named = head
        .headers
        .get(header::HOST)
        .and_then(|value| value.to_str().ok());
    let named = named.and_then(|host| gate::parse_host(host, default_port));
    if named.as_ref() != Some(door.target) {
        return Err(Rejection::other_host());
    }
    Ok(())
}

/// Reads the rest of a body that nobody wants, so that the next request can follow; false says there was too much.
async fn drain<R: AsyncRead + Unpin>(body: &mut Body, incoming: &mut Incoming<R>) -> bool {
    let reading = async {
        let mut read = 0;
        while let Ok(Some(piece)) = body.next(incoming).await {
            read += piece.len();
            if read > limits::DRAIN {
                return false;
            }
        }
        body.is_done()
    };
    timeout(limits::DRAIN_TIME, reading).await.unwrap_or(false)
}

/// Ends a connection so that the agent still gets our last words: what it has sent is read before the stream closes.
pub(crate) async fn hang_up<R, W>(incoming: &mut Incoming<R>, io: &mut W)
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let ending = async {
        drop(io.shutdown().await);
        let mut read = 0;
        while read < 8 * limits::DRAIN {
            incoming.buffer.clear();
            match incoming.fill().await {
                Ok(n) if n > 0 => read += n,
                _ => break,
            }
        }
    };
    // The agent has its answer; whether it closes in time is its own affair.
    drop(timeout(limits::DRAIN_TIME, ending).await);
}
