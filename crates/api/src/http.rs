//! The API and the window's page for a browser on this machine: the same router on a loopback port, behind a door.
//!
//! Whoever asks must name this very address (no DNS name can be bent to it), come from this very page, and hold the cookie
//! that a one-time link gave. It never listens on anything but loopback, and never opens by itself.

mod admit;
mod door;
mod pages;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::{self, HeaderName, HeaderValue};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub use door::Door;
use pages::Pages;

use crate::error::{Error, ErrorCode};
use crate::server;

/// Serves `router` and the page in `folder` to browsers that pass `door`, until `cancel`.
///
/// # Errors
/// Where `listener` is not on loopback.
pub async fn serve_http(
    router: Router,
    folder: Option<PathBuf>,
    door: Arc<Door>,
    listener: TcpListener,
    cancel: CancellationToken,
) -> io::Result<()> {
    if !listener.local_addr()?.ip().is_loopback() {
        return Err(io::Error::other(
            "the window's page is served on loopback only",
        ));
    }
    let pages = Arc::new(Pages::new(folder));
    let guarded = router
        .fallback(move |request: Request| {
            let pages = pages.clone();
            async move { pages.answer(request.method(), request.uri().path()).await }
        })
        .layer(from_fn_with_state(door, guard));
    server::serve(guarded, listener, cancel).await
}

/// Lets a request in or says in one sentence why not; either way the answer carries what keeps a page in its place.
async fn guard(State(door): State<Arc<Door>>, request: Request, next: Next) -> Response {
    let api = pages::is_api(request.uri().path());
    let mut response = match admit::admit(&door, request.method(), request.uri(), request.headers())
    {
        Ok(()) => match door.knows(request.headers()) {
            true => next.run(request).await,
            false => enter(&door, &request),
        },
        Err(refused) => refuse(StatusCode::FORBIDDEN, refused, api),
    };
    harden(&door, response.headers_mut());
    response
}

/// Takes a one-time link for a cookie, and leads to the page without the link in its address.
fn enter(door: &Door, request: &Request) -> Response {
    let token = admit::token(request.uri());
    let entered = match (request.method(), token) {
        (&Method::GET, Some(token)) => door.enter(token, Instant::now()),
        _ => None,
    };
    match entered {
        Some(cookie) => (
            StatusCode::SEE_OTHER,
            [
                (header::LOCATION, "/".to_owned()),
                (header::SET_COOKIE, cookie),
            ],
        )
            .into_response(),
        None => {
            let sentence = match token {
                Some(_) => {
                    "This link was used already or is too old; `clauderon web` prints a fresh one."
                }
                None => {
                    "This browser is not signed in; `clauderon web` prints a link that signs it in."
                }
            };
            refuse(
                StatusCode::UNAUTHORIZED,
                sentence,
                pages::is_api(request.uri().path()),
            )
        }
    }
}

fn refuse(status: StatusCode, sentence: &str, api: bool) -> Response {
    match api {
        true => (status, axum::Json(Error::new(ErrorCode::Refused, sentence))).into_response(),
        false => (status, format!("{sentence}\n")).into_response(),
    }
}

/// xterm.js and CodeMirror write style attributes, hence `'unsafe-inline'` for those alone.
fn harden(door: &Door, headers: &mut HeaderMap) {
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; style-src-attr 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self'; \
         connect-src 'self' ws://127.0.0.1:{port} ws://localhost:{port}; worker-src 'self'; manifest-src 'self'; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'; object-src 'none'",
        port = door.port()
    );
    let policy = HeaderValue::try_from(policy).expect("the policy is plain ASCII");
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
}
