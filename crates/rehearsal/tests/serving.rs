//! The rehearsal over real sockets: names, records, slow and cut streams, the end.
#![allow(clippy::unwrap_used)]

mod support;

use std::time::{Duration, Instant};

use clauderon_rehearsal::Scheme;
use http_body_util::BodyExt as _;
use support::{connect, get, messages, rehearsal, send, text};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

const SOON: Duration = Duration::from_secs(5);

#[tokio::test]
async fn serves_every_host_with_a_certificate_of_its_own() {
    let rehearsal = rehearsal().await;
    for (host, target, status) in [
        ("api.anthropic.com", "/v1/models", 200),
        ("api.openai.com", "/v1/models", 200),
        ("chatgpt.com", "/backend-api/wham/accounts/check", 200),
        (
            "github.com",
            "/o/r.git/info/refs?service=git-upload-pack",
            404,
        ),
        ("extra.example", "/echo", 200),
        ("localhost", "/echo", 200),
        ("127.0.0.1", "/echo", 200),
    ] {
        assert_eq!(
            send(&rehearsal, get(host, target)).await.status(),
            status,
            "{host}"
        );
    }
    assert!(connect(&rehearsal, "other.example").await.is_err());
}

#[tokio::test]
async fn refuses_a_host_that_it_does_not_serve() {
    let rehearsal = rehearsal().await;
    let mut connection = connect(&rehearsal, "extra.example").await.unwrap();
    let response = connection
        .send_request(get("other.example", "/echo").map(|_| Default::default()))
        .await
        .unwrap();
    assert_eq!(response.status(), 421);
}

#[tokio::test]
async fn records_what_it_received() {
    let rehearsal = rehearsal().await;
    send(&rehearsal, messages("hello")).await;
    let seen = rehearsal
        .wait_for(|seen| seen.path == "/v1/messages", SOON)
        .await
        .unwrap();
    assert_eq!(
        (
            seen.host.as_str(),
            seen.method.as_str(),
            seen.query.as_str()
        ),
        ("api.anthropic.com", "POST", "beta=true")
    );
    assert_eq!(seen.header("authorization"), Some("Bearer real"));
    assert_eq!(
        (seen.scheme, seen.sni.as_deref(), seen.complete),
        (Scheme::Https, Some("api.anthropic.com"), true)
    );
    assert!(String::from_utf8_lossy(&seen.body).contains("hello"));
    assert_eq!(rehearsal.requests().len(), 1);
    rehearsal.clear();
    assert!(rehearsal.requests().is_empty());
}

#[tokio::test]
async fn answers_in_clear_and_says_so() {
    let rehearsal = rehearsal().await;
    let mut stream = tokio::net::TcpStream::connect(rehearsal.addr())
        .await
        .unwrap();
    stream
        .write_all(b"GET /status/204 HTTP/1.1\r\nhost: extra.example\r\nconnection: close\r\n\r\n")
        .await
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 204"), "{answer}");
    assert_eq!(rehearsal.requests()[0].scheme, Scheme::Http);
}

#[tokio::test]
async fn a_slow_stream_comes_event_by_event() {
    let rehearsal = rehearsal().await;
    let began = Instant::now();
    let response = send(
        &rehearsal,
        messages(r#"SCRIPT:[{"text":"slow","delay_ms":40,"wait_ms":40}]"#),
    )
    .await;
    let mut body = response.into_body();
    let first = body.frame().await.unwrap().unwrap().into_data().unwrap();
    let until_first = began.elapsed();
    let mut frames = 1;
    while let Some(frame) = body.frame().await {
        frame.unwrap();
        frames += 1;
    }
    assert!(first.starts_with(b"event: message_start"));
    assert!(until_first >= Duration::from_millis(80), "{until_first:?}");
    // Start, ping, block start, one delta, block stop, message delta, stop.
    assert_eq!(frames, 7);
    assert!(began.elapsed() >= Duration::from_millis(40 * 8));
}

#[tokio::test]
async fn a_cut_stream_ends_in_an_error_after_its_events() {
    let rehearsal = rehearsal().await;
    let response = send(
        &rehearsal,
        messages(r#"SCRIPT:[{"text":"cut","cut_after":3}]"#),
    )
    .await;
    let mut body = response.into_body();
    let mut whole = 0;
    let end = loop {
        match body.frame().await {
            Some(Ok(_)) => whole += 1,
            end => break end,
        }
    };
    assert_eq!(whole, 3);
    assert!(matches!(end, Some(Err(_))), "{end:?}");
}

#[tokio::test]
async fn big_text_arrives_whole() {
    let rehearsal = rehearsal().await;
    let body = text(send(&rehearsal, messages(r#"SCRIPT:[{"big":1000000}]"#)).await).await;
    assert!(
        body.len() > 1_000_000 && body.ends_with("\"type\":\"message_stop\"}\n\n"),
        "{}",
        body.len()
    );
}

#[tokio::test]
async fn reflects_a_credential_on_any_route() {
    let rehearsal = rehearsal().await;
    for target in [
        "/v1/models?rehearsal-echo",
        "/v1/models?rehearsal-echo=split",
        "/v1/models/x?rehearsal-echo=plain",
    ] {
        let body = text(send(&rehearsal, get("api.anthropic.com", target)).await).await;
        assert!(
            body.contains(r#""authorization":"Bearer real""#),
            "{target}: {body}"
        );
    }
    let packed = send(
        &rehearsal,
        get("api.anthropic.com", "/v1/models?rehearsal-echo=gzip"),
    )
    .await;
    assert_eq!(packed.headers()["content-encoding"], "gzip");
    let moved = send(
        &rehearsal,
        get(
            "api.anthropic.com",
            "/v1/models?rehearsal-redirect=https://evil.example/",
        ),
    )
    .await;
    assert_eq!(
        (
            moved.status().as_u16(),
            moved.headers()["location"].to_str().unwrap()
        ),
        (302, "https://evil.example/")
    );
}

#[tokio::test]
async fn stopping_ends_an_answer_in_the_middle() {
    let rehearsal = rehearsal().await;
    let response = send(
        &rehearsal,
        messages(r#"SCRIPT:[{"text":"long","delay_ms":60000}]"#),
    )
    .await;
    let addr = rehearsal.addr();
    tokio::time::timeout(SOON, rehearsal.stop())
        .await
        .expect("it stops although an answer has an hour to go");
    assert!(response.into_body().collect().await.is_err());
    assert!(tokio::net::TcpStream::connect(addr).await.is_err());
}
