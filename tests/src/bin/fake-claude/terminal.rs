//! The terminal: titles go out, pastes and Enter come in.

use std::io::{Read as _, Write as _};

use anyhow::Result;
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};

const PASTE: (&str, &str) = ("\x1b[200~", "\x1b[201~");

/// The keyboard.
pub struct Terminal {
    typed: String,
}

impl Terminal {
    /// Takes every key as it comes, and asks for pastes as such.
    pub fn open() -> Result<Self> {
        let mut mode = tcgetattr(std::io::stdin())?;
        mode.make_raw();
        tcsetattr(std::io::stdin(), OptionalActions::Now, &mode)?;
        show("\x1b[?2004h> ")?;
        Ok(Self {
            typed: String::new(),
        })
    }

    /// Waits for a paste and Enter; none at the end.
    pub fn prompt(&mut self) -> Option<String> {
        let mut bytes = [0; 4096];
        loop {
            if let Some((pasted, rest)) = self.pasted() {
                self.typed = rest;
                return Some(pasted);
            }
            let count = std::io::stdin().read(&mut bytes).ok().filter(|&n| n > 0)?;
            self.typed
                .push_str(&String::from_utf8_lossy(&bytes[..count]));
            if self.typed.ends_with(PASTE.1) {
                show("[Pasted text #1]").ok()?;
            }
        }
    }

    /// What was pasted and sent, and what was typed after it.
    fn pasted(&self) -> Option<(String, String)> {
        let (_, rest) = self.typed.split_once(PASTE.0)?;
        let (pasted, rest) = rest.split_once(PASTE.1)?;
        let (_, rest) = rest.split_once('\r')?;
        Some((pasted.to_owned(), rest.to_owned()))
    }
}

/// Draws the title that says whether it works.
pub fn draw(what: &str) -> Result<()> {
    let sign = match what {
        "working" => '⠂',
        _ => '✳',
    };
    show(&format!("\x1b]0;{sign} Claude Code\x07"))
}

fn show(text: &str) -> Result<()> {
    let mut out = std::io::stdout();
    out.write_all(text.as_bytes())?;
    out.flush()?;
    Ok(())
}
