//! Rows a4, b2, b7: what does not belong into a tunnel.

use std::sync::Arc;

use clauderon_audit::Kind;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::TlsConnector;

use crate::{
    client::{ANTHROPIC, get, is_closed, say},
    upstream::ok,
    world::World,
};

/// The bytes of a real ClientHello.
fn hello(world: &World, name: &str, alpn: Option<&[u8]>) -> Vec<u8> {
    let mut config = world.trust();
    config.alpn_protocols = alpn.map(<[u8]>::to_vec).into_iter().collect();
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let mut client = rustls::ClientConnection::new(Arc::new(config), name).unwrap();
    let mut bytes = Vec::new();
    client.write_tls(&mut bytes).unwrap();
    bytes
}

#[tokio::test]
async fn what_is_no_client_hello_is_closed() {
    let world = World::new(|_| ok("hello")).await;
    let mut old = hello(&world, ANTHROPIC, None);
    // A ClientHello that knows TLS 1.0 and nothing newer: no supported_versions extension survives this.
    let versions = old.windows(4).position(|w| w == [0, 0x2b, 0, 5]).unwrap();
    old[versions + 1] = 0x99;
    old[9..11].copy_from_slice(&[3, 1]);
    let attempts: Vec<Vec<u8>> = vec![
        b"GET / HTTP/1.1\r\nHost: api.anthropic.com\r\n\r\n".to_vec(),
        b"SSH-2.0-OpenSSH_9.2\r\n".to_vec(),
        vec![0; 100],
        [vec![0x16, 3, 1, 0x40, 0], vec![1; 40_000]].concat(),
        hello(&world, "evil.example", None),
        hello(&world, "203.0.113.9", None),
        hello(&world, ANTHROPIC, Some(b"h2")),
        old,
    ];
    for (number, bytes) in attempts.iter().enumerate() {
        let mut stream = world.connect(&world.session, ANTHROPIC).await;
        drop(stream.write_all(bytes).await);
        let mut rest = Vec::new();
        drop(stream.read_to_end(&mut rest).await);
        // At most an alert comes back: no ServerHello, and nothing from an upstream.
        assert!(
            rest.first().is_none_or(|kind| *kind == 0x15),
            "attempt {number}: {rest:?}"
        );
    }
    let records = world.refusals(attempts.len()).await;
    assert!(
        records.iter().all(|record| record.host == ANTHROPIC),
        "{records:#?}"
    );
    world.refused("host_mismatch").await;
    assert!(world.upstream.seen().is_empty() && world.asked_names().is_empty());
}

#[tokio::test]
async fn a_client_hello_in_single_bytes_is_intercepted_all_the_same() {
    let world = World::new(|_| ok("hello")).await;
    let stream = world.connect(&world.session, "evil.example").await;
    let (mut ours, theirs) = tokio::io::duplex(1);
    tokio::spawn(async move {
        let mut stream = stream;
        drop(tokio::io::copy_bidirectional(&mut ours, &mut stream).await);
    });
    let name = ServerName::try_from("evil.example").unwrap();
    let mut tunnel = TlsConnector::from(Arc::new(world.trust()))
        .connect(name, theirs)
        .await
        .unwrap();
    assert_eq!(
        say(&mut tunnel, get("evil.example", "/", ""))
            .await
            .unwrap()
            .status,
        403
    );
    world.refused("not_allowed").await;
}

#[tokio::test(start_paused = true)]
async fn half_a_client_hello_ends_at_the_deadline() {
    let world = World::new(|_| ok("hello")).await;
    let mut stream = world.connect(&world.session, ANTHROPIC).await;
    let hello = hello(&world, ANTHROPIC, None);
    stream.write_all(&hello[..hello.len() / 2]).await.unwrap();
    assert!(is_closed(&mut stream).await);
    world.refused("malformed_request").await;
}

#[tokio::test]
async fn a_request_for_another_host_is_misdirected() {
    let world = World::new(|_| ok("hello")).await;
    for (request, status) in [
        (get("evil.example", "/v1/models", ""), 421),
        (get("api.anthropic.com:8443", "/v1/models", ""), 421),
        (get("user@api.anthropic.com", "/v1/models", ""), 421),
        ("GET /v1/models HTTP/1.1\r\n\r\n".to_owned(), 421),
        (get(ANTHROPIC, "https://evil.example/v1/models", ""), 421),
        (
            get(ANTHROPIC, "https://api.anthropic.com/v1/models", ""),
            421,
        ),
        (
            "CONNECT evil.example:443 HTTP/1.1\r\nHost: api.anthropic.com\r\n\r\n".to_owned(),
            405,
        ),
        (
            "TRACE / HTTP/1.1\r\nHost: api.anthropic.com\r\n\r\n".to_owned(),
            405,
        ),
        (
            "OPTIONS * HTTP/1.1\r\nHost: api.anthropic.com\r\n\r\n".to_owned(),
            400,
        ),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(), 400),
        (get(ANTHROPIC, "/v1/../v1/models", ""), 403),
        (
            get(
                ANTHROPIC,
                "/v1/models",
                "Upgrade: websocket\r\nConnection: Upgrade\r\n",
            ),
            426,
        ),
    ] {
        let before = world.records_of(Kind::Refusal).len();
        let got = world.ask(ANTHROPIC, &request).await;
        assert_eq!(got.status, status, "{request}");
        assert_eq!(
            world.records_of(Kind::Refusal).len(),
            before + 1,
            "{request}"
        );
    }
    assert!(world.upstream.seen().is_empty());
}

#[tokio::test]
async fn smuggled_requests_are_refused_and_end_the_connection() {
    let world = World::new(|_| ok("hello")).await;
    let evil = "GET /evil HTTP/1.1\r\nHost: sink.example\r\n\r\n";
    for request in [
        format!(
            "POST / HTTP/1.1\r\nHost: sink.example\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{evil}"
        ),
        format!(
            "POST / HTTP/1.1\r\nHost: sink.example\r\nContent-Length: 0\r\nContent-Length: 60\r\n\r\n{evil}"
        ),
        format!(
            "POST / HTTP/1.1\r\nHost: sink.example\r\nTransfer-Encoding: xchunked\r\n\r\n{evil}"
        ),
        format!("POST / HTTP/1.1\nHost: sink.example\n\n{evil}"),
        format!("GET / HTTP/1.1\r\nHost: sink.example\r\nX: a\r\n b\r\n\r\n{evil}"),
        format!(
            "POST / HTTP/1.1\r\nHost: sink.example\r\nTransfer-Encoding: chunked\r\n\r\n1;x=\n\r\na\r\n0\r\n\r\n{evil}"
        ),
        format!(
            "GET / HTTP/1.1\r\nHost: sink.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nContent-Length: 9\r\n\r\n{evil}"
        ),
    ] {
        let mut tunnel = world.tunnel("sink.example").await;
        let got = say(&mut tunnel, &request).await.unwrap();
        assert!(matches!(got.status, 400 | 426), "{request:?}: {got:?}");
    }
    assert!(world.records_of(Kind::Refusal).len() >= 7);
    assert!(
        !world
            .upstream
            .seen()
            .iter()
            .any(|seen| seen.head.contains("/evil")),
        "{:?}",
        world.upstream.seen()
    );
}
