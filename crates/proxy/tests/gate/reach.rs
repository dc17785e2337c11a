//! Rows b: reaching a host that no rule names.

use std::net::SocketAddr;

use clauderon_audit::Kind;
use tokio::{io::AsyncWriteExt, net::TcpListener};

use crate::{
    client::{ANTHROPIC, get, is_closed, post, say},
    upstream::{ok, read_head},
    world::{World, policy},
};

#[tokio::test]
async fn an_unnamed_host_gets_the_refusal_as_json_and_is_never_looked_up() {
    let world = World::new(|_| ok("hello")).await;
    let mut tunnel = world.tunnel("secret-data.evil.example").await;
    for path in ["/first", "/second"] {
        let got = say(&mut tunnel, get("secret-data.evil.example", path, ""))
            .await
            .unwrap();
        assert_eq!(got.status, 403);
        let refusal = got.json();
        for key in ["code", "host", "method", "path", "rule", "hint"] {
            assert!(refusal[key].is_string(), "{key} in {refusal}");
        }
        assert_eq!(
            (refusal["host"].as_str(), refusal["path"].as_str()),
            (Some("secret-data.evil.example"), Some(path))
        );
    }
    tunnel
        .write_all(b"HEAD / HTTP/1.1\r\nHost: secret-data.evil.example\r\n\r\n")
        .await
        .unwrap();
    assert!(
        read_head(&mut tunnel)
            .await
            .unwrap()
            .starts_with("HTTP/1.1 403 ")
    );
    let again = get("secret-data.evil.example", "/third", "");
    assert_eq!(say(&mut tunnel, again).await.unwrap().status, 403);
    assert_eq!(world.asked_names(), Vec::<String>::new());
    assert_eq!(
        world.refused("not_allowed").await.host,
        "secret-data.evil.example"
    );
    assert!(world.upstream.seen().is_empty());
}

#[tokio::test]
async fn no_rules_means_nothing() {
    let world = World::new(|_| ok("hello")).await;
    let empty = clauderon_policy::Routes::parse("").unwrap();
    world
        .policy
        .send_replace(std::sync::Arc::new(clauderon_policy::Policy {
            routes: std::sync::Arc::new(empty),
            ..policy("claude")
        }));
    let got = world
        .ask(ANTHROPIC, &get(ANTHROPIC, "/v1/models", ""))
        .await;
    assert_eq!(got.status, 403);
    world.refused("not_allowed").await;
    assert!(world.upstream.seen().is_empty());
}

#[tokio::test]
async fn a_changed_policy_reaches_an_open_tunnel() {
    let world = World::new(|_| ok("hello")).await;
    let mut tunnel = world.tunnel("open.example").await;
    assert_eq!(
        say(&mut tunnel, get("open.example", "/", ""))
            .await
            .unwrap()
            .status,
        403
    );
    let host = clauderon_policy::Host::parse("open.example").unwrap();
    let grants = vec![clauderon_policy::Grant { host, port: 443 }];
    world
        .policy
        .send_replace(std::sync::Arc::new(clauderon_policy::Policy {
            grants,
            ..policy("claude")
        }));
    assert_eq!(
        say(&mut tunnel, get("open.example", "/", ""))
            .await
            .unwrap()
            .status,
        200
    );
}

#[tokio::test]
async fn odd_spellings_are_refused_at_connect() {
    let world = World::new(|_| ok("hello")).await;
    for authority in [
        "user@api.anthropic.com:443",
        "api.anthropic.com:443:443",
        "api.anthropic.com\0.evil.example:443",
        "[fe80::1%25eth0]:443",
        "api.anthropic.com",
        "api.anthropic.com:",
        "api.anthropic.com:0",
        "api.anthropic.com:99999",
        "api.anthropic.com:22",
        "0x7f.1:3128",
        "127.0.0.1:80",
        "clauderon.internal:8080",
    ] {
        let mut stream = world.open();
        let got = say(&mut stream, format!("CONNECT {authority} HTTP/1.1\r\n\r\n"))
            .await
            .unwrap();
        assert!(matches!(got.status, 400 | 403), "{authority:?}: {got:?}");
        assert!(got.json()["code"].is_string());
        assert!(is_closed(&mut stream).await);
    }
    assert_eq!(world.records_of(Kind::Refusal).len(), 12);
    assert!(world.asked_names().is_empty() && world.upstream.seen().is_empty());
}

#[tokio::test]
async fn spellings_of_an_allowed_host_are_that_host() {
    let world = World::new(|_| ok("hello")).await;
    let mut stream = world.open();
    let got = say(
        &mut stream,
        "CONNECT API.Anthropic.COM.:443 HTTP/1.1\r\n\r\n",
    )
    .await
    .unwrap();
    assert_eq!(got.status, 200);
    let name = rustls::pki_types::ServerName::try_from(ANTHROPIC).unwrap();
    let connector = tokio_rustls::TlsConnector::from(std::sync::Arc::new(world.trust()));
    let mut tunnel = connector.connect(name, stream).await.unwrap();
    assert_eq!(
        say(&mut tunnel, get("API.anthropic.com:443", "/v1/models", ""))
            .await
            .unwrap()
            .status,
        200
    );
}

#[tokio::test]
async fn look_alike_and_wrapped_hosts_are_refused() {
    let world = World::new(|_| ok("hello")).await;
    for host in [
        "evilapi.anthropic.com.evil.example",
        "xn--pi-6kc.anthropic.com",
        "2130706433",
        "[::ffff:a9fe:a9fe]",
        "169.254.169.254",
    ] {
        let mut stream = world.open();
        let got = say(&mut stream, format!("CONNECT {host}:443 HTTP/1.1\r\n\r\n"))
            .await
            .unwrap();
        if got.status == 200 {
            let sni = if host == "2130706433" {
                "127.0.0.1"
            } else {
                host
            };
            let sni = if host.starts_with('[') {
                "169.254.169.254"
            } else {
                sni
            };
            let name = rustls::pki_types::ServerName::try_from(sni.to_owned()).unwrap();
            let connector = tokio_rustls::TlsConnector::from(std::sync::Arc::new(world.trust()));
            let mut tunnel = connector.connect(name, stream).await.unwrap();
            assert_eq!(
                say(&mut tunnel, get(sni, "/", "")).await.unwrap().status,
                403,
                "{host}"
            );
        } else {
            assert_eq!(got.status, 403, "{host}");
        }
    }
    assert_eq!(world.records_of(Kind::Refusal).len(), 5);
    assert!(world.asked_names().is_empty() && world.upstream.seen().is_empty());
}

#[tokio::test]
async fn names_that_lead_to_private_addresses_are_not_dialled() {
    let world = World::new(|_| ok("hello")).await;
    for address in [
        "127.0.0.1",
        "10.1.2.3",
        "192.168.1.1",
        "172.16.0.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "::1",
        "fe80::1",
        "fd00::1",
        "::ffff:127.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
    ] {
        let found = SocketAddr::new(address.parse().unwrap(), world.upstream.tls.port());
        world
            .names
            .known
            .lock()
            .unwrap()
            .insert("registry.npmjs.org".to_owned(), vec![found, found]);
        world.names.asked.lock().unwrap().clear();
        let got = world
            .ask(
                "registry.npmjs.org",
                &get("registry.npmjs.org", "/left-pad", ""),
            )
            .await;
        assert_eq!(
            (got.status, got.json()["code"].as_str()),
            (403, Some("address_refused")),
            "{address}"
        );
        // Once only: an answer that changes between check and dial changes nothing.
        assert_eq!(world.asked_names().len(), 1);
    }
    assert_eq!(
        world.refused("address_refused").await.host,
        "registry.npmjs.org"
    );
    assert!(world.upstream.seen().is_empty());
}

#[tokio::test]
async fn plain_http_goes_only_where_a_rule_says_http() {
    let world = World::new(|_| ok("hello")).await;
    for (request, status) in [
        (
            "GET http://plain.example/a HTTP/1.1\r\nHost: plain.example\r\n\r\n",
            200,
        ),
        (
            "GET http://plain.example/a HTTP/1.1\r\nHost: evil.example\r\n\r\n",
            421,
        ),
        (
            "GET http://api.anthropic.com/v1/models HTTP/1.1\r\nHost: api.anthropic.com\r\n\r\n",
            403,
        ),
        (
            "GET http://evil.example/ HTTP/1.1\r\nHost: evil.example\r\n\r\n",
            403,
        ),
        (
            "GET https://api.anthropic.com/v1/models HTTP/1.1\r\nHost: api.anthropic.com\r\n\r\n",
            400,
        ),
        ("GET / HTTP/1.1\r\nHost: plain.example\r\n\r\n", 400),
        (
            "GET ftp://plain.example/ HTTP/1.1\r\nHost: plain.example\r\n\r\n",
            400,
        ),
    ] {
        let got = say(&mut world.open(), request).await.unwrap();
        assert_eq!(got.status, status, "{request}");
    }
    assert_eq!(world.upstream.seen().len(), 1);
    assert!(world.asked_names().is_empty());
}

/// A parent proxy that notes which tunnels it was asked for, and leads them all to one place.
async fn parent(to: SocketAddr) -> (String, tokio::sync::mpsc::UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (note, noted) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            note.send(read_head(&mut stream).await.unwrap()).unwrap();
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
            let mut upstream = tokio::net::TcpStream::connect(to).await.unwrap();
            tokio::spawn(async move {
                drop(tokio::io::copy_bidirectional(&mut stream, &mut upstream).await)
            });
        }
    });
    (format!("http://{address}"), noted)
}

#[tokio::test]
async fn a_parent_proxy_is_used_for_named_hosts_alone() {
    let origin = World::new(|_| ok("through the parent")).await;
    let (address, mut noted) = parent(origin.upstream.tls).await;
    let dir = tempfile::TempDir::new().unwrap();
    let place = dir.path().to_owned();
    let script: crate::upstream::Script = Box::new(|_| ok("direct"));
    let world = World::with_settings(dir, &place, script, |settings| {
        settings.proxy = Some(address.replace("http://", "http://us%40er:p%3Aw@"));
        settings.resolve.clear();
        settings.ca_file = Some(origin.upstream.ca_file.clone());
    })
    .await;
    let got = world
        .ask("sink.example", &get("sink.example", "/", ""))
        .await;
    assert_eq!(got.text(), "through the parent");
    let asked = noted.recv().await.unwrap();
    assert!(asked.starts_with("CONNECT sink.example:443 HTTP/1.1\r\n"));
    // "us@er:p:w"
    assert!(asked.contains("\r\nProxy-Authorization: Basic dXNAZXI6cDp3\r\n"));
    world
        .policy
        .send_replace(std::sync::Arc::new(clauderon_policy::Policy {
            posture: clauderon_policy::Posture::Open,
            ..policy("claude")
        }));
    let got = world
        .ask("open.example", &get("open.example", "/", ""))
        .await;
    assert_eq!(
        (got.status, got.json()["code"].as_str()),
        (403, Some("address_refused"))
    );
    world.refused("address_refused").await;
    assert!(noted.try_recv().is_err() && world.asked_names().is_empty());
}

#[tokio::test]
async fn a_paused_network_refuses_in_an_open_tunnel_until_it_goes_on() {
    let world = World::new(|_| ok("hello")).await;
    let mut tunnel = world.tunnel(ANTHROPIC).await;
    let request = || post(ANTHROPIC, "/v1/messages", "", "{}");
    world.proxy.pause(true);
    let refused = say(&mut tunnel, request()).await.unwrap();
    assert_eq!(refused.status, 503);
    assert_eq!(refused.json()["code"], "network_paused");
    assert!(world.upstream.seen().is_empty(), "nothing left");
    world.refused("network_paused").await;
    world.proxy.pause(false);
    assert_eq!(say(&mut tunnel, request()).await.unwrap().status, 200);
}
