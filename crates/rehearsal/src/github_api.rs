//! GitHub's own interface, as far as a check of a token asks: who is it, what may it do, how long does it last. Pure: what a
//! token may do stands in the token.

use serde_json::json;

use crate::answer::Answer;
use crate::playground;
use crate::record::Recorded;

/// Answers one request to the API host.
///
/// A classic token (`ghp_…`, `gho_…`) has the scopes `repo, workflow`, or after `ghp_public` `public_repo`, or after `ghp_none` none.
/// Any other, such as a fine-grained one, has none that are said. `until_YYYYMMDD` in a token is the day of its end.
pub(crate) fn answer(request: &Recorded) -> Answer {
    if (request.method.as_str(), request.path.as_str()) != ("GET", "/user") {
        return playground::not_found(request);
    }
    let token = request
        .header("authorization")
        .and_then(|value| value.split_once(' '))
        .map(|(_, token)| token)
        .filter(|token| !token.contains("revoked"));
    let Some(token) = token else {
        return Answer::json(
            401,
            &json!({ "message": "Bad credentials", "documentation_url": "https://docs.github.com/rest" }),
        );
    };
    let mut answer = Answer::json(200, &json!({ "login": "rehearsal", "id": 1 }));
    if let Some(scopes) = scopes(token) {
        answer = answer.with("x-oauth-scopes", scopes);
    }
    if let Some(end) = end(token) {
        answer = answer.with("github-authentication-token-expiration", &end);
    }
    answer
}

fn scopes(token: &str) -> Option<&'static str> {
    match token {
        _ if token.starts_with("ghp_none") => Some(""),
        _ if token.starts_with("ghp_public") => Some("public_repo"),
        _ if token.starts_with("ghp_") || token.starts_with("gho_") => Some("repo, workflow"),
        _ => None,
    }
}

fn end(token: &str) -> Option<String> {
    let (_, rest) = token.split_once("until_")?;
    let day = rest
        .get(..8)
        .filter(|day| day.bytes().all(|b| b.is_ascii_digit()))?;
    Some(format!(
        "{}-{}-{} 12:00:00 UTC",
        &day[..4],
        &day[4..6],
        &day[6..]
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::tests::request;

    fn told(token: &str) -> (u16, Option<String>, Option<String>) {
        let value = format!("Bearer {token}");
        let headers = [("authorization", value.as_str())];
        let answer = answer(&request("GET", "api.github.com", "/user", &headers, ""));
        let header = |name: &str| {
            let found = answer.headers.iter().find(|(key, _)| key == name);
            found.map(|(_, value)| value.clone())
        };
        (
            answer.status,
            header("x-oauth-scopes"),
            header("github-authentication-token-expiration"),
        )
    }

    #[test]
    fn a_token_says_what_it_may_do() {
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(told("ghp_x"), (200, some("repo, workflow"), None));
        assert_eq!(told("ghp_public_x"), (200, some("public_repo"), None));
        assert_eq!(told("ghp_none_x"), (200, some(""), None));
        assert_eq!(
            told("github_pat_until_20270102_x"),
            (200, None, some("2027-01-02 12:00:00 UTC"))
        );
        assert_eq!(told("ghp_revoked"), (401, None, None));
    }
}
