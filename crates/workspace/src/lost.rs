//! Whether the repository that a session came from, and may borrow its history from, is still the one.

use crate::Workspace;
use crate::git::{Git, Input, QUESTION};

/// What became of a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lost {
    /// Nothing is in its place.
    Gone,
    /// Another is in its place: it does not have the commit from which the session started.
    Another,
}

/// Looks for the repository of a workspace; `None` where all is well, and where git cannot be asked.
pub async fn lost(workspace: &Workspace) -> Option<Lost> {
    if !workspace.repository.is_dir() {
        return Some(Lost::Gone);
    }
    if workspace.objects.is_empty() {
        return None;
    }
    let git = Git::as_owner_of(&workspace.repository);
    let commit = format!("{}^{{commit}}", workspace.base);
    let doing = "look for the commit from which the session started";
    let asked = git
        .run(doing, &["cat-file", "-e", &commit], Input::Empty, QUESTION)
        .await;
    asked
        .is_ok_and(|answer| !answer.ok)
        .then_some(Lost::Another)
}
