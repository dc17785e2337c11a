//! The credentials that this release knows by name.

/// A credential's name, the variables that may hold it, and what stands for it inside a sandbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// Its name in the vault; also its file's name below `secrets/`.
    pub name: &'static str,
    /// The environment variables that may hold it, the most important first.
    pub variables: &'static [&'static str],
    /// What it is for, as a person would say it.
    pub purpose: &'static str,
    /// What stands for it inside a sandbox, where the agent wants to see something.
    pub placeholder: Option<&'static str>,
}

/// All of them.
pub const KNOWN: &[Known] = &[
    Known {
        name: "anthropic_oauth_token",
        variables: &["CLAUDE_CODE_OAUTH_TOKEN"],
        purpose: "Claude sessions (made by `claude setup-token`)",
        placeholder: Some("sk-ant-oat01-clauderon-proxy-placeholder"),
    },
    Known {
        name: "anthropic_api_key",
        variables: &["ANTHROPIC_API_KEY"],
        purpose: "Claude sessions paid by the API",
        placeholder: Some("sk-ant-api03-clauderon-proxy-placeholder"),
    },
    Known {
        name: "openai_api_key",
        variables: &["OPENAI_API_KEY", "CODEX_API_KEY"],
        purpose: "Codex sessions",
        placeholder: Some("sk-clauderon-proxy-placeholder"),
    },
    Known {
        name: "github_token",
        variables: &["GITHUB_TOKEN", "GH_TOKEN"],
        purpose: "fetching a session's own private repository",
        placeholder: Some("ghp_clauderonproxyplaceholder"),
    },
];

/// Finds a known credential by its name.
pub fn known(name: &str) -> Option<&'static Known> {
    KNOWN.iter().find(|known| known.name == name)
}
