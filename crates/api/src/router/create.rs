//! Creating a session: steps as they happen, then how it ended.

use axum::body::Body;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::extract::{Body as JsonBody, Session};
use super::{NDJSON, Shared, line};
use crate::error::Error;
use crate::service::Progress;
use crate::wire::{CreateLine, CreateSession, Created, ForkSession};

/// A creation under way: its steps and its end.
struct Creation {
    steps: mpsc::UnboundedReceiver<String>,
    task: Option<JoinHandle<Result<Created, Error>>>,
}

/// Creates in a task of its own, so that a caller who hangs up leaves no half-made session.
pub(super) async fn create(
    State(service): Shared,
    JsonBody(request): JsonBody<CreateSession>,
) -> Result<Response, Error> {
    let (progress, steps) = Progress::channel();
    let task = tokio::spawn(async move { service.create_session(request, progress).await });
    told(steps, task).await
}

/// Forks a session, in the same words.
pub(super) async fn fork(
    State(service): Shared,
    Session(session): Session,
    JsonBody(request): JsonBody<ForkSession>,
) -> Result<Response, Error> {
    let (progress, steps) = Progress::channel();
    let task = tokio::spawn(async move { service.fork_session(&session, request, progress).await });
    told(steps, task).await
}

/// Starts a session that needs no account, in the same words.
pub(super) async fn demo(State(service): Shared) -> Result<Response, Error> {
    let (progress, steps) = Progress::channel();
    let task = tokio::spawn(async move { service.demo(progress).await });
    told(steps, task).await
}

async fn told(
    steps: mpsc::UnboundedReceiver<String>,
    task: JoinHandle<Result<Created, Error>>,
) -> Result<Response, Error> {
    let mut creation = Creation {
        steps,
        task: Some(task),
    };
    // An error before the first step is an ordinary error, with its status.
    let first = match creation.next().await {
        Some(CreateLine::Error(error)) => return Err(error),
        first => first,
    };
    let lines = stream::unfold((first, creation), |(waiting, mut creation)| async move {
        let next = match waiting {
            Some(line) => Some(line),
            None => creation.next().await,
        }?;
        Some((Ok::<_, Error>(line(&next)), (None, creation)))
    });
    Ok(([(CONTENT_TYPE, NDJSON)], Body::from_stream(lines)).into_response())
}

impl Creation {
    async fn next(&mut self) -> Option<CreateLine> {
        if let Some(message) = self.steps.recv().await {
            return Some(CreateLine::Progress { message });
        }
        // The service dropped its `Progress`: the task is about to end.
        let outcome = self.task.take()?.await;
        Some(match outcome {
            Ok(Ok(created)) => CreateLine::Created(Box::new(created)),
            Ok(Err(error)) => CreateLine::Error(error),
            Err(_) => CreateLine::Error(
                Error::failed("Creating the session broke off.").hint("See the daemon's log."),
            ),
        })
    }
}
