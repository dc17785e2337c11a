//! What a value looks like, by how it begins, so that a token in the wrong place is noticed before a service refuses it.

use crate::{KNOWN, Secret};

/// How values begin, the longer before the shorter; what such a value is, and the credential that it serves as.
const SHAPES: &[(&str, &str, Option<&str>)] = &[
    (
        "sk-ant-oat",
        "a Claude subscription token",
        Some("anthropic_oauth_token"),
    ),
    (
        "sk-ant-ort",
        "the refresh token of a Claude login, which is not needed here",
        None,
    ),
    (
        "sk-ant-admin",
        "an Anthropic admin key, which no session needs",
        None,
    ),
    ("sk-ant-sid", "the session cookie of a Claude login", None),
    ("sk-ant-", "an Anthropic API key", Some("anthropic_api_key")),
    (
        "sk-admin-",
        "an OpenAI admin key, which no session needs",
        None,
    ),
    ("sk-", "an OpenAI API key", Some("openai_api_key")),
    ("github_pat_", "a GitHub token", Some("github_token")),
    ("ghp_", "a GitHub token", Some("github_token")),
    ("gho_", "a GitHub token", Some("github_token")),
    ("ghu_", "a GitHub token", Some("github_token")),
    ("ghs_", "a GitHub token", Some("github_token")),
    (
        "op://",
        "a 1Password reference, which this release does not read",
        None,
    ),
];

/// Says in one sentence why a value cannot be what it is to be kept as. A value of no known shape can be anything.
pub fn mistaken(name: &str, secret: &Secret) -> Option<String> {
    let value = secret.expose();
    if KNOWN.iter().any(|known| known.placeholder == Some(value)) {
        return Some(
            "This is the placeholder that stands for a credential inside a sandbox.".to_owned(),
        );
    }
    let (_, what, serves) = SHAPES
        .iter()
        .find(|(begins, ..)| value.starts_with(begins))?;
    // Only a reference is certain not to be the token of some other service.
    let known = KNOWN.iter().find(|known| known.name == name);
    let Some(known) = known else {
        return value
            .starts_with("op://")
            .then(|| format!("This looks like {what}."));
    };
    (*serves != Some(name)).then(|| match serves {
        Some(_) => format!("This looks like {what}, not like the {}.", known.label),
        None => format!("This looks like {what}."),
    })
}
