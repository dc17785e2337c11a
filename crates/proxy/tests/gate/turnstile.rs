//! A request to a model waits for leave before anything of it leaves.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use clauderon_audit::Kind;
use clauderon_proxy::{Asking, Leave, Turnstile};
use futures_util::future::BoxFuture;
use tokio::{
    io::AsyncWriteExt,
    sync::{Notify, watch},
};

use crate::{
    client::{ANTHROPIC, MESSAGES, answer, get, post, say},
    upstream::ok,
    world::{Heard, World},
};

/// What a test makes of those who ask.
#[derive(Clone, Default)]
pub enum Stands {
    /// Everybody may pass.
    #[default]
    Open,
    /// Everybody waits.
    Shut,
    /// Nobody may.
    Refused(String),
}

pub struct Gate {
    stands: watch::Sender<Stands>,
    asked: Mutex<Vec<Asking>>,
    waiting: Arc<AtomicUsize>,
    changed: Arc<Notify>,
}

impl Default for Gate {
    fn default() -> Self {
        Self {
            stands: watch::Sender::new(Stands::Open),
            asked: Mutex::default(),
            waiting: Arc::default(),
            changed: Arc::default(),
        }
    }
}

impl Gate {
    /// Waits until so many wait.
    async fn wait_for(&self, count: usize) {
        loop {
            let changed = self.changed.notified();
            if self.waiting.load(Ordering::SeqCst) == count {
                return;
            }
            changed.await;
        }
    }
}

/// One that waits, or has left.
struct Counted(Arc<AtomicUsize>, Arc<Notify>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
        self.1.notify_waiters();
    }
}

impl Turnstile for Heard {
    fn wait(&self, asking: Asking) -> BoxFuture<'static, Result<Leave, String>> {
        let gate = &self.gate;
        gate.asked.lock().unwrap().push(asking);
        gate.waiting.fetch_add(1, Ordering::SeqCst);
        gate.changed.notify_waiters();
        let counted = Counted(gate.waiting.clone(), gate.changed.clone());
        let mut stands = gate.stands.subscribe();
        Box::pin(async move {
            let now = stands
                .wait_for(|stands| !matches!(stands, Stands::Shut))
                .await
                .unwrap()
                .clone();
            match now {
                Stands::Refused(why) => Err(why),
                _ => Ok(Box::new(counted) as Leave),
            }
        })
    }
}

#[tokio::test]
async fn nothing_of_a_request_to_a_model_leaves_before_it_may() {
    let world = World::new(|_| ok("done")).await;
    let gate = &world.heard.gate;
    gate.stands.send_replace(Stands::Shut);
    let mut tunnel = world.tunnel(ANTHROPIC).await;
    let asked = post(ANTHROPIC, "/v1/messages?beta=true", "", MESSAGES);
    tunnel.write_all(asked.as_bytes()).await.unwrap();
    tunnel.flush().await.unwrap();
    gate.wait_for(1).await;
    // Another host is not held meanwhile.
    assert_eq!(
        world
            .ask("sink.example", &get("sink.example", "/a", ""))
            .await
            .status,
        200
    );
    let seen = world.upstream.seen();
    assert!(
        seen.iter().all(|one| !one.head.contains("/v1/messages")),
        "the upstream saw it"
    );
    assert!(world.heard.model.lock().unwrap().is_empty());
    assert_eq!(
        world
            .records_of(Kind::Decision)
            .iter()
            .filter(|one| one.path == "/v1/messages")
            .count(),
        0
    );
    {
        let asked = gate.asked.lock().unwrap();
        assert_eq!(asked.len(), 1);
        assert_eq!(asked[0].path, "/v1/messages");
        assert_eq!(asked[0].body, MESSAGES);
        assert_eq!(asked[0].session, "session-a");
    }
    gate.stands.send_replace(Stands::Open);
    let got = answer(&mut tunnel).await.unwrap();
    assert_eq!((got.status, got.text().as_str()), (200, "done"));
    // It leaves when its answer has ended.
    gate.wait_for(0).await;
}

#[tokio::test]
async fn a_request_that_may_not_pass_is_answered_so_that_it_is_tried_again() {
    let world = World::new(|_| ok("done")).await;
    let why = "The budget is used up.";
    world
        .heard
        .gate
        .stands
        .send_replace(Stands::Refused(why.to_owned()));
    let mut tunnel = world.tunnel(ANTHROPIC).await;
    let asked = post(ANTHROPIC, "/v1/messages", "", MESSAGES);
    let got = say(&mut tunnel, &asked).await.unwrap();
    assert_eq!(got.status, 503);
    assert_eq!(got.json()["code"], "budget");
    assert_eq!(got.json()["hint"], why);
    assert_eq!(world.refused("budget").await.status, Some(503));
    assert!(world.upstream.seen().is_empty());
    // The connection goes on, and so does the agent.
    world.heard.gate.stands.send_replace(Stands::Open);
    assert_eq!(say(&mut tunnel, &asked).await.unwrap().status, 200);
}

#[tokio::test]
async fn an_agent_that_goes_away_waits_no_more() {
    let world = World::new(|_| ok("done")).await;
    let gate = &world.heard.gate;
    gate.stands.send_replace(Stands::Shut);
    let mut tunnel = world.tunnel(ANTHROPIC).await;
    let asked = post(ANTHROPIC, "/v1/messages", "", MESSAGES);
    tunnel.write_all(asked.as_bytes()).await.unwrap();
    tunnel.flush().await.unwrap();
    gate.wait_for(1).await;
    drop(tunnel);
    gate.wait_for(0).await;
    assert!(world.upstream.seen().is_empty());
}

#[tokio::test]
async fn a_pause_of_the_network_counts_for_what_waited_before_it() {
    let world = World::new(|_| ok("done")).await;
    let gate = &world.heard.gate;
    gate.stands.send_replace(Stands::Shut);
    let mut tunnel = world.tunnel(ANTHROPIC).await;
    let asked = post(ANTHROPIC, "/v1/messages", "", MESSAGES);
    tunnel.write_all(asked.as_bytes()).await.unwrap();
    tunnel.flush().await.unwrap();
    gate.wait_for(1).await;
    world.proxy.pause(true);
    gate.stands.send_replace(Stands::Open);
    let got = answer(&mut tunnel).await.unwrap();
    assert_eq!(got.json()["code"], "network_paused");
    assert!(world.upstream.seen().is_empty());
}
