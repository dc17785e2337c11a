//! A path that a viewer asks for, taken apart before anything is opened. Pure.

use std::fmt;

use crate::Error;

/// A path relative to the workspace: names alone, none of them special. Empty for the workspace itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WorkPath(Vec<String>);

impl WorkPath {
    /// Reads names with `/` between them.
    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        if text.is_empty() {
            return Ok(Self(Vec::new()));
        }
        let names: Vec<&str> = text.split('/').collect();
        match names.iter().find_map(|name| refusal(name)) {
            Some(why) => Err(Error::BadPath {
                path: text.to_owned(),
                why,
            }),
            None => Ok(Self(names.into_iter().map(str::to_owned).collect())),
        }
    }

    pub(crate) fn names(&self) -> &[String] {
        &self.0
    }

    /// Returns the folder and the name in it; none for the workspace itself.
    pub(crate) fn split_last(&self) -> Option<(WorkPath, &str)> {
        let (last, folder) = self.0.split_last()?;
        Some((Self(folder.to_vec()), last))
    }

    /// Returns what lies in this folder under `name`.
    pub(crate) fn join(&self, name: &str) -> Self {
        let mut names = self.0.clone();
        names.push(name.to_owned());
        Self(names)
    }

    /// Says whether this is `other` or lies below it.
    pub(crate) fn is_within(&self, other: &Self) -> bool {
        self.0.starts_with(&other.0)
    }
}

impl fmt::Display for WorkPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("/"))
    }
}

/// Says whether a name is the git folder's, as file systems that ignore case see it too.
pub(crate) fn is_git(name: &str) -> bool {
    name.eq_ignore_ascii_case(".git")
}

fn refusal(name: &str) -> Option<&'static str> {
    match name {
        "" => Some("it must be relative to the workspace, with one / between names"),
        "." | ".." => Some("it must not have . or .. in it"),
        _ if name.contains('\0') => Some("it must not have a NUL in it"),
        _ if is_git(name) => Some("git's own folder is not shown"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn takes_names_alone() {
        for (text, names) in [
            ("", &[][..]),
            ("a", &["a"]),
            ("a b/.gitignore", &["a b", ".gitignore"]),
            ("..a/b..", &["..a", "b.."]),
        ] {
            assert_eq!(WorkPath::parse(text).unwrap().names(), names, "{text}");
        }
        for text in [
            "/",
            "/etc",
            "a//b",
            "a/",
            "..",
            "a/../b",
            ".",
            "a\0b",
            ".git",
            ".git/config",
            "sub/.GIT/config",
        ] {
            assert!(WorkPath::parse(text).is_err(), "{text:?}");
        }
    }
}
