//! Watches an agent until it ends, without looking at what it prints.

use std::sync::Arc;
use std::time::Duration;

use clauderon_holder::{ExitRecord, SessionFiles};
use clauderon_runtime::{Handle, Runtime};
use clauderon_session::{Backend, Event, Sighting};
use clauderon_terminal::{Console, ConsoleEvent};
use tokio::sync::mpsc;

use super::Shared;
use super::actor::{Order, sighting};

/// How long to wait before a runtime that did not answer is asked again.
const AGAIN: Duration = Duration::from_secs(2);

/// Asks the runtime how a sandbox fares, and the folder how the agent ended.
pub async fn look(runtime: &dyn Runtime, handle: &Handle) -> Sighting {
    let state = runtime.state(handle).await;
    sighting(state, exit_of(handle).map(|exit| exit.code))
}

/// Waits for the agent's end and reports it.
pub async fn watch(
    shared: Arc<Shared>,
    backend: Backend,
    handle: Handle,
    orders: mpsc::WeakSender<Order>,
) {
    loop {
        let exit = wait_for_exit(&handle).await;
        let event = match exit {
            Some(exit) => ended(&exit),
            // The holder is gone without a word: the runtime knows more, if it answers.
            None => match shared.runtimes.of(backend).await {
                Ok(runtime) => Event::Seen(look(&*runtime, &handle).await),
                Err(why) => Event::Seen(Sighting::Unanswered {
                    reason: why.sentence,
                }),
            },
        };
        let certain = !matches!(
            event,
            Event::Seen(Sighting::Running | Sighting::Unanswered { .. })
        );
        let Some(orders) = orders.upgrade() else {
            return;
        };
        if orders.send(Order::Event(event)).await.is_err() || certain {
            return;
        }
        drop(orders);
        tokio::time::sleep(AGAIN).await;
    }
}

/// Says what the agent's end means: the kernel ending it for want of memory is a fault and named as such.
fn ended(exit: &ExitRecord) -> Event {
    match (exit.oom, &exit.error) {
        (true, _) => Event::Failed {
            reason: "it ran out of memory and was ended by the kernel".to_owned(),
        },
        (false, Some(error)) => Event::Failed {
            reason: error.clone(),
        },
        (false, None) => Event::Ended { code: exit.code },
    }
}

async fn wait_for_exit(handle: &Handle) -> Option<ExitRecord> {
    let mut console = Console::attach(&handle.dir, u64::MAX).await.ok()?;
    while let Some(event) = console.next().await {
        if let ConsoleEvent::Exit(exit) = event {
            return Some(exit);
        }
    }
    exit_of(handle)
}

fn exit_of(handle: &Handle) -> Option<ExitRecord> {
    SessionFiles::new(&handle.dir).read_exit().ok().flatten()
}
