//! Makes a session's private clone: the git folder by plain file writes, the files by git in a throw-away sandbox.

mod dirty;
pub(crate) mod folder;
mod history;
mod include;

use std::fs;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::Path;
use std::time::Duration;

use clauderon_runtime::{Mount, User};
use clauderon_session::SessionName;

use self::folder::GitFolder;
use crate::git::{Input, QUESTION};
use crate::inside::{Job, Sandboxes, give};
use crate::{Error, Notice, Source, Workspace, forget, place};

/// How long filling a workspace may take; large repositories need more than git's usual ten seconds.
const CHECKOUT: Duration = Duration::from_secs(600);

/// What is to be made.
#[derive(Debug, Clone, Copy)]
pub struct Plan<'a> {
    /// The session's folder; `workspace` in it must be empty or absent.
    pub session_dir: &'a Path,
    /// The session's name.
    pub name: &'a SessionName,
    /// Where it starts from.
    pub source: &'a Source,
    /// Whether the branch's history is copied, so that no other branch can be read inside.
    pub isolate_history: bool,
    /// Whether files that look like secrets are copied where `.worktreeinclude` lists them.
    pub include_secrets: bool,
}

/// A workspace that was made.
#[derive(Debug)]
pub struct Created {
    /// The workspace, recorded in the session's folder.
    pub workspace: Workspace,
    /// What a person should know, those of the source first.
    pub notices: Vec<Notice>,
}

/// Makes the workspace without its files, which are [`fill`]'s; [`settle`] does what need not be done before the agent starts.
/// Where it fails, nothing of it remains.
pub async fn create(sandboxes: &Sandboxes<'_>, plan: Plan<'_>) -> Result<Created, Error> {
    let copied = !plan.isolate_history
        && !plan
            .source
            .objects
            .iter()
            .all(|path| open_to(path, sandboxes.user));
    let isolated = plan.isolate_history || copied;
    let workspace = describe(plan, isolated);
    let made = make(sandboxes, plan, &workspace, isolated).await;
    match made {
        Ok(included) => Ok(Created {
            workspace,
            notices: notices(plan.source, isolated, copied, included),
        }),
        Err(error) => {
            // No agent has had the folder, and removing follows no links.
            let _ = fs::remove_dir_all(workspace.folder());
            Err(error)
        }
    }
}

/// Pins the workspace's base in the person's repository, and counts what of the person's stays behind. The agent may work
/// meanwhile: what it borrows cannot be pruned within these moments, and nothing that is looked at here is its own.
pub async fn settle(
    sandboxes: &Sandboxes<'_>,
    source: &Source,
    workspace: &Workspace,
) -> Result<Option<Notice>, Error> {
    let isolated = workspace.objects.is_empty();
    let (pinned, uncommitted) = tokio::join!(
        pin(source, workspace, isolated),
        dirty::count(sandboxes, source)
    );
    if let Err(error) = pinned {
        if let Err(error) = forget::remove(&source.git, workspace, forget::Forget::Pins).await {
            tracing::warn!(%error, "the pin of a session that was not made was left behind");
        }
        return Err(error);
    }
    Ok(uncommitted)
}

fn describe(plan: Plan<'_>, isolated: bool) -> Workspace {
    let Plan { source, name, .. } = plan;
    let nobody = || ("clauderon".to_owned(), "clauderon@localhost".to_owned());
    Workspace {
        session_dir: plan.session_dir.to_owned(),
        name: name.clone(),
        repository: source.root.clone(),
        subdirectory: source.subdirectory.clone(),
        objects: if isolated {
            Vec::new()
        } else {
            source.objects.clone()
        },
        base: source.head.clone(),
        branch: name.branch(),
        base_branch: source.branch.clone(),
        object_format: source.object_format.clone(),
        identity: source.identity.clone().unwrap_or_else(nobody),
        shallow: source.shallow.clone(),
    }
}

async fn make(
    sandboxes: &Sandboxes<'_>,
    plan: Plan<'_>,
    workspace: &Workspace,
    isolated: bool,
) -> Result<Vec<Notice>, Error> {
    let files = workspace.folder();
    fresh(&files)?;
    let included = include::copy(plan.source, &files, plan.include_secrets).await?;
    let git_folder = files.join(".git");
    GitFolder::of_session(plan.source, workspace)
        .write(&git_folder)
        .map_err(Error::io("write the session's git folder"))?;
    if isolated {
        history::copy(plan.source, &git_folder).await?;
    }
    give(&files, sandboxes.user).map_err(Error::io("give the workspace to the sandbox's user"))?;
    workspace
        .prepare_mounts()
        .map_err(Error::io("prepare the workspace's mounts"))?;
    workspace
        .save()
        .map_err(Error::io("record the workspace"))?;
    Ok(included)
}

/// Makes the folder, or takes it where it is empty. Anything in it could be a link that leads elsewhere.
fn fresh(files: &Path) -> Result<(), Error> {
    let doing = "make the workspace";
    match fs::DirBuilder::new().mode(0o755).create(files) {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(Error::io(doing)(error)),
        Ok(()) => return Ok(()),
    }
    let plain = files.symlink_metadata().is_ok_and(|meta| meta.is_dir());
    if plain
        && fs::read_dir(files)
            .map_err(Error::io(doing))?
            .next()
            .is_none()
    {
        return Ok(());
    }
    Err(Error::io(doing)(std::io::Error::from(
        std::io::ErrorKind::DirectoryNotEmpty,
    )))
}

/// Keeps a `gc` of the person from pruning what the session borrows.
async fn pin(source: &Source, workspace: &Workspace, isolated: bool) -> Result<(), Error> {
    let mut lines = format!(
        "update {} {}\n",
        workspace.reference("base"),
        workspace.base
    );
    let tracking = source.references.iter().filter(|_| !isolated);
    for (name, id) in tracking {
        if let Some(branch) = name.strip_prefix("refs/remotes/origin/") {
            lines.push_str(&format!(
                "update {} {id}\n",
                workspace.reference(&format!("origin/{branch}"))
            ));
        }
    }
    let args = ["update-ref", "--stdin"];
    let input = Input::Bytes(lines.into_bytes());
    source
        .git
        .must("pin the session's base", &args, input, QUESTION)
        .await
        .map(drop)
}

/// Fills the workspace with the files of its commit; doing it again mends what broke off.
pub async fn fill(sandboxes: &Sandboxes<'_>, workspace: &Workspace) -> Result<(), Error> {
    let mut mounts = place::source_mounts(&workspace.objects, Some(&workspace.session_dir));
    mounts.push(Mount::read_write(workspace.folder(), "/workspace"));
    let job = Job {
        doing: "check out the session's files",
        script: include_str!("inside/checkout.sh"),
        mounts,
        env: Vec::new(),
        session_dir: Some(workspace.session_dir.clone()),
        limit: CHECKOUT,
        max_output: 1 << 20,
    };
    sandboxes.run(job).await.map(drop)
}

/// Whether the sandbox's user may read an objects folder, judged by its two outermost folders.
fn open_to(objects: &Path, user: User) -> bool {
    [objects.to_owned(), objects.join("pack")]
        .iter()
        .all(|path| {
            let Ok(meta) = fs::metadata(path) else {
                return true;
            };
            let shift = match (meta.uid() == user.uid, meta.gid() == user.gid) {
                (true, _) => 6,
                (false, true) => 3,
                (false, false) => 0,
            };
            meta.mode() >> shift & 0o5 == 0o5
        })
}

fn notices(source: &Source, isolated: bool, copied: bool, included: Vec<Notice>) -> Vec<Notice> {
    let told = |notice: &&Notice| !(isolated && **notice == Notice::HistoryReadable);
    let mut notices: Vec<Notice> = source.notices.iter().filter(told).cloned().collect();
    notices.extend(copied.then_some(Notice::HistoryCopied));
    notices.extend(included);
    notices
}
