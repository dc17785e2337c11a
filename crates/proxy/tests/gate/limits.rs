//! Row h and c3: exhaustion.

use std::time::Duration;

use clauderon_audit::Kind;
use tokio::io::AsyncWriteExt;

use crate::{
    client::{ANTHROPIC, answer, get, is_closed, say},
    upstream::ok,
    world::World,
};

#[tokio::test(start_paused = true)]
async fn a_slow_head_is_cut_off() {
    let world = World::new(|_| ok("")).await;
    let mut stream = world.open();
    for byte in b"CONNECT " {
        if stream.write_all(&[*byte]).await.is_err() {
            break;
        }
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
    assert_eq!(answer(&mut stream).await.unwrap().status, 408);
    assert!(is_closed(&mut stream).await);
}

#[tokio::test]
async fn ten_thousand_headers_are_refused() {
    let world = World::new(|_| ok("")).await;
    let many = "A: b\r\n".repeat(10_000);
    let got = say(
        &mut world.open(),
        format!("CONNECT {ANTHROPIC}:443 HTTP/1.1\r\n{many}\r\n"),
    )
    .await
    .unwrap();
    assert_eq!(got.status, 431);
    let got = world
        .ask(ANTHROPIC, &get(ANTHROPIC, "/v1/models", &many))
        .await;
    assert_eq!(got.status, 431);
    assert_eq!(world.records_of(Kind::Refusal).len(), 2);
}

#[tokio::test]
async fn endless_chunks_on_a_model_route_are_refused() {
    let world = World::new(|_| ok("")).await;
    let tunnel = world.tunnel(ANTHROPIC).await;
    let (mut reader, mut writer) = tokio::io::split(tunnel);
    let feed = tokio::spawn(async move {
        let head = format!(
            "POST /v1/messages HTTP/1.1\r\nHost: {ANTHROPIC}\r\nTransfer-Encoding: chunked\r\n\r\n"
        );
        drop(writer.write_all(head.as_bytes()).await);
        let chunk = format!("100000\r\n{}\r\n", "x".repeat(1 << 20));
        while writer.write_all(chunk.as_bytes()).await.is_ok() {}
    });
    let got = answer(&mut reader).await.unwrap();
    assert_eq!(got.status, 413);
    feed.abort();
    assert_eq!(world.refused("body_too_large").await.host, ANTHROPIC);
    assert!(world.upstream.seen().is_empty());
}

#[tokio::test]
async fn one_sessions_connections_are_bounded_and_its_neighbour_goes_on() {
    let world = World::new(|_| ok("{}")).await;
    let mut held: Vec<_> = (0..256).map(|_| world.open()).collect();
    for stream in &mut held {
        stream.write_all(b"CONNECT ").await.unwrap();
    }
    tokio::task::yield_now().await;
    let mut refused = world.open();
    let got = answer(&mut refused).await.unwrap();
    assert_eq!(got.status, 503);
    assert_eq!(world.refused("busy").await.session, "session-a");
    let neighbour = world.neighbour();
    let mut tunnel = world.tunnel_for(&neighbour, "echo.example").await;
    assert_eq!(
        say(&mut tunnel, get("echo.example", "/", ""))
            .await
            .unwrap()
            .status,
        200
    );
}
