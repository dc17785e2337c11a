//! A workspace is copied for another session: all of it, against the same base, and nothing of the host.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use clauderon_runtime::OneShot;
use clauderon_workspace::{Forget, Forked, Workspace, diff, forget, fork, pull, sweep};
use support::{House, careless, docker_house, house};

/// Makes the folder of a second session, as empty as the store makes it.
fn second(house: &House) -> PathBuf {
    let folder = house.session.with_file_name("bbbbbbbbbb");
    fs::create_dir_all(folder.join("workspace")).unwrap();
    support::open_folder(&folder);
    folder
}

async fn forked(house: &House, from: &Workspace) -> Forked {
    let name = "other".parse().unwrap();
    fork(&house.sandboxes(), from, &second(house), &name)
        .await
        .unwrap()
}

/// Runs a script in the fork as its agent would.
async fn agent(house: &House, workspace: &Workspace, script: &str) -> String {
    let one = OneShot {
        image: house.image.clone(),
        mounts: workspace.mounts(),
        session_dir: Some(workspace.session_dir.clone()),
        cwd: "/workspace".into(),
        env: [("HOME".to_owned(), "/tmp".to_owned())].into(),
        ..OneShot::new(["/bin/bash", "-c", script])
    };
    let ended = house.runtime.run_once(one).await.unwrap();
    let said = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert_eq!(ended.code, 0, "{said}");
    String::from_utf8(ended.stdout).unwrap()
}

/// Commits, another branch, a stash, staged, changed, untracked and ignored files, a link, a mode, and a nested repository.
const WORK: &str = "
git commit -q --allow-empty -m mine; git branch side; echo stashed >>a.txt; git stash -q
echo staged >staged; git add staged; echo more >>a.txt; echo new >'new file'
echo ignored >.gitignore; echo x >ignored; ln -s a.txt link; printf '#!/bin/sh\\n' >run; chmod 755 run
git init -q nested; echo deep >nested/deep; mkfifo pipe; mkdir locked; echo y >locked/y; chmod 500 locked; touch .git/index.lock";

async fn everything_comes_along(house: House) {
    let workspace = house.create().await;
    house.agent(&workspace, WORK).await;
    let copy = forked(&house, &workspace).await;
    assert_eq!(copy.notes, Vec::<String>::new());
    let copy = copy.workspace;
    let look = "git status --porcelain=v1 -b --ignored; git log --format=%s --all; git stash list; ls -l link run; cat nested/deep; ls -ld locked | cut -c1-10; test -p pipe && echo pipe; cat locked/y";
    let first = agent(
        &house,
        &workspace,
        &format!("rm -f .git/index.lock; {look}"),
    )
    .await;
    let second = agent(&house, &copy, look).await;
    assert!(first.starts_with("## clauderon/tidy-up\n"), "{first}");
    let expected = first.replace("## clauderon/tidy-up", "## clauderon/other");
    assert_eq!(second, expected);

    let shown = diff(&house.sandboxes(), &copy).await.unwrap();
    assert_eq!(
        (shown.base.as_str(), shown.commits),
        (workspace.base.as_str(), 1)
    );
    assert!(shown.patch.contains("+more") && shown.patch.contains("+new"));
    agent(&house, &copy, "echo fork >only-here; git commit -qam fork").await;
    let theirs = diff(&house.sandboxes(), &workspace).await.unwrap();
    assert!(!theirs.patch.contains("only-here"));
    assert_eq!(theirs.commits, 1);

    // It does without the first: what it borrows is pinned for it, too.
    forget(&workspace, Forget::Everything).await.unwrap();
    fs::remove_dir_all(&workspace.session_dir).unwrap();
    let pulled = pull(&house.sandboxes(), &copy).await.unwrap();
    assert_eq!(pulled.commits, 2);
    assert!(house.references().contains("refs/clauderon/other/base"));
    let left = fs::read_dir(house.session.parent().unwrap())
        .unwrap()
        .count();
    assert_eq!(left, 1);
}

#[tokio::test]
async fn all_of_the_work_comes_along_and_each_goes_its_own_way() {
    let Some(house) = house().await else { return };
    everything_comes_along(house).await;
}

#[tokio::test]
async fn all_of_the_work_comes_along_in_docker() {
    let Some(house) = docker_house().await else {
        return;
    };
    everything_comes_along(house).await;
}

#[tokio::test]
async fn a_copied_history_and_a_tracked_branch_come_along() {
    let Some(house) = house().await else { return };
    house.git(&["update-ref", "refs/remotes/origin/main", "HEAD"]);
    let workspace = house.create_with(false, false).await.workspace;
    // Gone from the person's repository, but for the pin of the first session.
    house.git(&["update-ref", "-d", "refs/remotes/origin/main"]);
    forked(&house, &workspace).await;
    let pinned = house.references();
    assert!(
        pinned.contains("refs/clauderon/other/origin/main"),
        "{pinned}"
    );
    fs::remove_dir_all(second(&house)).unwrap();

    fs::remove_dir_all(&house.session).unwrap();
    fs::create_dir_all(&house.session).unwrap();
    let isolated = house.create_with(true, false).await.workspace;
    let copy = forked(&house, &isolated).await.workspace;
    let log = agent(
        &house,
        &copy,
        "git log --format=%s; git fsck 2>&1 | grep -c missing || :",
    )
    .await;
    assert_eq!(log, "first\n0\n");
}

#[tokio::test]
async fn what_cannot_be_read_is_said_and_a_git_folder_of_no_use_is_copied_as_it_is() {
    let Some(house) = house().await else { return };
    let workspace = house.create().await;
    house
        .agent(
            &workspace,
            "echo '[[[' >.git/config; echo x >closed; chmod 000 closed; chmod 555 .",
        )
        .await;
    let copy = forked(&house, &workspace).await;
    let root = rustix::process::geteuid().is_root() && house.sandboxes().user.uid == 0;
    assert_eq!(
        copy.notes.len(),
        if root { 1 } else { 2 },
        "{:?}",
        copy.notes
    );
    assert!(copy.workspace.folder().join(".git/config").exists());
}

#[tokio::test]
async fn a_copy_that_fails_leaves_nothing() {
    let Some(house) = house().await else { return };
    let workspace = house.create().await;
    let name = "other".parse().unwrap();
    let nowhere = house.session.with_file_name("absent");
    let before = house.references();
    let failed = fork(&house.sandboxes(), &workspace, &nowhere, &name).await;
    assert!(failed.is_err());
    assert_eq!(house.references(), before);
    let left = entries(&house.session);
    assert!(!left.iter().any(|name| name.starts_with("exchange")));
}

#[tokio::test]
async fn what_a_killed_copy_left_behind_goes_and_nothing_else() {
    let Some(house) = house().await else { return };
    let workspace = house.create().await;
    let before = entries(&house.session);
    let left = house.session.join("exchange-1-0/workspace/deep");
    fs::create_dir_all(&left).unwrap();
    fs::write(left.join("file"), "half").unwrap();
    std::os::unix::fs::symlink(&house.repository, left.join("link")).unwrap();
    let ours = format!("exchange-{}-77", std::process::id());
    fs::create_dir(house.session.join(&ours)).unwrap();
    sweep(&workspace.session_dir);
    fs::remove_dir(house.session.join(&ours)).unwrap();
    assert_eq!(entries(&house.session), before);
    assert!(house.repository.join("a.txt").exists());
}

fn entries(folder: &Path) -> Vec<String> {
    let name = |entry: std::io::Result<fs::DirEntry>| entry.unwrap().file_name();
    let names = fs::read_dir(folder).unwrap().map(name);
    let mut names: Vec<_> = names.map(|name| name.into_string().unwrap()).collect();
    names.sort();
    names
}

/// The copy meets the agent's own git configuration, but inside.
#[tokio::test]
async fn poison_is_copied_and_runs_nothing_on_the_host() {
    let Some(house) = house().await else { return };
    let marker = house.root.path().join("marker");
    let touch = format!("touch {}", marker.display());
    let workspace = house.create().await;
    let script = format!(
        "git config core.fsmonitor '{touch}; false'; git config alias.branch '!{touch}'; git config filter.evil.smudge '{touch}; cat'; echo '* filter=evil' >.gitattributes; \
         mkdir -p .git/hooks; printf '#!/bin/sh\\n{touch}\\n' >.git/hooks/reference-transaction; chmod +x .git/hooks/reference-transaction; ln -s /etc/passwd p"
    );
    house.agent(&workspace, &script).await;
    let copy = forked(&house, &workspace).await.workspace;
    assert!(!marker.exists(), "ran on the host");
    let link = copy.folder().join("p").symlink_metadata().unwrap();
    assert!(link.file_type().is_symlink());
    careless(&house, &copy.folder(), &["status"]);
    assert!(
        marker.exists(),
        "the poison is not live, so the test proves nothing"
    );
}
