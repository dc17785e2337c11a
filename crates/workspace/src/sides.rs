//! One changed file before and now, for a reader who wants both side by side.

use crate::diff::LIMIT;
use crate::files::path::WorkPath;
use crate::files::{MOST_TEXT, text};
use crate::inside::{Exchange, Job, Sandboxes};
use crate::{Error, Workspace};

/// Both sides of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sides {
    /// Its text at the base; none where it did not exist or cannot be shown.
    pub before: Option<String>,
    /// Its text now; none where it is gone or cannot be shown.
    pub now: Option<String>,
    /// Whether a side is there and cannot be shown: no text, or longer than [`MOST_TEXT`].
    pub left_out: bool,
}

/// Reads both sides in a throw-away sandbox, whether the session runs or not. A moved file is found by its new path.
pub async fn sides(
    sandboxes: &Sandboxes<'_>,
    workspace: &Workspace,
    path: &str,
) -> Result<Sides, Error> {
    if WorkPath::parse(path)?.names().is_empty() {
        return Err(Error::NotAFile(path.to_owned()));
    }
    let exchange = Exchange::make(workspace, sandboxes.user)?;
    let job = Job {
        doing: "compare the file",
        script: concat!(
            include_str!("inside/snapshot.sh"),
            include_str!("inside/compare.sh"),
            include_str!("inside/sides.sh")
        ),
        mounts: exchange.mounts(workspace),
        env: vec![
            ("BASE", workspace.base.clone()),
            ("WANTED", path.to_owned()),
            ("LISTED", as_listed(path)),
            ("MOST", MOST_TEXT.to_string()),
        ],
        session_dir: Some(workspace.session_dir.clone()),
        limit: LIMIT,
        max_output: 2 * MOST_TEXT + 4096,
    };
    let printed = sandboxes.run(job).await?;
    match parse(&printed) {
        Some(Printed::Nothing) => Err(Error::NotThere(path.to_owned())),
        Some(Printed::Sides(sides)) => Ok(sides),
        None => Err(Error::BadWork("its comparison was not understood".into())),
    }
}

enum Printed {
    Nothing,
    Sides(Sides),
}

fn parse(printed: &[u8]) -> Option<Printed> {
    let end = printed.iter().position(|byte| *byte == b'\n')?;
    let line = std::str::from_utf8(&printed[..end]).ok()?;
    let (before, now) = line.split_once(' ')?;
    if (before, now) == ("-", "-") {
        return Some(Printed::Nothing);
    }
    let rest = &printed[end + 1..];
    let mut left_out = false;
    let (before, rest) = side(before, rest, &mut left_out)?;
    let (now, _) = side(now, rest, &mut left_out)?;
    Some(Printed::Sides(Sides {
        before,
        now,
        left_out,
    }))
}

/// Takes one side off the front of what was printed.
fn side<'a>(
    size: &str,
    printed: &'a [u8],
    left_out: &mut bool,
) -> Option<(Option<String>, &'a [u8])> {
    if size == "-" {
        return Some((None, printed));
    }
    let size: usize = size.parse().ok()?;
    if size > MOST_TEXT {
        *left_out = true;
        return Some((None, printed));
    }
    let (bytes, rest) = printed.split_at_checked(size)?;
    let shown = text(bytes.to_vec(), false);
    *left_out |= shown.is_none();
    Some((shown, rest))
}

/// Writes a path as git does in a list: in quotes where it has quotes, backslashes or control characters.
fn as_listed(path: &str) -> String {
    let special = |byte: u8| byte < b' ' || matches!(byte, b'"' | b'\\' | 0x7f);
    if !path.bytes().any(special) {
        return path.to_owned();
    }
    let quoted: String = path
        .chars()
        .map(|character| match character {
            '\x07' => r"\a".to_owned(),
            '\x08' => r"\b".to_owned(),
            '\t' => r"\t".to_owned(),
            '\n' => r"\n".to_owned(),
            '\x0b' => r"\v".to_owned(),
            '\x0c' => r"\f".to_owned(),
            '\r' => r"\r".to_owned(),
            '"' => "\\\"".to_owned(),
            '\\' => r"\\".to_owned(),
            other if other < ' ' || other == '\x7f' => format!("\\{:03o}", u32::from(other)),
            other => other.to_string(),
        })
        .collect();
    format!("\"{quoted}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_written_as_git_lists_them() {
        for (path, listed) in [
            ("a b/é", "a b/é"),
            ("a\"b", r#""a\"b""#),
            ("é\n\t\\", r#""é\n\t\\""#),
            ("\x01\x7f", r#""\001\177""#),
        ] {
            assert_eq!(as_listed(path), listed);
        }
    }
}
