//! Reads an agent's transcripts as they grow. They lie in a home that the agent writes to, so everything is opened beneath it
//! without following a link.

use std::collections::BTreeMap;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::PathBuf;

use clauderon_session::Agent;
use clauderon_transcript::{Observation, claude, codex};
use clauderon_workspace::{Files, Kind};

/// How many folders deep transcripts lie at most.
const DEEPEST: usize = 5;
/// Most files that are read.
const MOST_FILES: usize = 500;
/// How much is read at once.
const PIECE: usize = 256 << 10;

/// How much earlier than a file was read a line of it may be that was not there then: an agent may keep what it writes for a
/// moment. A line that says to be older was written by a clock that is wrong.
const KEPT_MS: u64 = 10_000;

/// The transcripts of one session.
pub struct Tail {
    agent: Agent,
    home: PathBuf,
    files: BTreeMap<String, Followed>,
}

/// One file, as far as it was read.
struct Followed {
    inode: u64,
    offset: u64,
    /// When it was read to its end, in milliseconds since 1970.
    read_ms: Option<u64>,
    reader: Reader,
}

enum Reader {
    Claude(Box<claude::Reader>),
    Codex(Box<codex::Reader>),
}

/// What was read.
#[derive(Default)]
pub struct News {
    /// Whether a file was replaced, so that it was read again from its start.
    pub again: bool,
    /// What was told, in the order of each file.
    pub told: Vec<Observation>,
}

impl Tail {
    pub fn new(agent: Agent, home: PathBuf) -> Self {
        Self {
            agent,
            home,
            files: BTreeMap::new(),
        }
    }

    /// Reads what is new at `now_ms`, in milliseconds since 1970. Blocks on the disk alone.
    pub fn read(&mut self, now_ms: u64) -> News {
        let mut news = News::default();
        // A home without them is one of an agent that has said nothing yet.
        let Ok(files) = Files::beneath(&self.home) else {
            return news;
        };
        let mut found = Vec::new();
        let folder = match self.agent {
            Agent::Claude => ".claude/projects",
            Agent::Codex => ".codex/sessions",
        };
        list(&files, folder, DEEPEST, &mut found);
        for path in found {
            self.read_file(&files, path, now_ms, &mut news);
        }
        news
    }

    fn read_file(&mut self, files: &Files, path: String, now_ms: u64, news: &mut News) {
        let Ok(raw) = files.raw(&path) else { return };
        let Ok(metadata) = raw.file.metadata() else {
            return;
        };
        let (inode, length) = (metadata.ino(), metadata.len());
        let agent = self.agent;
        let followed = self
            .files
            .entry(path)
            .or_insert_with(|| Followed::new(agent, inode));
        if followed.inode != inode || length < followed.offset {
            *followed = Followed::new(agent, inode);
            news.again = true;
        }
        let mut piece = vec![0; PIECE];
        while let Ok(count @ 1..) = raw.file.read_at(&mut piece, followed.offset) {
            followed.offset += count as u64;
            let told = followed.reader.push(&piece[..count]);
            let read_ms = followed.read_ms;
            news.told
                .extend(told.into_iter().map(|one| not_before(one, read_ms)));
        }
        followed.read_ms = Some(now_ms);
    }
}

impl Followed {
    fn new(agent: Agent, inode: u64) -> Self {
        let reader = match agent {
            Agent::Claude => Reader::Claude(Box::default()),
            Agent::Codex => Reader::Codex(Box::default()),
        };
        Self {
            inode,
            offset: 0,
            read_ms: None,
            reader,
        }
    }
}

/// Puts what cannot be as old as it says at the time of the reading before.
fn not_before(observation: Observation, read_ms: Option<u64>) -> Observation {
    let Observation::Told(mut told) = observation else {
        return observation;
    };
    if let (Some(at), Some(read)) = (told.at_ms, read_ms)
        && at.saturating_add(KEPT_MS) < read
    {
        told.at_ms = Some(read);
    }
    Observation::Told(told)
}

impl Reader {
    fn push(&mut self, bytes: &[u8]) -> Vec<Observation> {
        match self {
            Self::Claude(reader) => reader.push(bytes),
            Self::Codex(reader) => reader.push(bytes),
        }
    }
}

/// Lists the transcripts below a folder, each folder's own files before those deeper.
fn list(files: &Files, folder: &str, depth: usize, found: &mut Vec<String>) {
    let Ok(listed) = files.folder(folder) else {
        return;
    };
    let path = |name: &str| format!("{folder}/{name}");
    for entry in listed.entries.iter().filter(|one| one.kind == Kind::File) {
        if entry.name.ends_with(".jsonl") && found.len() < MOST_FILES {
            found.push(path(&entry.name));
        }
    }
    if depth == 0 {
        return;
    }
    for entry in listed.entries.iter().filter(|one| one.kind == Kind::Folder) {
        list(files, &path(&entry.name), depth - 1, found);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clauderon_transcript::{Said, Told};

    #[test]
    fn a_line_of_a_clock_that_is_wrong_is_not_older_than_the_reading_before() {
        let check = |at_ms: u64, read_ms: Option<u64>, expected: u64| {
            let told = Observation::Told(Told {
                at_ms: Some(at_ms),
                ..Told::by_terminal(Said::Waiting)
            });
            let Observation::Told(told) = not_before(told, read_ms) else {
                panic!("it is still told");
            };
            assert_eq!(told.at_ms, Some(expected));
        };
        check(1_000, None, 1_000);
        check(100_000, Some(99_000), 100_000);
        check(95_000, Some(99_000), 95_000);
        check(1_000, Some(99_000), 99_000);
    }
}
