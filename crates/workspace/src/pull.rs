//! Brings a session's work into the person's repository, under `refs/clauderon/<name>/`, without touching anything else.
//!
//! The bundle is made by git in a throw-away sandbox and is hostile until proved otherwise: names are checked here,
//! every object by `index-pack --strict` (what `transfer.fsckObjects` does, which older gits skip for bundles), and
//! that nothing is missing by a walk, all in quarantine. References change last, in one transaction.

mod bundle;
mod import;
mod quarantine;

use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::diff::notes;
use crate::git::Git;
use crate::inside::{Exchange, Job, Sandboxes};
use crate::risky::{self, Risky};
use crate::source::is_object_id;
use crate::{Error, Workspace};

/// How long packing the session's work may take.
const PACKING: Duration = Duration::from_secs(300);

/// What was brought back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pulled {
    /// The session's current commit.
    pub head: String,
    /// The commit that holds its uncommitted and untracked files; none where all is committed.
    pub wip: Option<String>,
    /// The references that were set, by full name, with their commits.
    pub references: Vec<(String, String)>,
    /// How many commits `head` is ahead of the base.
    pub commits: u64,
    /// How many files differ from the base, uncommitted ones included.
    pub files: u64,
    /// Commands with which a person takes the work over.
    pub merge: Vec<String>,
    /// Changed files that act by themselves once they are merged.
    pub risky: Vec<Risky>,
    /// Sentences about what is missing here.
    pub notes: Vec<String>,
}

/// Pulls the session's commits, other branches and uncommitted work, whether the session runs or not.
pub async fn pull(sandboxes: &Sandboxes<'_>, workspace: &Workspace) -> Result<Pulled, Error> {
    if !workspace.repository.is_dir() {
        return Err(Error::NoSuchPath(workspace.repository.clone()));
    }
    let git = Git::as_owner_of(&workspace.repository);
    let exchange = Exchange::make(workspace, sandboxes.user)?;
    let job = Job {
        doing: "pack the session's work",
        script: concat!(
            include_str!("inside/snapshot.sh"),
            include_str!("inside/pull.sh")
        ),
        mounts: exchange.mounts(workspace),
        env: environment(workspace),
        session_dir: Some(workspace.session_dir.clone()),
        limit: PACKING,
        max_output: 1 << 20,
    };
    let printed = sandboxes.run(job).await?;
    let offer = Offer::parse(&printed)?;
    let bundle = if offer.bundled {
        Some(exchange.bundle()?)
    } else {
        None
    };
    let references = import::import(&git, workspace, &offer, bundle).await?;
    summarise(&git, workspace, offer, references).await
}

fn environment(workspace: &Workspace) -> Vec<(&'static str, String)> {
    let (name, email) = &workspace.identity;
    vec![
        ("BASE", workspace.base.clone()),
        ("BRANCH", workspace.branch.clone()),
        ("GIT_AUTHOR_NAME", name.clone()),
        ("GIT_AUTHOR_EMAIL", email.clone()),
        ("GIT_COMMITTER_NAME", name.clone()),
        ("GIT_COMMITTER_EMAIL", email.clone()),
    ]
}

/// What the sandbox says that it has.
struct Offer {
    head: String,
    wip: Option<String>,
    flags: String,
    bundled: bool,
}

impl Offer {
    fn parse(printed: &[u8]) -> Result<Self, Error> {
        let text = String::from_utf8_lossy(printed);
        let value = |key: &str| {
            text.lines()
                .find_map(|line| line.strip_prefix(key)?.strip_prefix(' '))
        };
        let id = |key: &str| value(key).filter(|id| is_object_id(id)).map(str::to_owned);
        let head = id("head").ok_or_else(|| Error::BadWork("it names no commit".into()))?;
        Ok(Self {
            head,
            wip: id("wip"),
            flags: value("flags").unwrap_or_default().to_owned(),
            bundled: text.lines().any(|line| line == "bundle"),
        })
    }
}

async fn summarise(
    git: &Git,
    workspace: &Workspace,
    offer: Offer,
    references: Vec<(String, String)>,
) -> Result<Pulled, Error> {
    let doing = "summarise the pulled work";
    let range = format!("{}..{}", workspace.base, offer.head);
    let last = offer.wip.as_deref().unwrap_or(&offer.head);
    let count = ["rev-list", "--count", &range];
    let changed = [
        "diff-tree",
        "-r",
        "-z",
        "--raw",
        "--no-renames",
        &workspace.base,
        last,
    ];
    let (count, changed) = tokio::try_join!(git.ask(doing, &count), git.ask(doing, &changed))?;
    let changed = risky::changed(&changed);
    Ok(Pulled {
        commits: String::from_utf8_lossy(&count).trim().parse().unwrap_or(0),
        files: changed.len() as u64,
        merge: merge(workspace, &offer),
        risky: risky::among(&changed),
        notes: notes(&offer.flags, false),
        head: offer.head,
        wip: offer.wip,
        references,
    })
}

fn merge(workspace: &Workspace, offer: &Offer) -> Vec<String> {
    let repository = in_shell(&workspace.repository);
    let mut commands = Vec::new();
    if offer.head != workspace.base {
        commands.push(format!(
            "git -C {repository} merge {}",
            workspace.reference("head")
        ));
    }
    if offer.wip.is_some() {
        commands.push(format!(
            "git -C {repository} cherry-pick --no-commit {}",
            workspace.reference("wip")
        ));
    }
    commands
}

/// Writes a path so that a shell reads it as one word.
fn in_shell(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-+".contains(&byte);
    if text.bytes().all(plain) {
        return text;
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}
