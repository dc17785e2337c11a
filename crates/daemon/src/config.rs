//! The two files a person may write, `config.toml` and `proxy.toml`, checked whole before anything starts.
//!
//! An unknown key is an error that names the key and the nearest known one: a misspelt limit must not be a silent one.

mod keys;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clauderon_policy::{Posture, Routes};
use clauderon_proxy::UpstreamConfig;
use clauderon_session::{Agent, Backend, PATIENCE_MS};
use clauderon_transcript::Budget;
use clauderon_vault::Shell;
use serde::{Deserialize, Serialize};

use crate::paths::Paths;

/// Everything that the files say, with the shipped values where they say nothing.
#[derive(Debug, Clone)]
pub struct Config {
    /// `config.toml`.
    pub preferences: Preferences,
    /// `proxy.toml`.
    pub proxy: ProxySettings,
    /// The shipped routes behind the person's own.
    pub routes: Arc<Routes>,
    /// The person's login shell, where a window and not a shell starts the daemon: it knows of credentials, engines and programs
    /// that the desktop's bare environment does not name.
    pub shell: Option<Shell>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            preferences: Preferences::default(),
            proxy: ProxySettings::default(),
            routes: Routes::builtin(),
            shell: None,
        }
    }
}

/// What a person prefers: `config.toml`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Preferences {
    /// What a new session gets where nothing is said.
    pub defaults: Defaults,
    /// What a sandbox may use at most.
    pub limits: LimitSettings,
    /// Where the agents' archives come from.
    pub agents: AgentSettings,
    /// When a session calls for the person.
    pub attention: AttentionSettings,
}

/// When a session calls for the person.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AttentionSettings {
    /// Seconds that an agent which owes its model a request may be silent before it is shown as stuck; 60 where absent.
    pub stuck_after_seconds: Option<u64>,
    /// Seconds that a request waits for the person before the agent is told to try again; 240 where absent.
    pub hold_seconds: Option<u64>,
}

impl AttentionSettings {
    /// The same in milliseconds, with the shipped value where nothing is said.
    pub fn patience_ms(&self) -> u64 {
        self.stuck_after_seconds
            .map_or(PATIENCE_MS, |seconds| seconds.saturating_mul(1000))
    }

    /// How long a request waits for the person: shorter than both agents wait for an answer.
    pub fn hold(&self) -> Duration {
        Duration::from_secs(self.hold_seconds.unwrap_or(240))
    }
}

/// What a new session gets where nothing is said.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Defaults {
    /// The agent; Claude Code where absent.
    pub agent: Option<Agent>,
    /// The backend; Docker where an engine answers, else bubblewrap.
    pub backend: Option<Backend>,
    /// The container image.
    pub image: Option<String>,
    /// The model.
    pub model: Option<String>,
    /// What a session may reach; `balanced` where absent.
    pub policy: Option<Posture>,
    /// What a session may spend: `5usd`, `2000000tokens`; as much as it likes where absent.
    pub budget: Option<Budget>,
}

/// What a sandbox may use at most.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LimitSettings {
    /// Memory in GiB; half of the machine's, up to 8, where absent.
    pub memory_gib: Option<f64>,
    /// Processes and threads; 4,096 where absent.
    pub pids: Option<u64>,
    /// Share of the processor under contention, 1 to 10,000; 100 where absent.
    pub cpu_weight: Option<u64>,
}

/// Where the agents' archives come from.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AgentSettings {
    /// Base URL of a package registry that mirrors the agents' archives.
    pub registry: Option<String>,
    /// The version of Claude Code that starts, which must lie in `agents/claude/VERSION`; the pinned one where absent.
    pub claude: Option<String>,
    /// The version of Codex that starts, which must lie in `agents/codex/VERSION`; the pinned one where absent.
    pub codex: Option<String>,
}

impl AgentSettings {
    /// The version of an agent that starts, where the person chose one.
    pub fn version(&self, agent: Agent) -> Option<&str> {
        match agent {
            Agent::Claude => self.claude.as_deref(),
            Agent::Codex => self.codex.as_deref(),
        }
    }
}

/// How the proxy reaches the world: `proxy.toml` without its routes.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ProxySettings {
    /// Upstream connections.
    pub upstream: UpstreamConfig,
}

impl Config {
    /// Reads both files; an absent file is an empty one.
    pub fn load(paths: &Paths) -> Result<Self> {
        let preferences: Preferences = match read(&paths.config())? {
            Some(text) => {
                let table = table_of(&paths.config(), &text)?;
                checked(&paths.config(), table, keys::PREFERENCES)?
            }
            None => Preferences::default(),
        };
        if let Some(memory) = preferences.limits.memory_gib
            && !(0.25..=1024.0).contains(&memory)
        {
            bail!(
                "{}: limits.memory_gib is {memory}; give between 0.25 and 1024",
                paths.config().display()
            );
        }
        if let Some(seconds) = preferences.attention.stuck_after_seconds
            && !(1..=3600).contains(&seconds)
        {
            bail!(
                "{}: attention.stuck_after_seconds is {seconds}; give between 1 and 3600",
                paths.config().display()
            );
        }
        if let Some(seconds) = preferences.attention.hold_seconds
            && !(1..=240).contains(&seconds)
        {
            bail!(
                "{}: attention.hold_seconds is {seconds}; give between 1 and 240",
                paths.config().display()
            );
        }
        let (proxy, routes) = match read(&paths.proxy_config())? {
            Some(text) => proxy_settings(&paths.proxy_config(), &text)?,
            None => (ProxySettings::default(), Routes::builtin()),
        };
        Ok(Self {
            preferences,
            proxy,
            routes,
            shell: None,
        })
    }
}

/// Reads `proxy.toml`: the `[[route]]` tables go to `clauderon_policy`, which knows their keys.
fn proxy_settings(path: &Path, text: &str) -> Result<(ProxySettings, Arc<Routes>)> {
    let mut table = table_of(path, text)?;
    let routes = match table.remove("route") {
        Some(rows) => {
            let own = Routes::from_rows(&rows)
                .with_context(|| format!("{} has a bad route", path.display()))?;
            Arc::new(Routes::builtin().with_extra(own))
        }
        None => Routes::builtin(),
    };
    Ok((checked(path, table, keys::PROXY)?, routes))
}

fn read(path: &Path) -> Result<Option<String>> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("{} cannot be read", path.display())),
    }
}

fn table_of(path: &Path, text: &str) -> Result<toml::Table> {
    text.parse()
        .with_context(|| format!("{} is not valid TOML", path.display()))
}

fn checked<T: serde::de::DeserializeOwned>(
    path: &Path,
    table: toml::Table,
    known: keys::Known<'_>,
) -> Result<T> {
    if let Some(unknown) = keys::unknown(&table, known) {
        bail!("{}: {unknown}", path.display());
    }
    table
        .try_into()
        .with_context(|| format!("{} has a value of the wrong kind", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(config: &str, proxy: &str) -> Result<Config> {
        let home = tempfile::tempdir().unwrap();
        std::fs::write(home.path().join("config.toml"), config).unwrap();
        std::fs::write(home.path().join("proxy.toml"), proxy).unwrap();
        Config::load(&Paths::at(home.path()).unwrap())
    }

    #[test]
    fn absent_and_empty_files_give_the_shipped_values() {
        let config = load("", "").unwrap();
        assert_eq!(config.preferences, Preferences::default());
        assert_eq!(config.routes, Routes::builtin());
    }

    #[test]
    fn an_unknown_key_is_named_with_the_nearest_known_one() {
        for (config, proxy, expected) in [
            (
                "[defaults]\nagnet = \"codex\"",
                "",
                "`defaults.agnet` is not a setting; did you mean `defaults.agent`?",
            ),
            (
                "[default]\n",
                "",
                "`default` is not a setting; did you mean `defaults`?",
            ),
            (
                "",
                "[upstream]\nca_fil = \"x\"",
                "`upstream.ca_fil` is not a setting; did you mean `upstream.ca_file`?",
            ),
        ] {
            let error = format!("{:#}", load(config, proxy).unwrap_err());
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn resolve_takes_any_host_and_routes_are_left_to_the_policy() {
        let config = load(
            "",
            "[upstream.resolve]\n\"api.example.com:443\" = \"127.0.0.1:9443\"\n[[route]]\nname = \"mine\"\nhosts = [\"x.example\"]\nmethods = [\"GET\"]\npaths = [\"/**\"]\nact = \"forward\"\n",
        )
        .unwrap();
        assert_eq!(config.proxy.upstream.resolve.len(), 1);
        assert_ne!(config.routes, Routes::builtin());
    }

    #[test]
    fn the_known_keys_are_those_of_the_types() {
        let full: Preferences = toml::from_str(
            "[defaults]\nagent='claude'\nbackend='docker'\nimage='i'\nmodel='m'\npolicy='open'\nbudget='5usd'\n[limits]\nmemory_gib=1.0\npids=1\ncpu_weight=1\n[agents]\nregistry='https://r.example'\nclaude='1.0'\ncodex='1.0'\n[attention]\nstuck_after_seconds=9\nhold_seconds=9\n",
        )
        .unwrap();
        let table = toml::Table::try_from(&full).unwrap();
        assert_eq!(keys::unknown(&table, keys::PREFERENCES), None);
        for (section, known) in keys::PREFERENCES
            .iter()
            .filter(|(section, _)| !section.is_empty())
        {
            assert_eq!(
                table[*section].as_table().unwrap().len(),
                known.len(),
                "{section}"
            );
        }
    }
}
