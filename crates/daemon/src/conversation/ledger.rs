//! What the model's service was asked and what it counted, kept where the agent cannot reach: the one part of a conversation
//! that no transcript can bring back.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use clauderon_transcript::tap::{Request, TapEvent, Usage};
use serde::{Deserialize, Serialize};

/// A line of the ledger.
#[derive(Serialize, Deserialize)]
pub struct Entry {
    /// Milliseconds since 1970.
    pub at_ms: u64,
    /// The exchange.
    pub request: String,
    /// What passed.
    pub event: TapEvent,
    /// With the end of an answer that the service did not count: what it was taken to have used of the budget.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guessed: Option<Usage>,
}

/// The ledger of one session.
pub struct Ledger {
    path: PathBuf,
    file: Option<File>,
}

impl Ledger {
    pub fn new(private: &Path) -> Self {
        Self {
            path: private.join("usage.jsonl"),
            file: None,
        }
    }

    /// Reads it from its start. The beginning of a line that a power cut has torn is taken off; any other line that cannot be
    /// read is an error, and so is a file that cannot: what can be read is given all the same.
    pub fn read(&self) -> (Vec<Entry>, Option<io::Error>) {
        let text = match std::fs::read(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return (Vec::new(), None),
            Err(error) => return (Vec::new(), Some(error)),
        };
        let whole = text
            .iter()
            .rposition(|&byte| byte == b'\n')
            .map_or(0, |end| end + 1);
        let mut fault = match whole < text.len() {
            true => self.cut(whole as u64).err(),
            false => None,
        };
        let lines = text[..whole]
            .split(|&byte| byte == b'\n')
            .filter(|line| !line.is_empty());
        let mut entries = Vec::new();
        for line in lines {
            match serde_json::from_slice(line) {
                Ok(entry) => entries.push(entry),
                Err(error) => {
                    fault.get_or_insert_with(|| error.into());
                }
            }
        }
        (entries, fault)
    }

    fn cut(&self, length: u64) -> io::Result<()> {
        OpenOptions::new()
            .write(true)
            .open(&self.path)?
            .set_len(length)
    }

    /// Writes down what counts, without a word of the conversation.
    ///
    /// # Errors
    /// It could not be written; the next daemon would not know of it.
    pub fn keep(
        &mut self,
        at_ms: u64,
        request: &str,
        event: &TapEvent,
        guessed: Option<Usage>,
    ) -> io::Result<()> {
        let event = match event {
            TapEvent::Started(asked) => TapEvent::Started(Request {
                prompt: None,
                results: Vec::new(),
                ..asked.clone()
            }),
            TapEvent::Message { .. } | TapEvent::Finished { .. } => event.clone(),
            TapEvent::Ended if guessed.is_some() => TapEvent::Ended,
            _ => return Ok(()),
        };
        let entry = Entry {
            at_ms,
            request: request.to_owned(),
            event,
            guessed,
        };
        self.write(&entry).inspect_err(|error| {
            tracing::warn!(%error, path = %self.path.display(), "what was used is not written down");
        })
    }

    fn write(&mut self, entry: &Entry) -> io::Result<()> {
        let mut line = serde_json::to_vec(entry)?;
        line.push(b'\n');
        if self.file.is_none() {
            let file = OpenOptions::new()
                .create(true)
                .append(true)
                .mode(0o600)
                .open(&self.path)?;
            self.file = Some(file);
        }
        match &mut self.file {
            Some(file) => file.write_all(&line),
            None => Ok(()),
        }
    }
}
