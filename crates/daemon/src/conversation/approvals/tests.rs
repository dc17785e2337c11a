#![allow(clippy::unwrap_used)]
use std::sync::atomic::{AtomicUsize, Ordering};

use clauderon_transcript::Answer;
use serde_json::{Value, json};

use super::*;

struct Desk {
    approvals: Arc<Approvals>,
    changes: Arc<AtomicUsize>,
}

impl Desk {
    fn new() -> Self {
        let changes = Arc::new(AtomicUsize::new(0));
        let count = changes.clone();
        let changed = move || {
            count.fetch_add(1, Ordering::Relaxed);
        };
        Self {
            approvals: Approvals::new(changed),
            changes,
        }
    }

    fn ask(&self, tool: &str, input: Value) -> (String, Held) {
        let asks = Asks {
            tool: tool.to_owned(),
            input,
            agent: None,
        };
        let held = self.approvals.hold(asks).unwrap();
        self.approvals.place(&held.0, &Conversation::new());
        held
    }

    fn bash(&self) -> (String, Held) {
        self.ask("Bash", json!({"command": "touch a"}))
    }

    fn count(&self) -> usize {
        self.approvals.open().len()
    }
}

fn yes(id: &str) -> AnswerApproval {
    AnswerApproval {
        id: id.to_owned(),
        allow: true,
        message: None,
        answers: Vec::new(),
    }
}

fn no(id: &str, message: Option<&str>) -> AnswerApproval {
    AnswerApproval {
        allow: false,
        message: message.map(str::to_owned),
        ..yes(id)
    }
}

fn decision(told: Option<Vec<u8>>) -> Value {
    let told: Value = serde_json::from_slice(&told.unwrap()).unwrap();
    assert_eq!(
        told["hookSpecificOutput"]["hookEventName"],
        "PermissionRequest"
    );
    told["hookSpecificOutput"]["decision"].clone()
}

#[tokio::test]
async fn the_first_answer_counts_and_reaches_the_one_that_asked() {
    let desk = Desk::new();
    let ((one, first), (two, second)) = (desk.bash(), desk.bash());
    desk.approvals.answer(&yes(&two)).unwrap();
    assert!(desk.approvals.answer(&no(&two, None)).is_err());
    assert_eq!(decision(second.await), json!({"behavior": "allow"}));
    assert_eq!(desk.approvals.open()[0].id, one);
    desk.approvals.answer(&no(&one, None)).unwrap();
    let refused = json!({"behavior": "deny", "interrupt": true});
    assert_eq!(decision(first.await), refused);
    assert_eq!(desk.count(), 0);
}

#[tokio::test]
async fn a_refusal_with_a_reason_tells_it() {
    let desk = Desk::new();
    let (id, held) = desk.bash();
    desk.approvals.answer(&no(&id, Some(" not that "))).unwrap();
    let refused = json!({"behavior": "deny", "message": "not that"});
    assert_eq!(decision(held.await), refused);
}

#[tokio::test]
async fn questions_are_answered_one_by_one_or_not_at_all() {
    let desk = Desk::new();
    let questions = json!([{"question": "Which?", "options": [{"label": "A"}]}]);
    let (id, held) = desk.ask("AskUserQuestion", json!({"questions": questions}));
    let with = |question: &str, answer: &str| AnswerApproval {
        answers: vec![Answer {
            question: question.to_owned(),
            answer: answer.to_owned(),
        }],
        ..yes(&id)
    };
    for wrong in [yes(&id), with("Other?", "A"), with("Which?", " ")] {
        assert!(desk.approvals.answer(&wrong).is_err(), "{wrong:?}");
        assert_eq!(desk.count(), 1, "it stands open still");
    }
    desk.approvals.answer(&with("Which?", "B")).unwrap();
    let answered = json!({"questions": questions, "answers": {"Which?": "B"}});
    assert_eq!(
        decision(held.await),
        json!({"behavior": "allow", "updatedInput": answered})
    );
}

#[tokio::test]
async fn what_is_answered_in_the_terminal_ends_without_an_answer() {
    let desk = Desk::new();
    let (id, held) = desk.bash();
    // It works before its dialog is drawn.
    desk.approvals.drawn(&Said::Working { on: None });
    assert_eq!(desk.count(), 1);
    desk.approvals.drawn(&Said::Waiting);
    assert_eq!(desk.count(), 1);
    desk.approvals.drawn(&Said::Working { on: None });
    assert_eq!(desk.count(), 0);
    assert!(desk.approvals.answer(&yes(&id)).is_err());
    assert_eq!(held.await, None);
    assert!(desk.changes.load(Ordering::Relaxed) > 0);
}

#[tokio::test(start_paused = true)]
async fn what_is_answered_before_the_terminal_says_so_ends_without_an_answer() {
    let desk = Desk::new();
    let (_, held) = desk.bash();
    let later = || tokio::time::sleep(2 * ANSWERS);
    // Neither letters nor the keys that a terminal answers with.
    desk.approvals.pressed(b"abc");
    desk.approvals.pressed(b"\x1b[1;1R");
    later().await;
    assert_eq!(desk.count(), 1);
    desk.approvals.pressed(b"\r");
    assert_eq!(desk.count(), 1, "it may have come too early");
    later().await;
    assert_eq!(held.await, None);
    // Where the terminal says since that it waits, the key was not the answer.
    let (_, _held) = desk.bash();
    desk.approvals.pressed(b"1");
    desk.approvals.drawn(&Said::Waiting);
    later().await;
    assert_eq!(desk.count(), 1);
}

#[test]
fn what_is_not_found_in_the_conversation_yet_is_held_and_cannot_be_answered() {
    let desk = Desk::new();
    let asks = Asks {
        tool: "Bash".to_owned(),
        input: json!({"command": "touch a"}),
        agent: None,
    };
    let (id, _held) = desk.approvals.hold(asks).unwrap();
    assert_eq!((desk.count(), desk.approvals.holds_something()), (0, true));
    assert!(desk.approvals.answer(&yes(&id)).is_err());
    desk.approvals.place(&id, &Conversation::new());
    assert_eq!(desk.count(), 1);
    assert!(desk.approvals.answer(&yes(&id)).is_ok());
}

#[test]
fn a_dialog_may_be_drawn_before_its_request_arrives() {
    let desk = Desk::new();
    desk.approvals.drawn(&Said::Waiting);
    let (_, _held) = desk.bash();
    desk.approvals.drawn(&Said::Working { on: None });
    assert_eq!(desk.count(), 0);
    // But what it drew before it began this turn says nothing of the dialog.
    desk.approvals.drawn(&Said::Waiting);
    desk.approvals.model_asked();
    let (_, _held) = desk.bash();
    desk.approvals.drawn(&Said::Working { on: None });
    assert_eq!(desk.count(), 1);
}

#[test]
fn whoever_asked_and_went_is_not_asked_for_any_more() {
    let desk = Desk::new();
    let (id, held) = desk.bash();
    drop(held);
    assert_eq!(desk.count(), 0);
    assert!(desk.approvals.answer(&yes(&id)).is_err());
}

#[test]
fn an_agent_waits_longer_than_we_hold() {
    let agent = clauderon_agents::ASKING_SECONDS;
    assert!(agent > clauderon_proxy::HOOK_HOLD.as_secs());
}
