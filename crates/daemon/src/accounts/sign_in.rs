//! A sign-in on this machine: the agent's own, in a terminal, whose result goes straight into the keychain and is shown to nobody.

mod program;
mod redact;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use clauderon_agents::installed;
use clauderon_api::{ConsoleInput, Error, SignIn, SignInEvent, SignInText};
use clauderon_session::Agent;
use clauderon_vault::{KeychainError, KeychainState, Secret};
use tokio::sync::mpsc;
use zeroize::Zeroizing;

use super::{Places, not_kept};
use crate::clock::now_ms;
use crate::failure;
use program::Program;
use redact::{Redactor, Shown};

/// The one credential that a sign-in gives. Codex keeps a login of several tokens that it renews by itself, which is no single value
/// that a proxy could set; so for Codex a key is pasted.
pub const SIGNS_IN: &str = "anthropic_oauth_token";
/// How long a person may take.
const PATIENCE: Duration = Duration::from_secs(20 * 60);
/// How long the token lasts that `claude setup-token` makes, by its own words: a year.
const LIFE_MS: u64 = 365 * 24 * 60 * 60 * 1000;

/// Begins the sign-in, if there is where to put its result.
pub async fn begin(places: Arc<Places>, home: &Path, name: &str) -> Result<SignIn, Error> {
    if name != SIGNS_IN {
        return Err(Error::usage(format!("There is no sign-in for {name}.")).hint(instead(name)));
    }
    let agent = installed(home, Agent::Claude).ok_or_else(|| {
        Error::conflict("Claude Code, which does the sign-in, is not installed.")
            .hint("`clauderon agents install claude` installs it.")
    })?;
    let looked = Arc::clone(&places);
    let state = tokio::task::spawn_blocking(move || looked.keychain.state()).await;
    let state = state.map_err(|error| failure::anyhow(error.into()))?;
    // Nobody signs in for a token that is then thrown away.
    match state {
        KeychainState::Open(_) => {}
        KeychainState::Locked(hint) => return Err(not_kept(KeychainError::Locked(hint))),
        KeychainState::Absent(hint) => return Err(not_kept(KeychainError::Absent(hint))),
    }
    let program =
        Program::start(&agent.dir.join("claude"), &["setup-token"]).map_err(failure::anyhow)?;
    let (said, events) = mpsc::channel(64);
    let (input, typed) = mpsc::channel(16);
    tokio::spawn(carry(places, program, said, typed));
    Ok(SignIn { events, input })
}

/// Says what to do where there is no sign-in.
fn instead(name: &str) -> String {
    let paste = format!("`clauderon accounts set {name}`");
    if name == "openai_api_key" {
        return format!(
            "A ChatGPT login is several tokens that Codex renews by itself, so none of them can be kept here; paste an API key: {paste}."
        );
    }
    format!("Paste a value instead: {paste}.")
}

/// Carries both ways until there is a token, the program ends, the viewer goes away or nobody does anything.
async fn carry(
    places: Arc<Places>,
    mut program: Program,
    said: mpsc::Sender<SignInEvent>,
    mut typed: mpsc::Receiver<ConsoleInput>,
) {
    let mut redactor = Redactor::default();
    let late = tokio::time::sleep(PATIENCE);
    tokio::pin!(late);
    let end = loop {
        tokio::select! {
            piece = program.output.recv() => {
                let shown = match &piece {
                    Some(piece) => redactor.push(piece),
                    None => redactor.finish(),
                };
                match (show(&said, shown).await, piece) {
                    (Some(token), _) => break Some(keep(places, token).await),
                    (None, None) => break Some(SignInText::Error(
                        Error::failed("The sign-in ended without a token.")
                            .hint("What it printed says why; begin again when you are ready."),
                    )),
                    (None, Some(_)) => {}
                }
            }
            Some(input) = typed.recv() => {
                if let ConsoleInput::Bytes(keys) = input {
                    // A program that has ended takes no more keys; its end is told above.
                    let _ = program.keys.send(keys.to_vec()).await;
                }
            }
            () = said.closed() => break None,
            () = &mut late => {
                break Some(SignInText::Error(Error::failed("Nobody finished the sign-in.")));
            }
        }
    };
    if let Some(end) = end {
        // The viewer may be gone; what is kept is kept.
        let _ = said.send(SignInEvent::Text(end)).await;
    }
    // Ending the program waits for it.
    let _ = tokio::task::spawn_blocking(move || drop(program)).await;
}

/// Passes on what may be seen, and gives the token if it was there.
async fn show(said: &mpsc::Sender<SignInEvent>, shown: Shown) -> Option<Zeroizing<String>> {
    // Sending fails once the viewer is gone, which is noticed where that is waited for.
    if !shown.bytes.is_empty() {
        let _ = said
            .send(SignInEvent::Output(Bytes::from(shown.bytes)))
            .await;
    }
    for url in shown.links {
        let _ = said.send(SignInEvent::Text(SignInText::Link { url })).await;
    }
    shown.token
}

async fn keep(places: Arc<Places>, mut token: Zeroizing<String>) -> SignInText {
    let kept = tokio::task::spawn_blocking(move || {
        let secret = Secret::new(std::mem::take(&mut *token))
            .map_err(|reason| Error::failed(format!("The token cannot be used: {reason}.")))?;
        let copy = Secret::new(secret.expose().to_owned())
            .map_err(|reason| Error::failed(format!("The token cannot be used: {reason}.")))?;
        places.keep_in_keychain(SIGNS_IN, secret)?;
        places
            .seen
            .note(SIGNS_IN, &copy, None, Some(now_ms() + LIFE_MS));
        tracing::info!(credential = SIGNS_IN, "a sign-in was kept in the keychain");
        Ok(())
    });
    match kept.await {
        Ok(Ok(())) => SignInText::Done {
            name: SIGNS_IN.to_owned(),
        },
        Ok(Err(error)) => SignInText::Error(error),
        Err(error) => SignInText::Error(failure::anyhow(error.into())),
    }
}
