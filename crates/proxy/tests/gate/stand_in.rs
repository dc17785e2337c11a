//! A session whose upstreams are played: it reaches nothing else and carries no real credential, and its neighbours are as
//! they were.

use std::{
    io,
    sync::{Arc, Mutex},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use clauderon_audit::Kind;
use clauderon_policy::Posture;
use clauderon_proxy::{EgressSession, StandIn, Stream};
use clauderon_vault::Secret;
use tokio::io::AsyncWriteExt;

use crate::{
    client::{ANTHROPIC, MESSAGES, get, post, say},
    upstream::{header, ok, read_body, read_head},
    world::{TOKEN, World},
};

const INVENTED: &str = "sk-ant-oat01-invented";

/// Everything that a stand-in received: heads and bodies.
type Heard = Arc<Mutex<Vec<String>>>;

/// A session of this world whose upstreams are played.
fn played(world: &World) -> (Arc<EgressSession>, Heard) {
    let heard = Heard::default();
    let record = Arc::clone(&heard);
    let open = move || -> futures_util::future::BoxFuture<'static, io::Result<Box<dyn Stream>>> {
        let (proxy, mut stage) = tokio::io::duplex(64 << 10);
        let heard = Arc::clone(&record);
        tokio::spawn(async move {
            while let Some(head) = read_head(&mut stage).await {
                let body = read_body(&mut stage, &head).await.unwrap_or_default();
                let body = String::from_utf8_lossy(&body).into_owned();
                heard.lock().unwrap().push(head + &body);
                let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nplayed";
                stage.write_all(answer).await.unwrap();
            }
        });
        Box::pin(async move { Ok(Box::new(proxy) as Box<dyn Stream>) })
    };
    let stand_in = StandIn::new(Secret::new(INVENTED.to_owned()).unwrap(), open);
    let policy = world.policy.subscribe();
    let session =
        EgressSession::new("session-d", policy, Arc::clone(&world.ca), Vec::new()).unwrap();
    (Arc::new(session.played_by(stand_in)), heard)
}

#[tokio::test]
async fn a_played_session_and_its_neighbour_go_each_their_own_way_at_once() {
    let world = World::new(|_| ok("real")).await;
    let (demo, heard) = played(&world);
    let request = post(ANTHROPIC, "/v1/messages", "", MESSAGES);
    let (mut real, mut shown) = (
        world.tunnel_for(&world.session, ANTHROPIC).await,
        world.tunnel_for(&demo, ANTHROPIC).await,
    );
    for _ in 0..3 {
        let (real, shown) = tokio::join!(say(&mut real, &request), say(&mut shown, &request));
        assert_eq!(real.unwrap().text(), "real");
        assert_eq!(shown.unwrap().text(), "played");
    }
    let seen = world.upstream.seen();
    assert_eq!(seen.len(), 3);
    for request in seen {
        let bearer = header(&request.head, "authorization").unwrap().to_owned();
        assert_eq!(bearer, format!("Bearer {TOKEN}"));
    }
    let heard = heard.lock().unwrap().clone();
    assert_eq!(heard.len(), 3);
    for request in heard {
        assert_eq!(
            header(&request, "authorization"),
            Some(&*format!("Bearer {INVENTED}"))
        );
        assert!(!request.contains(TOKEN), "{request}");
    }
    for decision in world.records_of(Kind::Decision) {
        let expected = match decision.session.as_str() {
            "session-d" => "invented",
            _ => "anthropic_oauth_token",
        };
        assert_eq!(decision.auth_injected.as_deref(), Some(expected));
    }
}

#[tokio::test]
async fn no_route_of_a_played_session_leads_to_the_vault_or_the_network() {
    let world = World::new(|_| ok("real")).await;
    world
        .policy
        .send_modify(|policy| Arc::make_mut(policy).posture = Posture::Open);
    let (demo, heard) = played(&world);
    // A route with another credential, one without any, and a host that only an open policy lets through.
    for host in ["echo.example", "sink.example", "somewhere.example"] {
        let mut tunnel = world.tunnel_for(&demo, host).await;
        let got = say(&mut tunnel, get(host, "/x", "")).await.unwrap();
        assert_eq!(got.text(), "played", "{host}");
    }
    assert_eq!(heard.lock().unwrap().len(), 3);
    let heard = heard.lock().unwrap().concat();
    let basic = |token: &str| STANDARD.encode(format!("x-access-token:{token}"));
    assert!(heard.contains(&basic(INVENTED)), "{heard}");
    assert!(!heard.contains(&basic(TOKEN)) && !heard.contains(TOKEN));
    assert!(world.upstream.seen().is_empty());
    assert!(world.asked_names().is_empty(), "{:?}", world.asked_names());
}

#[tokio::test]
async fn a_played_session_is_refused_what_every_other_is() {
    let world = World::new(|_| ok("real")).await;
    let (demo, heard) = played(&world);
    let mut tunnel = world.tunnel_for(&demo, "collector.example").await;
    let request = post("collector.example", "/steal", "", "hello");
    let got = say(&mut tunnel, request).await.unwrap();
    assert_eq!(got.status, 403);
    assert!(heard.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_played_session_needs_no_account() {
    let world = World::new(|_| ok("real")).await;
    std::fs::remove_file(world.dir.path().join("secrets/anthropic_oauth_token")).unwrap();
    let (demo, _) = played(&world);
    let request = post(ANTHROPIC, "/v1/messages", "", MESSAGES);
    let mut tunnel = world.tunnel_for(&demo, ANTHROPIC).await;
    assert_eq!(say(&mut tunnel, &request).await.unwrap().text(), "played");
    assert_ne!(world.ask(ANTHROPIC, &request).await.status, 200);
}
