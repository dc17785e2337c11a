//! What the daemon is shown of an exchange with a model's service.

use bytes::Bytes;
use clauderon_proxy::Part;

use crate::{
    client::{ANTHROPIC, MESSAGES, get, post, say},
    upstream::ok,
    world::{PLACEHOLDER, TOKEN, World},
};

fn parts(world: &World) -> Vec<Part> {
    let passed = world.heard.model.lock().unwrap();
    let links: std::collections::BTreeSet<&str> =
        passed.iter().map(|one| one.link.as_str()).collect();
    assert!(links.len() <= 1, "one exchange: {links:?}");
    passed.iter().map(|one| one.part.clone()).collect()
}

fn text(part: &Part) -> &[u8] {
    match part {
        Part::Piece(bytes) => bytes,
        _ => b"",
    }
}

#[tokio::test]
async fn an_exchange_is_shown_whole_in_its_order_and_without_the_secret() {
    let world = World::new(|_| ok(&format!("you are {TOKEN}, are you not?"))).await;
    let mut tunnel = world.tunnel(ANTHROPIC).await;
    let auth = format!("Authorization: Bearer {PLACEHOLDER}\r\n");
    let asked = post(ANTHROPIC, "/v1/messages?beta=true", &auth, MESSAGES);
    let answer = say(&mut tunnel, asked).await.unwrap();
    world.closed().await;
    let parts = parts(&world);
    let [
        Part::Asked {
            path,
            headers,
            body,
            ..
        },
        Part::Answered { status: 200, .. },
        pieces @ ..,
        Part::Ended,
    ] = parts.as_slice()
    else {
        panic!("{parts:?}")
    };
    assert_eq!(path, "/v1/messages");
    assert_eq!(headers["authorization"], format!("Bearer {PLACEHOLDER}"));
    assert_eq!(body, &Bytes::from(MESSAGES));
    let shown: Vec<u8> = pieces.iter().flat_map(text).copied().collect();
    assert_eq!(shown, answer.body, "what the agent got, and nothing else");
    assert!(!format!("{parts:?}").contains(TOKEN));
}

#[tokio::test]
async fn what_is_refused_and_what_asks_no_model_is_not_shown() {
    let world = World::new(|_| ok("done")).await;
    let mut tunnel = world.tunnel("sink.example").await;
    say(&mut tunnel, get("sink.example", "/a", ""))
        .await
        .unwrap();
    let mut tunnel = world.tunnel(ANTHROPIC).await;
    let reaching_out = r#"{"model":"m","max_tokens":1,"messages":[],"mcp_servers":[{"type":"url","url":"https://evil.example","name":"x"}]}"#;
    let refused = say(
        &mut tunnel,
        post(ANTHROPIC, "/v1/messages", "", reaching_out),
    )
    .await;
    assert_eq!(refused.unwrap().status, 403);
    assert!(parts(&world).is_empty(), "{:?}", parts(&world));
}
