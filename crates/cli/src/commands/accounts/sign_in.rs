//! `clauderon accounts sign-in`: shows the page to open and passes on the code that it gives. What else the sign-in draws is for a
//! window; the token goes from the daemon into the keychain and never comes here.

use std::time::Duration;

use clauderon_api::{Error, SignInEvent, SignInText};
use serde_json::json;

use crate::attach::input;
use crate::context::Context;
use crate::output;

/// Between a text and the Enter after it: what comes as one is taken for a paste.
const PAUSE: Duration = Duration::from_millis(400);

/// Signs in, until the credential is kept or it ends otherwise.
pub async fn run(context: &Context, name: &str) -> anyhow::Result<()> {
    let mut sign_in = context.connect().await?.sign_in(name).await?;
    let mut typed = input();
    let mut line = Vec::new();
    loop {
        tokio::select! {
            event = sign_in.next() => match event? {
                Some(SignInEvent::Text(SignInText::Link { url })) => {
                    output::note(&format!("Open this page in your browser:\n\n{}\n\nThen paste the code that it shows, and press Enter.", output::escape(&url)));
                }
                Some(SignInEvent::Text(SignInText::Done { name })) => {
                    return context.print(&json!({ "name": name }), |_| {
                        format!("Signed in; {name} is in the keychain.")
                    });
                }
                Some(SignInEvent::Text(SignInText::Error(error))) => return Err(error.into()),
                Some(SignInEvent::Output(_)) => {}
                None => return Err(Error::failed("The sign-in ended.").into()),
            },
            Some(keys) = typed.recv() => {
                line.extend_from_slice(&keys);
                while let Some(end) = line.iter().position(|byte| *byte == b'\n') {
                    let code: Vec<u8> = line.drain(..=end).filter(|byte| !byte.is_ascii_whitespace()).collect();
                    sign_in.type_bytes(code).await?;
                    tokio::time::sleep(PAUSE).await;
                    sign_in.type_bytes("\r").await?;
                }
            }
        }
    }
}
