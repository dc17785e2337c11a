//! Serves any [`Service`] over HTTP: one handler an endpoint, chosen by an exhaustive match on the
//! table. It carries requests and answers and decides nothing.

mod console;
mod create;
mod events;
mod extract;

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, MethodRouter, on};
use axum::{Json, Router};
use futures_util::{Stream, StreamExt};
use serde::Serialize;

use crate::endpoint::Endpoint;
use crate::error::Error;
use crate::service::Service;
use crate::wire::{AllowHost, AuditQuery, LogsQuery};
use extract::{Body as JsonBody, Parameters, Session};

/// The media type of one JSON value a line.
pub(crate) const NDJSON: &str = "application/x-ndjson";

/// The largest request body: a prompt of some megabytes with its JSON escapes.
const MAX_BODY: usize = 32 << 20;

type Shared = State<Arc<dyn Service>>;

/// Makes the router that serves `service`.
pub fn router(service: Arc<dyn Service>) -> Router {
    Endpoint::ALL
        .iter()
        .fold(Router::new(), |router, &endpoint| {
            router.route(endpoint.path(), handler(endpoint))
        })
        .fallback(|| async { Error::not_found("There is no such endpoint.") })
        .method_not_allowed_fallback(|| async {
            Error::usage("This endpoint does not take that method.")
        })
        .layer(axum::extract::DefaultBodyLimit::max(MAX_BODY))
        .with_state(service)
}

fn handler(endpoint: Endpoint) -> MethodRouter<Arc<dyn Service>> {
    let method = MethodFilter::try_from(endpoint.method()).expect("the table has known methods");
    match endpoint {
        Endpoint::Daemon => on(method, |State(s): Shared| async move {
            s.daemon().await.map(Json)
        }),
        Endpoint::StopDaemon => on(method, |State(s): Shared| async move {
            s.stop_daemon().await.map(Json)
        }),
        Endpoint::Sessions => on(method, |State(s): Shared| async move {
            s.sessions().await.map(Json)
        }),
        Endpoint::CreateSession => on(method, create::create),
        Endpoint::Session => on(
            method,
            |State(s): Shared, Session(name): Session| async move { s.session(&name).await.map(Json) },
        ),
        Endpoint::DeleteSession => on(
            method,
            |State(s): Shared, Session(name): Session| async move {
                s.delete_session(&name).await.map(Json)
            },
        ),
        Endpoint::StartSession => on(
            method,
            |State(s): Shared, Session(name): Session| async move {
                s.start_session(&name).await.map(Json)
            },
        ),
        Endpoint::StopSession => on(
            method,
            |State(s): Shared, Session(name): Session| async move {
                s.stop_session(&name).await.map(Json)
            },
        ),
        Endpoint::Pull => on(
            method,
            |State(s): Shared, Session(name): Session| async move { s.pull(&name).await.map(Json) },
        ),
        Endpoint::Diff => on(
            method,
            |State(s): Shared, Session(name): Session| async move { s.diff(&name).await.map(Json) },
        ),
        Endpoint::Logs => on(method, logs),
        Endpoint::Policy => on(
            method,
            |State(s): Shared, Session(name): Session| async move { s.policy(&name).await.map(Json) },
        ),
        Endpoint::AllowHost => on(
            method,
            |State(s): Shared, Session(name): Session, JsonBody(grant): JsonBody<AllowHost>| async move {
                s.allow_host(&name, grant).await.map(Json)
            },
        ),
        Endpoint::Audit => on(method, audit),
        Endpoint::VerifyAudit => on(method, |State(s): Shared| async move {
            s.verify_audit().await.map(Json)
        }),
        Endpoint::Agents => on(method, |State(s): Shared| async move {
            s.agents().await.map(Json)
        }),
        Endpoint::Doctor => on(method, |State(s): Shared| async move {
            s.doctor().await.map(Json)
        }),
        Endpoint::Config => on(method, |State(s): Shared| async move {
            s.config().await.map(Json)
        }),
        Endpoint::RecentRepositories => on(method, |State(s): Shared| async move {
            s.recent_repositories().await.map(Json)
        }),
        Endpoint::Console => on(method, console::console),
        Endpoint::Events => on(method, events::events),
    }
}

async fn logs(
    State(service): Shared,
    Session(name): Session,
    Parameters(query): Parameters<LogsQuery>,
) -> Result<Response, Error> {
    let bytes = service.logs(&name, query).await?;
    let body = Body::from_stream(bytes);
    Ok(([(CONTENT_TYPE, "application/octet-stream")], body).into_response())
}

async fn audit(
    State(service): Shared,
    Parameters(query): Parameters<AuditQuery>,
) -> Result<Response, Error> {
    let rows = service.audit(query).await?;
    Ok(lines(rows))
}

/// Answers with one JSON value a line; an error cuts the answer short, which the client notices.
fn lines<T: Serialize + 'static>(
    values: impl Stream<Item = Result<T, Error>> + Send + 'static,
) -> Response {
    let body = Body::from_stream(values.map(|value| value.map(|value| line(&value))));
    ([(CONTENT_TYPE, NDJSON)], body).into_response()
}

fn line(value: &impl Serialize) -> Bytes {
    let mut line = serde_json::to_vec(value).expect("wire types are plain values");
    line.push(b'\n');
    line.into()
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        (self.code.status(), Json(self)).into_response()
    }
}
