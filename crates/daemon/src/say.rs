//! Text for an agent's terminal, typed at once and whatever the agent does; not a message that anybody follows.

use std::time::Duration;

use clauderon_api::{Error, Mode, SayText, State};
use tokio::time::timeout;

use crate::console;
use crate::delivery::{Enter, MOST_TYPED, type_text};
use crate::sessions::Session;

/// How long an agent may take to start.
const READY: Duration = Duration::from_secs(20);
/// How often it is looked at meanwhile.
const LOOK: Duration = Duration::from_millis(50);

/// Types the text, and Enter where it is to be sent.
pub async fn say(session: &Session, say: SayText) -> Result<(), Error> {
    can_type(session)?;
    if say.text.len() > MOST_TYPED {
        let kib = MOST_TYPED >> 10;
        return Err(Error::usage(format!("the text is longer than {kib} KiB"))
            .hint("upload it as a file and name the file"));
    }
    until_ready(session).await;
    let keyboard = session.delivery.keyboard();
    let _hand = keyboard.take().await;
    let console = console::live(&session.paths, session.spec.name.as_str()).await?;
    let enter = match say.send {
        true => Enter::Pressed,
        false => Enter::Left,
    };
    let typed = type_text(console, &say.text, enter).await;
    keyboard.wrote(say.send);
    let name = session.spec.name.as_str();
    typed
        .map(drop)
        .map_err(|_| Error::conflict(format!("session {name} ended")))
}

/// Says whether a session takes text now.
pub fn can_type(session: &Session) -> Result<(), Error> {
    let name = session.spec.name.as_str();
    if session.spec.mode == Mode::Print {
        return Err(
            Error::conflict(format!("session {name} has no terminal to type into"))
                .hint("create a new session with the text as its prompt"),
        );
    }
    match session.view().state {
        State::Running => Ok(()),
        _ => Err(Error::conflict(format!("session {name} does not run"))
            .hint(format!("`clauderon start {name}` starts it"))),
    }
}

/// Waits until an agent that has just started has said in its terminal that it waits or works: what is typed before is lost.
async fn until_ready(session: &Session) {
    let silent = || session.view().state == State::Running && !session.has_spoken();
    let waiting = async {
        while silent() {
            tokio::time::sleep(LOOK).await;
        }
    };
    // One that says nothing of itself takes what is typed all the same.
    let _ = timeout(READY, waiting).await;
}
