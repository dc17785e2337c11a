//! Reads the head of a bundle: what it claims to hold and what it needs. Pure, and trusting nothing.

use crate::source::is_object_id;

/// Most bytes that a head may have.
pub(super) const MOST: usize = 1 << 20;

/// The head of a bundle.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Head {
    /// Commits that have to be there already.
    pub(super) needs: Vec<String>,
    /// What it holds, by the name it has inside the sandbox.
    pub(super) holds: Vec<(Name, String)>,
    /// Where the pack begins, in bytes.
    pub(super) pack_at: usize,
}

/// A reference that a session may bring; there are no others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Name {
    /// The session's current commit.
    Head,
    /// Its uncommitted work.
    Wip,
    /// Another branch of it.
    Branch(String),
}

impl Name {
    fn parse(text: &str) -> Option<Self> {
        match text.strip_prefix("refs/clauderon/")? {
            "head" => Some(Self::Head),
            "wip" => Some(Self::Wip),
            other => {
                let branch = other.strip_prefix("branch/")?;
                is_branch(branch).then(|| Self::Branch(branch.to_owned()))
            }
        }
    }

    /// Returns the last part of the reference in the person's repository.
    pub(super) fn last(&self) -> String {
        match self {
            Self::Head => "head".to_owned(),
            Self::Wip => "wip".to_owned(),
            Self::Branch(branch) => format!("branch/{branch}"),
        }
    }
}

/// Reads the head from the beginning of a bundle.
pub(super) fn parse(bytes: &[u8], object_format: &str) -> Result<Head, String> {
    let mut head = Head {
        needs: Vec::new(),
        holds: Vec::new(),
        pack_at: 0,
    };
    let mut lines = Lines { bytes, at: 0 };
    let third = match lines.next()? {
        "# v2 git bundle" => false,
        "# v3 git bundle" => true,
        _ => return Err("it is no bundle".into()),
    };
    let mut format = "sha1";
    loop {
        let line = lines.next()?;
        if line.is_empty() {
            break;
        }
        if let Some(capability) = line.strip_prefix('@').filter(|_| third) {
            format = match capability {
                "object-format=sha1" => "sha1",
                "object-format=sha256" => "sha256",
                _ => {
                    return Err(format!(
                        "its bundle asks for `{}`",
                        capability.escape_default()
                    ));
                }
            };
        } else if let Some(need) = line.strip_prefix('-') {
            let id = need.split(' ').next().unwrap_or_default();
            head.needs.push(object_id(id)?);
        } else {
            let (id, name) = line.split_once(' ').ok_or("its bundle is malformed")?;
            let outside = || {
                format!(
                    "its bundle holds `{}`, which is not the session's to set",
                    name.escape_debug()
                )
            };
            let name = Name::parse(name).ok_or_else(outside)?;
            if head.holds.iter().any(|(known, _)| *known == name) {
                return Err("its bundle names a reference twice".into());
            }
            head.holds.push((name, object_id(id)?));
        }
    }
    if format != object_format {
        return Err("its bundle has another object format than the repository".into());
    }
    head.pack_at = lines.at;
    Ok(head)
}

struct Lines<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Lines<'a> {
    fn next(&mut self) -> Result<&'a str, String> {
        let rest = &self.bytes[self.at..];
        let end = rest
            .iter()
            .position(|byte| *byte == b'\n')
            .ok_or("its bundle has no end of head")?;
        self.at += end + 1;
        std::str::from_utf8(&rest[..end])
            .map_err(|_| "its bundle is not text where it should be".to_owned())
    }
}

fn object_id(text: &str) -> Result<String, String> {
    if is_object_id(text) {
        return Ok(text.to_owned());
    }
    Err("its bundle names no proper object".into())
}

/// Whether a name is one that git itself takes for a branch, without control or bidirectional characters.
fn is_branch(name: &str) -> bool {
    let odd = |letter: char| {
        letter.is_control()
            || " ~^:?*[\\".contains(letter)
            || matches!(letter, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    let part = |part: &str| !part.is_empty() && !part.starts_with('.') && !part.ends_with(".lock");
    name.len() <= 200
        && !name.contains("..")
        && !name.contains("@{")
        && !name.contains(odd)
        && !name.ends_with('.')
        && !name.starts_with('-')
        && name.split('/').all(part)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const ID: &str = "0123456789012345678901234567890123456789";

    fn head(lines: &str) -> Result<Head, String> {
        parse(format!("# v2 git bundle\n{lines}\nPACK").as_bytes(), "sha1")
    }

    #[test]
    fn reads_what_sessions_bring() {
        let read = head(&format!(
            "-{ID} base\n{ID} refs/clauderon/head\n{ID} refs/clauderon/branch/a/ü\n"
        ))
        .unwrap();
        assert_eq!(read.needs, [ID]);
        assert_eq!(read.holds[0].0, Name::Head);
        assert_eq!(read.holds[1].0.last(), "branch/a/ü");
    }

    #[test]
    fn refuses_references_that_are_not_the_sessions() {
        for name in [
            "refs/heads/main",
            "HEAD",
            "refs/clauderon/../heads/main",
            "refs/clauderon/branch/../../../heads/main",
            "refs/clauderon/branch/a..b",
            "refs/clauderon/branch/.git",
            "refs/clauderon/branch/x.lock",
            "refs/clauderon/branch/",
            "refs/clauderon/branch//x",
            "refs/clauderon/branch/a b",
            "refs/clauderon/branch/-x",
            "refs/clauderon/branch/\u{202e}x",
            "refs/clauderon/base",
            "refs/clauderon/other/head",
        ] {
            assert!(head(&format!("{ID} {name}\n")).is_err(), "{name}");
        }
    }

    #[test]
    fn refuses_malformed_heads() {
        for lines in [
            "zz refs/clauderon/head\n",
            "-short x\n",
            "@filter=blob:none\n",
        ] {
            assert!(head(lines).is_err(), "{lines}");
        }
        assert!(parse(b"# v9 git bundle\n\n", "sha1").is_err());
        assert!(parse(b"# v2 git bundle\n", "sha1").is_err());
        assert!(parse(b"# v3 git bundle\n@filter=blob:none\n\n", "sha1").is_err());
        assert!(parse(b"# v3 git bundle\n@object-format=sha256\n\n", "sha1").is_err());
        let twice = format!("{ID} refs/clauderon/head\n{ID} refs/clauderon/head\n");
        assert!(head(&twice).is_err());
    }
}
