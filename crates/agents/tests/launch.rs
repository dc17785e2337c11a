//! How each agent is started: whole values, as they were measured to ask nothing.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;

use clauderon_agents::{
    Conversation, Launch, LaunchError, LaunchRequest, PROMPT_LIMIT, conversation_exists,
    place_home_files,
};
use clauderon_session::{Agent, Mode};
use serde_json::Value;

const CONVERSATION: &str = "11111111-2222-4333-8444-555555555555";
const OTHER: &str = "99999999-2222-4333-8444-555555555555";

fn request(agent: Agent, mode: Mode, prompt: Option<&str>) -> LaunchRequest {
    LaunchRequest {
        agent,
        mode,
        model: None,
        prompt: prompt.map(str::to_owned),
        agent_session: CONVERSATION.to_owned(),
        conversation: Conversation::New,
        ca_bundle: "/clauderon/run/ca-bundle.pem".to_owned(),
        ca: "/clauderon/run/ca.pem".to_owned(),
        relay: "127.0.0.1:3128".to_owned(),
        term: None,
        image_env: BTreeMap::new(),
        extra: Vec::new(),
    }
}

fn launch(agent: Agent, mode: Mode, prompt: Option<&str>) -> Launch {
    Launch::new(&request(agent, mode, prompt)).unwrap()
}

fn check_argv(request: &LaunchRequest, expected: &[&str]) {
    assert_eq!(Launch::new(request).unwrap().argv, expected);
}

#[test]
fn arguments_of_claude_code() {
    let claude = "/clauderon/agent/claude";
    let all = "--dangerously-skip-permissions";
    let mut one = request(Agent::Claude, Mode::Interactive, None);
    check_argv(&one, &[claude, "--session-id", CONVERSATION]);
    one.prompt = Some("fix it".to_owned());
    one.model = Some("opus[1m]".to_owned());
    one.extra = vec!["--verbose".to_owned()];
    check_argv(
        &one,
        &[
            claude,
            "--session-id",
            CONVERSATION,
            "--model",
            "opus[1m]",
            "--verbose",
            "--",
            "fix it",
        ],
    );
    one.mode = Mode::Print;
    one.extra.clear();
    one.model = None;
    check_argv(
        &one,
        &[
            claude,
            "-p",
            all,
            "--session-id",
            CONVERSATION,
            "--",
            "fix it",
        ],
    );
    one.conversation = Conversation::GoesOn;
    check_argv(
        &one,
        &[claude, "-p", all, "--resume", CONVERSATION, "--", "fix it"],
    );
    one.mode = Mode::Interactive;
    one.conversation = Conversation::Copy {
        of: OTHER.to_owned(),
    };
    check_argv(
        &one,
        &[
            claude,
            "--resume",
            OTHER,
            "--fork-session",
            "--session-id",
            CONVERSATION,
            "--",
            "fix it",
        ],
    );
    one.conversation = Conversation::Copy {
        of: "--evil".to_owned(),
    };
    let refused = Launch::new(&one).unwrap_err();
    assert_eq!(refused, LaunchError::BadConversation("--evil".to_owned()));
}

#[test]
fn arguments_of_codex() {
    let codex = "/clauderon/agent/bin/codex";
    let mut one = request(Agent::Codex, Mode::Interactive, None);
    check_argv(&one, &[codex]);
    one.prompt = Some("fix it".to_owned());
    check_argv(&one, &[codex, "--", "fix it"]);
    one.model = Some("gpt-6".to_owned());
    one.mode = Mode::Print;
    check_argv(
        &one,
        &[
            codex,
            "exec",
            "--skip-git-repo-check",
            "--model",
            "gpt-6",
            "--",
            "fix it",
        ],
    );
    one.model = None;
    one.conversation = Conversation::GoesOn;
    check_argv(
        &one,
        &[
            codex,
            "exec",
            "resume",
            "--last",
            "--skip-git-repo-check",
            "--",
            "fix it",
        ],
    );
    one.mode = Mode::Interactive;
    one.prompt = None;
    check_argv(&one, &[codex, "resume", "--last"]);
    one.conversation = Conversation::Copy {
        of: OTHER.to_owned(),
    };
    check_argv(&one, &[codex, "fork", "--last"]);
}

#[test]
fn a_prompt_arrives_byte_for_byte() {
    for prompt in [
        "-rf",
        "--help",
        "--",
        "it's \"quoted\" \\ $(touch x) `id` ${HOME}",
        "two\nlines\r\n\ttab ",
        "emoji 🚀 é",
        "!ls",
        "%s %n",
        "\u{1b}[31m",
    ] {
        for agent in Agent::ALL {
            for mode in Mode::ALL {
                let launch = launch(*agent, *mode, Some(prompt));
                assert_eq!(launch.argv[launch.argv.len() - 2..], ["--", prompt]);
                assert_eq!(launch.stdin, None);
                let file: Value = serde_json::from_slice(&launch.launch_json()).unwrap();
                assert_eq!(file["argv"].as_array().unwrap().last().unwrap(), prompt);
            }
        }
    }
}

#[test]
fn a_long_prompt_goes_by_standard_input_or_is_refused() {
    let long = "é".repeat(PROMPT_LIMIT / 2 + 1);
    let claude = launch(Agent::Claude, Mode::Print, Some(&long));
    assert_eq!(claude.stdin.as_deref(), Some(long.as_bytes()));
    assert!(!claude.argv.contains(&"--".to_owned()));
    let codex = launch(Agent::Codex, Mode::Print, Some(&long));
    assert_eq!(
        (codex.stdin.as_deref(), codex.argv.last().unwrap().as_str()),
        (Some(long.as_bytes()), "-")
    );
    for agent in Agent::ALL {
        let refused = Launch::new(&request(*agent, Mode::Interactive, Some(&long))).unwrap_err();
        assert_eq!(
            refused,
            LaunchError::PromptTooLong {
                bytes: PROMPT_LIMIT + 2
            }
        );
        assert!(
            launch(*agent, Mode::Interactive, Some(&"x".repeat(PROMPT_LIMIT)))
                .stdin
                .is_none()
        );
        let nul = Launch::new(&request(*agent, Mode::Interactive, Some("a\0b"))).unwrap_err();
        assert_eq!(nul, LaunchError::PromptHasNul);
        assert_eq!(
            launch(*agent, Mode::Print, Some("a\0b")).stdin.as_deref(),
            Some(&b"a\0b"[..])
        );
    }
}

#[test]
fn codex_is_asked_a_hyphen_by_standard_input() {
    let codex = launch(Agent::Codex, Mode::Print, Some("-"));
    assert_eq!(
        (codex.argv.last().unwrap().as_str(), codex.stdin.as_deref()),
        ("-", Some(&b"-"[..]))
    );
    assert_eq!(
        launch(Agent::Claude, Mode::Print, Some("-"))
            .argv
            .last()
            .unwrap(),
        "-"
    );
}

#[test]
fn a_prompt_that_is_a_command_of_claude_code_stays_a_prompt() {
    let claude = launch(Agent::Claude, Mode::Interactive, Some("update"));
    assert_eq!(claude.argv.last().unwrap(), "update\n");
    assert_eq!(
        launch(Agent::Claude, Mode::Print, Some("update"))
            .argv
            .last()
            .unwrap(),
        "update"
    );
    assert_eq!(
        launch(Agent::Codex, Mode::Interactive, Some("login"))
            .argv
            .last()
            .unwrap(),
        "login"
    );
}

#[test]
fn refuses_what_cannot_be_meant() {
    let check = |change: fn(&mut LaunchRequest), expected: LaunchError| {
        let mut one = request(Agent::Claude, Mode::Print, Some("hi"));
        change(&mut one);
        assert_eq!(Launch::new(&one).unwrap_err(), expected);
    };
    check(|one| one.prompt = None, LaunchError::NoPrompt);
    check(
        |one| one.prompt = Some(String::new()),
        LaunchError::NoPrompt,
    );
    check(
        |one| one.model = Some("--help".to_owned()),
        LaunchError::BadModel("--help".to_owned()),
    );
    check(
        |one| one.model = Some("a b".to_owned()),
        LaunchError::BadModel("a b".to_owned()),
    );
    check(
        |one| one.model = Some(String::new()),
        LaunchError::BadModel(String::new()),
    );
    check(
        |one| one.agent_session = "../x".to_owned(),
        LaunchError::BadConversation("../x".to_owned()),
    );
}

const CLAUDE_ENV: &str = "\
CARGO_HTTP_CAINFO=/clauderon/run/ca-bundle.pem
CLAUDE_CODE_CERT_STORE=bundled
CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC=1
CLAUDE_CODE_DISABLE_OFFICIAL_MARKETPLACE_AUTOINSTALL=1
CLAUDE_CODE_OAUTH_TOKEN=sk-ant-oat01-clauderon-proxy-placeholder
CODEX_CA_CERTIFICATE=/clauderon/run/ca-bundle.pem
COLORTERM=truecolor
CURL_CA_BUNDLE=/clauderon/run/ca-bundle.pem
DISABLE_AUTOUPDATER=1
DISABLE_INSTALLATION_CHECKS=1
GIT_CONFIG_COUNT=2
GIT_CONFIG_KEY_0=url.https://github.com/.insteadOf
GIT_CONFIG_KEY_1=url.https://github.com/.insteadOf
GIT_CONFIG_VALUE_0=git@github.com:
GIT_CONFIG_VALUE_1=ssh://git@github.com/
GIT_SSL_CAINFO=/clauderon/run/ca-bundle.pem
GIT_TERMINAL_PROMPT=0
HOME=/clauderon/home
HTTPS_PROXY=http://127.0.0.1:3128
HTTP_PROXY=http://127.0.0.1:3128
LANG=C.UTF-8
LOGNAME=agent
NODE_EXTRA_CA_CERTS=/clauderon/run/ca.pem
NODE_USE_ENV_PROXY=1
NO_PROXY=localhost,127.0.0.1
PATH=/clauderon/agent:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
PIP_CERT=/clauderon/run/ca-bundle.pem
REQUESTS_CA_BUNDLE=/clauderon/run/ca-bundle.pem
SHELL=/bin/bash
SSL_CERT_FILE=/clauderon/run/ca-bundle.pem
TERM=xterm-256color
USER=agent
http_proxy=http://127.0.0.1:3128
https_proxy=http://127.0.0.1:3128
no_proxy=localhost,127.0.0.1
";

fn text(env: &BTreeMap<String, String>) -> String {
    env.iter()
        .map(|(name, value)| format!("{name}={value}\n"))
        .collect()
}

#[test]
fn the_environment_is_exactly_this() {
    let claude = launch(Agent::Claude, Mode::Interactive, None);
    assert_eq!(text(&claude.env), CLAUDE_ENV);
    let codex = launch(Agent::Codex, Mode::Print, Some("hi"));
    let expected: String = CLAUDE_ENV
        .lines()
        .filter(|line| !line.starts_with("CLAUDE_") && !line.starts_with("DISABLE_"))
        .filter(|line| !line.starts_with("TERM=") && !line.starts_with("COLORTERM="))
        .map(|line| match line.strip_prefix("PATH=/clauderon/agent:") {
            Some(rest) => format!("PATH=/clauderon/agent/bin:{rest}:/clauderon/agent/codex-path\n"),
            None => format!("{line}\n"),
        })
        .collect();
    let expected = expected.replace("CURL_CA", "CODEX_HOME=/clauderon/home/.codex\nCURL_CA");
    assert_eq!(text(&codex.env), expected);
}

#[test]
fn an_image_keeps_its_own_variables_but_those_that_lead_around() {
    let mut one = request(Agent::Claude, Mode::Print, Some("hi"));
    for (name, value) in [
        ("PATH", "/usr/local/cargo/bin:/usr/bin"),
        ("CARGO_HOME", "/usr/local/cargo"),
        ("ALL_PROXY", "http://x"),
        ("all_proxy", "http://x"),
        ("LD_PRELOAD", "/x.so"),
        ("HOME", "/root"),
        ("ANTHROPIC_API_KEY", "sk-baked-in"),
        ("GIT_CONFIG_COUNT", "9"),
        ("HTTPS_PROXY", "http://corporate"),
    ] {
        one.image_env.insert(name.to_owned(), value.to_owned());
    }
    let env = Launch::new(&one).unwrap().env;
    assert_eq!(
        env["PATH"],
        "/clauderon/agent:/usr/local/cargo/bin:/usr/bin"
    );
    assert_eq!(env["CARGO_HOME"], "/usr/local/cargo");
    assert_eq!(env["HOME"], "/clauderon/home");
    assert_eq!(env["GIT_CONFIG_COUNT"], "2");
    assert_eq!(env["HTTPS_PROXY"], "http://127.0.0.1:3128");
    for name in ["ALL_PROXY", "all_proxy", "LD_PRELOAD", "ANTHROPIC_API_KEY"] {
        assert!(!env.contains_key(name), "{name}");
    }
}

#[test]
fn claude_reports_to_the_gate_what_nothing_else_tells() {
    let interactive = launch(Agent::Claude, Mode::Interactive, Some("x"));
    let settings: Value = serde_json::from_slice(&interactive.run_files[0].bytes).unwrap();
    let hooks = settings["hooks"].as_object().unwrap();
    for (event, groups) in hooks {
        let hook = &groups[0]["hooks"][0];
        assert_eq!(hook["type"], "http", "{event}");
        assert_eq!(hook["url"], "http://clauderon.internal/hooks", "{event}");
        let waits = hook["timeout"].as_u64().unwrap() > 5;
        assert_eq!(waits, event == "PermissionRequest", "{event}");
    }
    assert!(hooks.contains_key("Stop"));
    assert!(!hooks.contains_key("PreToolUse"));
}

#[test]
fn claude_that_prints_is_permitted_by_a_flag_and_reads_no_settings() {
    let print = launch(Agent::Claude, Mode::Print, Some("x"));
    assert_eq!(print.argv[1..3], ["-p", "--dangerously-skip-permissions"]);
    assert!(print.run_files.is_empty() && print.mounts.is_empty());
}

#[test]
fn files_are_those_that_ask_nothing() {
    let claude = launch(Agent::Claude, Mode::Interactive, None);
    let settings: Value = serde_json::from_slice(&claude.run_files[0].bytes).unwrap();
    assert_eq!(settings["skipDangerousModePermissionPrompt"], true);
    assert_eq!(settings["permissions"]["defaultMode"], "bypassPermissions");
    assert_eq!(claude.mounts[0].run_file, claude.run_files[0].name);
    assert_eq!(
        claude.mounts[0].target,
        "/etc/claude-code/managed-settings.json"
    );
    let state: Value = serde_json::from_slice(&claude.home_files[0].bytes).unwrap();
    assert_eq!(claude.home_files[0].path, ".claude.json");
    assert_eq!(state["hasCompletedOnboarding"], true);
    assert_eq!(state["projects"]["/"]["hasTrustDialogAccepted"], true);
    let own: Vec<&str> = claude.home_files[1..]
        .iter()
        .map(|file| file.path.as_str())
        .collect();
    assert_eq!(
        own,
        [".claude/remote-settings.json", ".claude/policy-limits.json"]
    );
    assert_eq!(
        claude.placeholders,
        [claude.env["CLAUDE_CODE_OAUTH_TOKEN"].clone()]
    );

    let codex = launch(Agent::Codex, Mode::Interactive, None);
    let config: toml::Table =
        toml::from_str(std::str::from_utf8(&codex.run_files[0].bytes).unwrap()).unwrap();
    assert_eq!(config["approval_policy"].as_str(), Some("never"));
    assert_eq!(config["sandbox_mode"].as_str(), Some("danger-full-access"));
    assert_eq!(
        config["features"]["daemon_auto_start"].as_bool(),
        Some(false)
    );
    assert_eq!(config["analytics"]["enabled"].as_bool(), Some(false));
    assert_eq!(codex.mounts[0].target, "/etc/codex/config.toml");
    let login: Value = serde_json::from_slice(&codex.home_files[0].bytes).unwrap();
    assert_eq!(codex.home_files[0].path, ".codex/auth.json");
    assert_eq!(
        codex.placeholders,
        [login["OPENAI_API_KEY"].as_str().unwrap()]
    );
}

fn me(home: &Path) -> (u32, u32) {
    let found = fs::metadata(home).unwrap();
    (found.uid(), found.gid())
}

#[test]
fn home_files_are_placed_once_and_never_through_a_link() {
    let home = tempfile::tempdir().unwrap();
    let codex = launch(Agent::Codex, Mode::Interactive, None);
    place_home_files(home.path(), &codex.home_files, me(home.path())).unwrap();
    let placed = home.path().join(".codex/auth.json");
    assert_eq!(
        fs::metadata(&placed).unwrap().permissions().mode() & 0o777,
        0o600
    );
    fs::write(&placed, "changed by the agent").unwrap();
    place_home_files(home.path(), &codex.home_files, me(home.path())).unwrap();
    assert_eq!(fs::read(&placed).unwrap(), b"changed by the agent");

    let outside = tempfile::tempdir().unwrap();
    let other = tempfile::tempdir().unwrap();
    symlink(outside.path(), other.path().join(".codex")).unwrap();
    assert!(place_home_files(other.path(), &codex.home_files, me(other.path())).is_err());
    let claude = launch(Agent::Claude, Mode::Interactive, None);
    symlink(outside.path().join("x"), other.path().join(".claude.json")).unwrap();
    place_home_files(other.path(), &claude.home_files, me(other.path())).unwrap();
    assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 0);
}

#[test]
fn a_conversation_is_found_only_where_the_agent_wrote_it() {
    let home = tempfile::tempdir().unwrap();
    let put = |path: &str| {
        let path = home.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "{}\n").unwrap();
    };
    for agent in Agent::ALL {
        assert!(!conversation_exists(home.path(), *agent, CONVERSATION));
    }
    put(".claude/projects/-workspace/other.jsonl");
    assert!(!conversation_exists(
        home.path(),
        Agent::Claude,
        CONVERSATION
    ));
    put(&format!(".claude/projects/-workspace/{CONVERSATION}.jsonl"));
    assert!(conversation_exists(
        home.path(),
        Agent::Claude,
        CONVERSATION
    ));
    put(".codex/sessions/2026/11/22/rollout-x.jsonl");
    assert!(conversation_exists(home.path(), Agent::Codex, CONVERSATION));
}
