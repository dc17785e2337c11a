//! Reads a secret value: unseen from a terminal, else all of standard input.

use std::io::{self, BufRead as _, IsTerminal as _, Read as _};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

use crate::output;

/// The longest value that is read, in bytes.
const LONGEST: u64 = 64 * 1024;

/// Reads the value of a credential.
pub fn read(name: &str) -> io::Result<String> {
    // With room from the start the string never moves, so that no copy is left behind.
    let mut value = String::with_capacity(LONGEST as usize);
    let stdin = io::stdin();
    if stdin.is_terminal() {
        let _hidden = Hidden::enter()?;
        output::note(&format!("Value of {name} (not shown; then Enter):"));
        stdin.lock().take(LONGEST).read_line(&mut value)?;
    } else {
        stdin.lock().take(LONGEST).read_to_string(&mut value)?;
    }
    Ok(value)
}

/// Typing that is not shown, until it is dropped.
struct Hidden {
    before: Termios,
}

impl Hidden {
    fn enter() -> io::Result<Self> {
        let before = tcgetattr(io::stdin())?;
        let mut hidden = before.clone();
        hidden.local_modes.remove(LocalModes::ECHO);
        // What was typed ahead is thrown away: it would have been shown.
        tcsetattr(io::stdin(), OptionalActions::Flush, &hidden)?;
        Ok(Self { before })
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        // The terminal may be gone; then there is nothing to put back.
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &self.before);
    }
}
