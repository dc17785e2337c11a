//! The environment that every agent and every tool it starts shares: the way out, the authorities, the terminal.

use std::collections::BTreeMap;

use clauderon_session::{Agent, Mode};

use super::{AGENT, HOME, LaunchRequest};

/// Each variable by which some tool finds its authorities; together they cover Claude Code, Codex, curl, git, cargo,
/// wget, Python, pip, Node and npm (measured).
const CA_VARIABLES: [&str; 7] = [
    "SSL_CERT_FILE",
    "REQUESTS_CA_BUNDLE",
    "PIP_CERT",
    "GIT_SSL_CAINFO",
    "CURL_CA_BUNDLE",
    "CARGO_HTTP_CAINFO",
    "CODEX_CA_CERTIFICATE",
];

/// `ALL_PROXY` is absent on purpose: with it alone Claude Code sends its bearer in clear text to the proxy port.
const PROXY_VARIABLES: [&str; 4] = ["HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy"];

/// The search path of an image that names none.
const SYSTEM_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Names of an image's variables that must not reach the agent: they would lead around the relay, or change the dynamic loader.
fn is_ours(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    name.ends_with("_PROXY") || name.starts_with("LD_") || name.starts_with("GIT_CONFIG_")
}

/// Builds the part of the environment that does not depend on the agent.
pub(super) fn common(request: &LaunchRequest) -> BTreeMap<String, String> {
    let mut env: BTreeMap<String, String> = request
        .image_env
        .iter()
        .filter(|(name, _)| !is_ours(name))
        .map(|(k, v)| (k.clone(), v.clone()))
        .collect();
    let mut set = |name: &str, value: &str| {
        env.insert(name.to_owned(), value.to_owned());
    };
    set("HOME", HOME);
    set("USER", "agent");
    set("LOGNAME", "agent");
    set("SHELL", "/bin/bash");
    set("LANG", "C.UTF-8");
    set("PATH", &path(request));
    for name in CA_VARIABLES {
        set(name, &request.ca_bundle);
    }
    // Claude Code and Node know the world's already; reading all of them again takes each of their processes 15 ms.
    set("NODE_EXTRA_CA_CERTS", &request.ca);
    let relay = format!("http://{}", request.relay);
    for name in PROXY_VARIABLES {
        set(name, &relay);
    }
    for name in ["NO_PROXY", "no_proxy"] {
        set(name, "localhost,127.0.0.1");
    }
    // Node's own fetch looks at the proxy variables only when told to.
    set("NODE_USE_ENV_PROXY", "1");
    git(&mut set);
    if request.mode == Mode::Interactive {
        set("TERM", request.term.as_deref().unwrap_or("xterm-256color"));
        set("COLORTERM", "truecolor");
    }
    env
}

/// Nobody can answer a question of git, and ssh has no way out: its remotes are steered to https.
fn git(set: &mut impl FnMut(&str, &str)) {
    set("GIT_TERMINAL_PROMPT", "0");
    let remotes = ["git@github.com:", "ssh://git@github.com/"];
    set("GIT_CONFIG_COUNT", &remotes.len().to_string());
    for (number, remote) in remotes.iter().enumerate() {
        set(
            &format!("GIT_CONFIG_KEY_{number}"),
            "url.https://github.com/.insteadOf",
        );
        set(&format!("GIT_CONFIG_VALUE_{number}"), remote);
    }
}

fn path(request: &LaunchRequest) -> String {
    let rest = request
        .image_env
        .get("PATH")
        .map_or(SYSTEM_PATH, String::as_str);
    match request.agent {
        Agent::Claude => format!("{AGENT}:{rest}"),
        // Its own ripgrep comes last: an image's is preferred.
        Agent::Codex => format!("{AGENT}/bin:{rest}:{AGENT}/codex-path"),
    }
}
