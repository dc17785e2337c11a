//! Rows e: through hosts that are allowed.

use clauderon_audit::Kind;

use crate::{
    client::{ANTHROPIC, MESSAGES, get, post, say},
    upstream::{ok, raw},
    world::World,
};

#[tokio::test]
async fn the_account_behind_the_token_is_out_of_reach() {
    let world = World::new(|_| ok("{}")).await;
    for request in [
        post(ANTHROPIC, "/v1/files", "X-Api-Key: sk-attacker\r\n", "data"),
        get(ANTHROPIC, "/api/oauth/profile", ""),
        post(ANTHROPIC, "/v1/organizations/api_keys", "", "{}"),
        post(ANTHROPIC, "/v1/oauth/token", "", "{}"),
    ] {
        let got = world.ask(ANTHROPIC, &request).await;
        assert_eq!(got.status, 403, "{request}");
    }
    let push = get(
        "github.com",
        "/acme/shop.git/info/refs?service=git-receive-pack",
        "",
    );
    assert_eq!(world.ask("github.com", &push).await.status, 403);
    assert_eq!(world.records_of(Kind::Refusal).len(), 5);
    assert!(world.upstream.seen().is_empty());
}

#[tokio::test]
async fn a_model_request_that_reaches_out_is_refused_before_its_first_byte() {
    let world = World::new(|_| ok("{}")).await;
    let tool = r#"{"model":"m","messages":[],"mcp_servers":[{"type":"url","url":"https://evil.example"}]}"#;
    let got = world
        .ask(ANTHROPIC, &post(ANTHROPIC, "/v1/messages", "", tool))
        .await;
    assert_eq!(
        (got.status, got.json()["code"].as_str()),
        (403, Some("model_body_refused"))
    );
    let chunks: String = tool.as_bytes().chunks(7).fold(String::new(), |all, chunk| {
        format!(
            "{all}{:x}\r\n{}\r\n",
            chunk.len(),
            std::str::from_utf8(chunk).unwrap()
        )
    });
    let split = format!(
        "POST /v1/messages HTTP/1.1\r\nHost: {ANTHROPIC}\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}0\r\n\r\n"
    );
    assert_eq!(
        world.ask(ANTHROPIC, &split).await.json()["code"].as_str(),
        Some("model_body_refused")
    );
    let encoded = post(
        ANTHROPIC,
        "/v1/messages",
        "Content-Encoding: gzip\r\n",
        MESSAGES,
    );
    assert_eq!(world.ask(ANTHROPIC, &encoded).await.status, 415);
    assert_eq!(
        world.refused("model_body_refused").await.path,
        "/v1/messages"
    );
    assert_eq!(world.records_of(Kind::Refusal).len(), 3);
    assert!(world.upstream.seen().is_empty());
}

#[tokio::test]
async fn the_upstreams_own_errors_are_passed_through_unchanged() {
    let world = World::new(|seen| {
        let status = seen
            .head
            .split("x-want: ")
            .nth(1)
            .and_then(|rest| rest.lines().next())
            .unwrap()
            .to_owned();
        raw(
            &status,
            "retry-after: 7\r\nanthropic-ratelimit-unified-status: rejected\r\n",
            b"{\"type\":\"error\"}",
        )
    })
    .await;
    let mut tunnel = world.tunnel(ANTHROPIC).await;
    for status in [
        "401 Unauthorized",
        "429 Too Many Requests",
        "500 Internal Server Error",
        "529 Overloaded",
    ] {
        let request = post(
            ANTHROPIC,
            "/v1/messages",
            &format!("x-want: {status}\r\n"),
            MESSAGES,
        );
        let got = say(&mut tunnel, request).await.unwrap();
        assert!(status.starts_with(&got.status.to_string()));
        assert_eq!(got.text(), "{\"type\":\"error\"}");
        assert!(
            got.head.contains("retry-after: 7")
                && got
                    .head
                    .contains("anthropic-ratelimit-unified-status: rejected")
        );
    }
}

#[tokio::test]
async fn what_a_rule_answers_never_leaves() {
    let world = World::new(|_| ok("{}")).await;
    let mut tunnel = world.tunnel(ANTHROPIC).await;
    let got = say(&mut tunnel, get(ANTHROPIC, "/api/claude_code/settings", ""))
        .await
        .unwrap();
    assert_eq!(got.status, 404);
    let got = say(
        &mut tunnel,
        post(
            ANTHROPIC,
            "/api/event_logging/v2/batch",
            "",
            &"x".repeat(170_000),
        ),
    )
    .await
    .unwrap();
    assert_eq!(got.status, 200);
    assert_eq!(
        say(&mut tunnel, get(ANTHROPIC, "/v1/models", ""))
            .await
            .unwrap()
            .status,
        200
    );
    assert_eq!(world.upstream.seen().len(), 1);
    assert_eq!(
        world
            .records_of(Kind::Decision)
            .iter()
            .filter(|record| record.decision == "answer")
            .count(),
        2
    );
}
