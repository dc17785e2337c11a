//! What a service's answer says about a credential, in sentences for a person. Nothing is asked here.

use clauderon_api::AccountCheck;
use clauderon_policy::Check;
use clauderon_proxy::Told;
use time::OffsetDateTime;
use time::format_description::StaticFormatDescription;
use time::macros::format_description;

/// How long before its end a credential is worth a warning, in milliseconds.
const SOON: u64 = 30 * DAY;
const DAY: u64 = 24 * 60 * 60 * 1000;
/// Where GitHub says what a classic token may do, and when a token ends.
const SCOPES: &str = "x-oauth-scopes";
const END: &str = "github-authentication-token-expiration";

/// What was found out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// For the person.
    pub check: AccountCheck,
    /// When the credential ends, in milliseconds since 1970, where the service says so.
    pub expires_ms: Option<u64>,
}

/// Reads an answer.
pub fn verdict(check: &Check, told: &Told, now_ms: u64) -> Verdict {
    let service = &check.service;
    let ok = (200..300).contains(&told.status);
    let sentence = match told.status {
        200..300 => taken(service, told),
        401 => format!("{service} does not take it: it is wrong, expired or revoked."),
        403 => format!(
            "{service} knows it and does not let it in: it lacks a permission, or its organisation forbids it."
        ),
        429 => format!("{service} asks to wait before the next try."),
        300..=399 => format!(
            "{service} is not where it should be: the answer points elsewhere, which is not followed."
        ),
        status => format!(
            "{service} answered with status {status}, which says nothing about the credential; try again later."
        ),
    };
    Verdict {
        check: AccountCheck {
            at_ms: now_ms,
            ok,
            sentence,
            wide: header(told, SCOPES).filter(|_| ok).and_then(wide),
        },
        expires_ms: header(told, END).and_then(end_ms),
    }
}

fn taken(service: &str, told: &Told) -> String {
    match login(told) {
        Some(login) if header(told, SCOPES).is_none() => format!(
            "{service} takes it, for {login}; which repositories a fine-grained token reaches stands only on its page at {service}."
        ),
        Some(login) => format!("{service} takes it, for {login}."),
        None => format!("{service} takes it."),
    }
}

/// The name of the account, where it is one that can be shown.
fn login(told: &Told) -> Option<String> {
    let body: serde_json::Value = serde_json::from_slice(&told.body).ok()?;
    let login = body.get("login")?.as_str()?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_[]".contains(&byte);
    ((1..=64).contains(&login.len()) && login.bytes().all(plain)).then(|| login.to_owned())
}

/// Says why a classic token reaches further than one repository.
fn wide(scopes: &str) -> Option<String> {
    let scopes: Vec<&str> = scopes
        .split(',')
        .map(str::trim)
        .filter(|scope| !scope.is_empty())
        .collect();
    let has = |wanted: &str| scopes.contains(&wanted);
    let instead = "A fine-grained token for one repository is enough here.";
    if has("repo") {
        return Some(format!(
            "It can read and change every repository that its account reaches (scope `repo`). {instead}"
        ));
    }
    if has("public_repo") {
        return Some(format!(
            "It can change every public repository that its account may change (scope `public_repo`). {instead}"
        ));
    }
    (!scopes.is_empty()).then(|| {
        let shown: Vec<&str> = scopes
            .iter()
            .filter(|scope| scope.bytes().all(|b| b.is_ascii_graphic() && b != b'`'))
            .take(6)
            .copied()
            .collect();
        format!(
            "It can do more than fetch one repository (scopes {}). {instead}",
            shown.join(", ")
        )
    })
}

fn header<'a>(told: &'a Told, name: &str) -> Option<&'a str> {
    told.headers.get(name)?.to_str().ok()
}

/// Reads `2026-12-01 17:26:25 UTC` or `2026-12-01 17:26:25 -0500`.
fn end_ms(text: &str) -> Option<u64> {
    const FORMAT: StaticFormatDescription = format_description!(
        "[year]-[month]-[day] [hour]:[minute]:[second] [offset_hour sign:mandatory][offset_minute]"
    );
    let text = text.replace("UTC", "+0000");
    let end = OffsetDateTime::parse(text.trim(), &FORMAT).ok()?;
    u64::try_from(end.unix_timestamp_nanos() / 1_000_000).ok()
}

/// Warns of an end that is near or past.
pub fn ending(expires_ms: u64, now_ms: u64) -> Option<String> {
    if expires_ms > now_ms + SOON {
        return None;
    }
    let day = day(expires_ms)?;
    if expires_ms <= now_ms {
        return Some(format!("It expired on {day}."));
    }
    Some(match (expires_ms - now_ms) / DAY {
        0 => format!("It expires within a day, on {day}."),
        1 => format!("It expires tomorrow, on {day}."),
        days => format!("It expires in {days} days, on {day}."),
    })
}

fn day(ms: u64) -> Option<String> {
    const FORMAT: StaticFormatDescription = format_description!("[year]-[month]-[day]");
    let at = OffsetDateTime::from_unix_timestamp(i64::try_from(ms / 1000).ok()?).ok()?;
    at.format(&FORMAT).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_790_000_000_000; // 2026-09-21

    fn told(name: &str, status: u16, headers: &[(&str, &str)], body: &'static str) -> Verdict {
        let mut told = Told {
            status,
            headers: Default::default(),
            body: body.into(),
        };
        for (name, value) in headers {
            let name = http::HeaderName::try_from(*name).unwrap();
            told.headers.insert(name, value.parse().unwrap());
        }
        verdict(Check::of(name).unwrap(), &told, NOW)
    }

    #[test]
    fn the_status_becomes_a_sentence() {
        for (name, status, ok, words) in [
            ("openai_api_key", 200, true, "OpenAI takes it."),
            ("anthropic_api_key", 401, false, "wrong, expired or revoked"),
            ("github_token", 403, false, "lacks a permission"),
            ("github_token", 302, false, "not followed"),
            ("openai_api_key", 429, false, "wait"),
            ("openai_api_key", 503, false, "status 503"),
        ] {
            let check = told(name, status, &[], "").check;
            assert_eq!(check.ok, ok, "{status}");
            assert!(check.sentence.contains(words), "{}", check.sentence);
        }
    }

    #[test]
    fn scopes_that_reach_further_than_one_repository_are_said() {
        for (scopes, words) in [
            (Some("repo, workflow"), Some("every repository")),
            (Some("public_repo"), Some("every public repository")),
            (Some("read:org, gist"), Some("read:org, gist")),
            (Some(""), None),
            (None, None),
        ] {
            let headers: Vec<_> = scopes.map(|scopes| (SCOPES, scopes)).into_iter().collect();
            let check = told("github_token", 200, &headers, r#"{"login":"ada"}"#).check;
            match words {
                Some(words) => assert!(check.wide.unwrap().contains(words)),
                None => assert_eq!(check.wide, None),
            }
            assert!(check.sentence.contains("for ada"), "{}", check.sentence);
            assert_eq!(check.sentence.contains("fine-grained"), scopes.is_none());
        }
    }

    #[test]
    fn a_name_that_would_steer_a_terminal_is_not_shown() {
        let body = "{\"login\":\"a\\u001b[31m\"}";
        let check = told("github_token", 200, &[], body).check;
        assert_eq!(check.sentence, "GitHub takes it.");
    }

    #[test]
    fn the_end_is_read_in_every_spelling_and_warned_of_30_days_ahead() {
        for (text, expected) in [
            ("2026-09-21 00:00:00 UTC", Some(1_789_948_800_000)),
            ("2026-09-20 19:00:00 -0500", Some(1_789_948_800_000)),
            ("tomorrow", None),
        ] {
            let found = told("github_token", 200, &[(END, text)], "").expires_ms;
            assert_eq!(found, expected, "{text}");
        }
        for (expires_ms, words) in [
            (NOW + 31 * DAY, None),
            (NOW + 29 * DAY, Some("in 29 days, on 2026-10-20")),
            (NOW + 1, Some("within a day")),
            (NOW, Some("expired on")),
        ] {
            let said = ending(expires_ms, NOW);
            assert_eq!(said.is_some(), words.is_some(), "{said:?}");
            assert!(said.unwrap_or_default().contains(words.unwrap_or("")));
        }
    }
}
