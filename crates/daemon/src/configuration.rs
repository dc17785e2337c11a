//! The configuration in force, for a person who asks where a value comes from.

use clauderon_api::{PathRow, Setting};

use clauderon_session::PATIENCE_MS;

use crate::config::Preferences;
use crate::paths::Paths;

/// Lists every setting with its value and where that comes from.
pub fn settings(preferences: &Preferences) -> Vec<Setting> {
    let defaults = &preferences.defaults;
    let limits = &preferences.limits;
    let shipped = clauderon_runtime::Limits::of_this_machine();
    let gib = shipped.memory as f64 / f64::from(1 << 30);
    vec![
        row("defaults.agent", defaults.agent, "claude"),
        row(
            "defaults.backend",
            defaults.backend,
            "docker where an engine answers, else bubblewrap",
        ),
        row(
            "defaults.image",
            defaults.image.as_ref(),
            clauderon_runtime::docker::DEFAULT_IMAGE,
        ),
        row("defaults.model", defaults.model.as_ref(), "the agent's own"),
        row("defaults.policy", defaults.policy, "balanced"),
        row("defaults.budget", defaults.budget, "none"),
        row("limits.memory_gib", limits.memory_gib, format!("{gib:.1}")),
        row("limits.pids", limits.pids, shipped.pids),
        row("limits.cpu_weight", limits.cpu_weight, shipped.cpu_weight),
        row(
            "agents.registry",
            preferences.agents.registry.as_ref(),
            "the public one",
        ),
        row(
            "agents.claude",
            preferences.agents.claude.as_ref(),
            "the pinned version",
        ),
        row(
            "agents.codex",
            preferences.agents.codex.as_ref(),
            "the pinned version",
        ),
        row(
            "attention.stuck_after_seconds",
            preferences.attention.stuck_after_seconds,
            PATIENCE_MS / 1000,
        ),
        row(
            "attention.hold_seconds",
            preferences.attention.hold_seconds,
            preferences.attention.hold().as_secs(),
        ),
    ]
}

/// Lists every file and folder in use.
pub fn paths(paths: &Paths) -> Vec<PathRow> {
    [
        ("home", paths.home().to_owned()),
        ("config", paths.config()),
        ("proxy", paths.proxy_config()),
        ("secrets", paths.secrets()),
        ("sessions", paths.sessions()),
        ("audit", paths.audit()),
        ("database", paths.database()),
        ("socket", paths.socket()),
        ("logs", paths.logs()),
    ]
    .map(|(name, path)| PathRow {
        name: name.to_owned(),
        path,
    })
    .into()
}

fn row(key: &str, value: Option<impl ToString>, shipped: impl ToString) -> Setting {
    let source = if value.is_some() {
        "config.toml"
    } else {
        "default"
    };
    Setting {
        key: key.to_owned(),
        value: value.map_or_else(|| shipped.to_string(), |value| value.to_string()),
        source: source.to_owned(),
    }
}
