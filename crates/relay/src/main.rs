//! The first process of every sandbox: starts the agent, carries its connections to the session's
//! one stream, forwards signals, reaps children. It must never parse what it carries, know a
//! secret, or use a second thread (a thread a connection fails at the pids limit).

mod agent;
mod arrival;
mod carry;
mod control;
mod options;
mod poll;
mod relay;
mod signals;

use std::io::Write;
use std::process::exit;

/// A failure before the agent runs: one sentence, and the code a shell would exit with.
struct Refusal {
    code: i32,
    sentence: String,
}

impl Refusal {
    fn new(sentence: impl Into<String>) -> Self {
        Self {
            code: 126,
            sentence: sentence.into(),
        }
    }
}

fn main() {
    let options = match options::Options::parse(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(refusal) => fail(&refusal),
    };
    match relay::run(&options) {
        Ok(code) => exit(code),
        Err(refusal) => fail(&refusal),
    }
}

fn fail(refusal: &Refusal) -> ! {
    say(&refusal.sentence);
    exit(refusal.code)
}

/// One line for the person on standard error; nobody is told where it cannot be written.
fn say(sentence: &str) {
    let _ = writeln!(std::io::stderr(), "clauderon-relay: {sentence}");
}
