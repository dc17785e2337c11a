//! One installation, one repository, one scripted upstream; gone with the value.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use clauderon_rehearsal::{Lines, Options, Rehearsal};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::canary::Canary;
use crate::programs::{self, Finished};

/// Hosts that the scripted upstream answers for; the rest of the world does not exist.
const HOSTS: [&str; 6] = [
    "api.anthropic.com",
    "api.github.com",
    "api.openai.com",
    "chatgpt.com",
    "github.com",
    "echo.example",
];

/// One installation under test.
pub struct World {
    /// The folder of everything below.
    pub root: TempDir,
    /// `CLAUDERON_HOME`.
    pub home: PathBuf,
    /// The person's repository.
    pub repository: PathBuf,
    /// The scripted upstream; it records all that it received.
    pub upstream: Rehearsal,
    /// The real Anthropic token.
    pub anthropic: Canary,
    /// The real OpenAI key.
    pub openai: Canary,
    /// The real GitHub token.
    pub github: Canary,
    /// Variables that every command gets besides the usual ones.
    pub variables: Vec<(&'static str, String)>,
    runtime: Arc<tokio::runtime::Runtime>,
}

impl World {
    /// Makes an installation with a repository of one commit and tokens for everything.
    pub fn new() -> Self {
        Self::made(|_| {})
    }

    /// As [`World::new`], with something done to the empty home first, such as a disk of its own.
    pub fn made(prepare: impl FnOnce(&Path)) -> Self {
        Self::told(prepare, &[])
    }

    /// As [`World::new`], with a model that answers each of these prompts with its own steps.
    pub fn answering(lines: &[(&str, Value)]) -> Self {
        Self::told(|_| {}, lines)
    }

    fn told(prepare: impl FnOnce(&Path), lines: &[(&str, Value)]) -> Self {
        let runtime = Arc::new(
            tokio::runtime::Builder::new_multi_thread()
                .worker_threads(1)
                .enable_all()
                .build()
                .expect("a runtime can be built"),
        );
        // Not below $HOME: a root caller's home may be closed to the sandbox's user.
        let root = tempfile::Builder::new()
            .prefix("cl-")
            .tempdir_in("/tmp")
            .expect("a folder in /tmp");
        let home = root.path().join("home");
        let repository = root.path().join("repository");
        let bare = root.path().join("github");
        std::fs::create_dir_all(&home).expect("make the home");
        prepare(&home);
        std::fs::create_dir_all(&bare).expect("make the folder of bare repositories");
        let lines = lines
            .iter()
            .try_fold(Lines::default(), |known, (prompt, steps)| {
                known.with(prompt, &format!("SCRIPT:{steps}"))
            })
            .expect("the steps can be read");
        let upstream = runtime
            .block_on(Rehearsal::start(Options {
                lines,
                extra_hosts: vec!["echo.example".to_owned()],
                repositories: Some(bare),
                ..Options::default()
            }))
            .expect("the scripted upstream starts");
        let world = Self {
            home,
            repository,
            upstream,
            anthropic: Canary::new("sk-ant-oat01-"),
            openai: Canary::new("sk-proj-"),
            github: Canary::new("ghp_"),
            root,
            variables: Vec::new(),
            runtime,
        };
        world.configure();
        make_repository(&world.repository);
        world
    }

    fn configure(&self) {
        use std::os::unix::fs::PermissionsExt as _;
        let ca = self.root.path().join("upstream-ca.pem");
        std::fs::write(&ca, self.upstream.ca_pem()).expect("write the upstream's CA");
        // In clear as well: what must not go so would arrive, and be seen.
        let resolve: String = HOSTS
            .iter()
            .flat_map(|host| [443, 80].map(|port| (host, port)))
            .map(|(host, port)| format!("\"{host}:{port}\" = \"{}\"\n", self.upstream.addr()))
            .collect();
        let proxy = format!("[upstream]\nca_file = {ca:?}\n[upstream.resolve]\n{resolve}");
        std::fs::write(self.home.join("proxy.toml"), proxy).expect("write proxy.toml");
        let secrets = self.home.join("secrets");
        std::fs::create_dir_all(&secrets).expect("make secrets/");
        for (name, canary) in [
            ("anthropic_oauth_token", &self.anthropic),
            ("openai_api_key", &self.openai),
            ("github_token", &self.github),
        ] {
            let path = secrets.join(name);
            std::fs::write(&path, &canary.token).expect("write a secret");
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))
                .expect("narrow a secret");
        }
        std::os::unix::fs::symlink(programs::agents(), self.home.join("agents"))
            .expect("link the agents");
    }

    /// Prepares `clauderon` with these arguments in this installation, with an environment of its own.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(programs::folder().join("clauderon"));
        command
            .args(args)
            .current_dir(&self.repository)
            .env_clear()
            .env("CLAUDERON_HOME", &self.home)
            .env("HOME", self.root.path())
            .env("PATH", "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin")
            .env("LANG", "C.UTF-8")
            .env("RUST_BACKTRACE", "1")
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null());
        command
    }

    /// Runs `clauderon` with these arguments to its end.
    pub fn run(&self, args: &[&str]) -> Finished {
        Finished::from(self.command(args).output().expect("clauderon starts"))
    }

    /// Runs `clauderon … --json` and returns what it printed.
    #[track_caller]
    pub fn json(&self, args: &[&str]) -> Value {
        let finished = self.run(&[args, &["--json"]].concat()).expect(0);
        serde_json::from_str(&finished.stdout).unwrap_or_else(|error| {
            panic!("{args:?} printed no JSON ({error}): {}", finished.stdout)
        })
    }

    /// Commits settings to the repository that have Claude Code ask before what this rule names.
    pub fn asks_before(&self, rule: &str) {
        let folder = self.repository.join(".claude");
        std::fs::create_dir_all(&folder).expect("make a folder");
        let settings = json!({"permissions": {"ask": [rule]}}).to_string();
        std::fs::write(folder.join("settings.json"), settings).expect("write settings");
        git(&self.repository, &["add", "--all"]);
        git(
            &self.repository,
            &["commit", "--quiet", "--message", "Settings"],
        );
    }

    /// Creates a session in print mode and waits for its end.
    pub fn print(&self, backend: &str, agent: &str, name: &str, prompt: &str) -> Finished {
        self.print_with(backend, name, &["--agent", agent], prompt)
    }

    /// Creates an interactive session and returns at once.
    pub fn detached(
        &self,
        backend: &str,
        agent: &str,
        name: &str,
        prompt: Option<&str>,
    ) -> Finished {
        let mut args = create(backend, name, &["--agent", agent, "--detach"]);
        args.extend(prompt.iter().flat_map(|prompt| ["--prompt", prompt]));
        self.run(&args)
    }

    /// Returns one session's folder.
    pub fn session_folder(&self, id: &str) -> PathBuf {
        self.home.join("sessions").join(id)
    }

    /// Waits, in this installation's own runtime, for something of the upstream.
    pub fn wait<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }

    /// Returns the daemon's process id.
    pub fn daemon_pid(&self) -> i32 {
        self.json(&["daemon", "status"])["pid"]
            .as_i64()
            .and_then(|pid| i32::try_from(pid).ok())
            .expect("a daemon answers")
    }

    /// Returns every audit record.
    pub fn audit(&self) -> Vec<Value> {
        std::fs::read_to_string(self.home.join("audit.jsonl"))
            .unwrap_or_default()
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect()
    }
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let sessions = self.run(&["list", "--json"]);
        let sessions: Value = serde_json::from_str(&sessions.stdout).unwrap_or_default();
        for session in sessions.as_array().into_iter().flatten() {
            if let Some(id) = session["id"].as_str() {
                self.run(&["delete", id, "--yes", "--now"]);
            }
        }
        self.run(&["trash", "empty", "--yes"]);
        self.run(&["daemon", "stop"]);
        if std::thread::panicking() {
            let log = std::fs::read_to_string(self.home.join("logs/daemon.log"));
            eprintln!("--- daemon.log\n{}", log.unwrap_or_default());
        }
    }
}

/// The command that creates a session, with more arguments; in a container it works in the tests' image unless they name another.
pub fn create<'a>(backend: &'a str, name: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let mut args = vec!["create", "--name", name, "--backend", backend];
    if backend == "docker" && !more.contains(&"--image") {
        args.extend(["--image", programs::IMAGE]);
    }
    args.extend(more);
    args
}

/// Writes steps as the scripted model reads them from a prompt.
pub fn script_prompt(steps: &[Value]) -> String {
    format!("SCRIPT:{}", Value::from(steps.to_vec()))
}

/// Makes a repository with one commit, whoever the caller is.
pub fn make_repository(folder: &Path) {
    std::fs::create_dir_all(folder).expect("make the repository's folder");
    std::fs::write(folder.join("README.md"), "# A repository\n").expect("write a file");
    git(folder, &["init", "--quiet", "--initial-branch=main"]);
    git(folder, &["config", "user.name", "Ada"]);
    git(folder, &["config", "user.email", "ada@example.com"]);
    git(folder, &["add", "--all"]);
    git(folder, &["commit", "--quiet", "--message", "First"]);
}

/// Runs the host's git in a folder and returns what it printed.
#[track_caller]
pub fn git(folder: &Path, args: &[&str]) -> String {
    let output = Command::new("git")
        .args(args)
        .current_dir(folder)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .output()
        .expect("git starts");
    let finished = Finished::from(output).expect(0);
    finished.stdout
}
