//! Codex: a system configuration that cannot be changed from inside, and a home that can.

use clauderon_session::Mode;
use serde_json::json;

use super::{
    AGENT, Conversation, Delivery, HOME, HOOKS, HomeFile, Launch, LaunchRequest, Mount,
    REPORT_SECONDS, RunFile, WORKSPACE, environment,
};

/// Looks like a key to the client; the proxy puts the real one in its place.
const PLACEHOLDER: &str = "sk-clauderon-proxy-placeholder";

const CONFIG: &str = "codex-config.toml";

/// The provider's own web search would fetch on the agent's behalf, and a compressed body could not be checked, so the proxy
/// refuses both.
const SYSTEM_CONFIG: &str = r#"approval_policy = "never"
sandbox_mode = "danger-full-access"
check_for_update_on_startup = false
web_search = "disabled"

[features]
plugins = false
enable_request_compression = false
api_key_model_discovery = false
daemon_auto_start = false

[analytics]
enabled = false

[otel]
exporter = "none"
metrics_exporter = "none"

[projects."/workspace"]
trust_level = "trusted"
"#;

/// What the hooks report: as for Claude Code, what nothing else tells as well.
const REPORTED: [&str; 7] = [
    "Interrupt",
    "Stop",
    "SubagentStart",
    "SubagentStop",
    "PreCompact",
    "PostCompact",
    "SessionEnd",
];

/// Codex knows hooks that are commands alone; those of the system's file run without a review. Nothing waits for them longer
/// than a moment, and what goes wrong with a report is not the agent's trouble.
fn config() -> String {
    let hook = |event: &&str| {
        format!(
            "\n[[hooks.{event}]]\n[[hooks.{event}.hooks]]\ntype = \"command\"\n\
             command = \"curl -s -m {REPORT_SECONDS} -o /dev/null --data-binary @- {HOOKS} || true\"\n"
        )
    };
    let hooks: String = REPORTED.iter().map(hook).collect();
    format!("{SYSTEM_CONFIG}{hooks}")
}

pub(super) fn launch(request: &LaunchRequest, prompt: Delivery<'_>) -> Launch {
    let mut env = environment::common(request);
    // Its home must be writable: on a read-only one it does not start.
    env.insert("CODEX_HOME".to_owned(), format!("{HOME}/.codex"));
    for name in ["OPENAI_API_KEY", "CODEX_API_KEY", "OPENAI_BASE_URL"] {
        env.remove(name);
    }
    Launch {
        argv: argv(request, prompt),
        env,
        cwd: WORKSPACE.to_owned(),
        run_files: vec![RunFile {
            name: CONFIG.to_owned(),
            bytes: config().into_bytes(),
        }],
        mounts: vec![Mount {
            run_file: CONFIG.to_owned(),
            target: "/etc/codex/config.toml".to_owned(),
        }],
        home_files: vec![HomeFile {
            path: ".codex/auth.json".to_owned(),
            bytes: login(),
            mode: 0o600,
        }],
        stdin: match prompt {
            Delivery::Stdin(prompt) => Some(prompt.as_bytes().to_vec()),
            Delivery::Argument(_) | Delivery::None => None,
        },
        placeholders: vec![PLACEHOLDER.to_owned()],
    }
}

/// Codex names its conversations itself; a home holds those of one session, so the last one is ours.
fn argv(request: &LaunchRequest, prompt: Delivery<'_>) -> Vec<String> {
    let mut argv = vec![format!("{AGENT}/bin/codex")];
    let words: &[&str] = match (request.mode, &request.conversation) {
        (Mode::Interactive, Conversation::New) => &[],
        (Mode::Interactive, Conversation::GoesOn) => &["resume", "--last"],
        (Mode::Interactive, Conversation::Copy { .. }) => &["fork", "--last"],
        (Mode::Print, Conversation::New) => &["exec", "--skip-git-repo-check"],
        (Mode::Print, _) => &["exec", "resume", "--last", "--skip-git-repo-check"],
    };
    argv.extend(words.iter().map(|word| (*word).to_owned()));
    if let Some(model) = &request.model {
        argv.extend(["--model".to_owned(), model.clone()]);
    }
    argv.extend(request.extra.iter().cloned());
    match prompt {
        Delivery::Argument(prompt) => argv.extend(["--".to_owned(), prompt.to_owned()]),
        Delivery::Stdin(_) => argv.push("-".to_owned()),
        Delivery::None => {}
    }
    argv
}

fn login() -> Vec<u8> {
    let login = json!({ "OPENAI_API_KEY": PLACEHOLDER, "tokens": null, "last_refresh": null });
    serde_json::to_vec_pretty(&login).expect("a JSON value always serialises")
}
