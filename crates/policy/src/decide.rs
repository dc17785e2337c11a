//! The decision: may this session send this request, and with which credential?

use serde::Deserialize;

use crate::body::Provider;
use crate::host::{Host, Target};
use crate::path::{self, Ambiguous, Path};
use crate::policy::{Policy, Posture};
use crate::refusal::{Refusal, code};
use crate::routes::{Act, QueryRule, Route};

/// How a request travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scheme {
    /// In clear text.
    Http,
    /// Over TLS.
    #[default]
    Https,
}

/// A request as the gate read it.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// How it travels.
    pub scheme: Scheme,
    /// The host of the tunnel.
    pub host: &'a Host,
    /// The port of the tunnel.
    pub port: u16,
    /// The method, as written.
    pub method: &'a str,
    /// The path, as written, without the query.
    pub path: &'a str,
    /// What follows the question mark, as written.
    pub query: Option<&'a str>,
}

/// What is done with a tunnel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConnectDecision {
    /// A row names the host: intercept, and decide on each request.
    Intercept,
    /// Nothing names the host: intercept all the same, so that the agent sees why. Never look it up, never dial it.
    InterceptToRefuse(Refusal),
    /// A row of the person's lets the bytes through as they are; nothing of ours may go with them.
    Passthrough {
        /// The row that named it.
        rule: String,
    },
    /// Refuse the tunnel itself.
    Reject(Refusal),
}

/// What is done with a request. There is no default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Send it without a credential of ours.
    Forward {
        /// The row that named it.
        rule: String,
        /// What its body may be.
        limits: Limits,
        /// Whether the agent's own authentication headers may stay: only where the person allowed the host as such.
        keep_client_auth: bool,
    },
    /// Send it with a credential from the vault in place of whatever the agent wrote.
    Inject {
        /// The row that named it.
        rule: String,
        /// Which credential, and how.
        credential: CredentialUse,
        /// What is checked in the body.
        body: BodyRule,
        /// What its body may be.
        limits: Limits,
    },
    /// Answer it here; nothing leaves.
    Answer {
        /// The row that named it.
        rule: String,
        /// The status.
        status: u16,
        /// The media type of the body.
        content_type: String,
        /// The body.
        body: String,
    },
    /// Refuse it.
    Refuse(Refusal),
}

/// What a request's body may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The most bytes that may go up; without it any number may.
    pub max_body: Option<u64>,
}

/// Which credential a route uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CredentialUse {
    /// The first of these that the vault holds.
    pub choices: Vec<Credential>,
    /// Whether the request is refused when the vault holds none; otherwise it goes without.
    pub required: bool,
}

/// A credential's name in the vault and the way it is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credential {
    /// The name in the vault.
    pub name: String,
    /// The way it is sent.
    pub scheme: CredentialScheme,
}

/// The way a credential is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CredentialScheme {
    /// `Authorization: Bearer …`
    Bearer,
    /// `x-api-key: …`
    XApiKey,
    /// `Authorization: Basic base64(x-access-token:…)`
    BasicXAccessToken,
}

/// What is checked in a body before its first byte goes up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyRule {
    /// Nothing: it streams.
    Stream,
    /// It is buffered whole and given to [`crate::check_model_body`]; a content encoding other than identity is refused.
    Model(Provider),
}

/// The rule's name where the person's grant let a request through.
const GRANT: &str = "grant";
/// The rule's name where the posture *open* let a request through.
const OPEN: &str = "open";

/// Decides on a tunnel, before any name is looked up.
pub fn decide_connect(policy: &Policy, target: &Target) -> ConnectDecision {
    let (host, port) = (&target.host, target.port);
    let named = policy
        .routes
        .applying(policy, host, port)
        .any(|row| row.scheme == Scheme::Https && row.act != Act::Passthrough);
    if named {
        return ConnectDecision::Intercept;
    }
    // No way around a row that judges, be it one for other agents or postures.
    if let Some(row) = policy.routes.unread(policy, host, port)
        && !policy.routes.judges(host, port)
    {
        return ConnectDecision::Passthrough {
            rule: row.name.clone(),
        };
    }
    if passes_whole(policy, Scheme::Https, host, port).is_some() {
        return ConnectDecision::Intercept;
    }
    let refusal = Refusal {
        method: "CONNECT".to_owned(),
        ..unnamed(policy, host, port)
    };
    match port {
        443 => ConnectDecision::InterceptToRefuse(refusal),
        _ => ConnectDecision::Reject(refusal),
    }
}

/// Decides on a request, before any name is looked up.
pub fn decide(policy: &Policy, request: &Request<'_>) -> Decision {
    match try_decide(policy, request) {
        Ok(decision) => decision,
        Err(refusal) => Decision::Refuse(refusal.at(request)),
    }
}

fn try_decide(policy: &Policy, request: &Request<'_>) -> Result<Decision, Refusal> {
    check_head(request)?;
    let mut near: Option<Refusal> = None;
    let mut rows = policy
        .routes
        .applying(policy, request.host, request.port)
        .filter(|row| row.scheme == request.scheme && row.act != Act::Passthrough)
        .peekable();
    if rows.peek().is_some() {
        let path = match Path::parse(request.path) {
            Ok(path) => path,
            // No row decides on such a path, and none needs to where the person allowed the host whole.
            Err(Ambiguous(why)) => {
                let refusal = Refusal::new(code::MALFORMED, format!("{why}."));
                return passes(policy, request).ok_or(refusal);
            }
        };
        for row in rows {
            match row.judge(policy, request, &path) {
                Judgement::Elsewhere => {}
                Judgement::Near(refusal) => near = near.or(Some(refusal)),
                // A row that was about this very path says more than one that refuses all the rest.
                Judgement::Here(Err(refusal)) => return Err(near.unwrap_or(refusal)),
                Judgement::Here(decision) => return decision,
            }
        }
    }
    if let Some(decision) = passes(policy, request) {
        return Ok(decision);
    }
    Err(near.unwrap_or_else(|| unnamed(policy, request.host, request.port)))
}

/// Checks what holds for every request, whatever a row says.
fn check_head(request: &Request<'_>) -> Result<(), Refusal> {
    let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    if request.method.is_empty() || !request.method.bytes().all(token) {
        return Err(Refusal::new(code::MALFORMED, "The method is not one word."));
    }
    // TRACE would show the injected credential; a CONNECT has no place inside a tunnel.
    if ["TRACE", "TRACK", "CONNECT"]
        .iter()
        .any(|method| method.eq_ignore_ascii_case(request.method))
    {
        return Err(Refusal::new(
            code::FORBIDDEN,
            "This method is never let through.",
        ));
    }
    if request.path.len() > path::LONGEST || request.query.is_some_and(|q| q.len() > LONGEST_QUERY)
    {
        return Err(Refusal::new(
            code::TOO_LONG,
            "The path or query is too long.",
        ));
    }
    let visible = |text: &str| {
        text.bytes()
            .all(|b| (0x21..=0x7e).contains(&b) && b != b'#')
    };
    if !path::is_plain(request.path) || !request.query.is_none_or(visible) {
        return Err(Refusal::new(
            code::MALFORMED,
            "The path or query holds characters that have no place there.",
        ));
    }
    Ok(())
}

const LONGEST_QUERY: usize = 16 * 1024;

enum Judgement {
    /// The row is about something else.
    Elsewhere,
    /// The row is about this path, but not with this query or this length.
    Near(Refusal),
    /// The row decides.
    Here(Result<Decision, Refusal>),
}

impl Route {
    fn judge(&self, policy: &Policy, request: &Request<'_>, path: &Path) -> Judgement {
        let refuses = matches!(self.act, Act::Refuse { .. });
        let any_method = refuses && self.methods.is_empty();
        if !any_method && !self.methods.iter().any(|method| method == request.method) {
            return Judgement::Elsewhere;
        }
        if path.encoded_slash && !self.encoded_slash && !refuses {
            return Judgement::Elsewhere;
        }
        if !self
            .paths
            .iter()
            .any(|pattern| pattern.matches(path, &policy.subject, refuses))
        {
            return Judgement::Elsewhere;
        }
        let query = request.query.unwrap_or("");
        if let Act::Refuse { hint } = &self.act {
            // A row that refuses by its query decides only on that query.
            return match self.query.allows(query) {
                true => Judgement::Here(Err(Refusal::new(code::FORBIDDEN, hint).by(&self.name))),
                false => Judgement::Elsewhere,
            };
        }
        if request.path.len() > self.max_path || query.len() > self.max_query {
            let hint = "The path or query is longer than this route allows.";
            return Judgement::Near(Refusal::new(code::TOO_LONG, hint).by(&self.name));
        }
        if !self.query.allows(query) {
            let hint = "This route does not allow this query.";
            return Judgement::Near(Refusal::new(code::NOT_ALLOWED, hint).by(&self.name));
        }
        Judgement::Here(Ok(self.carry_out()))
    }

    fn carry_out(&self) -> Decision {
        let rule = self.name.clone();
        match self.act.clone() {
            Act::Forward { client_auth } => Decision::Forward {
                rule,
                limits: self.limits,
                keep_client_auth: client_auth,
            },
            Act::Inject { credential, body } => Decision::Inject {
                rule,
                credential,
                body,
                limits: self.limits,
            },
            Act::Answer {
                status,
                content_type,
                body,
            } => Decision::Answer {
                rule,
                status,
                content_type,
                body,
            },
            Act::Refuse { hint } => {
                Decision::Refuse(Refusal::new(code::FORBIDDEN, hint).by(&self.name))
            }
            // Only tunnels are unread; a request never comes here, and would not pass.
            Act::Passthrough => Decision::Refuse(
                Refusal::new(
                    code::NOT_ALLOWED,
                    "This route lets raw tunnels through, and no requests.",
                )
                .by(&self.name),
            ),
        }
    }
}

impl QueryRule {
    fn allows(&self, query: &str) -> bool {
        match self {
            QueryRule::Any => true,
            QueryRule::Exactly(text) => text == query,
            QueryRule::Keys(keys) => {
                path::query_keys(query).all(|key| key.is_some_and(|key| keys.contains(&key)))
            }
        }
    }
}

fn passes(policy: &Policy, request: &Request<'_>) -> Option<Decision> {
    let rule = passes_whole(policy, request.scheme, request.host, request.port)?;
    Some(Decision::Forward {
        rule: rule.to_owned(),
        limits: Limits { max_body: None },
        keep_client_auth: true,
    })
}

/// Says by which rule a host is allowed whole: by the person's grant, or because the session is open. Never a host that rows govern.
fn passes_whole(policy: &Policy, scheme: Scheme, host: &Host, port: u16) -> Option<&'static str> {
    if policy.routes.governs(host) {
        return None;
    }
    if policy.grants(host, port) {
        return Some(GRANT);
    }
    let public_name = host.ip().is_none() && host.as_str().contains('.');
    let open = policy.posture == Posture::Open && scheme == Scheme::Https && port == 443;
    (open && public_name).then_some(OPEN)
}

fn unnamed(policy: &Policy, host: &Host, port: u16) -> Refusal {
    let hint = if policy.routes.governs(host) {
        "This host is used only in the ways that the rules name; a person can add a [[route]] to proxy.toml.".to_owned()
    } else {
        let place = match port {
            443 => host.to_string(),
            _ => Target {
                host: host.clone(),
                port,
            }
            .to_string(),
        };
        format!("The person can allow this host: clauderon policy allow NAME {place}")
    };
    Refusal::new(code::NOT_ALLOWED, hint).for_host(host.as_str())
}

#[cfg(test)]
mod tests;
