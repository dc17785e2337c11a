//! Hand-made bundles: whatever a sandbox might hand out, the person's repository takes all of it or nothing.
#![allow(clippy::unwrap_used)]

mod support;

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use async_trait::async_trait;
use clauderon_runtime::{
    Capabilities, Created, ExecOutput, ExecRequest, Found, Handle, OneShot, OneShotOutput, Runtime,
    RuntimeError, SandboxPlan, Started, State, Unavailable, User,
};
use clauderon_session::Backend;
use clauderon_workspace::{Error, Sandboxes, Workspace, pull};
use support::{House, git, house};

/// A sandbox that was taken over: it hands out what it likes.
struct Forger {
    bundle: Forged,
    printed: String,
}

enum Forged {
    Bytes(Vec<u8>),
    Link(PathBuf),
}

#[async_trait]
impl Runtime for Forger {
    fn backend(&self) -> Backend {
        Backend::Fake
    }
    async fn run_once(&self, one: OneShot) -> Result<OneShotOutput, RuntimeError> {
        let out = one
            .mounts
            .iter()
            .find(|mount| mount.target.ends_with("out"))
            .unwrap();
        let path = out.source.join("bundle");
        match &self.bundle {
            Forged::Bytes(bytes) => fs::write(path, bytes).unwrap(),
            Forged::Link(target) => std::os::unix::fs::symlink(target, path).unwrap(),
        }
        Ok(OneShotOutput {
            code: 0,
            stdout: self.printed.clone().into_bytes(),
            stderr: Vec::new(),
        })
    }
    async fn probe(&self) -> Result<Capabilities, Unavailable> {
        unreachable!()
    }
    async fn check_image(&self, _: &str) -> Result<(), RuntimeError> {
        unreachable!()
    }
    async fn create(&self, _: &SandboxPlan) -> Result<Created, RuntimeError> {
        unreachable!()
    }
    async fn start(&self, _: &SandboxPlan, _: &Handle) -> Result<Started, RuntimeError> {
        unreachable!()
    }
    async fn stop(&self, _: &Handle, _: Duration) -> Result<(), RuntimeError> {
        unreachable!()
    }
    async fn remove(&self, _: &Handle) -> Result<(), RuntimeError> {
        unreachable!()
    }
    async fn state(&self, _: &Handle) -> State {
        unreachable!()
    }
    async fn exec(&self, _: &Handle, _: ExecRequest) -> Result<ExecOutput, RuntimeError> {
        unreachable!()
    }
    async fn list(&self) -> Result<Vec<Found>, RuntimeError> {
        unreachable!()
    }
}

/// The attacker's own repository, a copy of the person's, in which any object can be made.
struct Workshop {
    house: House,
    workspace: Workspace,
    at: PathBuf,
    base: String,
}

async fn workshop() -> Option<Workshop> {
    let house = house().await?;
    let workspace = house.create().await;
    let at = house.root.path().join("workshop");
    git(
        house.root.path(),
        &[
            "clone",
            "-q",
            house.repository.to_str().unwrap(),
            "workshop",
        ],
    );
    git(&at, &["config", "user.name", "a"]);
    git(&at, &["config", "user.email", "b"]);
    let base = workspace.base.clone();
    Some(Workshop {
        house,
        workspace,
        at,
        base,
    })
}

impl Workshop {
    fn fed(&self, args: &[&str], input: &[u8]) -> Vec<u8> {
        let mut child = Command::new("git")
            .current_dir(&self.at)
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{args:?}");
        output.stdout
    }

    /// Stores any bytes as an object.
    fn object(&self, kind: &str, bytes: &[u8]) -> String {
        let id = self.fed(
            &["hash-object", "-w", "--literally", "-t", kind, "--stdin"],
            bytes,
        );
        String::from_utf8(id).unwrap().trim().to_owned()
    }

    /// Makes a tree of one entry without any check.
    fn tree(&self, mode: &str, name: &str, id: &str) -> String {
        let mut bytes = format!("{mode} {name}\0").into_bytes();
        bytes.extend((0..20).map(|at| u8::from_str_radix(&id[at * 2..at * 2 + 2], 16).unwrap()));
        self.object("tree", &bytes)
    }

    fn commit(&self, tree: &str) -> String {
        git(
            &self.at,
            &["commit-tree", tree, "-p", &self.base, "-m", "x"],
        )
    }

    /// Packs exactly these objects, whatever they link to.
    fn bundle(&self, names: &[(&str, &str)], objects: &[&str]) -> Vec<u8> {
        let mut bundle = format!("# v2 git bundle\n-{} base\n", self.base).into_bytes();
        for (id, name) in names {
            bundle.extend(format!("{id} {name}\n").into_bytes());
        }
        bundle.push(b'\n');
        let list = objects.join("\n") + "\n";
        bundle.extend(self.fed(&["pack-objects", "--stdout", "-q"], list.as_bytes()));
        bundle
    }

    async fn pull(&self, bundle: Forged, head: &str) -> Result<clauderon_workspace::Pulled, Error> {
        let runtime = Forger {
            bundle,
            printed: format!("head {head}\nflags -\nbundle\n"),
        };
        let sandboxes = Sandboxes {
            runtime: &runtime,
            image: None,
            user: User::for_caller(),
        };
        pull(&sandboxes, &self.workspace).await
    }

    /// Pulls and expects a refusal that changes neither a reference nor an object.
    async fn refuse(&self, case: &str, bundle: Forged, head: &str) {
        let state = || {
            let objects = self
                .house
                .git(&["cat-file", "--batch-all-objects", "--batch-check"]);
            let files = self.house.git(&["status", "--porcelain"]);
            (self.house.references(), objects, files)
        };
        let before = state();
        let error = self.pull(bundle, head).await.map(drop).unwrap_err();
        assert!(
            matches!(error, Error::BadWork(_) | Error::Io { .. }),
            "{case}: {error:?}"
        );
        assert_eq!(state(), before, "{case}");
    }
}

macro_rules! workshop {
    () => {
        match workshop().await {
            Some(workshop) => workshop,
            None => return,
        }
    };
}

const HEAD: &str = "refs/clauderon/head";

#[tokio::test]
async fn an_honest_bundle_is_taken() {
    let shop = workshop!();
    let blob = shop.object("blob", b"x\n");
    let tree = shop.tree("100644", "x", &blob);
    let commit = shop.commit(&tree);
    let bundle = shop.bundle(&[(&commit, HEAD)], &[&blob, &tree, &commit]);
    let pulled = shop.pull(Forged::Bytes(bundle), &commit).await.unwrap();
    assert_eq!(pulled.head, commit);
    assert_eq!(
        shop.house
            .git(&["rev-parse", "refs/clauderon/tidy-up/head"]),
        commit
    );
}

#[tokio::test]
async fn bad_objects_are_refused() {
    let shop = workshop!();
    let blob = shop.object("blob", b"#!/bin/sh\n");
    let hook = shop.tree("100755", "post-checkout", &blob);
    for (mode, name, id) in [
        ("40000", ".git", &hook),
        ("40000", ".GIT", &hook),
        ("40000", "..", &hook),
        ("40000", "git~1", &hook),
        ("100644", "a/b", &blob),
        ("100644", "", &blob),
        ("120000", ".gitmodules", &blob),
    ] {
        let tree = shop.tree(mode, name, id);
        let commit = shop.commit(&tree);
        let bundle = shop.bundle(&[(&commit, HEAD)], &[&blob, &hook, &tree, &commit]);
        shop.refuse(&format!("{mode} {name}"), Forged::Bytes(bundle), &commit)
            .await;
    }
    let modules = shop.object("blob", b"[submodule \"x\"]\n\tpath = x\n\turl = -u./evil\n");
    let tree = shop.tree("100644", ".gitmodules", &modules);
    let commit = shop.commit(&tree);
    let bundle = shop.bundle(&[(&commit, HEAD)], &[&modules, &tree, &commit]);
    shop.refuse(
        "an option as a submodule's URL",
        Forged::Bytes(bundle),
        &commit,
    )
    .await;
    let raw = format!("tree {tree}\nparent {}\nauthor nobody\n\nx\n", shop.base);
    let commit = shop.object("commit", raw.as_bytes());
    let bundle = shop.bundle(&[(&commit, HEAD)], &[&modules, &tree, &commit]);
    shop.refuse(
        "a commit without a committer",
        Forged::Bytes(bundle),
        &commit,
    )
    .await;
}

#[tokio::test]
async fn references_outside_the_session_are_refused() {
    let shop = workshop!();
    let blob = shop.object("blob", b"x\n");
    let tree = shop.tree("100644", "x", &blob);
    let commit = shop.commit(&tree);
    for name in [
        "refs/heads/main",
        "HEAD",
        "refs/clauderon/../heads/main",
        "refs/clauderon/branch/../../../heads/main",
        "refs/clauderon/other-session/head",
        "refs/clauderon/base",
    ] {
        let names = [(commit.as_str(), HEAD), (commit.as_str(), name)];
        let bundle = shop.bundle(&names, &[&blob, &tree, &commit]);
        shop.refuse(name, Forged::Bytes(bundle), &commit).await;
    }
}

#[tokio::test]
async fn bundles_with_holes_and_lies_are_refused() {
    let shop = workshop!();
    let blob = shop.object("blob", b"x\n");
    let tree = shop.tree("100644", "x", &blob);
    let commit = shop.commit(&tree);
    let all = [blob.as_str(), &tree, &commit];
    let named = [(commit.as_str(), HEAD)];
    let whole = shop.bundle(&named, &all);
    let refuse =
        async |case: &str, bytes: Vec<u8>| shop.refuse(case, Forged::Bytes(bytes), &commit).await;

    refuse("a missing file", shop.bundle(&named, &[&tree, &commit])).await;
    refuse("a missing tree", shop.bundle(&named, &[&blob, &commit])).await;
    refuse("no commit", shop.bundle(&[(&tree, HEAD)], &all)).await;
    refuse(
        "another commit than said",
        shop.bundle(&[(&shop.base, HEAD)], &all),
    )
    .await;
    refuse("cut", whole[..whole.len() - 25].to_vec()).await;
    let mut flipped = whole.clone();
    let at = flipped.len() - 30;
    flipped[at] ^= 0x55;
    refuse("a flipped bit", flipped).await;
    refuse("empty", Vec::new()).await;
    refuse(
        "an endless head",
        [b"# v2 git bundle\n".to_vec(), vec![b'x'; 2 << 20]].concat(),
    )
    .await;
    let needs = String::from_utf8_lossy(&whole[..60]).replace(&shop.base, &"1".repeat(40));
    refuse(
        "built on what is not there",
        [needs.as_bytes(), &whole[60..]].concat(),
    )
    .await;
    let elsewhere = shop.house.root.path().join("elsewhere");
    fs::write(&elsewhere, &whole).unwrap();
    shop.refuse("a link to a good bundle", Forged::Link(elsewhere), &commit)
        .await;
    let bundle = shop.bundle(&[(&tree, HEAD)], &[&blob, &tree]);
    shop.refuse("a tree as the current commit", Forged::Bytes(bundle), &tree)
        .await;
    let twice = shop.commit(&shop.tree("100644", "y", &shop.object("blob", b"missing\n")));
    let bundle = shop.bundle(
        &[(&commit, HEAD), (&twice, "refs/clauderon/branch/b")],
        &[&blob, &tree, &commit, &twice],
    );
    refuse("one good and one with a hole", bundle).await;
}

#[tokio::test]
async fn a_history_that_rests_on_a_hole_of_the_repository_is_refused() {
    let shop = workshop!();
    // The person's repository holds a stray commit whose own parent is missing, as after an interrupted prune.
    let raw = git(&shop.at, &["cat-file", "commit", &shop.base]);
    let (tree, rest) = raw.split_once('\n').unwrap();
    let stray = format!("{tree}\nparent {}\n{rest}\n", "1".repeat(40));
    let stray = shop.object("commit", stray.as_bytes());
    let file = format!(".git/objects/{}/{}", &stray[..2], &stray[2..]);
    fs::create_dir_all(shop.house.repository.join(&file).parent().unwrap()).unwrap();
    fs::copy(shop.at.join(&file), shop.house.repository.join(&file)).unwrap();
    let commit = git(
        &shop.at,
        &[
            "commit-tree",
            tree.trim_start_matches("tree "),
            "-p",
            &stray,
            "-m",
            "x",
        ],
    );
    let bundle = shop.bundle(&[(&commit, HEAD)], &[&commit]);
    shop.refuse("rests on a hole", Forged::Bytes(bundle), &commit)
        .await;
}
