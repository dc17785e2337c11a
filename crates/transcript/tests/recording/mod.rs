//! Reads the recordings in `tests/samples`: real sessions of the real agents against the scripted upstream, each source in a
//! file of its own, with the times at which things happened.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, dead_code)]

use std::path::PathBuf;

use clauderon_transcript::tap::TapEvent;
use clauderon_transcript::{
    Conversation, Observation, Said, Told, anthropic, claude, codex, hooks, openai,
};
use serde_json::Value;

/// One recorded session: a folder with what each source told.
pub struct Recording {
    folder: PathBuf,
    pub name: String,
}

/// An observation and when it arrives.
pub type Timed = (u64, Observation);

/// The names of all recordings.
pub fn names() -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(samples())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn samples() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/samples")
}

impl Recording {
    pub fn open(name: &str) -> Self {
        Self {
            folder: samples().join(name),
            name: name.to_owned(),
        }
    }

    pub fn is_codex(&self) -> bool {
        self.name.starts_with("codex")
    }

    /// The bytes of each transcript file.
    pub fn files(&self) -> Vec<Vec<u8>> {
        let mut files: Vec<PathBuf> = std::fs::read_dir(&self.folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| {
                let name = path.file_name().unwrap().to_string_lossy().into_owned();
                name.ends_with(".jsonl") && (name.starts_with("main") || name.starts_with("agent"))
            })
            .collect();
        files.sort();
        files
            .iter()
            .map(|path| std::fs::read(path).unwrap())
            .collect()
    }

    /// What a transcript file tells.
    pub fn read(&self, bytes: &[u8]) -> Vec<Observation> {
        match self.is_codex() {
            true => codex::Reader::new().push(bytes),
            false => claude::Reader::new().push(bytes),
        }
    }

    /// What each transcript file tells, each line a moment after it was written.
    pub fn transcripts(&self) -> Vec<Vec<Timed>> {
        let files = self.files();
        let told = files.iter().map(|bytes| self.read(bytes));
        told.map(|told| {
            let first = told.iter().find_map(|one| match one {
                Observation::Told(told) => told.at_ms,
                Observation::Tap { .. } => None,
            });
            let mut last = first.unwrap_or(0);
            let timed = told.into_iter().map(|one| {
                if let Observation::Told(Told {
                    at_ms: Some(at_ms), ..
                }) = &one
                {
                    last = last.max(at_ms + 50);
                }
                (last, one)
            });
            timed.collect()
        })
        .collect()
    }

    fn lines(&self, file: &str) -> Vec<Value> {
        let text = std::fs::read_to_string(self.folder.join(file)).unwrap_or_default();
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    /// What the hooks tell.
    pub fn hooks(&self) -> Vec<Timed> {
        let mut reports = hooks::Reports::new();
        let mut told = Vec::new();
        for line in self.lines("hooks.jsonl") {
            let Some(at_ms) = line["at_ms"].as_u64() else {
                continue;
            };
            let heard = reports.hook(line["hook"].to_string().as_bytes());
            told.extend(heard.into_iter().map(|one| (at_ms, one)));
        }
        assert_eq!(reports.unknown(), 0, "{}", self.name);
        told
    }

    /// What the terminal tells.
    pub fn terminal(&self) -> Vec<Timed> {
        let lines = self.lines("terminal.jsonl").into_iter();
        lines
            .map(|line| {
                let said = match line["says"] == "working" {
                    true => Said::Working { on: None },
                    false => Said::Waiting,
                };
                (
                    line["at_ms"].as_u64().unwrap(),
                    Observation::Told(Told::by_terminal(said)),
                )
            })
            .collect()
    }

    /// What the proxy saw pass.
    pub fn tap(&self) -> Vec<Timed> {
        let mut told: Vec<Timed> = self
            .exchanges()
            .iter()
            .flat_map(|exchange| self.passed(exchange))
            .collect();
        told.sort_by_key(|(at, _)| *at);
        told
    }

    pub fn exchanges(&self) -> Vec<Value> {
        self.lines("tap.jsonl")
    }

    fn passed(&self, exchange: &Value) -> Vec<Timed> {
        let at = |value: &Value| value.as_u64().unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let request = exchange["link"].as_str().unwrap();
        let body = exchange["body"].to_string();
        let status = u16::try_from(at(&exchange["status"])).unwrap();
        let kind = text(&exchange["answer"]["content-type"]);
        let mut events: Vec<(u64, Vec<TapEvent>)> = Vec::new();
        let header = |name: &str| exchange["headers"][name].as_str();
        let answered = |name: &str| exchange["answer"][name].as_str();
        let pieces: Vec<(u64, String)> = exchange["pieces"]
            .as_array()
            .unwrap()
            .iter()
            .map(|piece| (at(&piece[0]), text(&piece[1])))
            .collect();
        let started = match self.is_codex() {
            true => openai::request(header, body.as_bytes()),
            false => anthropic::request(header, body.as_bytes()),
        };
        events.push((
            at(&exchange["at_ms"]),
            vec![TapEvent::Started(started.unwrap())],
        ));
        let ended = at(&exchange["ended_ms"]);
        if self.is_codex() {
            let mut stream = openai::Stream::new(status, &kind);
            for (at, piece) in &pieces {
                events.push((*at, stream.push(piece.as_bytes())));
            }
            assert_eq!(stream.skipped(), 0, "{}", self.name);
            events.push((ended, stream.end()));
        } else {
            let limits = anthropic::limits(answered).map(TapEvent::Limits);
            events.push((at(&exchange["at_ms"]), limits.into_iter().collect()));
            let mut stream = anthropic::Stream::new(status, &kind);
            for (at, piece) in &pieces {
                events.push((*at, stream.push(piece.as_bytes())));
            }
            assert_eq!(stream.skipped(), 0, "{}", self.name);
            events.push((ended, stream.end()));
        }
        let timed = events
            .into_iter()
            .flat_map(|(at, events)| events.into_iter().map(move |event| (at, event)));
        timed
            .map(|(at, event)| {
                (
                    at,
                    Observation::Tap {
                        request: request.to_owned(),
                        event,
                    },
                )
            })
            .collect()
    }

    /// Each source by itself, in its own order.
    pub fn sources(&self) -> Vec<Vec<Timed>> {
        let mut sources = self.transcripts();
        sources.extend([self.hooks(), self.terminal(), self.tap()]);
        sources.retain(|source| !source.is_empty());
        sources
    }

    /// Everything in the order in which it happened.
    pub fn all(&self) -> Vec<Timed> {
        let mut all: Vec<Timed> = self.sources().into_iter().flatten().collect();
        all.sort_by_key(|(at, _)| *at);
        all
    }

    /// Compares with a golden file, or writes it.
    pub fn compare(&self, file: &str, shown: &Value) {
        let path = self.folder.join(file);
        let text = serde_json::to_string_pretty(shown).unwrap() + "\n";
        if std::env::var_os("CLAUDERON_BLESS").is_some() {
            std::fs::write(path, text).unwrap();
            return;
        }
        let golden = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            golden == text,
            "{}/{file} is different; with CLAUDERON_BLESS=1 it is written anew",
            self.name
        );
    }
}

/// The conversation that observations make.
pub fn told(all: impl IntoIterator<Item = Timed>) -> Conversation {
    let mut conversation = Conversation::new();
    for (at, one) in all {
        conversation.observe(one, at);
    }
    conversation
}

/// All items.
pub fn items(conversation: &Conversation) -> Value {
    serde_json::to_value(conversation.items(None, usize::MAX)).unwrap()
}
