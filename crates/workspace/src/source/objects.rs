//! Follows a repository's chain of borrowed objects folders, so that each can be mounted.

use std::fs;
use std::path::{Path, PathBuf};

use crate::Error;

/// How many folders a chain may have; git itself stops at a depth of five.
const MOST: usize = 32;

/// Returns the folder and every further one that it borrows from, each once, where it really is.
pub(crate) fn chain(first: &Path) -> Result<Vec<PathBuf>, Error> {
    let mut found = vec![first.to_owned()];
    let mut next = 0;
    while let Some(folder) = found.get(next).cloned() {
        for borrowed in borrowed(&folder)? {
            if found.len() < MOST && !found.contains(&borrowed) {
                found.push(borrowed);
            }
        }
        next += 1;
    }
    Ok(found)
}

/// Reads one folder's list. A folder that is missing, or that is no objects folder, is left out as git leaves it out.
fn borrowed(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let list = match fs::read_to_string(folder.join("info/alternates")) {
        Ok(list) => list,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => {
            return Err(Error::io("read which objects the repository borrows")(
                error,
            ));
        }
    };
    let lines = list
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    let real = |line: &str| fs::canonicalize(folder.join(unquoted(line))).ok();
    Ok(lines
        .filter_map(real)
        .filter(|path| looks_like_objects(path))
        .collect())
}

/// Keeps a list that names some other folder from making us mount it.
fn looks_like_objects(path: &Path) -> bool {
    path.is_dir() && (path.join("pack").is_dir() || path.join("info").is_dir())
}

/// Undoes git's quoting of unusual names.
fn unquoted(line: &str) -> String {
    let Some(inner) = line
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
    else {
        return line.to_owned();
    };
    let mut bytes = Vec::new();
    let mut rest = inner.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        match rest.next() {
            Some(b'n') => bytes.push(b'\n'),
            Some(b't') => bytes.push(b'\t'),
            Some(digit @ b'0'..=b'3') => {
                let more: Vec<u8> = rest.by_ref().take(2).collect();
                let octal = more.iter().fold(digit - b'0', |sum, next| {
                    sum.wrapping_mul(8).wrapping_add(next.wrapping_sub(b'0'))
                });
                bytes.push(octal);
            }
            Some(other) => bytes.push(other),
            None => break,
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn undoes_quoting() {
        assert_eq!(unquoted("/a b"), "/a b");
        assert_eq!(unquoted(r#""/a\"b\\c\303\244""#), "/a\"b\\cä");
    }
}
