//! Text for an agent, typed into its terminal as one paste: whatever it holds, it cannot end the paste early, press a
//! key or steer the terminal.

use std::io;
use std::time::Duration;

use clauderon_session::delivery::clean;
use clauderon_terminal::{Console, ConsoleEvent, ConsoleInput};
use tokio::time::timeout;

use super::shown::Shown;

/// Most bytes of one text: what reaches the terminal in one piece, so that nobody else's keys come between.
pub const MOST: usize = 60 << 10;
/// How long an agent may take to show a paste; one that shows a dialog never does.
const SHOWN: Duration = Duration::from_secs(10);
/// How long it may go on drawing then; one that works never stops.
const DRAWN: Duration = Duration::from_secs(1);
/// How long it is silent when it has drawn.
const SILENT: Duration = Duration::from_millis(300);
/// How long an agent may take to take keys.
const TAKEN: Duration = Duration::from_secs(10);

/// Whether Enter follows a text.
pub enum Enter<'a> {
    /// It does.
    Pressed,
    /// It does, unless this is so when the text is there.
    Unless(&'a (dyn Fn() -> bool + Sync)),
    /// It does not.
    Left,
}

/// Types the text, and Enter where it is to be sent; says whether it was pressed.
pub async fn type_text(
    console: (Console, ConsoleInput),
    text: &str,
    enter: Enter<'_>,
) -> io::Result<bool> {
    let (mut screen, mut keys) = console;
    let sends = !matches!(enter, Enter::Left);
    if let Some(paste) = paste(text) {
        press(&mut keys, paste.as_bytes()).await?;
        if sends {
            until_shown(&mut screen, text).await;
        }
    }
    if let Enter::Unless(hindered) = enter
        && hindered()
    {
        return Ok(false);
    }
    if sends {
        press(&mut keys, b"\r").await?;
    }
    Ok(sends)
}

async fn press(keys: &mut ConsoleInput, bytes: &[u8]) -> io::Result<()> {
    match timeout(TAKEN, keys.write(bytes)).await {
        Ok(written) => written,
        Err(_) => Err(io::ErrorKind::TimedOut.into()),
    }
}

/// Waits until the agent has drawn the paste: both agents take an Enter that comes before for a part of the text.
async fn until_shown(screen: &mut Console, text: &str) {
    let mut shown = Shown::new(&clean(text));
    let drawn = async {
        while let Some(event) = screen.next().await {
            if matches!(event, ConsoleEvent::Output { bytes, .. } if shown.draw(&bytes)) {
                return;
            }
        }
    };
    if timeout(SHOWN, drawn).await.is_err() {
        return;
    }
    let silence = async { while let Ok(Some(_)) = timeout(SILENT, screen.next()).await {} };
    // One that still draws has shown the paste all the same.
    let _ = timeout(DRAWN, silence).await;
}

/// Makes one bracketed paste; none of a text that has nothing to show.
fn paste(text: &str) -> Option<String> {
    // Without its control characters an end of the paste within the text is only text.
    let text = clean(text);
    (!text.is_empty()).then(|| format!("\x1b[200~{text}\x1b[201~"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_one_paste_whatever_it_holds() {
        let check = |text: &str, inner: &str| {
            let pasted = paste(text).unwrap_or_default();
            let expected = format!("\x1b[200~{inner}\x1b[201~");
            assert_eq!(pasted, expected, "{text:?}");
        };
        check("hello\n\tthere é 😀", "hello\n\tthere é 😀");
        check("a\r\nb\rc", "a\nb\nc");
        check("x\x1b[201~\rrm -rf /\r", "x[201~\nrm -rf /\n");
        check("x\x1b\x1b[201~[201~", "x[201~[201~");
        check("x\u{9b}201~y", "x201~y");
        check("\x03\x04\x1a\0\x7fok", "ok");
        assert_eq!(paste(""), None);
        assert_eq!(paste("\x1b\x03"), None);
    }
}
