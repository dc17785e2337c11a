//! The real agents against the rehearsal, without a sandbox or a proxy: proves that the scripts drive them.
//!
//! They are looked for in `CLAUDERON_TEST_AGENTS` and then where `clauderon agents install` keeps a cache; without them the
//! tests are skipped aloud, or fail where `CI` is set.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use clauderon_rehearsal::{Options, Recorded, Rehearsal};
use tempfile::TempDir;

const SOON: Duration = Duration::from_secs(5);

/// A rehearsal, and a folder with a home and a workspace for one agent.
struct Stand {
    rehearsal: Rehearsal,
    folder: TempDir,
}

impl Stand {
    async fn set_up() -> Self {
        let rehearsal = Rehearsal::start(Options::default()).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        for name in ["home", "work"] {
            std::fs::create_dir(folder.path().join(name)).unwrap();
        }
        std::fs::write(folder.path().join("ca.pem"), rehearsal.ca_pem()).unwrap();
        Self { rehearsal, folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A command with nothing of the caller's environment but its search path.
    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command
            .env("HOME", self.path("home"))
            .current_dir(self.path("work"))
            .stdin(Stdio::null());
        command
    }

    async fn claude(&self, program: &Path, prompt: &str, more: &[&str]) -> Output {
        let mut command = self.command(program);
        command
            .args(["-p", "--allowedTools", "Bash"])
            .args(more)
            .args(["--", prompt])
            .env("NODE_EXTRA_CA_CERTS", self.path("ca.pem"))
            .env(
                "ANTHROPIC_BASE_URL",
                format!("https://localhost:{}", self.rehearsal.addr().port()),
            )
            .env("CLAUDE_CODE_OAUTH_TOKEN", "sk-ant-oat01-seen-by-the-test")
            .env("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1")
            .env("CLAUDE_CODE_DISABLE_OFFICIAL_MARKETPLACE_AUTOINSTALL", "1")
            .env("CLAUDE_CODE_MAX_RETRIES", "1")
            .env("DISABLE_AUTOUPDATER", "1");
        ended(command).await
    }

    async fn codex(&self, program: &Path, prompt: &str) -> Output {
        let port = self.rehearsal.addr().port();
        let config = format!(
            "approval_policy = \"never\"\nsandbox_mode = \"danger-full-access\"\ncheck_for_update_on_startup = false\n\
             openai_base_url = \"https://localhost:{port}/v1\"\nchatgpt_base_url = \"https://localhost:{port}/backend-api/\"\n\
             [features]\nplugins = false\n[analytics]\nenabled = false\n[otel]\nexporter = \"none\"\nmetrics_exporter = \"none\"\n"
        );
        std::fs::write(self.path("home/config.toml"), config).unwrap();
        let mut command = self.command(program);
        command
            .args(["exec", "--skip-git-repo-check", "--", prompt])
            .env("CODEX_HOME", self.path("home"))
            .env("CODEX_API_KEY", "sk-seen-by-the-test")
            .env("CODEX_CA_CERTIFICATE", self.path("ca.pem"));
        ended(command).await
    }

    async fn seen(&self, fits: impl Fn(&Recorded) -> bool) -> Recorded {
        self.rehearsal.wait_for(fits, SOON).await.unwrap()
    }
}

/// Runs a command to its end, a minute at most.
async fn ended(command: Command) -> Output {
    let mut command = tokio::process::Command::from(command);
    let run = command.kill_on_drop(true).output();
    tokio::time::timeout(Duration::from_secs(60), run)
        .await
        .expect("the agent ends within a minute")
        .unwrap()
}

/// The newest agent of that name, in the layouts of its archive and of an installation.
fn agent(name: &str) -> Option<PathBuf> {
    let cache = std::env::var_os("HOME")
        .map(|home| Path::new(&home).join(".cache/clauderon/agents-home/agents"));
    let roots = [
        std::env::var_os("CLAUDERON_TEST_AGENTS").map(PathBuf::from),
        cache,
    ];
    let found = roots.into_iter().flatten().find_map(|root| {
        let base = root.join(name);
        let versions = std::fs::read_dir(&base)
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.path());
        let mut places: Vec<PathBuf> = versions
            .filter(|path| path.is_dir())
            .chain([base])
            .collect();
        places.sort();
        let programs = places
            .iter()
            .rev()
            .flat_map(|place| [place.join(name), place.join("bin").join(name)]);
        programs.into_iter().find(|program| program.is_file())
    });
    if found.is_none() {
        assert!(
            std::env::var_os("CI").is_none(),
            "{name} is not installed, and CI must have it"
        );
        eprintln!(
            "SKIPPED: {name} is neither in CLAUDERON_TEST_AGENTS nor in ~/.cache/clauderon/agents-home/agents"
        );
    }
    found
}

fn stdout(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn claude_runs_a_tool_and_answers() {
    let Some(program) = agent("claude") else {
        return;
    };
    let stand = Stand::set_up().await;
    let script = r#"SCRIPT:[{"thinking":"hmm","text":"first","tool":"Bash","input":{"command":"echo hi > x.txt","description":"d"}},{"tools":[{"tool":"Bash","input":{"command":"echo a > a.txt"}},{"tool":"Bash","input":{"command":"echo b > b.txt"}}]},{"text":"all done"}]"#;
    let output = stand.claude(&program, script, &[]).await;
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "all done\n",
        "{}",
        stdout(&output)
    );
    for (file, content) in [("x.txt", "hi\n"), ("a.txt", "a\n"), ("b.txt", "b\n")] {
        assert_eq!(
            std::fs::read_to_string(stand.path("work").join(file)).unwrap(),
            content
        );
    }
    let seen = stand.seen(|seen| seen.path == "/v1/messages").await;
    assert_eq!(
        seen.header("authorization"),
        Some("Bearer sk-ant-oat01-seen-by-the-test")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn claude_meets_errors_and_cut_streams() {
    let Some(program) = agent("claude") else {
        return;
    };
    for (step, success, said) in [
        (
            r#"{"error":{"status":400,"message":"no such thing"}}"#,
            false,
            "no such thing",
        ),
        (
            r#"{"error":{"status":429},"headers":{"anthropic-ratelimit-unified-status":"rejected"}}"#,
            false,
            "limit",
        ),
        (r#"{"error":{"status":529}}"#, false, "529"),
        (
            r#"{"text":"whole in the end, although it was cut","cut_after":4}"#,
            true,
            "whole in the end, although it was cut",
        ),
    ] {
        let stand = Stand::set_up().await;
        let output = stand
            .claude(&program, &format!("SCRIPT:[{step}]"), &[])
            .await;
        assert_eq!(
            output.status.success(),
            success,
            "{step}: {}",
            stdout(&output)
        );
        assert!(
            stdout(&output).contains(said),
            "{step}: {}",
            stdout(&output)
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn codex_runs_a_tool_and_answers() {
    let Some(program) = agent("codex") else {
        return;
    };
    let stand = Stand::set_up().await;
    let script = r#"SCRIPT:[{"thinking":"hmm","tools":[{"tool":"Bash","input":{"command":"echo a > a.txt"}},{"tool":"Write","input":{"file_path":"b.txt","content":"it's b\n"}}]},{"tool":"exec_command","input":{"cmd":"cat a.txt b.txt > c.txt"}},{"text":"all done"}]"#;
    let output = stand.codex(&program, script).await;
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "all done\n",
        "{}",
        stdout(&output)
    );
    assert_eq!(
        std::fs::read_to_string(stand.path("work/c.txt")).unwrap(),
        "a\nit's b\n"
    );
    let seen = stand
        .seen(|seen| seen.path == "/v1/responses" && seen.method == "POST")
        .await;
    assert_eq!(
        seen.header("authorization"),
        Some("Bearer sk-seen-by-the-test")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn codex_meets_an_error() {
    let Some(program) = agent("codex") else {
        return;
    };
    let stand = Stand::set_up().await;
    let output = stand
        .codex(
            &program,
            r#"SCRIPT:[{"error":{"status":400,"message":"no such thing"}}]"#,
        )
        .await;
    assert!(
        !output.status.success() && stdout(&output).contains("no such thing"),
        "{}",
        stdout(&output)
    );
}
