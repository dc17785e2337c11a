//! A real bash with profiles that print, hang, exit and leave things running.
#![allow(clippy::unwrap_used)]

use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, Instant};

use clauderon_vault::{Environment, LoginShell, LoginShellError, Source, Vault as _};
use tempfile::TempDir;

/// Asks a bash whose home has this profile.
fn ask(profile: &str) -> Result<LoginShell, LoginShellError> {
    let home = TempDir::new().unwrap();
    std::fs::write(home.path().join(".bash_profile"), profile).unwrap();
    // A shell of its own, as a person's is, whose home is not ours.
    let shell = home.path().join("shell");
    let text = format!(
        "#!/bin/bash\nexport HOME='{}'\nunset GITHUB_TOKEN\nexec /bin/bash \"$@\"\n",
        home.path().display()
    );
    std::fs::write(&shell, text).unwrap();
    std::fs::set_permissions(&shell, std::fs::Permissions::from_mode(0o755)).unwrap();
    Environment::from_shell(&OsString::from(shell), &["PATH", "DOCKER_HOST"])
}

fn github(shell: &LoginShell) -> Option<String> {
    let found = shell.environment.lookup("github_token").unwrap();
    found.map(|secret| secret.expose().to_owned())
}

#[test]
fn a_profile_gives_its_path_and_its_tokens() {
    let shell = ask(
        "export PATH=/my/own:$PATH DOCKER_HOST=unix:///my.sock OTHER=x GITHUB_TOKEN=ghp_profile\n",
    )
    .unwrap();
    let plain = |name: &str| shell.plain.get(name).and_then(|value| value.to_str());
    assert!(plain("PATH").unwrap().starts_with("/my/own:"));
    assert_eq!(plain("DOCKER_HOST"), Some("unix:///my.sock"));
    assert_eq!(plain("OTHER"), None);
    assert_eq!(github(&shell).as_deref(), Some("ghp_profile"));
    assert_eq!(shell.environment.source(), Source::Shell);
    assert_eq!(
        shell.environment.place("github_token"),
        "shell environment variable GITHUB_TOKEN"
    );
}

#[test]
fn noise_around_the_variables_is_not_taken_for_them() {
    let shell = ask("echo GITHUB_TOKEN=ghp_noise; printf 'GITHUB_TOKEN=ghp_noise\\0'; echo oops >&2\ntrap 'echo bye' EXIT\nexport GITHUB_TOKEN=ghp_real\n").unwrap();
    assert_eq!(github(&shell).as_deref(), Some("ghp_real"));
}

#[test]
fn a_value_of_many_lines_is_no_other_variable() {
    let shell = ask("export NOTE=$'a\\nGITHUB_TOKEN=ghp_inner'\n").unwrap();
    assert_eq!(github(&shell), None);
}

#[test]
fn a_profile_that_hangs_is_given_up_and_ended() {
    let folder = TempDir::new().unwrap();
    let alive = folder.path().join("pid");
    let begun = Instant::now();
    let asked = ask(&format!("echo $$ > {}; sleep 1000\n", alive.display()));
    assert!(matches!(asked, Err(LoginShellError::Slow(_))));
    assert!(
        begun.elapsed() < Duration::from_secs(5),
        "{:?}",
        begun.elapsed()
    );
    let pid = std::fs::read_to_string(&alive).unwrap();
    assert!(!std::path::Path::new("/proc").join(pid.trim()).exists());
}

#[test]
fn a_profile_that_asks_gets_no_answer_and_does_not_wait_for_one() {
    let shell = ask("read -p 'Password? ' x; export GITHUB_TOKEN=ghp_after\n").unwrap();
    assert_eq!(github(&shell).as_deref(), Some("ghp_after"));
}

#[test]
fn a_profile_that_exits_or_a_shell_that_is_none_is_said() {
    assert!(matches!(ask("exit 3\n"), Err(LoginShellError::Ended(_))));
    let none = Environment::from_shell(&OsString::from("/no/such/shell"), &[]);
    assert!(matches!(none, Err(LoginShellError::Start { .. })));
}

#[test]
fn what_a_profile_leaves_running_holds_nothing_up() {
    let begun = Instant::now();
    let shell = ask("sleep 1000 & disown\nexport GITHUB_TOKEN=ghp_x\n").unwrap();
    assert_eq!(github(&shell).as_deref(), Some("ghp_x"));
    assert!(begun.elapsed() < Duration::from_secs(3));
}
