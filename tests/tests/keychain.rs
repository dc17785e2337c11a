//! Credentials in a real keychain: kept over the API, found again, used for a session, and never written anywhere else.

use std::io::Write as _;
use std::os::unix::net::UnixListener;
use std::process::Stdio;
use std::time::{Duration, Instant};

use clauderon_tests::keyring::Bus;
use clauderon_tests::{Canary, Finished, World, lacks, script_prompt};
use serde_json::{Value, json};

const TOKEN: &str = "anthropic_oauth_token";

/// An installation without any credential, whose daemon speaks to this bus.
struct Home {
    world: World,
    bus: String,
}

impl Home {
    fn new(bus: &str) -> Self {
        let world = World::new();
        for name in [TOKEN, "openai_api_key", "github_token"] {
            std::fs::remove_file(world.home.join("secrets").join(name)).expect("remove a secret");
        }
        Self {
            world,
            bus: bus.to_owned(),
        }
    }

    fn run(&self, args: &[&str], input: &str) -> Finished {
        let mut command = self.world.command(args);
        command.env("DBUS_SESSION_BUS_ADDRESS", &self.bus);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().expect("clauderon starts");
        let mut stdin = child.stdin.take().expect("its input is piped");
        // One that refuses at once does not read.
        let _ = stdin.write_all(input.as_bytes());
        drop(stdin);
        Finished::from(child.wait_with_output().expect("clauderon ends"))
    }

    /// Gives a token to the keychain.
    fn set(&self, name: &str, token: &str) -> Finished {
        self.run(&["accounts", "set", name], token)
    }

    fn set_in_a_file(&self, name: &str, token: &str) -> Finished {
        self.run(&["accounts", "set", name, "--place", "file"], token)
    }

    fn accounts(&self) -> Value {
        let finished = self.run(&["accounts", "--json"], "").expect(0);
        serde_json::from_str(&finished.stdout).expect("JSON")
    }

    fn account(&self, name: &str) -> Value {
        let accounts = self.accounts()["accounts"].clone();
        let found = accounts
            .as_array()
            .and_then(|all| all.iter().find(|account| account["name"] == name).cloned());
        found.expect("the account is listed")
    }

    /// Runs a session in print mode and returns the token that the upstream saw.
    fn token_of_a_session(&self, name: &str) -> String {
        self.world.upstream.clear();
        let prompt = script_prompt(&[json!({ "text": "done" })]);
        let args = [
            "create",
            "--name",
            name,
            "--agent",
            "claude",
            "--backend",
            "bubblewrap",
            "--print",
            "--prompt",
            &prompt,
        ];
        self.run(&args, "").expect(0);
        let asked = self
            .world
            .upstream
            .requests()
            .into_iter()
            .find(|request| request.path == "/v1/messages")
            .expect("the agent asked the model");
        asked.header("authorization").unwrap_or_default().to_owned()
    }

    fn assert_nowhere_on_disk(&self, canary: &Canary) {
        canary.assert_absent_below(self.world.root.path(), &[]);
    }
}

#[test]
fn a_token_in_the_keychain_is_found_again_used_for_a_session_and_written_nowhere() {
    if lacks("bubblewrap").or(lacks("keychain")).is_some() {
        return;
    }
    let bus = Bus::with_keyring();
    let home = Home::new(bus.address());
    let canary = Canary::new("sk-ant-oat01-");

    let kept = home.run(
        &["accounts", "set", TOKEN],
        &format!("  {}\n", canary.token),
    );
    let kept = kept.expect(0);
    assert!(kept.stdout.contains("keychain"), "{}", kept.stdout);
    canary.assert_absent("what `set` prints", kept.stdout.as_bytes());
    assert!(bus.items("clauderon").contains(&canary.token));

    home.run(&["daemon", "restart"], "").expect(0);
    let found = home.account(TOKEN);
    assert_eq!(found["source"], "keychain");
    assert_eq!(found["editable"], true);
    assert_eq!(
        home.token_of_a_session("one"),
        format!("Bearer {}", canary.token)
    );
    home.assert_nowhere_on_disk(&canary);
    canary.assert_absent_below(bus.folder(), &[]);

    // A new value is used by the next request, with nothing restarted.
    let second = Canary::new("sk-ant-oat01-");
    home.set(TOKEN, &second.token).expect(0);
    assert_eq!(
        home.token_of_a_session("two"),
        format!("Bearer {}", second.token)
    );

    home.run(&["accounts", "remove", TOKEN], "").expect(0);
    assert_eq!(home.account(TOKEN)["source"], Value::Null);
    assert!(!bus.items("clauderon").contains("secret ="));
    home.run(&["accounts", "remove", TOKEN], "").expect(3);
    home.assert_nowhere_on_disk(&second);
}

#[test]
fn a_lock_in_the_middle_is_said_and_takes_nothing_from_running_sessions() {
    if lacks("bubblewrap").or(lacks("keychain")).is_some() {
        return;
    }
    let bus = Bus::with_keyring();
    let home = Home::new(bus.address());
    let canary = Canary::new("sk-ant-oat01-");
    home.set(TOKEN, &canary.token).expect(0);
    bus.lock();

    assert_eq!(home.accounts()["keychain"]["state"], "locked");
    let problem = home.account(TOKEN)["problem"].to_string();
    assert!(
        problem.contains("locked") && problem.contains("still used"),
        "{problem}"
    );
    assert_eq!(
        home.token_of_a_session("locked"),
        format!("Bearer {}", canary.token)
    );
    let replaced = home.set(TOKEN, "sk-ant-oat01-other").expect(4);
    assert!(replaced.stderr.contains("locked"), "{}", replaced.stderr);
    home.run(&["accounts", "remove", TOKEN], "").expect(4);
}

#[test]
fn a_keychain_that_was_locked_from_the_start_is_said_and_no_file_takes_its_part() {
    if lacks("bubblewrap").or(lacks("keychain")).is_some() {
        return;
    }
    let bus = Bus::with_keyring();
    let home = Home::new(bus.address());
    let canary = Canary::new("sk-ant-oat01-");
    home.set(TOKEN, &canary.token).expect(0);
    home.run(&["daemon", "stop"], "").expect(0);
    bus.lock();

    let problem = home.account(TOKEN)["problem"].to_string();
    assert!(problem.contains("locked"), "{problem}");
    let create = [
        "create",
        "--agent",
        "claude",
        "--backend",
        "bubblewrap",
        "--detach",
    ];
    let refused = home.run(&create, "").expect(7);
    assert!(refused.stderr.contains("locked"), "{}", refused.stderr);
    // A file would lie unused behind the keychain's own item, so it is not made.
    let other = Canary::new("sk-ant-oat01-");
    home.set_in_a_file(TOKEN, &other.token).expect(4);
    // A name that the locked keychain does not hold can be kept in a file, if the person says so.
    let github = Canary::new("ghp_");
    let unasked = home.set("github_token", &github.token).expect(4);
    assert!(
        unasked.stderr.contains("nothing was kept"),
        "{}",
        unasked.stderr
    );
    home.assert_nowhere_on_disk(&github);
    home.set_in_a_file("github_token", &github.token).expect(0);
    assert_eq!(
        home.account("github_token")["source"],
        "file secrets/github_token"
    );
    home.assert_nowhere_on_disk(&other);
}

#[test]
fn without_a_keychain_nothing_is_kept_unless_a_file_is_asked_for() {
    if lacks("bubblewrap").or(lacks("keychain")).is_some() {
        return;
    }
    let bus = Bus::empty();
    let home = Home::new(bus.address());
    let canary = Canary::new("sk-ant-oat01-");
    let refused = home.set(TOKEN, &canary.token).expect(4);
    assert!(
        refused.stderr.contains("gnome-keyring"),
        "{}",
        refused.stderr
    );
    home.assert_nowhere_on_disk(&canary);
    assert_eq!(home.accounts()["keychain"]["state"], "absent");

    home.set_in_a_file(TOKEN, &canary.token).expect(0);
    use std::os::unix::fs::PermissionsExt as _;
    let file = home.world.home.join("secrets").join(TOKEN);
    let mode = std::fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(
        home.token_of_a_session("file"),
        format!("Bearer {}", canary.token)
    );
    home.run(&["accounts", "remove", TOKEN], "").expect(0);
    assert!(!file.exists());
}

#[test]
fn a_value_moves_from_a_file_into_the_keychain_and_leaves_no_copy() {
    if lacks("bubblewrap").or(lacks("keychain")).is_some() {
        return;
    }
    let bus = Bus::with_keyring();
    let home = Home::new(bus.address());
    let canary = Canary::new("ghp_");
    let set = ["accounts", "set", "github_token"];
    home.run(&[&set[..], &["--place", "file"]].concat(), &canary.token)
        .expect(0);
    home.run(&set, &canary.token).expect(0);
    assert_eq!(home.account("github_token")["source"], "keychain");
    home.assert_nowhere_on_disk(&canary);
    home.run(&[&set[..], &["--place", "file"]].concat(), &canary.token)
        .expect(0);
    assert_eq!(
        home.account("github_token")["source"],
        "file secrets/github_token"
    );
    assert!(!bus.items("clauderon").contains(&canary.token));
}

#[test]
fn two_installations_share_a_keychain_and_no_items() {
    if lacks("bubblewrap").or(lacks("keychain")).is_some() {
        return;
    }
    let bus = Bus::with_keyring();
    let (one, two) = (Home::new(bus.address()), Home::new(bus.address()));
    one.set(TOKEN, "sk-ant-oat01-one").expect(0);
    assert_eq!(two.account(TOKEN)["source"], Value::Null);
    two.set(TOKEN, "sk-ant-oat01-two").expect(0);
    two.run(&["accounts", "remove", TOKEN], "").expect(0);
    assert_eq!(one.account(TOKEN)["source"], "keychain");
}

#[test]
fn a_keychain_that_never_answers_holds_nothing_up() {
    if lacks("bubblewrap").is_some() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let socket = folder.path().join("bus");
    // It takes connections and says nothing, as a keychain does that waits for its person.
    let _mute = UnixListener::bind(&socket).expect("bind the mute bus");
    let home = Home::new(&format!("unix:path={}", socket.display()));
    home.run(&["list"], "").expect(0);

    let begun = Instant::now();
    assert_eq!(home.accounts()["keychain"]["state"], "locked");
    home.set(TOKEN, "sk-ant-oat01-x").expect(1);
    home.run(&["list"], "").expect(0);
    assert!(
        begun.elapsed() < Duration::from_secs(25),
        "{:?}",
        begun.elapsed()
    );
}

#[test]
fn a_token_in_the_wrong_place_is_named_and_never_shown() {
    if lacks("bubblewrap").is_some() {
        return;
    }
    let home = Home::new("unix:path=/nonexistent");
    for (name, prefix, code, words) in [
        ("openai_api_key", "ghp_", 2, "looks like a GitHub token"),
        (
            "github_token",
            "sk-proj-",
            2,
            "looks like an OpenAI API key",
        ),
        (TOKEN, "sk-ant-api03-", 2, "looks like an Anthropic API key"),
        (TOKEN, "two words ", 2, "spaces"),
        ("no_such_account", "ghp_", 3, "no account"),
    ] {
        let canary = Canary::new(prefix);
        let refused = home.set(name, &canary.token).expect(code);
        assert!(refused.stderr.contains(words), "{}", refused.stderr);
        canary.assert_absent("the refusal", refused.stderr.as_bytes());
        home.assert_nowhere_on_disk(&canary);
    }
}
