//! What an agent says of itself in its terminal output: its title, and its state.
//!
//! Both are the agent's claims, cleaned and bounded: something to show, never something to grant by.

use crate::filter::parser::{End, Parser, Sink};
use crate::filter::rules::{clean_title, split_osc};

/// Letters of a state; the longest known is `working`.
const STATE_LIMIT: usize = 32;

/// Something that the agent said of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TitleEvent {
    /// The title changed to this. Claude Code puts its state in front: `✳` waiting, `⠂` or `⠐` working.
    Title(String),
    /// The state changed to this word, as Codex tells it: `idle`, `working`, `done`, `clear`.
    AgentState(String),
}

/// Finds titles and states in terminal output, whichever way it was cut into pieces.
#[derive(Debug, Default)]
pub struct TitleWatcher {
    parser: Parser,
    title: Option<String>,
    state: Option<String>,
}

impl TitleWatcher {
    /// Makes a watcher of output from its start, or from anywhere within it.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns what `bytes` changed, in order. What is said again is no change.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<TitleEvent> {
        let mut claims = Claims {
            title: &mut self.title,
            state: &mut self.state,
            events: Vec::new(),
        };
        self.parser.push(bytes, &mut claims);
        claims.events
    }
}

struct Claims<'a> {
    title: &'a mut Option<String>,
    state: &'a mut Option<String>,
    events: Vec<TitleEvent>,
}

impl Sink for Claims<'_> {
    fn osc(&mut self, body: &[u8], _end: End) {
        match split_osc(body) {
            (Some(0 | 2), Some(text)) => {
                let title = clean_title(text);
                if self.title.as_ref() != Some(&title) {
                    *self.title = Some(title.clone());
                    self.events.push(TitleEvent::Title(title));
                }
            }
            (Some(7501), Some(pairs)) => {
                if let Some(state) = find_state(pairs)
                    && self.state.as_ref() != Some(&state)
                {
                    *self.state = Some(state.clone());
                    self.events.push(TitleEvent::AgentState(state));
                }
            }
            _ => {}
        }
    }
}

/// Finds the word after `state=`; pairs are parted by semicolons or colons.
fn find_state(pairs: &[u8]) -> Option<String> {
    let word = pairs
        .split(|&byte| byte == b';' || byte == b':')
        .find_map(|pair| pair.strip_prefix(b"state="))?;
    let is_word = !word.is_empty()
        && word.len() <= STATE_LIMIT
        && word
            .iter()
            .all(|byte| byte.is_ascii_lowercase() || matches!(byte, b'-' | b'_'));
    is_word.then(|| word.iter().copied().map(char::from).collect())
}
