//! The built programs, and how a finished one is looked at.

use std::path::PathBuf;
use std::process::{Command, Output};

/// A program that ended, with its output as text.
#[derive(Debug)]
pub struct Finished {
    /// Its exit code.
    pub code: i32,
    /// What it wrote to standard output.
    pub stdout: String,
    /// What it wrote to standard error.
    pub stderr: String,
}

impl Finished {
    /// Takes a finished program's output.
    pub fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Fails the test with everything that was printed unless the exit code is `code`.
    #[track_caller]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(
            self.code, code,
            "exit code\n--- stdout\n{}\n--- stderr\n{}",
            self.stdout, self.stderr
        );
        self
    }
}

/// Returns the folder with the built programs: `CLAUDERON_TEST_BIN`, or the target folder this test lies in.
pub fn folder() -> PathBuf {
    if let Some(folder) = std::env::var_os("CLAUDERON_TEST_BIN") {
        return folder.into();
    }
    let own = std::env::current_exe().expect("a running program has a path");
    // target/debug/deps/<test>
    own.ancestors()
        .nth(2)
        .expect("tests lie two folders below the programs")
        .to_path_buf()
}

/// Returns the folder with the installed agents: `CLAUDERON_TEST_AGENTS`, or the cache that `make test` fills.
pub fn agents() -> PathBuf {
    if let Some(folder) = std::env::var_os("CLAUDERON_TEST_AGENTS") {
        return folder.into();
    }
    let home = std::env::var_os("HOME").unwrap_or_default();
    PathBuf::from(home).join(".cache/clauderon/agents-home/agents")
}

/// Says why a scenario cannot run here, or `None`. Fails instead where `CI` is set: CI has everything.
pub fn lacks(backend: &str) -> Option<String> {
    let why = missing(backend)?;
    assert!(
        std::env::var("CI").is_ok_and(|ci| ci.is_empty()) || std::env::var_os("CI").is_none(),
        "CI has everything, but here {why}"
    );
    eprintln!("skipped: {why}; `make test` prepares it");
    Some(why)
}

fn missing(backend: &str) -> Option<String> {
    if !folder().join("clauderon").is_file() {
        return Some(format!(
            "`clauderon` is not built in {}",
            folder().display()
        ));
    }
    if !agents().join("claude").is_dir() {
        return Some(format!(
            "the agents are not installed in {}",
            agents().display()
        ));
    }
    let succeeds = |program: &str, args: &[&str]| {
        Command::new(program)
            .args(args)
            .output()
            .is_ok_and(|output| output.status.success())
    };
    match backend {
        "docker" if !succeeds("docker", &["image", "inspect", IMAGE]) => {
            Some(format!("no engine with the image {IMAGE} answers"))
        }
        "keychain"
            if !succeeds("dbus-daemon", &["--version"])
                || !succeeds("gnome-keyring-daemon", &["--version"]) =>
        {
            Some("no GNOME Keyring is installed".to_owned())
        }
        "bubblewrap" if !succeeds("bwrap", &["--unshare-all", "--ro-bind", "/", "/", "true"]) => {
            Some("bubblewrap cannot make a sandbox".to_owned())
        }
        "window" if !folder().join("clauderon-desktop").is_file() => {
            Some(format!("the window is not built in {}", folder().display()))
        }
        "window" if !driver().is_file() => Some(format!("{} is missing", driver().display())),
        "window" => [
            "Xvfb",
            "WebKitWebDriver",
            "openbox",
            "xfce4-panel",
            "gnome-keyring-daemon",
            "xdotool",
            "wmctrl",
            "dunst",
            "secret-tool",
            "gdbus",
        ]
        .into_iter()
        .find(|tool| !succeeds("sh", &["-c", &format!("command -v {tool}")]))
        .map(|tool| format!("{tool} is missing")),
        _ => None,
    }
}

/// Returns the program that drives the real window: `CLAUDERON_TEST_DRIVER`, or the one that `make test` builds once.
pub fn driver() -> PathBuf {
    if let Some(driver) = std::env::var_os("CLAUDERON_TEST_DRIVER") {
        return driver.into();
    }
    let home = std::env::var_os("HOME").unwrap_or_default();
    PathBuf::from(home).join(".cache/clauderon/tools/bin/tauri-driver")
}

/// The image that `make test` makes without any registry.
pub const IMAGE: &str = "clauderon-test:latest";
