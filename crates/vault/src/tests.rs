//! The vault as the daemon and the person with an editor use it.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use tempfile::TempDir;

use crate::{Environment, Files, KNOWN, Source, Vault, VaultError, Vaults};

const TOKEN: &str = "sk-ant-oat01-a-token-for-tests";

fn environment(pairs: &'static [(&'static str, &'static str)]) -> Environment {
    Environment::from_lookup(|name| {
        let pair = pairs.iter().find(|(key, _)| *key == name);
        pair.map(|(_, value)| (*value).to_owned())
    })
}

fn write(folder: &TempDir, name: &str, text: &str, mode: u32) {
    let path = folder.path().join(name);
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
}

fn error(vault: &dyn Vault, name: &str) -> String {
    let error = vault.lookup(name).err().unwrap().to_string();
    assert!(!error.contains(TOKEN), "{error}");
    error
}

#[test]
fn the_environment_gives_known_names_only() {
    let vault = environment(&[
        ("CLAUDE_CODE_OAUTH_TOKEN", TOKEN),
        ("CODEX_API_KEY", "sk-second"),
        ("PATH", "/bin"),
        ("GITHUB_TOKEN", " "),
    ]);
    let text = |name: &str| {
        vault
            .lookup(name)
            .unwrap()
            .map(|secret| secret.expose().to_owned())
    };
    assert_eq!(text("anthropic_oauth_token").as_deref(), Some(TOKEN));
    assert_eq!(text("openai_api_key").as_deref(), Some("sk-second"));
    assert_eq!(text("github_token"), None);
    assert_eq!(text("PATH"), None);
}

#[test]
fn the_first_variable_of_a_name_counts() {
    let vault = environment(&[("OPENAI_API_KEY", "first"), ("CODEX_API_KEY", "second")]);
    assert_eq!(
        vault.lookup("openai_api_key").unwrap().unwrap().expose(),
        "first"
    );
}

#[test]
fn values_that_are_no_token_are_named_and_never_shown() {
    let vault = environment(&[
        (
            "CLAUDE_CODE_OAUTH_TOKEN",
            "sk-ant-oat01-a-token-for-tests\r\nX-Evil: 1",
        ),
        ("GITHUB_TOKEN", "op://vault/item/field"),
    ]);
    assert!(error(&vault, "anthropic_oauth_token").contains("line breaks"));
    assert!(error(&vault, "github_token").contains("1Password"));
    let inside = environment(&[(
        "CLAUDE_CODE_OAUTH_TOKEN",
        "sk-ant-oat01-clauderon-proxy-placeholder",
    )]);
    assert!(error(&inside, "anthropic_oauth_token").contains("placeholder"));
}

#[test]
fn two_environments_compare_without_showing() {
    let daemon = environment(&[
        ("CLAUDE_CODE_OAUTH_TOKEN", TOKEN),
        ("GITHUB_TOKEN", "ghp_old"),
    ]);
    let shell = environment(&[
        ("CLAUDE_CODE_OAUTH_TOKEN", TOKEN),
        ("GITHUB_TOKEN", "ghp_new"),
        ("OPENAI_API_KEY", "sk-x"),
    ]);
    let theirs = shell.fingerprint(b"salt");
    assert_eq!(
        daemon.differing(b"salt", &theirs),
        ["GITHUB_TOKEN", "OPENAI_API_KEY"]
    );
    assert!(shell.differing(b"salt", &theirs).is_empty());
    assert_eq!(shell.differing(b"other", &theirs).len(), 3);
    assert!(!format!("{theirs:?}").contains("ghp_new"));
}

#[test]
fn a_private_file_is_read_at_each_use() {
    let folder = TempDir::new().unwrap();
    let vault = Files::new(folder.path());
    assert!(vault.lookup("github_token").unwrap().is_none());
    write(&folder, "github_token", "ghp_one\n", 0o600);
    assert_eq!(
        vault.lookup("github_token").unwrap().unwrap().expose(),
        "ghp_one"
    );
    write(&folder, "github_token", "ghp_two", 0o400);
    assert_eq!(
        vault.lookup("github_token").unwrap().unwrap().expose(),
        "ghp_two"
    );
}

#[test]
fn a_file_that_others_can_read_is_refused_with_the_fix() {
    let folder = TempDir::new().unwrap();
    let vault = Files::new(folder.path());
    for mode in [0o644, 0o640, 0o604, 0o620] {
        write(&folder, "github_token", TOKEN, mode);
        let found = vault.lookup("github_token");
        assert!(matches!(found, Err(VaultError::Exposed { .. })), "{mode:o}");
        assert!(error(&vault, "github_token").contains("chmod 600 /"));
    }
}

#[test]
fn links_pipes_folders_and_names_that_lead_out_are_refused() {
    let folder = TempDir::new().unwrap();
    let inner = folder.path().join("secrets");
    fs::create_dir_all(inner.join("openai_api_key")).unwrap();
    write(&folder, "outside", TOKEN, 0o600);
    symlink(folder.path().join("outside"), inner.join("github_token")).unwrap();
    let vault = Files::new(&inner);
    error(&vault, "github_token");
    error(&vault, "openai_api_key");
    for name in ["../outside", "/etc/passwd", "", ".", "GITHUB_TOKEN"] {
        assert!(vault.lookup(name).unwrap().is_none(), "{name}");
    }
}

#[test]
fn empty_and_oversized_files_are_refused() {
    let folder = TempDir::new().unwrap();
    let vault = Files::new(folder.path());
    write(&folder, "github_token", "\n", 0o600);
    assert!(error(&vault, "github_token").contains("empty"));
    write(&folder, "github_token", &"a".repeat(20_000), 0o600);
    assert!(error(&vault, "github_token").contains("16 KiB"));
}

#[test]
fn the_environment_comes_before_files_and_a_broken_place_is_not_passed_over() {
    let folder = TempDir::new().unwrap();
    write(&folder, "github_token", "ghp_file", 0o600);
    write(&folder, "anthropic_oauth_token", "sk-file", 0o600);
    write(&folder, "openai_api_key", "sk-open", 0o644);
    let vaults = Vaults::new(vec![
        Box::new(environment(&[
            ("GITHUB_TOKEN", "ghp_env"),
            ("CLAUDE_CODE_OAUTH_TOKEN", "op://a/b/c"),
        ])),
        Box::new(Files::new(folder.path())),
    ]);
    let (source, secret) = vaults.lookup("github_token").unwrap().unwrap();
    assert_eq!((source, secret.expose()), (Source::Environment, "ghp_env"));
    assert!(vaults.lookup("anthropic_oauth_token").is_err());

    let held = vaults.sources();
    assert_eq!(held.len(), KNOWN.len());
    let of = |name: &str| held.iter().find(|held| held.name == name).unwrap();
    assert_eq!(of("github_token").source, Some(Source::Environment));
    assert!(
        of("openai_api_key")
            .problem
            .as_deref()
            .unwrap()
            .contains("chmod 600")
    );
    assert_eq!(
        (
            of("anthropic_api_key").source,
            &of("anthropic_api_key").problem
        ),
        (None, &None)
    );
}
