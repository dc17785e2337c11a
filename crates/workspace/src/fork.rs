//! Copies a session's workspace for another session: committed, uncommitted and untracked work, against the same base.
//!
//! The copy is made in a throw-away sandbox that sees the workspace and nothing else, and what comes out is moved as it is: on
//! the host nothing of it is opened.

use std::fs;
use std::path::Path;
use std::time::Duration;

use clauderon_runtime::Mount;
use clauderon_session::SessionName;

use crate::git::{Git, Input, QUESTION};
use crate::inside::{Exchange, Job, Sandboxes};
use crate::{Error, Workspace, place};

/// How long copying may take.
const COPYING: Duration = Duration::from_secs(600);

/// A workspace that was copied.
#[derive(Debug)]
pub struct Forked {
    /// The copy, recorded in its session's folder.
    pub workspace: Workspace,
    /// Sentences about what is missing in it.
    pub notes: Vec<String>,
}

/// Copies the workspace into the folder of another session, which has an empty one, and pins the same base for it. The
/// session that it is taken from may run: its files are taken one after the other, as they are at that moment.
pub async fn fork(
    sandboxes: &Sandboxes<'_>,
    from: &Workspace,
    session_dir: &Path,
    name: &SessionName,
) -> Result<Forked, Error> {
    let workspace = Workspace {
        session_dir: session_dir.to_owned(),
        name: name.clone(),
        branch: name.branch(),
        ..from.clone()
    };
    let exchange = Exchange::for_a_copy(from, sandboxes.user)?;
    let printed = sandboxes.run(job(from, &workspace, &exchange)).await?;
    let doing = "move the copy to its session";
    // A rename replaces an empty folder and nothing else.
    fs::rename(exchange.copy(), workspace.folder()).map_err(Error::io(doing))?;
    workspace
        .prepare_mounts()
        .map_err(Error::io("prepare the workspace's mounts"))?;
    workspace
        .save()
        .map_err(Error::io("record the workspace"))?;
    pin_as(from, &workspace).await?;
    Ok(Forked {
        workspace,
        notes: notes(&String::from_utf8_lossy(&printed)),
    })
}

fn job(from: &Workspace, to: &Workspace, exchange: &Exchange) -> Job {
    let mut mounts = place::source_mounts(&from.objects, Some(&from.session_dir));
    mounts.push(Mount::read_only(from.folder(), "/clauderon/from"));
    mounts.push(Mount::read_write(exchange.copy(), "/workspace"));
    Job {
        doing: "copy the session's files",
        script: include_str!("inside/fork.sh"),
        mounts,
        env: vec![
            ("BRANCH", from.branch.clone()),
            ("NEW_BRANCH", to.branch.clone()),
        ],
        session_dir: Some(from.session_dir.clone()),
        limit: COPYING,
        max_output: 1 << 20,
    }
}

/// Keeps a `gc` of the person from pruning what the copy borrows: the same that the first session has pinned.
async fn pin_as(from: &Workspace, to: &Workspace) -> Result<(), Error> {
    let git = Git::as_owner_of(&to.repository);
    let doing = "pin the session's base";
    let (base, tracked) = (from.reference("base"), from.reference("origin/"));
    let args = [
        "for-each-ref",
        "--format=%(objectname) %(refname)",
        &base,
        &tracked,
    ];
    let printed = git.ask(doing, &args).await?;
    let mut lines = format!("update {} {}\n", to.reference("base"), to.base);
    for line in String::from_utf8_lossy(&printed).lines() {
        let branch = line
            .split_once(' ')
            .and_then(|(id, name)| Some((id, name.strip_prefix(&tracked)?)));
        if let Some((id, branch)) = branch {
            let reference = to.reference(&format!("origin/{branch}"));
            lines.push_str(&format!("update {reference} {id}\n"));
        }
    }
    let input = Input::Bytes(lines.into_bytes());
    git.must(doing, &["update-ref", "--stdin"], input, QUESTION)
        .await
        .map(drop)
}

/// Says in sentences what the copy lacks.
fn notes(flags: &str) -> Vec<String> {
    let said = [
        (
            "skipped",
            "Some files could not be read and were not copied.",
        ),
        (
            "moving",
            "Some files changed or went while they were copied.",
        ),
        (
            "branch",
            "The copy's git folder has no branch of its own name.",
        ),
    ];
    let has = |flag: &str| flags.split_ascii_whitespace().any(|word| word == flag);
    said.iter()
        .filter(|(flag, _)| has(flag))
        .map(|(_, sentence)| (*sentence).to_owned())
        .collect()
}
