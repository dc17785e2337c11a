//! What became of each file since the base commit, for the marks in a list of files.

use crate::diff::LIMIT;
use crate::inside::{Exchange, Job, Sandboxes};
use crate::{Error, Workspace};

/// Most bytes of the marks with their paths.
const MOST_MARKS: usize = 4 << 20;

/// A changed file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marked {
    /// Its path, or its former one where it is gone.
    pub path: String,
    /// What became of it.
    pub mark: Mark,
}

/// What became of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// It is new, committed or not.
    Added,
    /// Its content or its kind differs.
    Modified,
    /// It is gone.
    Deleted,
    /// It has another path.
    Renamed,
}

/// Marks the changed files in a throw-away sandbox, whether the session runs or not.
pub async fn status(
    sandboxes: &Sandboxes<'_>,
    workspace: &Workspace,
) -> Result<Vec<Marked>, Error> {
    let exchange = Exchange::make(workspace, sandboxes.user)?;
    let job = Job {
        doing: "see which files changed",
        script: concat!(
            include_str!("inside/snapshot.sh"),
            include_str!("inside/compare.sh"),
            include_str!("inside/status.sh")
        ),
        mounts: exchange.mounts(workspace),
        env: vec![
            ("BASE", workspace.base.clone()),
            ("MOST_MARKS", MOST_MARKS.to_string()),
        ],
        session_dir: Some(workspace.session_dir.clone()),
        limit: LIMIT,
        max_output: MOST_MARKS + 4096,
    };
    Ok(parse(&sandboxes.run(job).await?))
}

/// Reads `letter NUL path NUL`, or for a moved file `R number NUL from NUL to NUL`. A last one that was cut is left out.
fn parse(printed: &[u8]) -> Vec<Marked> {
    let text = String::from_utf8_lossy(printed);
    let whole = text.rfind('\0').map_or("", |end| &text[..end]);
    let mut parts = whole.split('\0');
    let mut files = Vec::new();
    while let (Some(letter), Some(path)) = (parts.next(), parts.next()) {
        let (mark, path) = match letter.as_bytes().first() {
            Some(b'A') => (Mark::Added, path),
            Some(b'D') => (Mark::Deleted, path),
            Some(b'R') => match parts.next() {
                Some(to) => (Mark::Renamed, to),
                None => break,
            },
            _ => (Mark::Modified, path),
        };
        files.push(Marked {
            path: path.to_owned(),
            mark,
        });
    }
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_marks_and_leaves_out_a_cut_one() {
        let check = |printed: &[u8], expected: &[(&str, Mark)]| {
            let read = parse(printed);
            let read: Vec<_> = read
                .iter()
                .map(|one| (one.path.as_str(), one.mark))
                .collect();
            assert_eq!(read, expected);
        };
        check(b"", &[]);
        check(
            b"A\0new\0M\0a b\0D\0gone\0T\0kind\0R093\0old\0moved\0",
            &[
                ("new", Mark::Added),
                ("a b", Mark::Modified),
                ("gone", Mark::Deleted),
                ("kind", Mark::Modified),
                ("moved", Mark::Renamed),
            ],
        );
        check(b"A\0new\0M\0cu", &[("new", Mark::Added)]);
        check(b"A\0new\0R100\0old\0mo", &[("new", Mark::Added)]);
    }
}
