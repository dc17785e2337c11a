//! The names of sessions: no two have one, nor do two in the making.

use std::collections::HashSet;
use std::path::Path;
use std::sync::{MutexGuard, PoisonError};

use clauderon_api::Error;
use clauderon_session::SessionName;

use super::Sessions;

impl Sessions {
    /// Keeps a name for a session in the making.
    pub(super) fn reserve(&self, name: SessionName) -> Result<Reserved<'_>, Error> {
        let taken = self.all().values().any(|session| session.spec.name == name);
        if taken || !self.reserved().insert(name.clone()) {
            return Err(Error::conflict(format!(
                "there is a session named {} already",
                name.as_str()
            ))
            .hint("choose another with --name, or delete that one"));
        }
        Ok(Reserved {
            sessions: self,
            name,
        })
    }

    /// Finds a name that no session has, after the repository's folder.
    pub fn free_name(&self, repository: &Path) -> SessionName {
        let folder = repository
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default();
        self.free_name_like(&folder)
    }

    /// Finds a name that no session has: this one, or it with a number.
    pub(super) fn free_name_like(&self, wanted: &str) -> SessionName {
        let taken: HashSet<String> = self
            .all()
            .values()
            .map(|session| session.spec.name.as_str().to_owned())
            .chain(self.reserved().iter().map(|name| name.as_str().to_owned()))
            .collect();
        (1..)
            .map(|number| match number {
                1 => wanted.to_owned(),
                _ => format!("{}-{number}", wanted.chars().take(50).collect::<String>()),
            })
            .map(|typed| {
                SessionName::convert(&typed)
                    .or_else(|_| SessionName::convert(&format!("session-{typed}")))
                    .expect("a word of letters is a name")
                    .name
            })
            .find(|name| !taken.contains(name.as_str()))
            .expect("numbers do not run out")
    }

    fn reserved(&self) -> MutexGuard<'_, HashSet<SessionName>> {
        self.reserved.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A name that is kept until the session has it, or its making failed.
pub struct Reserved<'a> {
    sessions: &'a Sessions,
    name: SessionName,
}

impl Drop for Reserved<'_> {
    fn drop(&mut self) {
        self.sessions.reserved().remove(&self.name);
    }
}
