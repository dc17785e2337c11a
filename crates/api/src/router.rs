//! Serves any [`Service`] over HTTP: one handler an endpoint, chosen by an exhaustive match on the
//! table. It carries requests and answers and decides nothing.

mod console;
mod conversation;
mod create;
mod events;
mod extract;
mod files;
mod messages;
mod setup;
mod sign_in;
mod told;

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
use crate::wire::{
    AllowHost, AnswerApproval, AuditQuery, ConversationQuery, Desk, LogsQuery, Network, PathQuery,
    SaveAccount, SayText, SetBudget, UpdateSession, UsageQuery,
};
use extract::{Body as JsonBody, Parameters, SecretBody, Session};

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
        Endpoint::WebLink => on(method, |State(s): Shared| async move {
            s.web_link().await.map(Json)
        }),
        Endpoint::Sessions => on(method, |State(s): Shared| async move {
            s.sessions().await.map(Json)
        }),
        Endpoint::CreateSession => on(method, create::create),
        Endpoint::ForkSession => on(method, create::fork),
        Endpoint::Session => on(
            method,
            |State(s): Shared, Session(name): Session| async move { s.session(&name).await.map(Json) },
        ),
        Endpoint::UpdateSession => on(
            method,
            |State(s): Shared, Session(name): Session, JsonBody(body): JsonBody<UpdateSession>| async move {
                s.update_session(&name, body).await.map(Json)
            },
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
        Endpoint::ArchiveSession => on(
            method,
            |State(s): Shared, Session(name): Session| async move {
                s.archive_session(&name).await.map(Json)
            },
        ),
        Endpoint::UnarchiveSession => on(
            method,
            |State(s): Shared, Session(name): Session| async move {
                s.unarchive_session(&name).await.map(Json)
            },
        ),
        Endpoint::RecreateSession => on(
            method,
            |State(s): Shared, Session(name): Session| async move {
                s.recreate_session(&name).await.map(Json)
            },
        ),
        Endpoint::SessionInfo => on(
            method,
            |State(s): Shared, Session(name): Session| async move {
                s.session_info(&name).await.map(Json)
            },
        ),
        Endpoint::SetBudget => on(
            method,
            |State(s): Shared, Session(name): Session, JsonBody(body): JsonBody<SetBudget>| async move {
                s.set_budget(&name, body).await.map(Json)
            },
        ),
        Endpoint::Say => on(
            method,
            |State(s): Shared, Session(name): Session, JsonBody(body): JsonBody<SayText>| async move {
                s.say(&name, body).await.map(Json)
            },
        ),
        Endpoint::Messages => on(method, messages::list),
        Endpoint::SendMessage => on(method, messages::send),
        Endpoint::ChangeMessage => on(method, messages::change),
        Endpoint::WithdrawMessage => on(method, messages::withdraw),
        Endpoint::Conversation => on(
            method,
            |State(s): Shared,
             Session(name): Session,
             Parameters(query): Parameters<ConversationQuery>| async move {
                s.conversation(&name, query).await.map(Json)
            },
        ),
        Endpoint::Approvals => on(
            method,
            |State(s): Shared, Session(name): Session| async move { s.approvals(&name).await.map(Json) },
        ),
        Endpoint::AnswerApproval => on(
            method,
            |State(s): Shared, Session(name): Session, JsonBody(body): JsonBody<AnswerApproval>| async move {
                s.answer_approval(&name, body).await.map(Json)
            },
        ),
        Endpoint::Upload => on(method, files::upload),
        Endpoint::Folder => on(
            method,
            |State(s): Shared, Session(name): Session, Parameters(at): Parameters<PathQuery>| async move {
                s.folder(&name, &at.path).await.map(Json)
            },
        ),
        Endpoint::File => on(
            method,
            |State(s): Shared, Session(name): Session, Parameters(at): Parameters<PathQuery>| async move {
                s.file(&name, &at.path).await.map(Json)
            },
        ),
        Endpoint::RawFile => on(method, files::raw),
        Endpoint::FileStatus => on(
            method,
            |State(s): Shared, Session(name): Session| async move {
                s.file_status(&name).await.map(Json)
            },
        ),
        Endpoint::FileSides => on(
            method,
            |State(s): Shared, Session(name): Session, Parameters(at): Parameters<PathQuery>| async move {
                s.file_sides(&name, &at.path).await.map(Json)
            },
        ),
        Endpoint::Trash => on(method, |State(s): Shared| async move {
            s.trash().await.map(Json)
        }),
        Endpoint::RestoreSession => on(
            method,
            |State(s): Shared, Session(name): Session| async move {
                s.restore_session(&name).await.map(Json)
            },
        ),
        Endpoint::PurgeSession => on(
            method,
            |State(s): Shared, Session(name): Session| async move {
                s.purge_session(&name).await.map(Json)
            },
        ),
        Endpoint::EmptyTrash => on(method, |State(s): Shared| async move {
            s.empty_trash().await.map(Json)
        }),
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
            |State(s): Shared, Session(name): Session, JsonBody(body): JsonBody<AllowHost>| async move {
                s.allow_host(&name, body).await.map(Json)
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
        Endpoint::Accounts => on(method, |State(s): Shared| async move {
            s.accounts().await.map(Json)
        }),
        Endpoint::SaveAccount => on(
            method,
            |State(s): Shared,
             Session(name): Session,
             SecretBody(body): SecretBody<SaveAccount>| async move {
                s.save_account(&name, body).await.map(Json)
            },
        ),
        Endpoint::RemoveAccount => on(
            method,
            |State(s): Shared, Session(name): Session| async move {
                s.remove_account(&name).await.map(Json)
            },
        ),
        Endpoint::CheckAccount => on(
            method,
            |State(s): Shared, Session(name): Session| async move {
                s.check_account(&name).await.map(Json)
            },
        ),
        Endpoint::Repair => on(method, setup::repair),
        Endpoint::Demo => on(method, create::demo),
        Endpoint::CreateOptions => on(method, |State(s): Shared| async move {
            s.create_options().await.map(Json)
        }),
        Endpoint::Usage => on(
            method,
            |State(s): Shared, Parameters(query): Parameters<UsageQuery>| async move {
                s.usage(query).await.map(Json)
            },
        ),
        Endpoint::Storage => on(method, |State(s): Shared| async move {
            s.storage().await.map(Json)
        }),
        Endpoint::Network => on(method, |State(s): Shared| async move {
            s.network().await.map(Json)
        }),
        Endpoint::SetNetwork => on(
            method,
            |State(s): Shared, JsonBody(body): JsonBody<Network>| async move {
                s.set_network(body).await.map(Json)
            },
        ),
        Endpoint::Desk => on(method, |State(s): Shared| async move {
            s.desk().await.map(Json)
        }),
        Endpoint::SaveDesk => on(
            method,
            |State(s): Shared, JsonBody(body): JsonBody<Desk>| async move {
                s.save_desk(body).await.map(Json)
            },
        ),
        Endpoint::RecentRepositories => on(method, |State(s): Shared| async move {
            s.recent_repositories().await.map(Json)
        }),
        Endpoint::Console => on(method, console::console),
        Endpoint::ConversationEvents => on(method, conversation::events),
        Endpoint::FileEvents => on(method, files::events),
        Endpoint::SignIn => on(method, sign_in::sign_in),
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
