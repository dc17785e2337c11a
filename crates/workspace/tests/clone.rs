//! Making a workspace, comparing it, bringing it back: with real git and real throw-away sandboxes.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt;

use clauderon_workspace::{Error, Forget, Notice, Risk, Source, Workspace, diff, forget, pull};
use support::{docker_house, git, give, house, open_folder, run_git};

macro_rules! house {
    () => {
        match house().await {
            Some(house) => house,
            None => return,
        }
    };
}

#[tokio::test]
async fn a_clone_has_the_files_the_branch_and_the_author() {
    let house = house!();
    house.git(&[
        "remote",
        "add",
        "origin",
        "https://me:s3cret@github.com/ada/tools.git",
    ]);
    house.git(&["tag", "v1"]);
    let source = house.source().await;
    assert_eq!(source.github, Some(("ada".into(), "tools".into())));
    let created = house.create_with(false, false).await;
    let seen = house
        .agent(&created.workspace, "git status --porcelain; git branch --show-current; cat a.txt dir/b.txt; git log --format='%s %an'; git tag; git config --get-regexp '^(user|remote)'; git commit -q --allow-empty -m x && git log -1 --format=%an")
        .await;
    assert_eq!(
        seen,
        "clauderon/tidy-up\none\ntwo\nfirst Ada \"A\" L\nv1\nuser.name Ada \"A\" L\nuser.email ada@example.org\nremote.origin.url https://github.com/ada/tools.git\nremote.origin.fetch +refs/heads/*:refs/remotes/origin/*\nAda \"A\" L\n"
    );
    assert!(created.notices.contains(&Notice::RemoteCredential {
        remote: "origin".into()
    }));
    let base = house.git(&["rev-parse", "HEAD"]);
    assert_eq!(
        house.git(&["rev-parse", "refs/clauderon/tidy-up/base"]),
        base
    );
    let loaded = Workspace::load(&house.session).unwrap();
    assert_eq!(loaded, created.workspace);
    assert_eq!(house.git(&["status", "--porcelain"]), "");
}

#[tokio::test]
async fn committed_uncommitted_and_untracked_work_is_shown_and_pulled() {
    let house = house!();
    let workspace = house.create().await;
    house
        .agent(
            &workspace,
            "echo two >>a.txt; git commit -qam 'second'; git branch side; git checkout -q side; echo s >side.txt; git add .; git commit -qm side; git checkout -q clauderon/tidy-up; echo three >>a.txt; mkdir -p .github/workflows; echo on: push >.github/workflows/x.yml; git rm -q --cached dir/b.txt; printf '\\033]0;x\\007' >esc",
        )
        .await;
    let index = fs::read(workspace.folder().join(".git/index")).unwrap();
    let shown = diff(&house.sandboxes(), &workspace).await.unwrap();
    assert_eq!(shown.commits, 1);
    assert!(shown.patch.contains("+two\n+three"), "{}", shown.patch);
    let paths: Vec<&str> = shown.files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(paths, [".github/workflows/x.yml", "a.txt", "esc"]);
    assert!(shown.notes.is_empty() && !shown.cut);
    assert_eq!(
        index,
        fs::read(workspace.folder().join(".git/index")).unwrap()
    );

    let pulled = pull(&house.sandboxes(), &workspace).await.unwrap();
    assert_eq!((pulled.commits, pulled.files), (1, 3));
    let names: Vec<&str> = pulled
        .references
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    assert_eq!(
        names,
        [
            "refs/clauderon/tidy-up/branch/side",
            "refs/clauderon/tidy-up/head",
            "refs/clauderon/tidy-up/wip"
        ]
    );
    assert_eq!(pulled.risky.len(), 1);
    assert_eq!(pulled.risky[0].risk, Risk::Ci);
    assert_eq!(
        house.git(&["show", "refs/clauderon/tidy-up/head:a.txt"]),
        "one\ntwo"
    );
    assert_eq!(
        house.git(&["show", "refs/clauderon/tidy-up/wip:a.txt"]),
        "one\ntwo\nthree"
    );
    assert_eq!(
        house.git(&["show", "refs/clauderon/tidy-up/branch/side:side.txt"]),
        "s"
    );
    house.git(&["fsck", "--strict"]);
    for command in &pulled.merge {
        let ended = std::process::Command::new("sh")
            .args(["-c", command])
            .output()
            .unwrap();
        assert!(ended.status.success(), "{command}");
    }
    assert_eq!(
        fs::read_to_string(house.repository.join("a.txt")).unwrap(),
        "one\ntwo\nthree\n"
    );

    house
        .agent(&workspace, "git add -A; git commit -qm third")
        .await;
    let again = pull(&house.sandboxes(), &workspace).await.unwrap();
    assert_eq!((again.commits, again.wip), (2, None));
    assert!(!house.references().contains("/wip"));

    forget(&workspace, Forget::Pins).await.unwrap();
    assert!(
        house.references().contains("tidy-up/head") && !house.references().contains("tidy-up/base")
    );
    forget(&workspace, Forget::Everything).await.unwrap();
    assert!(!house.references().contains("refs/clauderon"));
    let left: Vec<_> = fs::read_dir(&house.session)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert!(
        !left
            .iter()
            .any(|name| name.to_string_lossy().starts_with("exchange")),
        "{left:?}"
    );
}

#[tokio::test]
async fn nothing_done_and_history_gone_back_are_pulled_as_well() {
    let house = house!();
    house.git(&["commit", "-q", "--allow-empty", "-m", "second"]);
    let workspace = house.create().await;
    let pulled = pull(&house.sandboxes(), &workspace).await.unwrap();
    assert_eq!((pulled.commits, pulled.head == workspace.base), (0, true));
    assert!(pulled.merge.is_empty());
    house.agent(&workspace, "git reset -q --hard HEAD~1").await;
    let pulled = pull(&house.sandboxes(), &workspace).await.unwrap();
    assert_eq!(pulled.head, house.git(&["rev-parse", "HEAD~1"]));
    house
        .agent(
            &workspace,
            "git checkout -q --orphan new; git commit -qm orphan; git checkout -q --detach",
        )
        .await;
    let pulled = pull(&house.sandboxes(), &workspace).await.unwrap();
    assert_eq!(
        house.git(&["log", "-1", "--format=%s", &pulled.head]),
        "orphan"
    );
}

#[tokio::test]
async fn unusual_repositories_are_cloned() {
    // Each case makes the repository unusual; the clone must still show the file and a commit must come back.
    async fn check(case: &str, house: &support::House, path: &std::path::Path) {
        let source = Source::inspect(path)
            .await
            .unwrap_or_else(|error| panic!("{case}: {error}"));
        let _ = fs::remove_dir_all(&house.session);
        fs::create_dir_all(&house.session).unwrap();
        let plan = clauderon_workspace::Plan {
            session_dir: &house.session,
            name: &support::name(),
            source: &source,
            isolate_history: false,
            include_secrets: false,
        };
        let made = clauderon_workspace::create(&house.sandboxes(), plan).await;
        let workspace = made
            .unwrap_or_else(|error| panic!("{case}: {error}"))
            .workspace;
        clauderon_workspace::fill(&house.sandboxes(), &workspace)
            .await
            .unwrap_or_else(|error| panic!("{case}: {error}"));
        clauderon_workspace::settle(&house.sandboxes(), &source, &workspace)
            .await
            .unwrap_or_else(|error| panic!("{case}: {error}"));
        let script = "set -e; test one = \"$(head -1 a.txt)\"; git fsck --no-dangling >&2; test -z \"$(git log 2>&1 >/dev/null)\"; echo x >x; git add x; git commit -qm x; git rev-parse HEAD";
        let head = house.agent(&workspace, script).await;
        let pulled = pull(&house.sandboxes(), &workspace)
            .await
            .unwrap_or_else(|error| panic!("{case}: {error}"));
        assert_eq!(pulled.head, head.trim(), "{case}");
        assert_eq!(pulled.references.len(), 1, "{case}");
        let at = if source.bare { path } else { &source.root };
        assert_eq!(
            git(at, &["show", "refs/clauderon/tidy-up/head:x"]),
            "x",
            "{case}"
        );
        forget(&workspace, Forget::Everything).await.unwrap();
    }
    let house = house!();
    let root = house.root.path().to_owned();
    check("plain", &house, &house.repository).await;
    check("subdirectory", &house, &house.repository.join("dir")).await;
    check("its git folder", &house, &house.repository.join(".git")).await;
    house.git(&["worktree", "add", "-q", "../tree", "-b", "other"]);
    check("worktree", &house, &root.join("tree")).await;
    let code = house.repository.to_str().unwrap().to_owned();
    git(&root, &["clone", "-q", "--bare", &code, "bare.git"]);
    check("bare", &house, &root.join("bare.git")).await;
    git(&root, &["clone", "-q", "--shared", &code, "shared"]);
    git(
        &root,
        &["clone", "-q", "--shared", "shared", "shared twice 'q\" é"],
    );
    check(
        "borrowing from a borrower, in an odd path",
        &house,
        &root.join("shared twice 'q\" é"),
    )
    .await;
    house.git(&["commit", "-q", "--allow-empty", "-m", "second"]);
    git(
        &root,
        &[
            "clone",
            "-q",
            "--depth",
            "1",
            &format!("file://{code}"),
            "shallow",
        ],
    );
    check("shallow", &house, &root.join("shallow")).await;
    house.git(&["checkout", "-q", "--detach"]);
    check("detached", &house, &house.repository).await;
    git(&root, &["init", "-q", "--object-format=sha256", "sha256"]);
    fs::write(root.join("sha256/a.txt"), "one\n").unwrap();
    git(&root.join("sha256"), &["add", "."]);
    git(
        &root.join("sha256"),
        &[
            "-c",
            "user.name=a",
            "-c",
            "user.email=b",
            "commit",
            "-qm",
            "x",
        ],
    );
    check("sha256", &house, &root.join("sha256")).await;
}

#[tokio::test]
async fn what_cannot_be_cloned_is_refused_with_a_sentence() {
    let house = house!();
    let root = house.root.path();
    let refuse = async |path: &str| Source::inspect(&root.join(path)).await.unwrap_err();
    assert!(matches!(refuse("nowhere").await, Error::NoSuchPath(_)));
    fs::create_dir_all(root.join("plain")).unwrap();
    assert!(matches!(refuse("plain").await, Error::NotARepository(_)));
    assert!(matches!(
        refuse("code/a.txt").await,
        Error::NotARepository(_)
    ));
    git(root, &["init", "-q", "empty"]);
    assert!(matches!(refuse("empty").await, Error::NoCommits(_)));
    fs::create_dir_all(root.join("line\nbreak")).unwrap();
    assert!(matches!(
        refuse("line\nbreak").await,
        Error::UnusablePath { .. }
    ));
    house.git(&["config", "uploadpack.allowFilter", "true"]);
    house.write(".gitattributes", "*.x -text\n");
    house.git(&["add", "."]);
    house.git(&["commit", "-qm", "attributes"]);
    let url = format!("file://{}", house.repository.display());
    git(
        root,
        &[
            "clone",
            "-q",
            "--no-checkout",
            "--filter=blob:none",
            &url,
            "partial",
        ],
    );
    let marker = root.join("marker");
    let command = format!("touch {}; false", marker.display());
    git(
        &root.join("partial"),
        &["config", "remote.origin.uploadpack", &command],
    );
    assert!(matches!(refuse("partial").await, Error::MissingObjects(_)));
    assert!(!marker.exists());
    // The control: without it, looking for a missing object runs the command.
    run_git(&root.join("partial"), &["cat-file", "-p", "HEAD:a.txt"]);
    assert!(marker.exists());
}

#[tokio::test]
async fn tells_what_stays_behind() {
    let house = house!();
    house.write(".env", "TOKEN=x");
    house.write("tracked.pem", "x");
    house.write(".gitattributes", "*.bin filter=lfs\n");
    house.git(&["add", "tracked.pem", ".gitattributes"]);
    house.git(&["commit", "-qm", "more"]);
    house.write("a.txt", "changed\n");
    house.git(&["branch", "other"]);
    let source = house.source().await;
    assert!(source.notices.contains(&Notice::Lfs));
    assert!(source.notices.contains(&Notice::HistoryReadable));
    assert!(source.notices.contains(&Notice::TrackedSecrets {
        paths: vec!["tracked.pem".into()]
    }));
    assert!(source.notices.contains(&Notice::SecretsLeftOut {
        paths: vec![".env".into()]
    }));
    let told = house.create_with(false, false).await.notices;
    assert!(
        told.contains(&Notice::Uncommitted {
            count: 2,
            repository: source.root.clone()
        }),
        "{told:?}"
    );
}

#[tokio::test]
async fn copies_listed_files_but_secrets_only_when_asked() {
    let house = house!();
    house.write(".gitignore", "local/\n.env*\nlink\n");
    house.write(".worktreeinclude", "local/\n.env\nlink\n");
    house.write("local/settings.toml", "x = 1\n");
    house.write("local/token.txt", "ghp_0123456789\n");
    house.write(".env", "TOKEN=x\n");
    std::os::unix::fs::symlink("/etc/passwd", house.repository.join("link")).unwrap();
    let created = house.create_with(false, false).await;
    let listed = house
        .agent(
            &created.workspace,
            "find . -path ./.git -prune -o -type f -print | sort",
        )
        .await;
    assert_eq!(listed, "./a.txt\n./dir/b.txt\n./local/settings.toml\n");
    assert!(created.notices.contains(&Notice::Included { count: 1 }));
    let left = Notice::SecretsLeftOut {
        paths: vec![".env".into(), "local/token.txt".into()],
    };
    assert!(created.notices.contains(&left), "{:?}", created.notices);
    fs::remove_dir_all(&house.session).unwrap();
    fs::create_dir_all(&house.session).unwrap();
    let created = house.create_with(false, true).await;
    assert_eq!(
        house.agent(&created.workspace, "cat .env").await,
        "TOKEN=x\n"
    );
}

#[tokio::test]
async fn an_isolated_clone_cannot_read_other_branches() {
    let house = house!();
    house.git(&["checkout", "-q", "-b", "other"]);
    house.git(&["commit", "-q", "--allow-empty", "-m", "elsewhere"]);
    let other = house.git(&["rev-parse", "HEAD"]);
    house.git(&["checkout", "-q", "main"]);
    let read = format!("git cat-file -e {other} && echo readable || echo hidden");
    let created = house.create_with(true, false).await;
    assert!(!created.notices.contains(&Notice::HistoryReadable));
    assert_eq!(house.agent(&created.workspace, &read).await, "hidden\n");
    fs::remove_dir_all(&house.session).unwrap();
    fs::create_dir_all(&house.session).unwrap();
    let created = house.create_with(false, false).await;
    assert_eq!(house.agent(&created.workspace, &read).await, "readable\n");
}

#[tokio::test]
async fn a_root_caller_serves_repositories_of_other_users_and_private_ones() {
    let house = house!();
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: only root has other users' repositories");
        return;
    }
    fs::set_permissions(
        house.repository.join(".git/objects"),
        fs::Permissions::from_mode(0o700),
    )
    .unwrap();
    open_folder(house.root.path());
    give(&house.repository, 1234);
    let created = house.create_with(false, false).await;
    assert!(created.notices.contains(&Notice::HistoryCopied));
    house
        .agent(&created.workspace, "echo x >x; git add x; git commit -qm x")
        .await;
    pull(&house.sandboxes(), &created.workspace).await.unwrap();
    let foreign = std::process::Command::new("find")
        .arg(&house.repository)
        .args(["!", "-user", "1234"])
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&foreign.stdout), "");
}

#[tokio::test]
async fn a_history_that_is_not_there_is_said_and_touches_nothing() {
    let house = house!();
    let before = house.references();
    let mut source = house.source().await;
    source.objects = vec![house.root.path().join("code/dir")];
    let plan = clauderon_workspace::Plan {
        session_dir: &house.session,
        name: &support::name(),
        source: &source,
        isolate_history: false,
        include_secrets: false,
    };
    let made = clauderon_workspace::create(&house.sandboxes(), plan).await;
    let error = clauderon_workspace::fill(&house.sandboxes(), &made.unwrap().workspace)
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Inside { .. }), "{error}");
    assert_eq!(house.references(), before);
}

#[tokio::test]
async fn odd_files_neither_hang_nor_hide() {
    let house = house!();
    let workspace = house.create().await;
    let script = "mkfifo pipe; mkdir sealed; echo x >sealed/x; chmod 000 sealed; echo u >unreadable; chmod 000 unreadable; ln -s /etc/passwd link; mkfifo .gitignore; printf 'x\\0y' >bin; head -c 20000000 /dev/zero | tr '\\0' 'x\\n' >big; echo 日本 >'naïve \"q\".txt'; git init -q nested; git -C nested -c user.name=a -c user.email=b commit -q --allow-empty -m n; git init -q empty; rm a.txt; mkfifo a.txt";
    house.agent(&workspace, script).await;
    let shown = diff(&house.sandboxes(), &workspace).await;
    let told = |error: &Error| error.to_string().contains("did not end within");
    match shown {
        Ok(shown) => assert!(
            shown.files.iter().any(|file| file.path.contains("naïve")),
            "{shown:?}"
        ),
        Err(error) => assert!(told(&error), "{error}"),
    }
    house.agent(&workspace, "rm .gitignore").await;
    let shown = diff(&house.sandboxes(), &workspace).await.unwrap();
    let paths: Vec<&str> = shown.files.iter().map(|file| file.path.as_str()).collect();
    assert!(
        shown.cut && shown.patch.len() == 16 << 20,
        "{}",
        shown.patch.len()
    );
    for path in ["bin", "big", "link", "naïve \"q\".txt"] {
        assert!(paths.contains(&path), "{path} in {paths:?}");
    }
    assert!(
        shown
            .notes
            .iter()
            .any(|note| note.contains("could not be read")),
        "{:?}",
        shown.notes
    );
    let pulled = pull(&house.sandboxes(), &workspace).await.unwrap();
    assert!(
        pulled
            .risky
            .iter()
            .any(|risky| risky.path == "link" && risky.risk == Risk::Link)
    );
    let wip = pulled.wip.unwrap();
    assert_eq!(
        house.git(&["show", &format!("{wip}:naïve \"q\".txt")]),
        "日本"
    );
}

#[tokio::test]
async fn the_same_holds_in_docker() {
    let Some(house) = docker_house().await else {
        return;
    };
    let marker = house.root.path().join("marker");
    house.write("a.txt", "changed\n");
    let created = house.create_with(false, false).await;
    let told = |notice: &Notice| matches!(notice, Notice::Uncommitted { count: 1, .. });
    assert!(created.notices.iter().any(told), "{:?}", created.notices);
    let workspace = created.workspace;
    let poison = format!(
        "git config core.fsmonitor 'touch {}; false'",
        marker.display()
    );
    let script = format!("echo x >x; git add x; git commit -qm x; echo y >y; {poison}");
    house.agent(&workspace, &script).await;
    let shown = diff(&house.sandboxes(), &workspace).await.unwrap();
    assert_eq!((shown.commits, shown.files.len()), (1, 2));
    let pulled = pull(&house.sandboxes(), &workspace).await.unwrap();
    assert_eq!(
        house.git(&["show", &format!("{}:y", pulled.wip.unwrap())]),
        "y"
    );
    assert!(!marker.exists());
    support::careless(&house, &workspace.folder(), &["status"]);
    assert!(
        marker.exists(),
        "the poison is not live, so the test proves nothing"
    );
}
