//! Takes a bundle into the person's repository: all of it or nothing.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::Offer;
use super::bundle::{self, Head, Name};
use super::quarantine::Quarantine;
use crate::git::{Git, Input, QUESTION, TRANSFER, last_line};
use crate::source::objects;
use crate::{Error, Workspace};

/// Checks the objects apart from the repository, keeps them, then sets the references in one transaction. Returns what
/// was set.
pub(super) async fn import(
    git: &Git,
    workspace: &Workspace,
    offer: &Offer,
    bundle: Option<File>,
) -> Result<Vec<(String, String)>, Error> {
    let wanted = match bundle {
        Some(file) => {
            let (quarantine, held) = check(git, workspace, file).await?;
            let wanted = wanted(git, workspace, offer, held).await?;
            quarantine
                .keep()
                .map_err(Error::io("keep the session's objects"))?;
            wanted
        }
        None => wanted(git, workspace, offer, Vec::new()).await?,
    };
    set(git, workspace, &wanted).await?;
    let full = |(name, id): (Name, String)| (workspace.reference(&name.last()), id);
    Ok(wanted.into_iter().map(full).collect())
}

async fn check(
    git: &Git,
    workspace: &Workspace,
    mut file: File,
) -> Result<(Quarantine, Vec<(Name, String)>), Error> {
    let head = read_head(&mut file, &workspace.object_format)?;
    check_present(git, &head.needs).await?;
    let chain = objects_on_host(git, &workspace.repository).await?;
    let doing = "check the session's objects";
    let quarantine = Quarantine::make(git, &chain).map_err(Error::io(doing))?;
    let apart = quarantine.git(git);
    let args = ["index-pack", "--stdin", "--fix-thin", "--strict"];
    let ended = apart.run(doing, &args, Input::File(file), TRANSFER).await?;
    if !ended.ok {
        return Err(Error::BadWork(format!(
            "git says \"{}\"",
            last_line(&ended.stderr)
        )));
    }
    connected(&apart, workspace, &head).await?;
    Ok((quarantine, head.holds))
}

fn read_head(file: &mut File, object_format: &str) -> Result<Head, Error> {
    let doing = "read the session's bundle";
    let mut bytes = Vec::new();
    file.by_ref()
        .take(bundle::MOST as u64)
        .read_to_end(&mut bytes)
        .map_err(Error::io(doing))?;
    let head = bundle::parse(&bytes, object_format).map_err(Error::BadWork)?;
    file.seek(SeekFrom::Start(head.pack_at as u64))
        .map_err(Error::io(doing))?;
    Ok(head)
}

async fn check_present(git: &Git, needs: &[String]) -> Result<(), Error> {
    for (id, kind) in kinds(git, needs).await? {
        if kind != "commit" {
            return Err(Error::BadWork(format!(
                "it builds on {id}, which this repository does not have"
            )));
        }
    }
    Ok(())
}

/// Returns what each object is, `missing` where it is not there.
async fn kinds(git: &Git, ids: &[String]) -> Result<Vec<(String, String)>, Error> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let input = Input::Bytes((ids.join("\n") + "\n").into_bytes());
    let args = ["cat-file", "--batch-check=%(objectname) %(objecttype)"];
    let printed = git
        .must("look for the session's commits", &args, input, QUESTION)
        .await?;
    let text = String::from_utf8_lossy(&printed);
    let pair = |line: &str| {
        line.split_once(' ')
            .map(|(id, kind)| (id.to_owned(), kind.to_owned()))
    };
    Ok(text.lines().filter_map(pair).collect())
}

/// Walks everything new, so that no reference is set to a history with holes.
async fn connected(git: &Git, workspace: &Workspace, head: &Head) -> Result<(), Error> {
    let tips: Vec<String> = head.holds.iter().map(|(_, id)| id.clone()).collect();
    if kinds(git, &tips)
        .await?
        .iter()
        .any(|(_, kind)| kind != "commit")
    {
        return Err(Error::BadWork(
            "it names something that is no commit".into(),
        ));
    }
    let lines = tips.join("\n") + &format!("\n^{}\n", workspace.base);
    let args = ["rev-list", "--objects", "--quiet", "--stdin"];
    let doing = "check that nothing is missing";
    let ended = git
        .run(doing, &args, Input::Bytes(lines.into_bytes()), TRANSFER)
        .await?;
    if ended.ok {
        return Ok(());
    }
    Err(Error::BadWork(format!(
        "objects are missing, git says \"{}\"",
        last_line(&ended.stderr)
    )))
}

/// Decides what to set: what the bundle holds and, where it is older than the base, the session's current commit.
async fn wanted(
    git: &Git,
    workspace: &Workspace,
    offer: &Offer,
    mut held: Vec<(Name, String)>,
) -> Result<Vec<(Name, String)>, Error> {
    match held.iter().find(|(name, _)| *name == Name::Head) {
        Some((_, id)) if *id == offer.head => {}
        Some(_) => {
            return Err(Error::BadWork(
                "its bundle holds another commit than it says".into(),
            ));
        }
        None => {
            let args = ["merge-base", "--is-ancestor", &offer.head, &workspace.base];
            let ended = git
                .run("find the session's commit", &args, Input::Empty, QUESTION)
                .await?;
            if ended.code != Some(0) {
                return Err(Error::BadWork(
                    "its current commit is not in the bundle".into(),
                ));
            }
            held.push((Name::Head, offer.head.clone()));
        }
    }
    let wip = held
        .iter()
        .find(|(name, _)| *name == Name::Wip)
        .map(|(_, id)| id);
    if wip != offer.wip.as_ref() {
        return Err(Error::BadWork(
            "its bundle holds other uncommitted work than it says".into(),
        ));
    }
    Ok(held)
}

/// Sets the references in one transaction; uncommitted work of an earlier pull goes when there is none any more.
async fn set(git: &Git, workspace: &Workspace, wanted: &[(Name, String)]) -> Result<(), Error> {
    let mut lines = String::new();
    for (name, id) in wanted {
        lines.push_str(&format!(
            "update {} {id}\n",
            workspace.reference(&name.last())
        ));
    }
    if !wanted.iter().any(|(name, _)| *name == Name::Wip) {
        lines.push_str(&format!("delete {}\n", workspace.reference("wip")));
    }
    let input = Input::Bytes(lines.into_bytes());
    git.must(
        "set the session's references",
        &["update-ref", "--stdin"],
        input,
        QUESTION,
    )
    .await
    .map(drop)
}

async fn objects_on_host(git: &Git, repository: &Path) -> Result<Vec<PathBuf>, Error> {
    let args = ["rev-parse", "--git-path", "objects"];
    let doing = "find the repository's objects";
    let printed = git.ask(doing, &args).await?;
    let line = String::from_utf8_lossy(&printed);
    let first = repository.join(line.trim_end_matches('\n'));
    objects::chain(&first.canonicalize().map_err(Error::io(doing))?)
}
