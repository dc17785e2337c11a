//! One connection: TLS or not, the requests on it one after the other, and the playing of slow and cut answers.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::{Bytes, BytesMut};
use futures_util::stream;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use crate::answer::{Answer, Body};
use crate::record::{Recorded, Scheme};
use crate::route;
use crate::server::Stage;

/// The largest body that is read.
const BODY_LIMIT: usize = 64 * 1024 * 1024;
const HANDSHAKE: u8 = 0x16;
const HANDSHAKE_TIME: Duration = Duration::from_secs(10);

type Sent = UnsyncBoxBody<Bytes, io::Error>;

/// Serves a connection to its end. Errors are the client's to notice: a rehearsal is cut short by many tests on purpose.
pub(crate) async fn serve(
    stage: Arc<Stage>,
    stream: TcpStream,
    tls: TlsAcceptor,
) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut first = [0];
    if stream.peek(&mut first).await? == 0 {
        return Ok(());
    }
    if first[0] != HANDSHAKE {
        return requests(stage, stream, Scheme::Http, None).await;
    }
    let stream = tokio::time::timeout(HANDSHAKE_TIME, tls.accept(stream)).await??;
    let sni = stream.get_ref().1.server_name().map(str::to_owned);
    requests(stage, stream, Scheme::Https, sni).await
}

/// Serves a connection that needs no handshake.
pub(crate) async fn in_clear(
    stage: Arc<Stage>,
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
) -> io::Result<()> {
    requests(stage, stream, Scheme::Http, None).await
}

async fn requests(
    stage: Arc<Stage>,
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    scheme: Scheme,
    sni: Option<String>,
) -> io::Result<()> {
    let service = service_fn(move |request| {
        let (stage, sni) = (stage.clone(), sni.clone());
        async move { Ok::<_, Infallible>(respond(&stage, request, scheme, sni).await) }
    });
    let served = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .serve_connection(TokioIo::new(stream), service)
        .await;
    served.map_err(io::Error::other)
}

async fn respond(
    stage: &Stage,
    request: Request<Incoming>,
    scheme: Scheme,
    sni: Option<String>,
) -> Response<Sent> {
    let at = SystemTime::now();
    let (head, incoming) = request.into_parts();
    let (body, complete) = collected(incoming).await;
    let seen = Recorded {
        scheme,
        sni,
        host: host(&head.headers, &head.uri),
        method: head.method.to_string(),
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        headers: head.headers,
        body,
        complete,
        at,
    };
    if let Some(record) = &stage.record {
        record.add(seen.clone());
    }
    let answer = route::answer(&seen, stage).await;
    if !answer.wait.is_zero() {
        tokio::time::sleep(answer.wait).await;
    }
    played(answer)
}

async fn collected(mut incoming: Incoming) -> (Bytes, bool) {
    let mut body = BytesMut::new();
    while let Some(frame) = incoming.frame().await {
        match frame.map(Frame::into_data) {
            Ok(Ok(data)) if body.len() + data.len() <= BODY_LIMIT => body.extend_from_slice(&data),
            Ok(Err(_trailers)) => {}
            Ok(Ok(_)) | Err(_) => return (body.freeze(), false),
        }
    }
    (body.freeze(), true)
}

fn host(headers: &HeaderMap, uri: &http::Uri) -> String {
    let header = headers
        .get(http::header::HOST)
        .and_then(|host| host.to_str().ok());
    let authority = uri
        .authority()
        .map(http::uri::Authority::as_str)
        .or(header)
        .unwrap_or_default();
    let name = match authority.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => authority,
    };
    name.to_ascii_lowercase()
}

fn played(answer: Answer) -> Response<Sent> {
    let body = match answer.body {
        Body::Full(bytes) => Full::new(bytes)
            .map_err(|never| match never {})
            .boxed_unsync(),
        Body::Pieces {
            pieces,
            pause,
            cut_after,
        } => streamed(pieces, pause, cut_after),
    };
    let mut response = Response::new(body);
    *response.status_mut() =
        StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in answer.headers {
        // A script may name any header; one that HTTP does not allow is left out.
        if let (Ok(name), Ok(value)) = (
            HeaderName::from_bytes(name.as_bytes()),
            HeaderValue::from_str(&value),
        ) {
            response.headers_mut().append(name, value);
        }
    }
    response
}

fn streamed(pieces: Vec<Bytes>, pause: Duration, cut_after: Option<usize>) -> Sent {
    let numbered = pieces.into_iter().enumerate();
    let frames = stream::unfold(numbered, move |mut numbered| async move {
        let (number, piece) = numbered.next()?;
        if !pause.is_zero() {
            tokio::time::sleep(pause).await;
        }
        // Each piece goes out by itself: the next one is only made when the connection has taken this one.
        tokio::task::yield_now().await;
        let frame = match cut_after.is_some_and(|count| number >= count) {
            true => Err(io::Error::other("the script cuts the stream here")),
            false => Ok(Frame::data(piece)),
        };
        Some((frame, numbered))
    });
    StreamBody::new(frames).boxed_unsync()
}
