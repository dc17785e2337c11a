//! The table of routes: data compiled in, extended by the person's `proxy.toml`.

mod pattern;
mod raw;

use std::sync::{Arc, LazyLock};

use crate::decide::{BodyRule, CredentialUse, Limits, Scheme};
use crate::host::Host;
use crate::policy::{Policy, Posture};
use pattern::{HostPattern, PathPattern};

pub use raw::RouteError;

/// The routes that this release ships.
pub(crate) const SHIPPED: &str = include_str!("routes.toml");

/// A checked table of routes, looked at from the top.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Routes {
    rows: Vec<Route>,
}

/// One row.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Route {
    pub name: String,
    pub presets: Vec<Posture>,
    /// Empty means every agent.
    pub agents: Vec<String>,
    pub scheme: Scheme,
    pub hosts: Vec<HostPattern>,
    pub port: u16,
    /// Empty means every method; only a refusing row may say that.
    pub methods: Vec<String>,
    pub paths: Vec<PathPattern>,
    pub query: QueryRule,
    pub encoded_slash: bool,
    pub max_path: usize,
    pub max_query: usize,
    pub limits: Limits,
    pub sole: bool,
    pub registry: Option<String>,
    pub act: Act,
}

/// Which queries a row lets through.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum QueryRule {
    /// Any, within the row's length.
    Any,
    /// Exactly this one; empty means none.
    Exactly(String),
    /// Only these keys.
    Keys(Vec<String>),
}

/// What a row does with a request that it names.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Act {
    Forward {
        client_auth: bool,
    },
    Inject {
        credential: CredentialUse,
        body: BodyRule,
    },
    Answer {
        status: u16,
        content_type: String,
        body: String,
    },
    Refuse {
        hint: String,
    },
    /// Bytes both ways, unread: the row's hosts are written out, and it names no method or path.
    Passthrough,
}

impl Routes {
    /// Gives the routes that this release ships.
    pub fn builtin() -> Arc<Routes> {
        static BUILTIN: LazyLock<Arc<Routes>> = LazyLock::new(|| {
            Arc::new(Routes::shipped().expect("the shipped table is checked by a test"))
        });
        BUILTIN.clone()
    }

    /// Reads the shipped table, in which the rows of `Check` stand too.
    fn shipped() -> Result<Self, RouteError> {
        raw::read(SHIPPED, &["route", "check"]).map(|rows| Routes { rows })
    }

    /// Reads a table of `[[route]]` rows.
    ///
    /// # Errors
    /// Names the row and the key that is unknown, absent or unusable.
    pub fn parse(text: &str) -> Result<Self, RouteError> {
        raw::read(text, &["route"]).map(|rows| Routes { rows })
    }

    /// Reads the value of the key `route` in a file that holds other things too.
    ///
    /// # Errors
    /// As [`Routes::parse`].
    pub fn from_rows(rows: &toml::Value) -> Result<Self, RouteError> {
        raw::read_rows(rows).map(|rows| Routes { rows })
    }

    /// Puts the person's own rows before these: theirs are looked at first.
    pub fn with_extra(&self, extra: Routes) -> Self {
        let mut rows = extra.rows;
        rows.extend(self.rows.iter().cloned());
        Routes { rows }
    }

    /// Gives the host of a package registry by its short name: `npm`, `pypi`, `crates`, `go` for reading, and those that lie beside them.
    pub fn registry_host(name: &str) -> Option<Host> {
        let builtin = Self::builtin();
        let row = builtin
            .rows
            .iter()
            .find(|row| row.registry.as_deref() == Some(name))?;
        row.hosts.first().and_then(HostPattern::exact).cloned()
    }

    /// Names the credentials that the rows set, in their order; one that several rows set comes several times.
    pub fn credentials(&self) -> impl Iterator<Item = &str> {
        self.rows
            .iter()
            .filter_map(|row| match &row.act {
                Act::Inject { credential, .. } => Some(credential),
                _ => None,
            })
            .flat_map(|used| used.choices.iter().map(|choice| choice.name.as_str()))
    }

    /// Says whether a host is used only in the ways that its rows name, so that neither a grant nor the posture *open* widens it.
    pub fn governs(&self, host: &Host) -> bool {
        self.rows
            .iter()
            .any(|row| row.closes() && row.hosts.iter().any(|pattern| pattern.matches(host)))
    }

    /// Gives the rows that could apply to this host and port for this session, from the top.
    pub(crate) fn applying<'a>(
        &'a self,
        policy: &'a Policy,
        host: &'a Host,
        port: u16,
    ) -> impl Iterator<Item = &'a Route> {
        self.rows.iter().filter(move |row| {
            row.port == port
                && row.concerns(policy)
                && row.hosts.iter().any(|pattern| pattern.matches(host))
        })
    }

    /// Gives the row that lets bytes to this host and port through unread, for this session.
    pub(crate) fn unread<'a>(
        &'a self,
        policy: &'a Policy,
        host: &'a Host,
        port: u16,
    ) -> Option<&'a Route> {
        self.applying(policy, host, port)
            .find(|row| row.act == Act::Passthrough)
    }

    /// Says whether any row, whomever it is for, reads what goes to this host and port.
    pub(crate) fn judges(&self, host: &Host, port: u16) -> bool {
        self.rows.iter().any(|row| {
            row.port == port
                && row.act != Act::Passthrough
                && row.hosts.iter().any(|pattern| pattern.matches(host))
        })
    }

    /// Lists the credentials that may be set for a session with this policy, each with the hosts that it may be set for, in
    /// the table's order.
    pub fn credentials_of(&self, policy: &Policy) -> Vec<(String, Vec<String>)> {
        let mut found: Vec<(String, Vec<String>)> = Vec::new();
        let reachable = |row: &&Route| {
            let has_repository = policy.subject.repository.is_some();
            let usable = |path: &PathPattern| has_repository || !path.needs_repository();
            row.concerns(policy) && row.paths.iter().any(usable)
        };
        for row in self.rows.iter().filter(reachable) {
            let Act::Inject { credential, .. } = &row.act else {
                continue;
            };
            for choice in &credential.choices {
                let place = found.iter().position(|(name, _)| *name == choice.name);
                let place = place.unwrap_or_else(|| {
                    found.push((choice.name.clone(), Vec::new()));
                    found.len() - 1
                });
                let hosts = &mut found[place].1;
                for host in row.hosts.iter().map(HostPattern::spelled) {
                    if !hosts.contains(&host) {
                        hosts.push(host);
                    }
                }
            }
        }
        found
    }
}

impl Route {
    /// Says whether this row is there for a session's posture and agent.
    fn concerns(&self, policy: &Policy) -> bool {
        self.presets.contains(&policy.posture)
            && (self.agents.is_empty() || self.agents.contains(&policy.subject.agent))
    }

    /// Says whether this row closes its hosts to everything that no row names.
    fn closes(&self) -> bool {
        self.sole || matches!(self.act, Act::Inject { .. } | Act::Refuse { .. })
    }
}

#[cfg(test)]
mod tests;
