//! Real git against the rehearsal's github.com.
#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::process::{Command, Output};

use clauderon_rehearsal::{Options, Rehearsal};
use tempfile::TempDir;

/// One repository `ada/engine` with one commit, a copy of it that is private, and a rehearsal that serves both.
struct Hub {
    folder: TempDir,
    rehearsal: Rehearsal,
}

impl Hub {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let work = folder.path().join("work");
        run(folder.path(), &["init", "-q", "-b", "main", "work"]);
        std::fs::write(work.join("a.txt"), "content\n").unwrap();
        run(&work, &["add", "."]);
        run(&work, &["commit", "-q", "-m", "first"]);
        for name in ["engine", "secret"] {
            run(
                folder.path(),
                &[
                    "clone",
                    "-q",
                    "--bare",
                    "work",
                    &format!("hub/ada/{name}.git"),
                ],
            );
        }
        let options = Options {
            repositories: Some(folder.path().join("hub")),
            private: vec!["ada/secret".to_owned()],
            github_token: Some("ghp_real".to_owned()),
            ..Options::default()
        };
        let rehearsal = Rehearsal::start(options).await.unwrap();
        std::fs::write(folder.path().join("ca.pem"), rehearsal.ca_pem()).unwrap();
        Self { folder, rehearsal }
    }

    /// Runs git with the rehearsal in the place of github.com, off the runtime's thread.
    async fn git(&self, credential: Option<&str>, arguments: &[&str]) -> Output {
        let port = self.rehearsal.addr().port();
        let mut all = vec![
            "-c".to_owned(),
            format!("http.curloptResolve=github.com:{port}:127.0.0.1"),
        ];
        all.extend([
            "-c".to_owned(),
            format!("url.https://github.com:{port}/.insteadOf=hub:"),
        ]);
        if let Some(token) = credential {
            use base64::Engine as _;
            let pair = base64::prelude::BASE64_STANDARD.encode(format!("x-access-token:{token}"));
            all.extend([
                "-c".to_owned(),
                format!("http.extraHeader=Authorization: Basic {pair}"),
            ]);
        }
        all.extend(arguments.iter().map(|argument| (*argument).to_owned()));
        let folder = self.folder.path().to_owned();
        let ca = folder.join("ca.pem");
        tokio::task::spawn_blocking(move || git(&folder, &ca, &all))
            .await
            .unwrap()
    }
}

fn git(folder: &Path, ca: &Path, arguments: &[impl AsRef<std::ffi::OsStr>]) -> Output {
    Command::new("git")
        .current_dir(folder)
        .args([
            "-c",
            "user.name=Ada",
            "-c",
            "user.email=ada@example.invalid",
        ])
        .args(arguments)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_TERMINAL_PROMPT", "0")
        // The variable, since one in the caller's environment would outdo the setting.
        .env("GIT_SSL_CAINFO", ca)
        .env("no_proxy", "*")
        .output()
        .unwrap()
}

fn run(folder: &Path, arguments: &[&str]) {
    let output = git(folder, Path::new("/dev/null"), arguments);
    assert!(
        output.status.success(),
        "git {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

fn check(output: &Output, expected: Result<(), &str>) {
    let said = String::from_utf8_lossy(&output.stderr);
    match expected {
        Ok(()) => assert!(output.status.success(), "{said}"),
        Err(part) => assert!(!output.status.success() && said.contains(part), "{said}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn clones_and_fetches_a_public_repository() {
    let hub = Hub::start().await;
    check(
        &hub.git(None, &["clone", "-q", "hub:ada/engine.git", "copy"])
            .await,
        Ok(()),
    );
    assert_eq!(
        std::fs::read_to_string(hub.folder.path().join("copy/a.txt")).unwrap(),
        "content\n"
    );
    check(
        &hub.git(
            None,
            &["clone", "-q", "--depth", "1", "hub:ada/engine", "shallow"],
        )
        .await,
        Ok(()),
    );
    check(&hub.git(None, &["-C", "copy", "fetch", "-q"]).await, Ok(()));
    check(
        &hub.git(None, &["ls-remote", "hub:ada/missing.git"]).await,
        Err("not found"),
    );
    assert!(
        hub.rehearsal
            .requests()
            .iter()
            .all(|seen| seen.host == "github.com")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn opens_a_private_repository_to_its_token_alone() {
    let hub = Hub::start().await;
    check(
        &hub.git(None, &["ls-remote", "hub:ada/secret.git"]).await,
        Err("could not read Username"),
    );
    check(
        &hub.git(Some("ghp_other"), &["ls-remote", "hub:ada/secret.git"])
            .await,
        Err("could not read Username"),
    );
    check(
        &hub.git(
            Some("ghp_real"),
            &["clone", "-q", "hub:ada/secret.git", "copy"],
        )
        .await,
        Ok(()),
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn takes_a_push_so_that_a_missing_one_proves_something() {
    let hub = Hub::start().await;
    check(
        &hub.git(
            None,
            &[
                "-C",
                "work",
                "push",
                "-q",
                "hub:ada/engine.git",
                "main:refs/heads/pushed",
            ],
        )
        .await,
        Err("could not read Username"),
    );
    check(
        &hub.git(
            Some("ghp_real"),
            &[
                "-C",
                "work",
                "push",
                "-q",
                "hub:ada/engine.git",
                "main:refs/heads/pushed",
            ],
        )
        .await,
        Ok(()),
    );
    assert!(
        hub.rehearsal
            .requests()
            .iter()
            .any(|seen| seen.path.ends_with("/git-receive-pack"))
    );
    run(
        &hub.folder.path().join("hub/ada/engine.git"),
        &["rev-parse", "refs/heads/pushed"],
    );
}
