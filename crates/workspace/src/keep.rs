//! A deleted session's pins, kept in the person's repository where no session's name can reach them, so that nothing it
//! borrows is pruned while it lies in the trash, not even where its name is used again meanwhile.

use clauderon_session::SessionName;

use crate::git::{Git, Input, QUESTION};
use crate::{Error, Workspace};

/// Copies the session's pins aside under its identifier. A repository that is gone is a success.
pub async fn keep(workspace: &Workspace, id: &str) -> Result<(), Error> {
    if !workspace.repository.is_dir() {
        return Ok(());
    }
    let git = Git::as_owner_of(&workspace.repository);
    copy(&git, &workspace.reference(""), &aside(id)).await
}

/// Puts the pins back under `name` and records that name for the workspace.
pub async fn bring_back(
    mut workspace: Workspace,
    id: &str,
    name: &SessionName,
) -> Result<Workspace, Error> {
    workspace.name = name.clone();
    if workspace.repository.is_dir() {
        let git = Git::as_owner_of(&workspace.repository);
        copy(&git, &aside(id), &workspace.reference("")).await?;
        remove(&git, &aside(id)).await?;
    }
    workspace
        .save()
        .map_err(Error::io("record the session's workspace"))?;
    Ok(workspace)
}

/// Removes what `keep` kept. A repository that is gone is a success.
pub async fn let_go(workspace: &Workspace, id: &str) -> Result<(), Error> {
    if !workspace.repository.is_dir() {
        return Ok(());
    }
    remove(&Git::as_owner_of(&workspace.repository), &aside(id)).await
}

/// An underscore begins no session's name.
fn aside(id: &str) -> String {
    format!("refs/clauderon/_trash/{id}/")
}

async fn copy(git: &Git, from: &str, to: &str) -> Result<(), Error> {
    let doing = "keep the session's references";
    let pins = [format!("{from}base"), format!("{from}origin/")];
    let mut args = vec!["for-each-ref", "--format=%(objectname) %(refname)"];
    args.extend(pins.iter().map(String::as_str));
    let listed = git.ask(doing, &args).await?;
    let listed = String::from_utf8_lossy(&listed);
    let lines: String = listed
        .lines()
        .filter_map(|line| {
            let (id, name) = line.split_once(' ')?;
            let last = name.strip_prefix(from)?;
            Some(format!("update {to}{last} {id}\n"))
        })
        .collect();
    update(git, doing, lines.into_bytes()).await
}

async fn remove(git: &Git, below: &str) -> Result<(), Error> {
    let doing = "remove the session's references";
    let args = ["for-each-ref", "--format=delete %(refname)", below];
    let lines = git.ask(doing, &args).await?;
    update(git, doing, lines).await
}

async fn update(git: &Git, doing: &'static str, lines: Vec<u8>) -> Result<(), Error> {
    if lines.is_empty() {
        return Ok(());
    }
    let args = ["update-ref", "--stdin"];
    git.must(doing, &args, Input::Bytes(lines), QUESTION)
        .await
        .map(drop)
}
