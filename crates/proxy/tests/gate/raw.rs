//! Raw tunnels: none without a rule, and under a rule nothing but bytes, to that address alone.

use std::net::SocketAddr;
use std::sync::Arc;

use clauderon_audit::Kind;
use clauderon_policy::{Policy, Routes};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::net::TcpListener;

use crate::client::{is_closed, say};
use crate::upstream::ok;
use crate::world::{self, World};

const HOST: &str = "db.example";
const RULE: &str = r#"
[[route]]
name = "db"
hosts = ["db.example"]
port = 5432
act = "passthrough"
"#;

/// A server that says back what it hears.
async fn echo() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (mut reader, mut writer) = stream.split();
                drop(tokio::io::copy(&mut reader, &mut writer).await);
            });
        }
    });
    address
}

/// A world whose table leads `db.example:5432` to the echo.
async fn world() -> World {
    let address = echo().await;
    let dir = TempDir::new().unwrap();
    let audit = dir.path().to_owned();
    World::with_settings(dir, &audit, Box::new(|_| ok("hello")), |settings| {
        settings.resolve.insert(format!("{HOST}:5432"), address);
    })
    .await
}

fn with(rule: &str) -> Arc<Policy> {
    let policy = world::policy("claude");
    let routes = policy.routes.with_extra(Routes::parse(rule).unwrap());
    Arc::new(Policy {
        routes: Arc::new(routes),
        ..policy
    })
}

async fn connect(world: &World, authority: &str) -> (u16, DuplexStream) {
    let mut stream = world.open();
    let head = format!("CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let head = crate::upstream::read_head(&mut stream).await.unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, stream)
}

async fn heard_back(stream: &mut DuplexStream, said: &[u8]) {
    stream.write_all(said).await.unwrap();
    let mut heard = vec![0; said.len()];
    stream.read_exact(&mut heard).await.unwrap();
    assert_eq!(heard, said);
}

#[tokio::test]
async fn without_a_rule_no_raw_tunnel_exists() {
    let world = world().await;
    // Neither to the port that a rule could name, nor unread to one that is intercepted.
    assert_eq!(connect(&world, "db.example:5432").await.0, 403);
    let (status, mut stream) = connect(&world, "db.example:443").await;
    assert_eq!(status, 200, "it is intercepted, so that the agent sees why");
    assert!(
        say(&mut stream, b"\0\0\0\x08\x04\xd2\x16\x2f")
            .await
            .is_none()
    );
    // A rule for one port opens no other, and no other name.
    world.policy.send_replace(with(RULE));
    for authority in ["db.example:5433", "x.db.example:5432", "203.0.113.9:5432"] {
        assert_eq!(connect(&world, authority).await.0, 403, "{authority}");
    }
    let (_, mut stream) = connect(&world, "db.example:443").await;
    assert!(
        say(&mut stream, b"\0\0\0\x08\x04\xd2\x16\x2f")
            .await
            .is_none()
    );
    // Nor does it let a request in clear through.
    let mut plain = world.open();
    let request = "GET http://db.example:5432/ HTTP/1.1\r\nHost: db.example:5432\r\n\r\n";
    assert_eq!(say(&mut plain, request).await.unwrap().status, 403);
    assert!(world.asked_names().is_empty());
}

#[tokio::test]
async fn a_rule_carries_bytes_both_ways_and_both_ends_are_recorded() {
    let world = world().await;
    world.policy.send_replace(with(RULE));
    let (status, mut stream) = connect(&world, "DB.example.:5432").await;
    assert_eq!(status, 200);
    heard_back(&mut stream, b"\0\0\0\x08\x04\xd2\x16\x2f").await;
    heard_back(&mut stream, &vec![7; 100_000]).await;
    stream.shutdown().await.unwrap();
    assert!(is_closed(&mut stream).await);
    let closed = world.closed().await;
    assert_eq!(
        (closed.bytes_up, closed.bytes_down),
        (Some(100_008), Some(100_008))
    );
    let opened = world.records_of(Kind::Tunnel).pop().unwrap();
    for record in [&opened, &closed] {
        assert_eq!((record.host.as_str(), record.port), (HOST, 5432));
        assert_eq!(
            (record.decision.as_str(), record.rule.as_str()),
            ("passthrough", "db")
        );
        assert_eq!(record.auth_injected, None);
        assert_eq!(record.link, opened.link);
    }
}

#[tokio::test]
async fn the_address_check_holds_for_raw_tunnels() {
    let world = World::new(|_| ok("hello")).await;
    world.policy.send_replace(with(RULE));
    for address in ["127.0.0.1:5432", "10.0.0.5:5432", "169.254.169.254:5432"] {
        let known = vec![address.parse().unwrap()];
        world
            .names
            .known
            .lock()
            .unwrap()
            .insert(HOST.to_owned(), known);
        assert_eq!(connect(&world, "db.example:5432").await.0, 403, "{address}");
    }
    assert_eq!(world.refused("address_refused").await.host, HOST);
}

#[tokio::test]
async fn a_raw_tunnel_is_cut_when_its_rule_goes_or_the_network_is_paused() {
    let world = world().await;
    world.policy.send_replace(with(RULE));
    let (_, mut stream) = connect(&world, "db.example:5432").await;
    heard_back(&mut stream, b"one").await;
    world.policy.send_replace(with(""));
    assert!(is_closed(&mut stream).await);
    world.policy.send_replace(with(RULE));
    let (_, mut stream) = connect(&world, "db.example:5432").await;
    heard_back(&mut stream, b"two").await;
    world.proxy.pause(true);
    assert!(is_closed(&mut stream).await);
    assert_eq!(connect(&world, "db.example:5432").await.0, 503);
    world.proxy.pause(false);
    let (_, mut stream) = connect(&world, "db.example:5432").await;
    heard_back(&mut stream, b"three").await;
}
