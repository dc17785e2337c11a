use bytes::Bytes;
use clauderon_api::{ErrorCode, SayText};
use futures_util::TryStreamExt as _;
use futures_util::stream::{self, BoxStream, StreamExt as _};

use crate::serve;

#[tokio::test]
async fn paths_and_files_cross_the_wire_as_they_are() {
    let served = serve().await;
    let client = &served.client;
    let path = "a b/é?&=+%2F#.txt";
    assert_eq!(client.folder("a", path).await.unwrap().path, path);
    assert_eq!(client.file("a", path).await.unwrap().path, path);
    assert_eq!(client.file_sides("a", path).await.unwrap().path, path);
    assert!(client.file_status("a").await.unwrap().files.is_empty());
    let pieces = client.raw_file("a", path).await.unwrap();
    let raw: Vec<Bytes> = pieces.try_collect().await.unwrap();
    assert_eq!(raw.concat(), b"ab\xff\0c");
}

/// So many pieces of 64 KiB.
fn body(pieces: usize) -> BoxStream<'static, std::io::Result<Bytes>> {
    let piece = Bytes::from(vec![b'x'; 64 << 10]);
    stream::iter((0..pieces).map(move |_| Ok(piece.clone()))).boxed()
}

#[tokio::test]
async fn an_upload_larger_than_any_other_body_arrives_and_a_refused_one_says_why() {
    let served = serve().await;
    let client = &served.client;
    let taken = client.upload("a", "é &?.png", body(640)).await.unwrap();
    assert_eq!((taken.name.as_str(), taken.bytes), ("é &?.png", 640 << 16));
    let refused = client.upload("small", "a", body(640)).await.unwrap_err();
    assert_eq!(
        (refused.code, refused.message.as_str()),
        (ErrorCode::Usage, "too large")
    );
    let torn = stream::iter([
        Ok(Bytes::from("x")),
        Err(std::io::Error::other("unreadable")),
    ]);
    assert!(client.upload("a", "torn", torn.boxed()).await.is_err());
}

#[tokio::test]
async fn text_for_the_agent_crosses_the_wire_as_it_is() {
    let served = serve().await;
    let text = SayText {
        text: "a\x1bb\n".into(),
        send: true,
    };
    served.client.say("a", &text).await.unwrap();
    assert!(served.client.say("error-conflict", &text).await.is_err());
}

#[tokio::test]
async fn changes_of_files_arrive_and_an_unknown_session_has_none() {
    let served = serve().await;
    let mut changes = served.client.watch_files("a").await.unwrap();
    for _ in 0..3 {
        assert_eq!(changes.next().await.unwrap().unwrap().folders, ["src"]);
    }
    let refused = served
        .client
        .watch_files("error-not_found")
        .await
        .unwrap_err();
    assert_eq!(refused.code, ErrorCode::NotFound);
}
