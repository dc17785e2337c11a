//! Decides whether a request comes from our own page, before anybody looks at its cookie.

use axum::http::header::{HOST, ORIGIN, UPGRADE};
use axum::http::{HeaderMap, HeaderName, Method, Uri};

use super::Door;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Lets a request pass that names this address and comes from this page, or says why not.
///
/// A cookie alone does not tell: it goes along with every request to this host, from whichever page and to whichever port.
pub fn admit(
    door: &Door,
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
) -> Result<(), &'static str> {
    let Some(host) = only(headers, HOST).filter(|host| door.is_host(host)) else {
        return Err(
            "This address is served as 127.0.0.1 or localhost with its port, and under no other name.",
        );
    };
    if uri.authority().is_some_and(|authority| authority != host) {
        return Err("The request names two hosts.");
    }
    match headers.contains_key(ORIGIN) {
        true if only(headers, ORIGIN).and_then(|origin| origin.strip_prefix("http://"))
            == Some(host) => {}
        true => return Err("Another page asks; only Clauderon's own page may."),
        false if headers.contains_key(UPGRADE) => {
            return Err("A WebSocket must say which page opens it, and this one does not.");
        }
        false if method != Method::GET && method != Method::HEAD => {
            return Err(
                "A request that changes something must say which page sends it, and this one does not.",
            );
        }
        false => {}
    }
    // Pages on other ports of this host count as "same-site" and send no `Origin` with a plain GET.
    match only(headers, SEC_FETCH_SITE) {
        Some("same-origin" | "none") => Ok(()),
        None if !headers.contains_key(SEC_FETCH_SITE) => Ok(()),
        _ => Err("Another page asks; only Clauderon's own page may."),
    }
}

/// Returns the one-time token of a link: `/?token=…`, and nothing else.
pub fn token(uri: &Uri) -> Option<&str> {
    (uri.path() == "/").then(|| uri.query()?.strip_prefix("token="))?
}

/// Returns a header that is there exactly once.
fn only(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each line: method, path and headers separated by `|`, and whether it may pass.
    fn check(request: &str, passes: bool) {
        let door = Door::new(4711);
        let mut parts = request.split(" | ");
        let (method, uri) = parts
            .next()
            .and_then(|line| line.split_once(' '))
            .unwrap_or_default();
        let headers: HeaderMap = parts
            .filter_map(|header| header.split_once(": "))
            .map(|(name, value)| {
                (
                    HeaderName::try_from(name).expect("a header's name"),
                    value.parse().expect("a header's value"),
                )
            })
            .fold(HeaderMap::new(), |mut headers, (name, value)| {
                headers.append(name, value);
                headers
            });
        let method = Method::try_from(method).expect("a method");
        let uri = uri.parse().expect("an address");
        let verdict = admit(&door, &method, &uri, &headers);
        assert_eq!(verdict.is_ok(), passes, "{request}: {verdict:?}");
    }

    #[test]
    fn only_this_address_and_this_page_pass() {
        for (request, passes) in [
            ("GET / | host: 127.0.0.1:4711", true),
            ("GET / | host: localhost:4711", true),
            (
                "GET / | host: localhost:4711 | origin: http://localhost:4711",
                true,
            ),
            (
                "POST /api/sessions | host: 127.0.0.1:4711 | origin: http://127.0.0.1:4711",
                true,
            ),
            (
                "GET /ws/events | host: 127.0.0.1:4711 | upgrade: websocket | origin: http://127.0.0.1:4711",
                true,
            ),
            ("GET / | host: 127.0.0.1:4711 | sec-fetch-site: none", true),
            // A name that was bent to this address.
            ("GET / | host: evil.example:4711", false),
            ("GET / | host: evil.example", false),
            ("GET / | host: localhost.:4711", false),
            ("GET / | host: 127.0.0.1", false),
            ("GET / | host: 127.0.0.1:80", false),
            ("GET / | host: 127.0.0.1:4711 | host: evil.example", false),
            ("GET / | x: y", false),
            ("GET http://evil.example/ | host: 127.0.0.1:4711", false),
            // Another page.
            (
                "POST /api/daemon/stop | host: 127.0.0.1:4711 | origin: https://evil.example",
                false,
            ),
            (
                "POST /api/daemon/stop | host: 127.0.0.1:4711 | origin: null",
                false,
            ),
            (
                "POST /api/daemon/stop | host: 127.0.0.1:4711 | origin: http://localhost:4711",
                false,
            ),
            (
                "POST /api/daemon/stop | host: 127.0.0.1:4711 | origin: http://127.0.0.1:3000",
                false,
            ),
            (
                "POST /api/daemon/stop | host: 127.0.0.1:4711 | origin: https://127.0.0.1:4711",
                false,
            ),
            ("POST /api/daemon/stop | host: 127.0.0.1:4711", false),
            ("DELETE /api/trash | host: 127.0.0.1:4711", false),
            ("OPTIONS /api/trash | host: 127.0.0.1:4711", false),
            (
                "GET /ws/events | host: 127.0.0.1:4711 | upgrade: websocket",
                false,
            ),
            (
                "GET /ws/events | host: 127.0.0.1:4711 | upgrade: websocket | origin: http://127.0.0.1:3000",
                false,
            ),
            (
                "GET /api/sessions | host: 127.0.0.1:4711 | sec-fetch-site: same-site",
                false,
            ),
            (
                "GET /api/sessions | host: 127.0.0.1:4711 | sec-fetch-site: cross-site",
                false,
            ),
        ] {
            check(request, passes);
        }
    }

    #[test]
    fn a_token_stands_in_a_link_to_the_page_alone() {
        for (uri, expected) in [
            ("/?token=abc", Some("abc")),
            ("/api/sessions?token=abc", None),
            ("/?x=1&token=abc", None),
            ("/", None),
        ] {
            let uri: Uri = uri.parse().expect("an address");
            assert_eq!(token(&uri), expected, "{uri}");
        }
    }
}
