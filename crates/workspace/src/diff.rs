//! What a session has changed: committed, uncommitted and untracked, against the commit from which it started.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::inside::{Exchange, Job, Sandboxes};
use crate::risky::{self, Risky};
use crate::{Error, Workspace};

/// Most bytes of a patch.
const MOST_PATCH: usize = 16 << 20;
/// Most bytes of the files' numbers.
const MOST_NUMBERS: usize = 4 << 20;
/// How long looking may take.
pub(crate) const LIMIT: Duration = Duration::from_secs(10);

/// A session's changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diff {
    /// The commit against which it is taken.
    pub base: String,
    /// The session's current commit.
    pub head: String,
    /// How many commits it has made.
    pub commits: u64,
    /// The changed files.
    pub files: Vec<Changed>,
    /// Those of them that act by themselves once they are merged.
    pub risky: Vec<Risky>,
    /// The patch; text of the agent's making, to be filtered before a terminal sees it.
    pub patch: String,
    /// Whether the patch was cut at its limit.
    pub cut: bool,
    /// Sentences about what is missing here.
    pub notes: Vec<String>,
}

/// One changed file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changed {
    /// Its path.
    pub path: String,
    /// Its former path, where it was moved.
    pub from: Option<String>,
    /// Lines added; none for a binary file.
    pub added: Option<u64>,
    /// Lines removed; none for a binary file.
    pub removed: Option<u64>,
}

/// Compares the workspace with its base in a throw-away sandbox, whether the session runs or not.
pub async fn diff(sandboxes: &Sandboxes<'_>, workspace: &Workspace) -> Result<Diff, Error> {
    let exchange = Exchange::make(workspace, sandboxes.user)?;
    let job = Job {
        doing: "compare the session's files",
        script: concat!(
            include_str!("inside/snapshot.sh"),
            include_str!("inside/compare.sh"),
            include_str!("inside/diff.sh")
        ),
        mounts: exchange.mounts(workspace),
        env: vec![
            ("BASE", workspace.base.clone()),
            ("MOST_PATCH", (MOST_PATCH + 1).to_string()),
            ("MOST_NUMBERS", MOST_NUMBERS.to_string()),
        ],
        session_dir: Some(workspace.session_dir.clone()),
        limit: LIMIT,
        max_output: MOST_PATCH + MOST_NUMBERS + 4096,
    };
    let printed = sandboxes.run(job).await?;
    let not_understood = || Error::BadWork("its comparison was not understood".into());
    parse(&workspace.base, &printed).ok_or_else(not_understood)
}

fn parse(base: &str, printed: &[u8]) -> Option<Diff> {
    let end = printed.iter().position(|byte| *byte == b'\n')?;
    let line = std::str::from_utf8(&printed[..end]).ok()?;
    let [head, commits, flags, numbers, modes] = line.split(' ').collect::<Vec<_>>()[..] else {
        return None;
    };
    let rest = &printed[end + 1..];
    let (numbers, rest) = rest.split_at_checked(numbers.parse().ok()?)?;
    let (modes, patch) = rest.split_at_checked(modes.parse().ok()?)?;
    let cut = patch.len() > MOST_PATCH;
    let patch = &patch[..patch.len().min(MOST_PATCH)];
    Some(Diff {
        base: base.to_owned(),
        head: head.to_owned(),
        commits: commits.parse().ok()?,
        files: files(numbers),
        risky: risky::among(&risky::changed(modes)),
        patch: String::from_utf8_lossy(patch).into_owned(),
        cut,
        notes: notes(flags, cut),
    })
}

/// Reads `added TAB removed TAB path NUL`, or for a moved file `added TAB removed TAB NUL from NUL to NUL`.
fn files(numbers: &[u8]) -> Vec<Changed> {
    let text = String::from_utf8_lossy(numbers);
    let mut parts = text.split('\0');
    let mut files = Vec::new();
    while let Some(part) = parts.next().filter(|part| !part.is_empty()) {
        let [added, removed, path] = part.splitn(3, '\t').collect::<Vec<_>>()[..] else {
            break;
        };
        let moved = path.is_empty().then(|| (parts.next(), parts.next()));
        let (from, path) = match moved {
            Some((Some(from), Some(to))) => (Some(from.to_owned()), to),
            Some(_) => break,
            None => (None, path),
        };
        let (added, removed) = (added.parse().ok(), removed.parse().ok());
        files.push(Changed {
            path: path.to_owned(),
            from,
            added,
            removed,
        });
    }
    files
}

/// Says in sentences what a snapshot could not take.
pub(crate) fn notes(flags: &str, cut: bool) -> Vec<String> {
    let mut notes = Vec::new();
    let mut say = |told: bool, text: &str| {
        if told {
            notes.push(text.to_owned());
        }
    };
    let has = |flag: &str| flags.split(',').any(|word| word == flag);
    say(
        has("unreadable"),
        "The workspace's git folder cannot be read; commits made there are missing, files are not.",
    );
    say(
        has("skipped"),
        "Some files could not be read and are missing.",
    );
    say(
        has("nested"),
        "Repositories inside the workspace (new ones or submodules) were changed; their own files and commits stay there.",
    );
    say(has("many"), "Too many files changed to list them.");
    say(cut, "The patch is longer than 16 MiB and was cut.");
    notes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_numbers_of_moved_and_binary_files() {
        let numbers = b"1\t2\ta b\0-\t-\tpicture\x003\t0\t\0old\0new\0";
        let read = files(numbers);
        assert_eq!(read.len(), 3);
        assert_eq!(
            (read[0].path.as_str(), read[0].added, read[0].removed),
            ("a b", Some(1), Some(2))
        );
        assert_eq!((read[1].path.as_str(), read[1].added), ("picture", None));
        assert_eq!(
            (read[2].from.as_deref(), read[2].path.as_str()),
            (Some("old"), "new")
        );
    }
}
