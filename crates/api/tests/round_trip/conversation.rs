//! A session's conversation over the wire.
#![allow(clippy::unwrap_used)]

use clauderon_api::{ConversationEvent, ConversationQuery, ErrorCode};

use crate::serve;

#[tokio::test]
async fn a_part_of_a_conversation_is_asked_for() {
    let served = serve().await;
    let query = ConversationQuery {
        before: Some("an item/with ?".into()),
        most: Some(3),
    };
    let view = served.client.conversation("a", &query).await.unwrap();
    assert_eq!((view.number, view.earlier), (3, true));
    let all = ConversationQuery::default();
    let view = served.client.conversation("a", &all).await.unwrap();
    assert_eq!((view.number, view.earlier), (7, false));
}

#[tokio::test]
async fn a_conversation_is_followed_and_that_of_an_unknown_session_is_not() {
    let served = serve().await;
    let mut followed = served.client.follow_conversation("a").await.unwrap();
    for _ in 0..2 {
        let event = followed.next().await.unwrap().unwrap();
        assert!(matches!(event, ConversationEvent::State(view) if view.number == 7));
    }
    let refused = served.client.follow_conversation("error-not_found").await;
    assert_eq!(refused.unwrap_err().code, ErrorCode::NotFound);
}
