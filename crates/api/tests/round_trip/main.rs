//! The client against the router, over a real unix socket, with a service in memory behind it.
#![allow(clippy::unwrap_used)]

mod conversation;
mod files;
mod messages;
mod service;

use bytes::Bytes;
use clauderon_api::{
    AllowHost, AuditQuery, Client, ConsoleEvent, ConsoleInput, ConsoleQuery, Desk, Endpoint,
    ErrorCode, Exit, Fix, ForkSession, LogsQuery, PTY, ServerEvent, SignInEvent, SignInText, State,
    router, serve_unix,
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
async fn forks_with_steps_and_says_where_there_is_nothing_to_fork() {
    let served = serve().await;
    let mut steps = Vec::new();
    let asked = ForkSession {
        name: Some("b".into()),
        prompt: Some("and now?".into()),
        ..ForkSession::default()
    };
    let forked = served
        .client
        .fork_session("a", &asked, |step| steps.push(step.to_owned()))
        .await
        .unwrap();
    assert_eq!(steps, ["Copy the files"]);
    assert_eq!(forked.session.name, "b");
    assert_eq!(forked.notices, ["a: and now?"]);
    let missing = served
        .client
        .fork_session("error-not_found", &asked, |_| {})
        .await;
    assert_eq!(missing.unwrap_err().code, ErrorCode::NotFound);
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
async fn a_repair_says_its_steps_and_its_end() {
    let served = serve().await;
    let mut steps = Vec::new();
    let done = served
        .client
        .repair(Fix::InstallCodex, |step, percent| {
            steps.push((step.to_owned(), percent));
        })
        .await
        .unwrap();
    assert_eq!(done, "install-codex");
    assert_eq!(steps, [("install-codex".to_owned(), Some(50))]);
}

#[tokio::test]
async fn a_repair_is_given_up_when_its_caller_goes_away() {
    let served = serve().await;
    let begun = tokio::sync::Notify::new();
    let repair = served
        .client
        .repair(Fix::BuildImage, |_, _| begun.notify_one());
    tokio::select! {
        ended = repair => panic!("{ended:?}"),
        () = begun.notified() => {}
    }
    let given_up = served.service.given_up.notified();
    let limit = std::time::Duration::from_secs(10);
    assert!(tokio::time::timeout(limit, given_up).await.is_ok());
}

#[tokio::test]
async fn the_desk_comes_back_as_it_was_saved() {
    let served = serve().await;
    let desk: Desk = serde_json::from_str(r#"{"theme":"dark","split":[1,null]}"#).unwrap();
    served.client.save_desk(&desk).await.unwrap();
    assert_eq!(served.client.desk().await.unwrap(), desk);
    assert_eq!(served.client.storage().await.unwrap().free_bytes, 4);
    assert_eq!(served.client.create_options().await.unwrap().images, ["i"]);
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
    let mut console = served
        .client
        .console(
            "a",
            ConsoleQuery {
                from: Some(5),
                epoch: Some(7),
            },
        )
        .await
        .unwrap();
    assert_eq!(console.hello().offset_start, 5);
    assert_eq!(console.hello().epoch, 7);
    let output = |bytes| ConsoleEvent::Output {
        stream: PTY,
        next: 0,
        bytes: Bytes::from_static(bytes),
    };
    let (cols, rows) = (120, 40);
    for (input, expected) in [
        (
            ConsoleInput::Bytes(Bytes::from_static(b"\x10\x1b[A\xff")),
            output(b"\x10\x1b[A\xff"),
        ),
        (
            ConsoleInput::Resize { cols, rows },
            ConsoleEvent::Size { cols, rows },
        ),
        (ConsoleInput::Signal(2), output(b"signal 2")),
        (ConsoleInput::Parsed(7), output(b"parsed 7")),
    ] {
        console.send(input).await.unwrap();
        assert_eq!(console.next().await.unwrap(), Some(expected));
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
async fn what_was_typed_before_a_viewer_left_arrives_while_the_agent_prints_on() {
    let served = serve().await;
    let mut typed = served.service.typed.subscribe();
    for number in 0..50 {
        let query = ConsoleQuery::default();
        let mut console = served.client.console("chatter", query).await.unwrap();
        let key = Bytes::from(format!("key {number}"));
        console.type_bytes(key.clone()).await.unwrap();
        drop(console);
        let heard = typed.wait_for(|heard| *heard == key);
        let heard = tokio::time::timeout(std::time::Duration::from_secs(10), heard).await;
        assert!(heard.is_ok(), "{key:?}");
    }
}

#[tokio::test]
async fn a_console_of_no_session_is_an_ordinary_not_found() {
    let served = serve().await;
    let error = served
        .client
        .console("error-not_found", ConsoleQuery::default())
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
    let Some(ServerEvent::State {
        seq: 1, sessions, ..
    }) = events.next().await.unwrap()
    else {
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
            ServerEvent::Removed { .. }
            | ServerEvent::Network { .. }
            | ServerEvent::Disk { .. } => {}
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

#[tokio::test]
async fn a_sign_in_carries_links_keys_and_its_end() {
    let served = serve().await;
    let mut sign_in = served.client.sign_in("n").await.unwrap();
    let url = "https://example.com".to_owned();
    assert_eq!(
        sign_in.next().await.unwrap(),
        Some(SignInEvent::Text(SignInText::Link { url }))
    );
    sign_in.type_bytes("code").await.unwrap();
    assert_eq!(
        sign_in.next().await.unwrap(),
        Some(SignInEvent::Output("code".into()))
    );
    let name = "n".to_owned();
    assert_eq!(
        sign_in.next().await.unwrap(),
        Some(SignInEvent::Text(SignInText::Done { name }))
    );
    assert_eq!(sign_in.next().await.unwrap(), None);
}
