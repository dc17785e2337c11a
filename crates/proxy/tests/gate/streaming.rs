//! Bodies stream, both ways, as they come.

use std::sync::Mutex;

use clauderon_audit::Kind;
use clauderon_proxy::{Part, TrafficKind};
use tokio::{io::AsyncWriteExt, sync::mpsc};

use crate::{
    client::{ANTHROPIC, MESSAGES, answer, get, post, say},
    upstream::{Reply, header, ok, read_chunk, read_head},
    world::World,
};

fn live() -> (
    mpsc::Sender<Vec<u8>>,
    impl Fn(&crate::upstream::Seen) -> Reply + Send + Sync + 'static,
) {
    let (send, receive) = mpsc::channel(1);
    let receive = Mutex::new(Some(receive));
    (send, move |_: &crate::upstream::Seen| {
        Reply::Live(receive.lock().unwrap().take().unwrap())
    })
}

const SSE: &[u8] =
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";

fn chunk(text: &str) -> Vec<u8> {
    format!("{:x}\r\n{text}\r\n", text.len()).into_bytes()
}

#[tokio::test]
async fn each_event_arrives_before_the_next_is_sent() {
    let (upstream, script) = live();
    let world = World::new(script).await;
    let mut tunnel = world.tunnel(ANTHROPIC).await;
    tunnel
        .write_all(post(ANTHROPIC, "/v1/messages", "", MESSAGES).as_bytes())
        .await
        .unwrap();
    upstream.send(SSE.to_vec()).await.unwrap();
    let head = read_head(&mut tunnel).await.unwrap();
    assert_eq!(header(&head, "content-type"), Some("text/event-stream"));
    for number in 0..5 {
        let event = format!("event: ping\ndata: {{\"n\":{number}}}\n\n");
        upstream.send(chunk(&event)).await.unwrap();
        assert_eq!(read_chunk(&mut tunnel).await.unwrap(), event.as_bytes());
    }
    upstream.send(b"0\r\n\r\n".to_vec()).await.unwrap();
    assert_eq!(read_chunk(&mut tunnel).await.unwrap(), b"");
    assert_eq!(world.closed().await.status, Some(200));
    let traffic = world.heard.traffic.lock().unwrap();
    assert!(
        matches!(traffic[0].kind, TrafficKind::Started { model: true, .. }),
        "{traffic:?}"
    );
    assert!(
        matches!(
            traffic[1].kind,
            TrafficKind::Finished {
                model: true,
                ok: true,
                ..
            }
        ),
        "{traffic:?}"
    );
}

#[tokio::test]
async fn a_cut_stream_reaches_the_agent_as_cut() {
    let (upstream, script) = live();
    let world = World::new(script).await;
    let mut tunnel = world.tunnel(ANTHROPIC).await;
    tunnel
        .write_all(post(ANTHROPIC, "/v1/messages", "", MESSAGES).as_bytes())
        .await
        .unwrap();
    upstream.send(SSE.to_vec()).await.unwrap();
    upstream.send(chunk("data: 1\n\n")).await.unwrap();
    read_head(&mut tunnel).await.unwrap();
    assert_eq!(read_chunk(&mut tunnel).await.unwrap(), b"data: 1\n\n");
    drop(upstream);
    assert_eq!(read_chunk(&mut tunnel).await, None);
    let close = world.closed().await;
    assert_eq!((close.status, close.bytes_down), (Some(200), Some(9)));
    let shown = world.heard.model.lock().unwrap();
    assert!(
        matches!(shown.last().unwrap().part, Part::Ended),
        "{shown:?}"
    );
}

#[tokio::test]
async fn an_agent_that_goes_away_ends_the_upstream_request() {
    let (upstream, script) = live();
    let world = World::new(script).await;
    let mut tunnel = world.tunnel(ANTHROPIC).await;
    tunnel
        .write_all(post(ANTHROPIC, "/v1/messages", "", MESSAGES).as_bytes())
        .await
        .unwrap();
    upstream.send(SSE.to_vec()).await.unwrap();
    read_head(&mut tunnel).await.unwrap();
    drop(tunnel);
    world.closed().await;
    while upstream.send(chunk("data: 1\n\n")).await.is_ok() {}
    assert_eq!(world.records_of(Kind::Close).len(), 1);
}

#[tokio::test]
async fn a_body_streams_up_with_its_framing() {
    let world = World::new(|_| ok("done")).await;
    let mut tunnel = world.tunnel("sink.example").await;
    let big = "y".repeat(3 << 20);
    let got = say(
        &mut tunnel,
        format!(
            "PUT /a HTTP/1.1\r\nHost: sink.example\r\nContent-Length: {}\r\n\r\n{big}",
            big.len()
        ),
    )
    .await;
    assert_eq!(got.unwrap().status, 200);
    let chunked = "POST /a HTTP/1.1\r\nHost: sink.example\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
    assert_eq!(say(&mut tunnel, chunked).await.unwrap().status, 200);
    let empty = "POST /a HTTP/1.1\r\nHost: sink.example\r\nContent-Length: 0\r\n\r\n";
    assert_eq!(say(&mut tunnel, empty).await.unwrap().status, 200);
    let seen = world.upstream.seen();
    assert_eq!(seen[0].body.len(), big.len());
    assert_eq!(
        (
            seen[1].body.as_slice(),
            header(&seen[1].head, "transfer-encoding")
        ),
        (&b"abcde"[..], Some("chunked"))
    );
    assert_eq!(header(&seen[2].head, "content-length"), Some("0"));
}

#[tokio::test]
async fn a_client_that_waits_is_invited_or_refused() {
    let world = World::new(|_| ok("done")).await;
    let mut tunnel = world.tunnel("sink.example").await;
    let head = "POST /a HTTP/1.1\r\nHost: sink.example\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n";
    assert_eq!(say(&mut tunnel, head).await.unwrap().status, 100);
    assert_eq!(say(&mut tunnel, "abc").await.unwrap().status, 200);
    assert_eq!(world.upstream.seen()[0].body, b"abc");
    assert!(header(&world.upstream.seen()[0].head, "expect").is_none());
    let mut tunnel = world.tunnel("evil.example").await;
    let got = say(&mut tunnel, head.replace("sink", "evil"))
        .await
        .unwrap();
    assert_eq!(
        (got.status, header(&got.head, "connection")),
        (403, Some("close"))
    );
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order() {
    let world = World::new(|seen| ok(seen.head.split(' ').nth(1).unwrap())).await;
    let mut tunnel = world.tunnel("sink.example").await;
    let both = [get("sink.example", "/1", ""), get("sink.example", "/2", "")].concat();
    assert_eq!(say(&mut tunnel, both).await.unwrap().text(), "/1");
    assert_eq!(answer(&mut tunnel).await.unwrap().text(), "/2");
}

#[tokio::test]
async fn a_head_request_and_http_1_0_are_framed_rightly() {
    let world = World::new(|seen| match seen.head.starts_with("HEAD") {
        true => Reply::Raw(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n".to_vec()),
        false => Reply::Raw(
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n".to_vec(),
        ),
    })
    .await;
    let mut tunnel = world.tunnel("sink.example").await;
    tunnel
        .write_all(b"HEAD / HTTP/1.1\r\nHost: sink.example\r\n\r\n")
        .await
        .unwrap();
    let head = read_head(&mut tunnel).await.unwrap();
    assert_eq!(header(&head, "content-length"), Some("5"));
    tunnel
        .write_all(b"GET / HTTP/1.0\r\nHost: sink.example\r\n\r\n")
        .await
        .unwrap();
    let head = read_head(&mut tunnel).await.unwrap();
    assert_eq!(
        (
            header(&head, "connection"),
            header(&head, "transfer-encoding")
        ),
        (Some("close"), None)
    );
    let mut rest = Vec::new();
    tokio::io::AsyncReadExt::read_to_end(&mut tunnel, &mut rest)
        .await
        .unwrap();
    assert_eq!(rest, b"ab");
}
