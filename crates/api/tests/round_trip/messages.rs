//! Messages to an agent over the wire.
#![allow(clippy::unwrap_used)]

use clauderon_api::{ChangeMessage, MessageChange, SendMessage, Stage, Wait};

use crate::serve;

#[tokio::test]
async fn a_message_is_sent_changed_and_taken_back() {
    let served = serve().await;
    let client = &served.client;
    let sent = SendMessage {
        id: Some("m".into()),
        text: "a\n\"b\"".into(),
        now: true,
    };
    let view = client.send_message("a", &sent).await.unwrap();
    assert_eq!(
        (view.message.id.as_str(), view.waits),
        ("m", Some(Wait::Working))
    );
    assert_eq!(client.messages("a").await.unwrap(), [view]);
    let change = ChangeMessage {
        id: "m".into(),
        change: MessageChange::Text("c".into()),
    };
    let changed = client.change_message("a", &change).await.unwrap();
    assert_eq!(changed.message.stage, Stage::Typed);
    let gone = client.withdraw_message("a", "a name/with ?").await.unwrap();
    assert_eq!(gone.message.id, "a name/with ?");
    assert_eq!(gone.message.stage, Stage::Withdrawn);
}
