//! Takes a session's references out of the person's repository.

use crate::git::{Git, Input, QUESTION};
use crate::{Error, Workspace};

/// Which references go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forget {
    /// Those that only keep the session's base from being pruned; work that was pulled stays.
    Pins,
    /// All of them, pulled work included.
    Everything,
}

/// Removes the session's references. A repository that is gone is a success.
pub async fn forget(workspace: &Workspace, what: Forget) -> Result<(), Error> {
    if !workspace.repository.is_dir() {
        return Ok(());
    }
    remove(&Git::as_owner_of(&workspace.repository), workspace, what).await
}

pub(crate) async fn remove(git: &Git, workspace: &Workspace, what: Forget) -> Result<(), Error> {
    let doing = "remove the session's references";
    let below = |last: &str| workspace.reference(last);
    let pins = [below("base"), below("origin/")];
    let all = [format!("refs/clauderon/{}/", workspace.name)];
    let patterns = match what {
        Forget::Pins => &pins[..],
        Forget::Everything => &all[..],
    };
    let mut args = vec!["for-each-ref", "--format=delete %(refname)"];
    args.extend(patterns.iter().map(String::as_str));
    let lines = git.ask(doing, &args).await?;
    if lines.is_empty() {
        return Ok(());
    }
    git.must(
        doing,
        &["update-ref", "--stdin"],
        Input::Bytes(lines),
        QUESTION,
    )
    .await
    .map(drop)
}
