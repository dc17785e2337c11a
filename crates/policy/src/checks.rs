//! Where a credential is tried out: one harmless question a service, asked by the host itself and never by a sandbox. The rows
//! stand in the table of routes, beside what the same credential is used for.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use crate::decide::CredentialScheme;
use crate::host::{Host, Target};
use crate::routes::SHIPPED;

/// How one credential is tried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// The credential's name.
    pub credential: String,
    /// What a person calls the service.
    pub service: String,
    /// Where it is; always reached over TLS.
    pub target: Target,
    /// What is asked for with GET, with its query.
    pub path: String,
    /// How the credential is sent.
    pub scheme: CredentialScheme,
    /// What else the service wants to see.
    pub headers: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Table {
    check: Vec<Row>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    credential: String,
    service: String,
    host: String,
    path: String,
    scheme: CredentialScheme,
    #[serde(default)]
    headers: BTreeMap<String, String>,
}

impl Check {
    /// Finds how a credential is tried out; one that only a person's own route uses cannot be.
    pub fn of(credential: &str) -> Option<&'static Check> {
        static CHECKS: LazyLock<Vec<Check>> =
            LazyLock::new(|| read(SHIPPED).expect("the shipped table is checked by a test"));
        CHECKS.iter().find(|check| check.credential == credential)
    }
}

fn read(text: &str) -> Result<Vec<Check>, String> {
    let table: Table = toml::from_str(text).map_err(|error| error.to_string())?;
    table.check.into_iter().map(checked).collect()
}

fn checked(row: Row) -> Result<Check, String> {
    let host = Host::parse(&row.host).map_err(|error| error.to_string())?;
    if !row.path.starts_with('/') {
        return Err(format!("{}: the path must begin with /", row.credential));
    }
    Ok(Check {
        credential: row.credential,
        service: row.service,
        target: Target { host, port: 443 },
        path: row.path,
        scheme: row.scheme,
        headers: row.headers,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_shipped_table_names_one_question_a_credential() {
        for (credential, authority) in [
            ("anthropic_oauth_token", "api.anthropic.com:443"),
            ("anthropic_api_key", "api.anthropic.com:443"),
            ("openai_api_key", "api.openai.com:443"),
            ("github_token", "api.github.com:443"),
        ] {
            let check = Check::of(credential).unwrap();
            assert_eq!(check.target.to_string(), authority);
        }
        assert_eq!(Check::of("my_own_token"), None);
    }

    #[test]
    fn a_row_that_cannot_be_asked_is_refused() {
        for row in [
            "host = \"a b\"\npath = \"/\"",
            "host = \"x.example\"\npath = \"x\"",
            "host = \"x.example\"\npath = \"/\"\nport = 80",
        ] {
            let text = format!(
                "[[check]]\ncredential = \"c\"\nservice = \"s\"\nscheme = \"bearer\"\n{row}"
            );
            assert!(read(&text).is_err(), "{row}");
        }
    }
}
