//! Which keys the files may have, and which of them is nearest to a misspelt one.

/// A table's name, and the keys it may have. The first entry, with an empty name, is the file itself.
pub type Known<'a> = &'a [(&'a str, &'a [&'a str])];

/// The keys of `config.toml`.
pub const PREFERENCES: Known<'static> = &[
    ("", &["defaults", "limits", "agents", "attention"]),
    (
        "defaults",
        &["agent", "backend", "image", "model", "policy", "budget"],
    ),
    ("limits", &["memory_gib", "pids", "cpu_weight"]),
    ("agents", &["registry", "claude", "codex"]),
    ("attention", &["stuck_after_seconds", "hold_seconds"]),
];

/// The keys of `proxy.toml`, without its routes.
pub const PROXY: Known<'static> = &[
    ("", &["upstream", "route"]),
    (
        "upstream",
        &["ca_file", "proxy", "proxy_may_reach_any", "resolve"],
    ),
];

/// Returns a sentence about the first key that is not known, if there is one.
pub fn unknown(table: &toml::Table, known: Known<'_>) -> Option<String> {
    for (section, keys) in known {
        let here = match *section {
            "" => Some(table),
            name => table.get(name).and_then(toml::Value::as_table),
        };
        let stray = here.and_then(|here| here.keys().find(|key| !keys.contains(&key.as_str())));
        if let Some(stray) = stray {
            return Some(sentence(section, stray, keys));
        }
    }
    None
}

fn sentence(section: &str, stray: &str, keys: &[&str]) -> String {
    let path = |key: &str| match section {
        "" => key.to_owned(),
        _ => format!("{section}.{key}"),
    };
    let nearest = keys
        .iter()
        .map(|key| (strsim::damerau_levenshtein(stray, key), key))
        .min()
        .filter(|(distance, _)| *distance <= 3);
    match nearest {
        Some((_, key)) => format!(
            "`{}` is not a setting; did you mean `{}`?",
            path(stray),
            path(key)
        ),
        None => format!(
            "`{}` is not a setting; the ones here are {}",
            path(stray),
            keys.join(", ")
        ),
    }
}
