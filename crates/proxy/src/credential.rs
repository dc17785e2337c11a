//! Takes every credential that an agent sent off a request and puts the route's own on it.
//!
//! Replace, never substitute: an agent's own key must not survive, and a placeholder is never looked up.

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::STANDARD};
use clauderon_policy::{CredentialScheme, CredentialUse, Scheme};
use clauderon_vault::{Secret, known};
use http::{HeaderMap, HeaderName, HeaderValue, header};
use percent_encoding::percent_decode_str;

use crate::{
    exchange::Door, rejection::Rejection, scan::Needles, stand_in::StandIn, upstream::Identity,
};

/// Headers that can carry a credential to some upstream.
const HEADERS: [&str; 21] = [
    "authorization",
    "proxy-authorization",
    "x-api-key",
    "api-key",
    "apikey",
    "x-apikey",
    "x-auth-token",
    "x-auth-key",
    "x-access-token",
    "x-authorization",
    "x-forwarded-access-token",
    "x-goog-api-key",
    "x-goog-iam-authorization-token",
    "x-amz-security-token",
    "x-github-token",
    "x-gitlab-token",
    "private-token",
    "job-token",
    "deploy-token",
    "x-vault-token",
    "x-registry-auth",
];

/// Query keys that can carry a credential to some upstream.
const QUERY: [&str; 16] = [
    "key",
    "api_key",
    "api-key",
    "apikey",
    "x-api-key",
    "access_token",
    "access-token",
    "auth_token",
    "authtoken",
    "authorization",
    "oauth_token",
    "private_token",
    "private-token",
    "job_token",
    "token",
    "client_secret",
];

/// Removes every header that can carry a credential; cookies too where a credential is set by us.
pub(crate) fn strip_headers(headers: &mut HeaderMap, injected: bool) {
    for name in HEADERS {
        headers.remove(name);
    }
    if injected {
        headers.remove(header::COOKIE);
    }
}

/// Removes every query pair whose key can carry a credential.
pub(crate) fn strip_query(query: &str) -> String {
    let keeps = |pair: &&str| {
        let key = pair.split('=').next().unwrap_or_default().replace('+', " ");
        let key = percent_decode_str(&key)
            .decode_utf8_lossy()
            .trim()
            .to_ascii_lowercase();
        !QUERY.contains(&key.as_str())
    };
    // Some servers take a semicolon for a separator as well.
    query
        .split('&')
        .map(|part| part.split(';').filter(keeps).collect::<Vec<_>>().join(";"))
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join("&")
}

/// A credential for one request.
pub(crate) struct Injection {
    /// Its name in the vault.
    pub name: String,
    /// The header it stands in.
    pub header: HeaderName,
    /// That header's value.
    pub value: HeaderValue,
    /// Which upstream connections may carry it.
    pub identity: Identity,
    /// The spellings in which it must not come back.
    pub needles: Needles,
}

/// Finds the first credential of a route that the vault holds.
///
/// Files may have been edited and keychains may ask: so each request looks anew, on a thread that may block.
pub(crate) async fn find(
    door: &Door<'_>,
    wanted: Option<&CredentialUse>,
) -> Result<Option<Injection>, Rejection> {
    let Some(wanted) = wanted else {
        return Ok(None);
    };
    if let Some(stand_in) = &door.session.stand_in {
        return invented(door, wanted, stand_in).map(Some);
    }
    for choice in &wanted.choices {
        let vaults = Arc::clone(&door.engine.vaults);
        let name = choice.name.clone();
        let found = tokio::task::spawn_blocking(move || vaults.lookup(&name)).await;
        let found = found.map_err(|_| Rejection::credential_unusable("the vault failed"))?;
        match found {
            Ok(None) => {}
            Ok(Some((_, secret))) if door.scheme == Scheme::Https => {
                return injection(door, &choice.name, choice.scheme, &secret).map(Some);
            }
            Ok(Some(_)) => return Err(Rejection::credential_in_clear()),
            Err(error) => return Err(Rejection::credential_unusable(&error.to_string())),
        }
    }
    if wanted.required {
        let variable = |name: &str| known(name).and_then(|known| known.variables.first().copied());
        let names = wanted
            .choices
            .iter()
            .map(|choice| variable(&choice.name).unwrap_or(&choice.name));
        let names: Vec<&str> = names.collect();
        return Err(Rejection::credential_missing(&names.join(" or ")));
    }
    Ok(None)
}

/// Makes the credential of a session whose upstreams are played. The vault is not asked, so that no real one can come.
fn invented(
    door: &Door<'_>,
    wanted: &CredentialUse,
    stand_in: &StandIn,
) -> Result<Injection, Rejection> {
    let scheme = wanted.choices.first().map(|choice| choice.scheme);
    let scheme = scheme.unwrap_or(CredentialScheme::Bearer);
    injection(door, StandIn::CREDENTIAL, scheme, stand_in.credential())
}

fn injection(
    door: &Door<'_>,
    name: &str,
    scheme: CredentialScheme,
    secret: &Secret,
) -> Result<Injection, Rejection> {
    let secret = secret.expose().trim();
    let (header, value) = header_for(scheme, secret)?;
    let identity = Identity::Credential {
        name: name.to_owned(),
        value: door.engine.fingerprint(secret),
    };
    Ok(Injection {
        name: name.to_owned(),
        header,
        value,
        identity,
        needles: Needles::spellings_of([secret]),
    })
}

pub(crate) fn header_for(
    scheme: CredentialScheme,
    secret: &str,
) -> Result<(HeaderName, HeaderValue), Rejection> {
    let (name, value) = match scheme {
        CredentialScheme::Bearer => (header::AUTHORIZATION, format!("Bearer {secret}")),
        CredentialScheme::XApiKey => (HeaderName::from_static("x-api-key"), secret.to_owned()),
        CredentialScheme::BasicXAccessToken => {
            let pair = STANDARD.encode(format!("x-access-token:{secret}"));
            (header::AUTHORIZATION, format!("Basic {pair}"))
        }
    };
    let unusable =
        |_| Rejection::credential_unusable("it holds characters that no header may have");
    let mut value = HeaderValue::try_from(value).map_err(unusable)?;
    value.set_sensitive(true);
    Ok((name, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_credential_survives_in_a_query() {
        for (query, expected) in [
            ("beta=true", "beta=true"),
            ("beta=true&key=abc", "beta=true"),
            ("KEY=abc&a=1", "a=1"),
            ("%6bey=abc&a=1", "a=1"),
            ("a=1;access_token=x&b=2", "a=1&b=2"),
            ("api_key=1&api-key=2&x-api-key=3&private_token=4", ""),
            ("service=git-upload-pack", "service=git-upload-pack"),
        ] {
            assert_eq!(strip_query(query), expected, "{query}");
        }
    }

    #[test]
    fn no_credential_survives_in_a_header() {
        let mut headers = HeaderMap::new();
        for name in HEADERS {
            headers.insert(name, HeaderValue::from_static("x"));
        }
        headers.insert("cookie", HeaderValue::from_static("x"));
        headers.insert("anthropic-beta", HeaderValue::from_static("x"));
        strip_headers(&mut headers, true);
        assert_eq!(headers.len(), 1);
    }
}
