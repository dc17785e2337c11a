//! Patterns of hosts and paths in a row.

use crate::host::Host;
use crate::path::Path;
use crate::policy::Subject;

/// A host, or every name one label below a domain.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum HostPattern {
    Exact(Host),
    /// Holds `.example.com`.
    OneLabelBelow(String),
}

/// The longest label that a `*` stands for: a name is looked up, so it is a way out by itself.
const LONGEST_LABEL: usize = 32;

impl HostPattern {
    pub fn parse(text: &str) -> Option<Self> {
        match text.strip_prefix("*.") {
            Some(domain) => {
                let domain = Host::parse(domain).ok()?;
                let whole = domain.ip().is_none() && domain.as_str().contains('.');
                whole.then(|| HostPattern::OneLabelBelow(format!(".{domain}")))
            }
            None => Host::parse(text).ok().map(HostPattern::Exact),
        }
    }

    pub fn exact(&self) -> Option<&Host> {
        match self {
            HostPattern::Exact(host) => Some(host),
            HostPattern::OneLabelBelow(_) => None,
        }
    }

    /// Returns it as the table spells it.
    pub fn spelled(&self) -> String {
        match self {
            HostPattern::Exact(host) => host.to_string(),
            HostPattern::OneLabelBelow(domain) => format!("*{domain}"),
        }
    }

    pub fn matches(&self, host: &Host) -> bool {
        match self {
            HostPattern::Exact(exact) => exact == host,
            HostPattern::OneLabelBelow(domain) => host
                .as_str()
                .strip_suffix(domain.as_str())
                .is_some_and(|label| {
                    !label.is_empty() && label.len() <= LONGEST_LABEL && !label.contains('.')
                }),
        }
    }
}

/// A path pattern: literal segments, `*` in a segment, `**` for the rest, `{owner}` and `{name}` for the session's repository.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct PathPattern(Vec<Segment>);

#[derive(Debug, Clone, PartialEq)]
enum Segment {
    Literal(String),
    /// One segment that is not empty, with this before and after it.
    Any(String, String),
    /// One or more segments.
    Rest,
    Owner,
    Name,
}

impl PathPattern {
    pub fn parse(text: &str) -> Option<Self> {
        let inner = text.strip_prefix('/')?;
        inner
            .split('/')
            .map(Segment::parse)
            .collect::<Option<Vec<_>>>()
            .map(PathPattern)
    }

    /// Says whether it matches only where the session has a repository.
    pub fn needs_repository(&self) -> bool {
        let named = |segment: &Segment| matches!(segment, Segment::Owner | Segment::Name);
        self.0.iter().any(named)
    }

    /// Says whether a path has this shape. `any_case` is for rows that refuse: spelling must not lead round them.
    pub fn matches(&self, path: &Path, subject: &Subject, any_case: bool) -> bool {
        matches(&self.0, &path.segments, subject, any_case)
    }
}

impl Segment {
    fn parse(text: &str) -> Option<Self> {
        match text {
            "**" => return Some(Segment::Rest),
            "{owner}" => return Some(Segment::Owner),
            "{name}" => return Some(Segment::Name),
            _ => {}
        }
        if text.contains(['{', '}', '%', '?', '#']) {
            return None;
        }
        match text.split_once('*') {
            None => Some(Segment::Literal(text.to_owned())),
            Some((_, after)) if after.contains('*') => None,
            Some((before, after)) => Some(Segment::Any(before.to_owned(), after.to_owned())),
        }
    }

    fn matches(&self, text: &str, subject: &Subject, any_case: bool) -> bool {
        match self {
            Segment::Literal(literal) if any_case => literal.eq_ignore_ascii_case(text),
            Segment::Literal(literal) => literal == text,
            Segment::Any(before, after) => text
                .strip_prefix(before.as_str())
                .and_then(|rest| rest.strip_suffix(after.as_str()))
                .is_some_and(|middle| !middle.is_empty()),
            // GitHub compares both without case, and takes the name with or without `.git`.
            Segment::Owner => subject
                .repository
                .as_ref()
                .is_some_and(|own| own.owner.eq_ignore_ascii_case(text)),
            Segment::Name => subject.repository.as_ref().is_some_and(|own| {
                let name = text.strip_suffix(".git").unwrap_or(text);
                own.name.eq_ignore_ascii_case(name) && !name.is_empty()
            }),
            Segment::Rest => false,
        }
    }
}

fn matches(pattern: &[Segment], path: &[String], subject: &Subject, any_case: bool) -> bool {
    match (pattern.split_first(), path.split_first()) {
        (None, None) => true,
        (Some((Segment::Rest, rest)), Some(_)) => {
            // At most two `**` in a row's pattern (checked when it is read), so this stays small.
            (1..=path.len()).any(|taken| matches(rest, &path[taken..], subject, any_case))
        }
        (Some((first, rest)), Some((segment, others))) => {
            first.matches(segment, subject, any_case) && matches(rest, others, subject, any_case)
        }
        (None, Some(_)) | (Some(_), None) => false,
    }
}

impl PathPattern {
    /// Counts the `**` segments.
    pub fn rests(&self) -> usize {
        self.0
            .iter()
            .filter(|segment| **segment == Segment::Rest)
            .count()
    }
}
