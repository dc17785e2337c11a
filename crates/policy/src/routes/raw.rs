//! From TOML to checked rows. Every error names the row and the key.

use serde::Deserialize;

use super::pattern::{HostPattern, PathPattern};
use super::{Act, QueryRule, Route};
use crate::body::Provider;
use crate::decide::{BodyRule, Credential, CredentialScheme, CredentialUse, Limits, Scheme};
use crate::policy::Posture;

/// Why a table of routes cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RouteError {
    /// It is no TOML.
    #[error("the routes are not valid TOML: {0}")]
    Toml(String),
    /// A key is not known.
    #[error("unknown key \"{key}\" in {place}; the nearest known key is \"{nearest}\"")]
    UnknownKey {
        /// The key as written.
        key: String,
        /// The row, by name or number.
        place: String,
        /// The known key that looks most like it.
        nearest: &'static str,
    },
    /// A value cannot be used.
    #[error("{place}: {problem}")]
    Value {
        /// The row, by name or number.
        place: String,
        /// What is wrong, as a sentence.
        problem: String,
    },
}

const KEYS: &[&str] = &[
    "name",
    "presets",
    "agents",
    "scheme",
    "hosts",
    "port",
    "methods",
    "paths",
    "query",
    "encoded_slash",
    "max_path",
    "max_query",
    "max_body",
    "sole",
    "registry",
    "act",
    "client_auth",
    "credentials",
    "optional",
    "body",
    "status",
    "content_type",
    "answer",
    "hint",
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRoute {
    name: String,
    presets: Option<Vec<Posture>>,
    #[serde(default)]
    agents: Vec<String>,
    #[serde(default)]
    scheme: Scheme,
    hosts: Vec<String>,
    port: Option<u16>,
    #[serde(default)]
    methods: Vec<String>,
    #[serde(default)]
    paths: Vec<String>,
    query: Option<RawQuery>,
    #[serde(default)]
    encoded_slash: bool,
    max_path: Option<usize>,
    max_query: Option<usize>,
    max_body: Option<u64>,
    #[serde(default)]
    sole: bool,
    registry: Option<String>,
    act: RawAct,
    #[serde(default)]
    client_auth: bool,
    #[serde(default)]
    credentials: Vec<RawCredential>,
    #[serde(default)]
    optional: bool,
    body: Option<RawBody>,
    status: Option<u16>,
    content_type: Option<String>,
    answer: Option<String>,
    hint: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum RawQuery {
    Exactly(String),
    Keys(Vec<String>),
}

#[derive(Deserialize, Clone, Copy, PartialEq)]
#[serde(rename_all = "lowercase")]
enum RawAct {
    Forward,
    Inject,
    Answer,
    Refuse,
    Passthrough,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCredential {
    name: String,
    scheme: CredentialScheme,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "lowercase")]
enum RawBody {
    Anthropic,
    Openai,
}

/// The longest path and query of a row that says nothing else, in bytes.
const MAX_PATH: usize = 1024;
const MAX_QUERY: usize = 2048;
/// The largest body of a model request, in bytes.
const MAX_MODEL_BODY: u64 = 32 << 20;

/// Reads the rows of a file that may have these tables and no others.
pub(super) fn read(text: &str, tables: &[&str]) -> Result<Vec<Route>, RouteError> {
    let table: toml::Table =
        toml::from_str(text).map_err(|error| RouteError::Toml(error.to_string()))?;
    if let Some(key) = table.keys().find(|key| !tables.contains(&key.as_str())) {
        return Err(RouteError::UnknownKey {
            key: key.clone(),
            place: "the routes".to_owned(),
            nearest: "route",
        });
    }
    match table.get("route") {
        Some(rows) => read_rows(rows),
        None => Ok(Vec::new()),
    }
}

pub(super) fn read_rows(rows: &toml::Value) -> Result<Vec<Route>, RouteError> {
    let rows = rows.as_array().ok_or_else(|| RouteError::Value {
        place: "route".to_owned(),
        problem: "write each row as [[route]]".to_owned(),
    })?;
    let mut read: Vec<Route> = Vec::with_capacity(rows.len());
    for (index, row) in rows.iter().enumerate() {
        let route = read_row(index, row)?;
        if read.iter().any(|other| other.name == route.name) {
            return Err(RouteError::Value {
                place: place(index, row),
                problem: "another row has the same name".to_owned(),
            });
        }
        read.push(route);
    }
    Ok(read)
}

fn place(index: usize, row: &toml::Value) -> String {
    match row.get("name").and_then(toml::Value::as_str) {
        Some(name) => format!("route \"{name}\""),
        None => format!("route number {}", index + 1),
    }
}

fn read_row(index: usize, row: &toml::Value) -> Result<Route, RouteError> {
    let place = place(index, row);
    let keys = row.as_table().map(|table| table.keys());
    for key in keys.into_iter().flatten() {
        if !KEYS.contains(&key.as_str()) {
            return Err(RouteError::UnknownKey {
                key: key.clone(),
                place,
                nearest: nearest(key),
            });
        }
    }
    let raw: RawRoute =
        row.clone()
            .try_into()
            .map_err(|error: toml::de::Error| RouteError::Value {
                place: place.clone(),
                problem: error.message().to_owned(),
            })?;
    check(raw).map_err(|problem| RouteError::Value { place, problem })
}

fn nearest(key: &str) -> &'static str {
    KEYS.iter()
        .min_by_key(|known| strsim::damerau_levenshtein(known, key))
        .expect("the list of keys is not empty")
}

fn check(raw: RawRoute) -> Result<Route, String> {
    let unread = raw.act == RawAct::Passthrough;
    if raw.hosts.is_empty() || (raw.paths.is_empty() && !unread) {
        return Err("hosts and paths must name at least one each".to_owned());
    }
    if raw.methods.is_empty() && raw.act != RawAct::Refuse && !unread {
        return Err("methods must name at least one".to_owned());
    }
    if let Some(method) = raw.methods.iter().find(|method| !is_method(method)) {
        return Err(format!("\"{method}\" is not a method that a row may name"));
    }
    let hosts: Vec<HostPattern> = raw
        .hosts
        .iter()
        .map(|text| host(text))
        .collect::<Result<_, _>>()?;
    let paths = raw
        .paths
        .iter()
        .map(|text| path(text))
        .collect::<Result<_, _>>()?;
    let act = act(&raw, &hosts)?;
    let model = matches!(
        act,
        Act::Inject {
            body: BodyRule::Model(_),
            ..
        }
    );
    Ok(Route {
        presets: raw
            .presets
            .unwrap_or_else(|| vec![Posture::Balanced, Posture::Open]),
        agents: raw.agents,
        port: raw.port.unwrap_or(match raw.scheme {
            Scheme::Https => 443,
            Scheme::Http => 80,
        }),
        scheme: raw.scheme,
        hosts,
        methods: raw.methods,
        paths,
        query: match raw.query {
            None => QueryRule::Any,
            Some(RawQuery::Exactly(text)) => QueryRule::Exactly(text),
            Some(RawQuery::Keys(keys)) => QueryRule::Keys(keys),
        },
        encoded_slash: raw.encoded_slash,
        max_path: raw.max_path.unwrap_or(MAX_PATH),
        max_query: raw.max_query.unwrap_or(MAX_QUERY),
        limits: Limits {
            max_body: raw.max_body.or(model.then_some(MAX_MODEL_BODY)),
        },
        sole: raw.sole,
        registry: raw.registry,
        act,
        name: raw.name,
    })
}

fn act(raw: &RawRoute, hosts: &[HostPattern]) -> Result<Act, String> {
    if raw.act != RawAct::Inject && (!raw.credentials.is_empty() || raw.body.is_some()) {
        return Err("only act = \"inject\" has credentials and a checked body".to_owned());
    }
    match raw.act {
        RawAct::Forward => Ok(Act::Forward {
            client_auth: raw.client_auth,
        }),
        RawAct::Passthrough => passthrough(raw, hosts),
        RawAct::Refuse => Ok(Act::Refuse {
            hint: raw.hint.clone().ok_or("a refusing row needs a hint")?,
        }),
        RawAct::Answer => Ok(Act::Answer {
            status: raw
                .status
                .filter(|s| (200..600).contains(s))
                .ok_or("an answering row needs a status from 200 to 599")?,
            content_type: raw
                .content_type
                .clone()
                .unwrap_or_else(|| "application/json".to_owned()),
            body: raw.answer.clone().unwrap_or_default(),
        }),
        RawAct::Inject => {
            if raw.credentials.is_empty() {
                return Err("an injecting row needs credentials".to_owned());
            }
            // A credential goes only over TLS, and only to hosts that are written out.
            if raw.scheme != Scheme::Https
                || hosts
                    .iter()
                    .any(|host| host.exact().is_none_or(|h| h.ip().is_some()))
            {
                return Err("an injecting row needs https and full host names".to_owned());
            }
            let choices = raw
                .credentials
                .iter()
                .map(|c| Credential {
                    name: c.name.clone(),
                    scheme: c.scheme,
                })
                .collect();
            Ok(Act::Inject {
                credential: CredentialUse {
                    choices,
                    required: !raw.optional,
                },
                body: match raw.body {
                    None => BodyRule::Stream,
                    Some(RawBody::Anthropic) => BodyRule::Model(Provider::Anthropic),
                    Some(RawBody::Openai) => BodyRule::Model(Provider::OpenAi),
                },
            })
        }
    }
}

/// What passes is not read, so that nothing of it can be judged: exactly one host each, exactly one port, no conditions.
fn passthrough(raw: &RawRoute, hosts: &[HostPattern]) -> Result<Act, String> {
    if raw.port.is_none() || hosts.iter().any(|host| host.exact().is_none()) {
        return Err("a passthrough row needs full hosts and a port".to_owned());
    }
    let conditions = !raw.methods.is_empty()
        || !raw.paths.is_empty()
        || raw.scheme != Scheme::Https
        || raw.query.is_some()
        || raw.encoded_slash
        || raw.client_auth
        || raw.optional
        || raw.max_path.or(raw.max_query).is_some()
        || raw.max_body.is_some();
    match conditions {
        true => Err("a passthrough row is about bytes: methods, paths, limits and the like mean nothing there".to_owned()),
        false => Ok(Act::Passthrough),
    }
}

fn is_method(method: &str) -> bool {
    !matches!(method, "" | "TRACE" | "CONNECT" | "TRACK")
        && method.bytes().all(|b| b.is_ascii_uppercase() || b == b'-')
}

fn host(text: &str) -> Result<HostPattern, String> {
    HostPattern::parse(text).ok_or_else(|| format!("\"{text}\" is not a host"))
}

fn path(text: &str) -> Result<PathPattern, String> {
    PathPattern::parse(text)
        .filter(|pattern| pattern.rests() <= 2)
        .ok_or_else(|| format!("\"{text}\" is not a path pattern"))
}
