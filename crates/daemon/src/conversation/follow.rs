//! Tells a follower how a conversation goes on: all of it first, then what changed, gathered for a moment so that a stream of
//! words is not a message each.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use clauderon_api::{
    ConversationEvent, ConversationNews, ConversationStanding, ConversationView, MessageView,
};
use clauderon_transcript::{Conversation, Resumed, TurnSum};
use tokio::sync::{mpsc, watch};

use super::approvals::Approvals;
use super::{Changes, MOST, lock, standing, view};
use crate::clock::{rising_ms, until_risen};
use crate::delivery::Shown;
use crate::standing::Known;

/// How long changes are gathered.
const GATHER: Duration = Duration::from_millis(30);
/// Events that may wait for a follower; one that is slower is told the sum of what it missed.
const WAITING: usize = 4;

/// Counts a follower for as long as it lives.
pub struct Counted(Arc<AtomicUsize>);

impl Counted {
    pub fn new(followers: &Arc<AtomicUsize>) -> Self {
        followers.fetch_add(1, Ordering::Relaxed);
        Self(followers.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Follows a conversation until the receiver is dropped or the session is gone.
pub fn follow(
    conversation: Arc<Mutex<Conversation>>,
    approvals: Arc<Approvals>,
    mut known: watch::Receiver<Known>,
    mut changes: Changes,
    mut messages: watch::Receiver<Shown>,
    counted: Counted,
) -> mpsc::Receiver<ConversationEvent> {
    let (tell, told) = mpsc::channel(WAITING);
    tokio::spawn(async move {
        let _counted = counted;
        let sent = messages.borrow_and_update().to_vec();
        let now = known.borrow_and_update().clone();
        let first = view(&lock(&conversation), (&approvals, &now), sent, None, MOST);
        let mut told = Told::of(&first);
        let mut event = Some(ConversationEvent::State(Box::new(first)));
        loop {
            if let Some(event) = event.take()
                && tell.send(event).await.is_err()
            {
                return;
            }
            let changes_at = lock(&conversation).changes_at(rising_ms());
            let mut sent = false;
            tokio::select! {
                () = tell.closed() => return,
                changed = known.changed() => if changed.is_err() { return },
                () = changes.next() => {}
                changed = messages.changed() => {
                    if changed.is_err() { return }
                    sent = true;
                }
                () = until_risen(changes_at) => {}
            }
            tokio::time::sleep(GATHER).await;
            sent |= messages.has_changed().unwrap_or(false);
            let messages = messages.borrow_and_update().to_vec();
            let known = known.borrow_and_update().clone();
            event = news(
                &lock(&conversation),
                (&approvals, &known),
                (messages, sent),
                &mut told,
            );
        }
    });
    told
}

/// What a follower knows.
struct Told {
    number: u64,
    standing: ConversationStanding,
    turns: Vec<TurnSum>,
}

impl Told {
    fn of(view: &ConversationView) -> Self {
        Self {
            number: view.number,
            standing: view.standing.clone(),
            turns: view.turns.clone(),
        }
    }
}

/// Says what is new since `told`; none where nothing is.
fn news(
    conversation: &Conversation,
    (approvals, known): (&Approvals, &Known),
    (messages, sent): (Vec<MessageView>, bool),
    told: &mut Told,
) -> Option<ConversationEvent> {
    let Some(Resumed {
        number,
        items,
        removed,
    }) = conversation.since(told.number)
    else {
        let all = view(conversation, (approvals, known), messages, None, MOST);
        *told = Told::of(&all);
        return Some(ConversationEvent::State(Box::new(all)));
    };
    let standing = standing(conversation, approvals, known);
    if number == told.number && standing == told.standing && !sent {
        return None;
    }
    let turns = conversation.usage().turns;
    let different = different(&told.turns, &turns).to_vec();
    *told = Told {
        number,
        standing: standing.clone(),
        turns,
    };
    Some(ConversationEvent::News(Box::new(ConversationNews {
        number,
        items,
        removed,
        standing,
        turns: different,
        messages: sent.then_some(messages),
    })))
}

/// The turns from the first on that is not as it was.
fn different<'a>(before: &[TurnSum], now: &'a [TurnSum]) -> &'a [TurnSum] {
    let same = now.iter().zip(before).take_while(|(now, was)| now == was);
    &now[same.count()..]
}

#[cfg(test)]
mod tests {
    use clauderon_transcript::{ItemId, Sum};

    use super::*;

    fn turn(name: &str, requests: u64) -> TurnSum {
        TurnSum {
            turn: Some(ItemId::from(name)),
            sum: Sum {
                requests,
                ..Sum::default()
            },
        }
    }

    #[test]
    fn a_request_that_turns_out_to_be_anothers_is_told_of_both() {
        let check = |before: &[(&str, u64)], now: &[(&str, u64)], from: usize| {
            let turns = |all: &[(&str, u64)]| -> Vec<TurnSum> {
                all.iter()
                    .map(|&(name, requests)| turn(name, requests))
                    .collect()
            };
            let now = turns(now);
            assert_eq!(different(&turns(before), &now), &now[from..]);
        };
        check(&[], &[("one", 1)], 0);
        check(&[("one", 1)], &[("one", 1)], 1);
        check(&[("one", 1)], &[("one", 1), ("two", 1)], 1);
        // Counted for the first while the second was not known yet.
        check(&[("one", 2)], &[("one", 1), ("two", 1)], 0);
        check(&[("one", 1), ("two", 1)], &[("one", 1), ("two", 2)], 1);
    }
}
