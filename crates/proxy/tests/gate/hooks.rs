//! Row f1: the one host verb.

use clauderon_audit::Kind;

use crate::{
    client::{post, say},
    upstream::ok,
    world::World,
};

const HOST: &str = "clauderon.internal";

#[tokio::test]
async fn a_report_arrives_through_a_tunnel_and_in_absolute_form() {
    let world = World::new(|_| ok("")).await;
    let mut tunnel = world.open();
    let got = say(
        &mut tunnel,
        "CONNECT clauderon.internal:80 HTTP/1.1\r\nHost: clauderon.internal:80\r\n\r\n",
    )
    .await
    .unwrap();
    assert_eq!(got.status, 200);
    for _ in 0..2 {
        let got = say(
            &mut tunnel,
            post(HOST, "/hooks", "X-Session: session-b\r\n", r#"{"a":1}"#),
        )
        .await
        .unwrap();
        assert_eq!((got.status, got.body.len()), (204, 0));
    }
    let got = say(
        &mut world.open(),
        post(HOST, "http://clauderon.internal/hooks", "", "{}"),
    )
    .await
    .unwrap();
    assert_eq!(got.status, 204);
    let hooks = world.heard.hooks.lock().unwrap().clone();
    assert_eq!(hooks.len(), 3);
    assert_eq!(
        hooks[0],
        (
            "session-a".to_owned(),
            bytes::Bytes::from_static(b"{\"a\":1}")
        )
    );
}

#[tokio::test]
async fn it_takes_reports_and_nothing_else() {
    let world = World::new(|_| ok("")).await;
    let absolute = |path: &str| format!("http://clauderon.internal{path}");
    for (request, status) in [
        (post(HOST, &absolute("/sessions"), "", "{}"), 403),
        (post(HOST, &absolute("/hooks/../sessions"), "", "{}"), 403),
        (
            format!("GET http://{HOST}/hooks HTTP/1.1\r\nHost: {HOST}\r\n\r\n"),
            403,
        ),
        (
            post(HOST, &absolute("/hooks"), "", &"x".repeat(64 * 1024 + 1)),
            413,
        ),
        (post("evil.example", &absolute("/hooks"), "", "{}"), 421),
    ] {
        let got = say(&mut world.open(), &request).await.unwrap();
        assert_eq!(got.status, status, "{got:?}");
    }
    assert_eq!(world.records_of(Kind::Refusal).len(), 5);
    assert!(world.heard.hooks.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_flood_is_bounded_and_recorded_once() {
    let world = World::new(|_| ok("")).await;
    let mut stream = world.open();
    let mut statuses = Vec::new();
    for _ in 0..300 {
        let report = post(HOST, "http://clauderon.internal/hooks", "", "{}");
        statuses.push(say(&mut stream, report).await.unwrap().status);
    }
    let refused = statuses.iter().filter(|status| **status == 429).count();
    assert!(refused > 100, "{refused}");
    let recorded = world.records_of(Kind::Refusal).len();
    assert!((1..50).contains(&recorded), "{recorded}");
}

const ASKS: &str = r#"{"asks":1}"#;

fn asking() -> String {
    post(HOST, "http://clauderon.internal/hooks", "", ASKS)
}

/// Waits until so many reports wait for an answer.
async fn held(world: &World, count: usize) {
    while world.heard.held.lock().unwrap().len() < count {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_question_is_held_until_it_is_answered() {
    let world = World::new(|_| ok("")).await;
    let mut stream = world.open();
    let request = asking();
    let asked = say(&mut stream, &request);
    let answered = async {
        held(&world, 1).await;
        let answer = world.heard.held.lock().unwrap().pop().unwrap();
        answer.send(b"{\"yes\":true}".to_vec()).unwrap();
    };
    let (got, ()) = tokio::join!(asked, answered);
    let got = got.unwrap();
    assert_eq!((got.status, &got.body[..]), (200, &b"{\"yes\":true}"[..]));
    // What is not answered says nothing, and the connection goes on.
    let asked = say(&mut stream, &request);
    let dropped = async {
        held(&world, 1).await;
        world.heard.held.lock().unwrap().clear();
    };
    let (got, ()) = tokio::join!(asked, dropped);
    let got = got.unwrap();
    assert_eq!((got.status, got.body.len()), (204, 0));
}

#[tokio::test]
async fn whoever_asked_and_went_is_not_waited_for() {
    use tokio::io::AsyncWriteExt as _;
    let world = World::new(|_| ok("")).await;
    let mut stream = world.open();
    stream.write_all(asking().as_bytes()).await.unwrap();
    held(&world, 1).await;
    drop(stream);
    let mut answer = world.heard.held.lock().unwrap().pop().unwrap();
    answer.closed().await;
}

#[tokio::test]
async fn only_so_many_questions_wait_at_once() {
    use tokio::io::AsyncWriteExt as _;
    let world = World::new(|_| ok("")).await;
    let mut waiting = Vec::new();
    for count in 1..=16 {
        let mut stream = world.open();
        stream.write_all(asking().as_bytes()).await.unwrap();
        held(&world, count).await;
        waiting.push(stream);
    }
    let got = say(&mut world.open(), asking()).await.unwrap();
    assert_eq!(got.status, 204, "one too many asks in its terminal");
    // And the others wait on.
    for answer in world.heard.held.lock().unwrap().iter().take(16) {
        assert!(!answer.is_closed());
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_for_ever() {
    let world = World::new(|_| ok("")).await;
    let begun = tokio::time::Instant::now();
    let got = say(&mut world.open(), asking()).await.unwrap();
    assert_eq!(got.status, 204);
    assert_eq!(
        begun.elapsed().as_secs(),
        clauderon_proxy::HOOK_HOLD.as_secs()
    );
}
