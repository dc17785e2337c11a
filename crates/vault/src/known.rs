//! The credentials that this release knows by name.

/// A credential's name, the variables that may hold it, and what stands for it inside a sandbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// Its name in the vault; also its file's name below `secrets/`.
    pub name: &'static str,
    /// The environment variables that may hold it, the most important first.
    pub variables: &'static [&'static str],
    /// What a person calls it.
    pub label: &'static str,
    /// What it is for, in one sentence.
    pub purpose: &'static str,
    /// What stands for it inside a sandbox, where the agent wants to see something.
    pub placeholder: Option<&'static str>,
}

/// All of them.
pub const KNOWN: &[Known] = &[
    Known {
        name: "anthropic_oauth_token",
        variables: &["CLAUDE_CODE_OAUTH_TOKEN"],
        label: "Claude subscription",
        purpose: "Runs Claude sessions on your Claude plan; `claude setup-token` makes one.",
        placeholder: Some("sk-ant-oat01-clauderon-proxy-placeholder"),
    },
    Known {
        name: "anthropic_api_key",
        variables: &["ANTHROPIC_API_KEY"],
        label: "Anthropic API key",
        purpose: "Runs Claude sessions that are paid by use.",
        placeholder: Some("sk-ant-api03-clauderon-proxy-placeholder"),
    },
    Known {
        name: "openai_api_key",
        variables: &["OPENAI_API_KEY", "CODEX_API_KEY"],
        label: "OpenAI API key",
        purpose: "Runs Codex sessions that are paid by use. A ChatGPT login is several tokens that Codex renews by itself, so none of them can be kept here: paste an API key.",
        placeholder: Some("sk-clauderon-proxy-placeholder"),
    },
    Known {
        name: "github_token",
        variables: &["GITHUB_TOKEN", "GH_TOKEN"],
        label: "GitHub token",
        purpose: "Lets a session fetch its own private repository, and nothing else.",
        placeholder: Some("ghp_clauderonproxyplaceholder"),
    },
];

/// Finds a known credential by its name.
pub fn known(name: &str) -> Option<&'static Known> {
    KNOWN.iter().find(|known| known.name == name)
}
