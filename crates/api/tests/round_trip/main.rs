//! The client against the router, over a real unix socket, with a service in memory behind it.
#![allow(clippy::unwrap_used)]

mod service;

use bytes::Bytes;
use clauderon_api::{
    AllowHost, AuditQuery, Client, ConsoleEvent, ConsoleInput, Endpoint, ErrorCode, Exit,
    LogsQuery, PTY, ServerEvent, State, router, serve_unix,
};
use futures_util::{StreamExt, TryStreamExt};
use service::{InMemory, request, session};
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio_util::sync::CancellationToken;

struct Served {
    client: Client,
    service: Arc<InMemory>,
    cancel: CancellationToken,
    server: tokio::task::JoinHandle<std::io::Result<()>>,
    folder: tempfile::TempDir,
}

async fn serve() -> Served {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("clauderon.sock");
    let listener = UnixListener::bind(&path).unwrap();
    let service = Arc::new(InMemory::new());
    let cancel = CancellationToken::new();
    let server = tokio::spawn(serve_unix(
        router(service.clone()),
        listener,
        cancel.clone(),
    ));
    let client = Client::connect(&path).await.unwrap();
    Served {
        client,
        service,
        cancel,
        server,
        folder,
    }
}

#[tokio::test]
async fn creates_with_steps_then_shows_lists_and_deletes() {
    let served = serve().await;
    let mut steps = Vec::new();
    let prompt = "-x 'quotes' $(touch no)\n\u{1f600}";
    let created = served
        .client
        .create_session(&request("a", prompt), |step| steps.push(step.to_owned()))
        .await
        .unwrap();
    assert_eq!(steps, ["Clone the repository", "Start the sandbox"]);
    assert_eq!(created.session.name, "a");
    assert_eq!(created.notices, [format!("prompt: {prompt}")]);
    assert_eq!(served.client.session("a").await.unwrap(), created.session);
    assert_eq!(served.client.sessions().await.unwrap().len(), 1);
    assert_eq!(
        served.client.stop_session("a").await.unwrap().state,
        State::Stopped
    );
    assert_eq!(
        served.client.start_session("a").await.unwrap().state,
        State::Running
    );
    served.client.delete_session("a").await.unwrap();
    assert!(served.client.sessions().await.unwrap().is_empty());
}

#[tokio::test]
async fn every_error_keeps_its_code_message_and_hint() {
    let served = serve().await;
    for code in ErrorCode::ALL {
        let name = serde_json::to_value(code).unwrap();
        let name = format!("error-{}", name.as_str().unwrap());
        let error = served.client.session(&name).await.unwrap_err();
        assert_eq!(error.code, code);
        assert_eq!(error.message, "As asked.");
        assert_eq!(error.hint.as_deref(), Some("Ask for less."));
    }
}

#[tokio::test]
async fn a_creation_that_fails_says_why_before_or_after_its_first_step() {
    let served = serve().await;
    for (name, expected_steps) in [("taken", 0), ("late", 1)] {
        let mut steps = 0;
        let error = served
            .client
            .create_session(&request(name, ""), |_| steps += 1)
            .await
            .unwrap_err();
        assert_eq!(error.code, ErrorCode::Conflict);
        assert_eq!(steps, expected_steps);
    }
}

#[tokio::test]
async fn a_creation_that_panics_is_an_error_and_not_silence() {
    let served = serve().await;
    let error = served
        .client
        .create_session(&request("panic", ""), |_| {})
        .await
        .unwrap_err();
    assert_eq!(error.code, ErrorCode::Failed);
    assert!(served.client.daemon().await.is_ok());
}

#[tokio::test]
async fn answers_every_other_endpoint() {
    let served = serve().await;
    let client = &served.client;
    assert_eq!(client.daemon().await.unwrap().pid, 7);
    client.stop_daemon().await.unwrap();
    assert_eq!(client.pull("a").await.unwrap().merge, ["git merge a"]);
    assert_eq!(client.diff("a").await.unwrap().patch, "+line\n");
    assert_eq!(client.policy("a").await.unwrap().grants.len(), 0);
    let grant = AllowHost {
        host: "example.com".into(),
        always: true,
    };
    let policy = client.allow_host("a", &grant).await.unwrap();
    assert_eq!(policy.grants[0].host, "example.com");
    assert!(client.verify_audit().await.unwrap().ok);
    assert!(client.agents().await.unwrap().agents.is_empty());
    assert!(client.doctor().await.unwrap().checks.is_empty());
    assert!(client.config().await.unwrap().settings.is_empty());
    assert!(client.recent_repositories().await.unwrap().is_empty());
}

#[tokio::test]
async fn streams_logs_as_raw_bytes_and_audit_as_rows() {
    let served = serve().await;
    let query = LogsQuery {
        tail: Some(2),
        stream: None,
        follow: false,
    };
    let logs = served.client.logs("a", &query).await.unwrap();
    let logs: Vec<Bytes> = logs.try_collect().await.unwrap();
    assert_eq!(logs.concat(), b"\xff\x00");

    let query = AuditQuery {
        session: Some("a&n=9 é".into()),
        n: Some(2),
        follow: false,
    };
    let rows = served.client.audit(&query).await.unwrap();
    let rows: Vec<_> = rows.map(|row| row.unwrap()).collect().await;
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[1].session, "a&n=9 é");
}

#[tokio::test]
async fn the_console_echoes_resizes_signals_and_ends_with_the_exit() {
    let served = serve().await;
    let mut console = served.client.console("a", Some(5)).await.unwrap();
    assert_eq!(console.hello().offset_start, 5);
    let inputs = [
        ConsoleInput::Bytes(Bytes::from_static(b"\x10\x1b[A\xff")),
        ConsoleInput::Resize {
            cols: 120,
            rows: 40,
        },
        ConsoleInput::Signal(2),
    ];
    let expected: [&[u8]; 3] = [b"\x10\x1b[A\xff", b"120x40", b"signal 2"];
    for (input, expected) in inputs.into_iter().zip(expected) {
        console.send(input).await.unwrap();
        let Some(ConsoleEvent::Output { stream, bytes, .. }) = console.next().await.unwrap() else {
            panic!("no output");
        };
        assert_eq!((stream, bytes.as_ref()), (PTY, expected));
    }
    console.type_bytes("exit").await.unwrap();
    let exit = Exit {
        code: 3,
        signal: None,
        oom: false,
    };
    assert_eq!(
        console.next().await.unwrap(),
        Some(ConsoleEvent::Exit(exit))
    );
    assert_eq!(console.next().await.unwrap(), None);
}

#[tokio::test]
async fn a_console_of_no_session_is_an_ordinary_not_found() {
    let served = serve().await;
    let error = served
        .client
        .console("error-not_found", None)
        .await
        .unwrap_err();
    assert_eq!(error.code, ErrorCode::NotFound);
    assert_eq!(error.message, "As asked.");
}

#[tokio::test]
async fn events_begin_with_the_state_and_skip_what_it_holds() {
    let served = serve().await;
    served.service.change("one");
    let mut events = served.client.events().await.unwrap();
    let Some(ServerEvent::State { seq: 1, sessions }) = events.next().await.unwrap() else {
        panic!("no state");
    };
    assert_eq!(sessions, [session("one")]);
    served.service.change("two");
    let Some(ServerEvent::Session { seq: 2, session }) = events.next().await.unwrap() else {
        panic!("no change");
    };
    assert_eq!(session.name, "two");
}

#[tokio::test]
async fn a_lagging_watcher_is_sent_the_whole_state_again() {
    let served = serve().await;
    let mut events = served.client.events().await.unwrap();
    events.next().await.unwrap();
    // Without an await between them the router cannot keep up: its channel holds four.
    for number in 0..50 {
        served.service.change(&format!("s{number}"));
    }
    let mut known = std::collections::BTreeSet::new();
    while known.len() < 50 {
        match events.next().await.unwrap().unwrap() {
            ServerEvent::State { sessions, .. } => {
                known = sessions.into_iter().map(|s| s.name).collect();
            }
            ServerEvent::Session { session, .. } => {
                known.insert(session.name);
            }
            ServerEvent::Removed { .. } => {}
        }
    }
}

#[tokio::test]
async fn unreadable_requests_are_usage_errors_in_our_words() {
    let served = serve().await;
    let cases = [
        ("GET /api/nothing", "", "404", "not_found"),
        ("PUT /api/sessions", "", "400", "usage"),
        ("POST /api/sessions", "{", "400", "usage"),
        ("POST /api/sessions", r#"{"nmae":1}"#, "400", "usage"),
        ("GET /api/audit?n=x", "", "400", "usage"),
        ("GET /ws/events", "", "400", ""),
    ];
    for (line, body, status, code) in cases {
        let socket = served.folder.path().join("clauderon.sock");
        let mut stream = UnixStream::connect(socket).await.unwrap();
        let head = format!(
            "{line} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}")),
            "{line}: {answer}"
        );
        assert!(answer.contains(code), "{line}: {answer}");
    }
}

#[tokio::test]
async fn every_endpoint_of_the_table_is_routed() {
    let served = serve().await;
    for endpoint in Endpoint::ALL {
        let socket = served.folder.path().join("clauderon.sock");
        let mut stream = UnixStream::connect(socket).await.unwrap();
        let path = endpoint.path_for("a");
        let head = format!(
            "{} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
            endpoint.method()
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        let answer = String::from_utf8_lossy(&answer);
        assert!(!answer.contains("no such endpoint"), "{endpoint:?}");
        assert!(
            !answer.contains("does not take that method"),
            "{endpoint:?}"
        );
    }
}

#[tokio::test]
async fn the_server_ends_when_cancelled_and_nobody_answers_then() {
    let served = serve().await;
    served.cancel.cancel();
    served.server.await.unwrap().unwrap();
    let error = served.client.daemon().await.unwrap_err();
    assert!(error.message.contains("No daemon answers"), "{error}");
}
