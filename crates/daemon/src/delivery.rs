//! Messages to a session's agent. The machine is the session crate's; here it is given a disk, a terminal and eyes.

mod courier;
mod keyboard;
mod shown;
mod typing;

use std::sync::Arc;

use clauderon_api::{Error, MessageChange, MessageView, Mode, SendMessage, State};
use clauderon_session::SessionId;
use clauderon_store::SessionDir;
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::task::TaskTracker;

use crate::conversation::Talk;
use crate::sessions::Shown as View;
use crate::sessions::pulse::Pulse;
use crate::uploads;
use courier::{Courier, Order, Wish};

pub use keyboard::Keyboard;
pub use typing::{Enter, MOST as MOST_TYPED, type_text};

/// Most bytes of a message that becomes a file.
const MOST: usize = 8 << 20;
/// Wishes that may wait.
const WISHES: usize = 64;
/// Letters of a message's name at most.
const NAME: usize = 64;

/// What a session's messages are, as it shows them.
pub type Shown = Arc<Vec<MessageView>>;

/// The messages to one session's agent, for whoever sends and whoever wants to see them.
pub struct Delivery {
    orders: mpsc::Sender<Order>,
    shown: watch::Receiver<Shown>,
    keyboard: Arc<Keyboard>,
    paths: SessionDir,
    view: watch::Receiver<View>,
}

/// What a delivery is about.
pub struct Place {
    /// The session.
    pub session: SessionId,
    /// Its folder.
    pub paths: SessionDir,
    /// How it is.
    pub view: watch::Receiver<View>,
    /// What its agent says of itself.
    pub pulse: Arc<Pulse>,
    /// Its conversation.
    pub talk: Arc<Talk>,
}

impl Delivery {
    /// Takes up what was on its way, and goes on with it.
    pub fn begin(place: Place, tasks: &TaskTracker) -> Self {
        let keyboard = Arc::new(Keyboard::default());
        let (orders, wishes) = mpsc::channel(WISHES);
        let (show, shown) = watch::channel(Shown::default());
        let (paths, view) = (place.paths.clone(), place.view.clone());
        tasks.spawn(Courier::new(place, keyboard.clone(), show).live(wishes));
        Self {
            orders,
            shown,
            keyboard,
            paths,
            view,
        }
    }

    /// Returns the session's keyboard.
    pub fn keyboard(&self) -> &Arc<Keyboard> {
        &self.keyboard
    }

    /// Follows the messages.
    pub fn watch(&self) -> watch::Receiver<Shown> {
        self.shown.clone()
    }

    /// Lists the messages, oldest first.
    pub async fn list(&self) -> Result<Vec<MessageView>, Error> {
        self.ask(Wish::Look).await?;
        Ok(self.shown.borrow().to_vec())
    }

    /// Takes a message; it is written down when this returns.
    pub async fn send(&self, message: SendMessage) -> Result<MessageView, Error> {
        let SendMessage { id, text, now } = message;
        let id = match id {
            Some(id) => named(id)?,
            None => random_name()?,
        };
        let known = self
            .list()
            .await?
            .into_iter()
            .find(|one| one.message.id == id);
        if let Some(known) = known {
            return Ok(known);
        }
        self.takes_messages()?;
        let text = self.typable(text).await?;
        self.one(Wish::Post { id, text, now }).await
    }

    /// Changes a message that waits, or tries one again.
    pub async fn change(&self, id: String, change: MessageChange) -> Result<MessageView, Error> {
        let wish = match change {
            MessageChange::Text(text) => Wish::Edit {
                id,
                text: self.typable(text).await?,
            },
            MessageChange::Now => Wish::Hurry { id },
            MessageChange::Retry => Wish::Retry { id },
        };
        self.one(wish).await
    }

    /// Takes a message back.
    pub async fn withdraw(&self, id: &str) -> Result<MessageView, Error> {
        self.one(Wish::Withdraw { id: id.to_owned() }).await
    }

    /// What is too long to be typed becomes a file.
    async fn typable(&self, text: String) -> Result<String, Error> {
        if text.len() <= MOST_TYPED {
            return Ok(text);
        }
        if text.len() > MOST {
            let most = MOST >> 20;
            return Err(
                Error::usage(format!("the message is longer than {most} MiB"))
                    .hint("put it into a file, and tell the agent its name"),
            );
        }
        let bytes = futures_util::stream::once(std::future::ready(Ok(text.into())));
        let file = uploads::take(&self.paths.uploads(), "message.txt", Box::pin(bytes)).await?;
        Ok(format!(
            "My message is too long to be typed. It is in the file {}: read all of it and take it as my message.",
            file.path
        ))
    }

    fn takes_messages(&self) -> Result<(), Error> {
        let shown = self.view.borrow();
        let view = &shown.view;
        if view.mode == Mode::Print {
            return Err(Error::conflict(format!(
                "session {} takes no messages: it has no terminal to type into",
                view.name
            ))
            .hint("create a new session with the text as its prompt"));
        }
        match view.state {
            State::Running | State::Starting | State::Creating | State::Unknown { .. } => Ok(()),
            _ => Err(
                Error::conflict(format!("session {} does not run", view.name))
                    .hint(format!("`clauderon start {}` starts it", view.name)),
            ),
        }
    }

    async fn one(&self, wish: Wish) -> Result<MessageView, Error> {
        let view = self.ask(wish).await?;
        view.ok_or_else(|| Error::not_found("there is no such message"))
    }

    async fn ask(&self, wish: Wish) -> Result<Option<MessageView>, Error> {
        let gone = || Error::not_found("the session is gone");
        let (done, answer) = oneshot::channel();
        let order = Order { wish, done };
        self.orders.send(order).await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }
}

/// Takes a name that a sender chose.
fn named(id: String) -> Result<String, Error> {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || letter == '-';
    match !id.is_empty() && id.len() <= NAME && id.chars().all(plain) {
        true => Ok(id),
        false => Err(Error::usage(format!(
            "a message's name has up to {NAME} letters, digits and dashes"
        ))),
    }
}

fn random_name() -> Result<String, Error> {
    let mut bytes = [0; 10];
    getrandom::fill(&mut bytes)
        .map_err(|error| Error::failed(format!("no random bytes: {error}")))?;
    Ok(SessionId::from_random(bytes).to_string())
}
