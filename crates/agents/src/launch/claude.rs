//! Claude Code: what makes it start at its prompt, with every permission and without a question.

use clauderon_session::Mode;
use serde_json::json;

use super::{
    AGENT, ASKING_SECONDS, Conversation, Delivery, HOOKS, HomeFile, Launch, LaunchRequest, Mount,
    REPORT_SECONDS, RunFile, WORKSPACE, environment,
};

/// Looks like a token to the client; the proxy puts the real one in its place.
const PLACEHOLDER: &str = "sk-ant-oat01-clauderon-proxy-placeholder";

const SETTINGS: &str = "managed-settings.json";

pub(super) fn launch(request: &LaunchRequest, prompt: Delivery<'_>) -> Launch {
    let (run_files, mounts) = match request.mode {
        Mode::Interactive => managed(),
        // Any settings cost a start 55 ms and more; a flag permits as much, and what the hooks tell is nobody's to answer.
        Mode::Print => (Vec::new(), Vec::new()),
    };
    Launch {
        argv: argv(request, prompt),
        env: env(request),
        cwd: WORKSPACE.to_owned(),
        run_files,
        mounts,
        home_files: vec![
            home_file(".claude.json", state()),
            home_file(".claude/remote-settings.json", b"{}".to_vec()),
            home_file(".claude/policy-limits.json", no_limits()),
        ],
        stdin: match prompt {
            Delivery::Stdin(prompt) => Some(prompt.as_bytes().to_vec()),
            Delivery::Argument(_) | Delivery::None => None,
        },
        placeholders: vec![PLACEHOLDER.to_owned()],
    }
}

fn argv(request: &LaunchRequest, prompt: Delivery<'_>) -> Vec<String> {
    let mut argv = vec![format!("{AGENT}/claude")];
    if request.mode == Mode::Print {
        argv.extend(["-p", "--dangerously-skip-permissions"].map(str::to_owned));
    }
    // A used id is refused with --session-id, an unused one with --resume.
    let own = &request.agent_session;
    let words: &[&str] = match &request.conversation {
        Conversation::New => &["--session-id", own],
        Conversation::GoesOn => &["--resume", own],
        Conversation::Copy { of } => &["--resume", of, "--fork-session", "--session-id", own],
    };
    argv.extend(words.iter().map(|word| (*word).to_owned()));
    if let Some(model) = &request.model {
        argv.extend(["--model".to_owned(), model.clone()]);
    }
    argv.extend(request.extra.iter().cloned());
    if let Delivery::Argument(prompt) = prompt {
        argv.extend(["--".to_owned(), prompt.to_owned()]);
        // Outside print mode a prompt that is the name of a command, such as `update`, runs it, even behind `--` (tried).
        if request.mode == Mode::Interactive && is_bare_word(prompt) {
            argv.last_mut()
                .expect("the prompt was just added")
                .push('\n');
        }
    }
    argv
}

fn is_bare_word(prompt: &str) -> bool {
    prompt.starts_with(|first: char| first.is_ascii_alphabetic())
        && prompt
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

fn env(request: &LaunchRequest) -> std::collections::BTreeMap<String, String> {
    let mut env = environment::common(request);
    for (name, value) in [
        ("CLAUDE_CODE_OAUTH_TOKEN", PLACEHOLDER),
        // Its traffic is then the model, `policy_limits` and `settings`: all on one host.
        ("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1"),
        ("CLAUDE_CODE_DISABLE_OFFICIAL_MARKETPLACE_AUTOINSTALL", "1"),
        // Else it reads the system's authorities as well, which are the same ones; the session's own comes with those of Node.
        ("CLAUDE_CODE_CERT_STORE", "bundled"),
        ("DISABLE_AUTOUPDATER", "1"),
        // Else two lines about a missing `~/.local/bin/claude`.
        ("DISABLE_INSTALLATION_CHECKS", "1"),
    ] {
        env.insert(name.to_owned(), value.to_owned());
    }
    // An image that brings one would ask whether to use it.
    for name in [
        "ANTHROPIC_API_KEY",
        "ANTHROPIC_AUTH_TOKEN",
        "ANTHROPIC_BASE_URL",
        "CLAUDE_CONFIG_DIR",
    ] {
        env.remove(name);
    }
    env
}

/// The hooks tell what nothing else tells as well: the proxy sees the model and its tools, the transcript the rest. A hook
/// for every call of a tool would cost time and tell nothing new.
const REPORTED: [&str; 8] = [
    "Notification",
    "Stop",
    "StopFailure",
    "SubagentStart",
    "SubagentStop",
    "PreCompact",
    "PostCompact",
    "SessionEnd",
];

/// Managed settings cannot be changed from inside.
fn managed() -> (Vec<RunFile>, Vec<Mount>) {
    let file = RunFile {
        name: SETTINGS.to_owned(),
        bytes: settings(),
    };
    let mount = Mount {
        run_file: SETTINGS.to_owned(),
        target: "/etc/claude-code/managed-settings.json".to_owned(),
    };
    (vec![file], vec![mount])
}

fn settings() -> Vec<u8> {
    let hook =
        |seconds: u64| json!([{ "hooks": [{ "type": "http", "url": HOOKS, "timeout": seconds }] }]);
    let mut hooks: serde_json::Map<_, _> = REPORTED
        .iter()
        .map(|event| ((*event).to_owned(), hook(REPORT_SECONDS)))
        .collect();
    hooks.insert("PermissionRequest".to_owned(), hook(ASKING_SECONDS));
    pretty(&json!({
        "skipDangerousModePermissionPrompt": true,
        "permissions": { "defaultMode": "bypassPermissions" },
        "hooks": hooks
    }))
}

/// A copy for each session, in its home: the agent writes its own state into it.
fn state() -> Vec<u8> {
    pretty(&json!({
        "hasCompletedOnboarding": true,
        "projects": { "/": { "hasTrustDialogAccepted": true } }
    }))
}

/// What it keeps where its organisation sets nothing and limits nothing. That is what the proxy answers it, and without these
/// files it asks before its first request; with them, beside it.
fn no_limits() -> Vec<u8> {
    pretty(&json!({
        "restrictions": {},
        "compliance_taints": [],
        "monitoring_notice": null,
        "defaults": {}
    }))
}

fn home_file(path: &str, bytes: Vec<u8>) -> HomeFile {
    HomeFile {
        path: path.to_owned(),
        bytes,
        mode: 0o600,
    }
}

fn pretty(value: &serde_json::Value) -> Vec<u8> {
    let mut bytes = serde_json::to_vec_pretty(value).expect("a JSON value always serialises");
    bytes.push(b'\n');
    bytes
}
