//! A hijacked agent poisons its repository in every known way; nothing of it may run on the host.
//!
//! Each case is live: at its end the command that a careless host would run does leave the marker.
#![allow(clippy::unwrap_used)]

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt;

use clauderon_workspace::{Diff, Forget, Pulled, diff, forget, pull, sides, status};
use support::{House, careless, house, run_git};

/// What is expected of a case.
enum Expect {
    /// Commit and files are shown and pulled.
    Whole,
    /// The git folder is of no use: files are shown and pulled, and it is said.
    FilesOnly,
}

/// Plants with a script (`$M` touches the marker), then compares, pulls and forgets, then proves that the poison is live.
async fn check(case: &str, script: &str, live: Option<(&str, &[&str])>, expect: Expect) {
    let Some(house) = house().await else { return };
    let marker = house.root.path().join("marker");
    let before = house.references();
    let workspace = house.create().await;
    let work = "set -e; cd /workspace; git checkout -q -B clauderon/tidy-up; echo mine >mine.txt; git add mine.txt; git commit -qm mine; echo more >>a.txt\n";
    let script = script.replace("$M", &format!("touch {}", marker.display()));
    house.agent(&workspace, &format!("{work}{script}")).await;

    let shown = diff(&house.sandboxes(), &workspace)
        .await
        .unwrap_or_else(|error| panic!("{case}: {error}"));
    let pulled = pull(&house.sandboxes(), &workspace)
        .await
        .unwrap_or_else(|error| panic!("{case}: {error}"));
    assert!(!marker.exists(), "{case}: ran on the host");
    check_work(case, &house, &shown, &pulled, &expect);
    forget(&workspace, Forget::Everything).await.unwrap();
    assert_eq!(house.references(), before, "{case}");
    assert!(!marker.exists(), "{case}: ran on the host");

    if let Some((folder, command)) = live {
        careless(&house, &workspace.folder().join(folder), command);
        assert!(
            marker.exists(),
            "{case}: the poison is not live, so the test proves nothing"
        );
    }
}

fn check_work(case: &str, house: &House, shown: &Diff, pulled: &Pulled, expect: &Expect) {
    assert!(
        shown.patch.contains("+mine") && shown.patch.contains("+more"),
        "{case}: {}",
        shown.patch
    );
    let last = pulled.wip.as_ref().unwrap();
    assert_eq!(
        house.git(&["show", &format!("{last}:a.txt")]),
        "one\nmore",
        "{case}"
    );
    assert_eq!(
        house.git(&["show", &format!("{last}:mine.txt")]),
        "mine",
        "{case}"
    );
    let told = shown
        .notes
        .iter()
        .chain(&pulled.notes)
        .filter(|note| note.contains("git folder cannot be read"))
        .count();
    match expect {
        Expect::Whole => assert_eq!((shown.commits, pulled.commits, told), (1, 1, 0), "{case}"),
        Expect::FilesOnly => assert_eq!((shown.commits, pulled.commits, told), (0, 0, 2), "{case}"),
    }
}

const STATUS: Option<(&str, &[&str])> = Some(("", &["status"]));
const DIFF: Option<(&str, &[&str])> = Some(("", &["diff"]));
const COMMIT: Option<(&str, &[&str])> = Some((
    "",
    &[
        "-c",
        "user.name=a",
        "-c",
        "user.email=b",
        "commit",
        "-m",
        "x",
        "--allow-empty",
    ],
));
const FETCH: Option<(&str, &[&str])> = Some(("", &["fetch", "origin"]));

#[tokio::test]
async fn configuration_that_names_programs_runs_none() {
    check(
        "fsmonitor",
        "git config core.fsmonitor '$M; false'",
        STATUS,
        Expect::Whole,
    )
    .await;
    check(
        "diff.external",
        "git config diff.external '$M; true'",
        DIFF,
        Expect::Whole,
    )
    .await;
    check("gpg.program", "printf '#!/bin/sh\\n$M\\n' >gpg; chmod +x gpg; git config gpg.program ./gpg; git config commit.gpgSign true", COMMIT, Expect::Whole).await;
    check("core.sshCommand", "git config core.sshCommand '$M; false'; git config remote.origin.url ssh://nowhere.invalid/x", FETCH, Expect::Whole).await;
    check(
        "uploadpack",
        "git config remote.origin.url .; git config remote.origin.uploadpack '$M; false'",
        FETCH,
        Expect::Whole,
    )
    .await;
    check(
        "pager",
        "git config core.pager '$M; cat'; git config pager.log true; git config alias.st '!$M'",
        Some(("", &["st"])),
        Expect::Whole,
    )
    .await;
    check(
        "include.path",
        "printf '[core]\\n\\tfsmonitor = \"$M; false\"\\n' >evil; git config include.path ../evil",
        STATUS,
        Expect::Whole,
    )
    .await;
    check("config.worktree", "git config extensions.worktreeConfig true; git config --worktree core.fsmonitor '$M; false'", STATUS, Expect::Whole).await;
}

#[tokio::test]
async fn hooks_run_nowhere() {
    let hook = "printf '#!/bin/sh\\n$M\\n' >$D/pre-commit; chmod +x $D/pre-commit; cp $D/pre-commit $D/reference-transaction; cp $D/pre-commit $D/post-index-change";
    let at = |folder: &str| hook.replace("$D", folder);
    check(
        "hooks",
        &format!("mkdir -p .git/hooks; {}", at(".git/hooks")),
        COMMIT,
        Expect::Whole,
    )
    .await;
    check(
        "core.hooksPath",
        &format!("mkdir h; {}; git config core.hooksPath h", at("h")),
        COMMIT,
        Expect::Whole,
    )
    .await;
}

#[tokio::test]
async fn attributes_run_no_filters() {
    let filter = |kind: &str| {
        format!("echo '*.txt filter=evil diff=evil' >.gitattributes; git config {kind}")
    };
    check(
        "textconv",
        &filter("diff.evil.textconv '$M; cat'"),
        DIFF,
        Expect::Whole,
    )
    .await;
    check(
        "diff driver",
        &filter("diff.evil.command '$M; true'"),
        DIFF,
        Expect::Whole,
    )
    .await;
    check(
        "clean",
        &filter("filter.evil.clean '$M; cat'"),
        DIFF,
        Expect::Whole,
    )
    .await;
    check(
        "process",
        &filter("filter.evil.process '$M'"),
        DIFF,
        Expect::Whole,
    )
    .await;
    check(
        "smudge",
        &filter("filter.evil.smudge '$M; cat'"),
        Some(("", &["checkout", "--", "."])),
        Expect::Whole,
    )
    .await;
    check(
        "merge driver",
        &filter("merge.evil.driver '$M'"),
        None,
        Expect::Whole,
    )
    .await;
    check(
        "hidden by attributes",
        "echo '* -diff binary' >.gitattributes",
        None,
        Expect::Whole,
    )
    .await;
}

#[tokio::test]
async fn replaced_git_folders_are_read_inside_alone() {
    let moved = "mv .git evil; git --git-dir=evil config core.fsmonitor '$M; false'; echo evil >evil/info/exclude";
    check(
        "a .git file",
        &format!("{moved}; echo 'gitdir: evil' >.git"),
        STATUS,
        Expect::Whole,
    )
    .await;
    check(
        "a .git link",
        &format!("{moved}; ln -s evil .git"),
        STATUS,
        Expect::Whole,
    )
    .await;
    check("commondir", "cp -r .git evil; git --git-dir=evil config core.fsmonitor '$M; false'; echo ../evil >.git/commondir", STATUS, Expect::Whole).await;
    check("an embedded bare repository", "git init -q --bare sub; git -C sub config core.bare false; git -C sub config core.worktree ..; git -C sub config core.fsmonitor '$M; false'", Some(("sub", &["status"])), Expect::Whole).await;
    check("a submodule with a monitor", "git init -q sub; git -C sub -c user.name=a -c user.email=b commit -q --allow-empty -m x; git -C sub config core.fsmonitor '$M; false'; git -c core.fsmonitor=false add sub 2>/dev/null; git add mine.txt", STATUS, Expect::Whole).await;
    check("a submodule's update command", "git init -q sub; git -C sub -c user.name=a -c user.email=b commit -q --allow-empty -m x; git add sub 2>/dev/null; printf '[submodule \"sub\"]\\n\\tpath = sub\\n\\turl = ./sub\\n' >.gitmodules; git config submodule.sub.url ./sub; git config submodule.sub.update '!$M'; git -C sub -c user.name=a -c user.email=b commit -q --allow-empty -m y", Some(("", &["submodule", "update"])), Expect::Whole).await;
    check(
        "alternates rewritten",
        "echo /etc >.git/objects/info/alternates",
        None,
        Expect::Whole,
    )
    .await;
    check(
        "alternates to themselves",
        "echo /workspace/.git/objects >>.git/objects/info/alternates",
        None,
        Expect::Whole,
    )
    .await;
    check(
        "an index of rubbish",
        "echo rubbish >.git/index",
        None,
        Expect::Whole,
    )
    .await;
    check(
        "an index that is a link",
        "cp .git/index i; ln -sf /etc/passwd .git/index",
        None,
        Expect::Whole,
    )
    .await;
}

#[tokio::test]
async fn files_survive_a_git_folder_that_is_of_no_use() {
    check("no .git", "rm -rf .git", None, Expect::FilesOnly).await;
    check(
        "broken configuration",
        "echo '[[[' >.git/config",
        None,
        Expect::FilesOnly,
    )
    .await;
    check(
        "a HEAD that is a pipe",
        "rm .git/HEAD; mkfifo .git/HEAD",
        None,
        Expect::FilesOnly,
    )
    .await;
    check(
        "a HEAD to nowhere",
        "echo 0123456789012345678901234567890123456789 >.git/HEAD",
        None,
        Expect::FilesOnly,
    )
    .await;
    check(
        "lost objects",
        "rm -rf .git/objects; mkdir .git/objects",
        None,
        Expect::FilesOnly,
    )
    .await;
}

#[tokio::test]
async fn the_persons_own_hooks_and_monitors_do_not_run_either() {
    let Some(house) = house().await else { return };
    let marker = house.root.path().join("marker");
    let touch = format!("touch {}", marker.display());
    for hook in [
        "reference-transaction",
        "post-checkout",
        "post-index-change",
        "pre-auto-gc",
    ] {
        let path = house.repository.join(".git/hooks").join(hook);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, format!("#!/bin/sh\n{touch}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    house.git(&[
        "-c",
        "core.hooksPath=/dev/null",
        "config",
        "core.fsmonitor",
        &format!("{touch}; false"),
    ]);
    house.git(&["config", "core.alternateRefsCommand", &touch]);
    house.git(&["config", "filter.evil.smudge", &format!("{touch}; cat")]);
    house.write(".gitattributes", "*.txt filter=evil\n");
    house.git(&[
        "-c",
        "core.hooksPath=/dev/null",
        "-c",
        "core.fsmonitor=false",
        "add",
        ".gitattributes",
    ]);
    house.git(&[
        "-c",
        "core.hooksPath=/dev/null",
        "-c",
        "core.fsmonitor=false",
        "commit",
        "-qm",
        "attributes",
    ]);
    assert!(!marker.exists());

    let workspace = house.create().await;
    house
        .agent(&workspace, "echo x >x; git add x; git commit -qm x")
        .await;
    diff(&house.sandboxes(), &workspace).await.unwrap();
    pull(&house.sandboxes(), &workspace).await.unwrap();
    forget(&workspace, Forget::Everything).await.unwrap();
    assert!(!marker.exists());
    run_git(&house.repository, &["status"]);
    assert!(
        marker.exists(),
        "the poison is not live, so the test proves nothing"
    );
}

/// The views of single files ask the same sandbox, so that the same poison stays inside.
#[tokio::test]
async fn marks_and_sides_run_nothing_of_the_agents_on_the_host() {
    let Some(house) = house().await else { return };
    let marker = house.root.path().join("marker");
    let workspace = house.create().await;
    let touch = format!("touch {}", marker.display());
    let script = format!(
        "git config core.fsmonitor '{touch}; false'; git config diff.external '{touch}'; echo '*.txt filter=evil diff=evil' >.gitattributes; git config filter.evil.clean '{touch}; cat'; git config diff.evil.textconv '{touch}; cat'; echo more >>a.txt"
    );
    house
        .agent(&workspace, &format!("{script}; rm -f {}", marker.display()))
        .await;
    let marks = status(&house.sandboxes(), &workspace).await.unwrap();
    assert!(marks.iter().any(|one| one.path == "a.txt"));
    let shown = sides(&house.sandboxes(), &workspace, "a.txt")
        .await
        .unwrap();
    assert_eq!(shown.now.as_deref(), Some("one\nmore\n"));
    assert!(!marker.exists(), "ran on the host");
    careless(&house, &workspace.folder(), &["status"]);
    assert!(
        marker.exists(),
        "the poison is not live, so the test proves nothing"
    );
}
