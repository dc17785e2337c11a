//! Endpoints for trying a proxy: echoes of the request, redirects, statuses, sized bodies. Pure.

use serde_json::{Map, Value, json};

use crate::answer::Answer;
use crate::record::{Recorded, Scheme};
use crate::script::Reflection;

/// The most that `/bytes/N` gives.
const MOST_BYTES: usize = 64 * 1024 * 1024;

/// The answer of an extra host.
pub(crate) fn answer(request: &Recorded) -> Answer {
    let (first, rest) = split(&request.path);
    match first {
        "echo" => match Reflection::named(rest) {
            Some(how) => Answer::reflected(how, &reflection(request)),
            None => not_found(request),
        },
        "redirect" => redirect(request.parameter("to").as_deref().unwrap_or("/echo")),
        "status" => match rest.parse() {
            Ok(status @ 200..=599) => Answer::json(status, &json!({ "status": status })),
            _ => not_found(request),
        },
        "bytes" => match rest.parse::<usize>() {
            Ok(size) => Answer::full(
                200,
                "application/octet-stream",
                vec![b'.'; size.min(MOST_BYTES)],
            ),
            Err(_) => not_found(request),
        },
        "" => Answer::full(200, "text/plain; charset=utf-8", "This is a rehearsal.\n"),
        _ => not_found(request),
    }
}

/// What a query asks for on any path of any host, so that routes with a credential can be tried too.
pub(crate) fn asked_by_query(request: &Recorded) -> Option<Answer> {
    if let Some(how) = request.parameter("rehearsal-echo") {
        return Some(Answer::reflected(
            Reflection::named(&how)?,
            &reflection(request),
        ));
    }
    request
        .parameter("rehearsal-redirect")
        .map(|to| redirect(&to))
}

/// The request as JSON; headers that came several times are lists.
pub(crate) fn reflection(request: &Recorded) -> Value {
    let mut headers = Map::new();
    for name in request.headers.keys() {
        let mut values: Vec<Value> = request
            .headers
            .get_all(name)
            .iter()
            .map(|value| String::from_utf8_lossy(value.as_bytes()).into())
            .collect();
        let value = if values.len() == 1 {
            values.remove(0)
        } else {
            Value::Array(values)
        };
        headers.insert(name.to_string(), value);
    }
    let scheme = match request.scheme {
        Scheme::Http => "http",
        Scheme::Https => "https",
    };
    json!({
        "scheme": scheme,
        "host": request.host,
        "method": request.method,
        "path": request.path,
        "query": request.query,
        "headers": headers,
        "body_bytes": request.body.len(),
    })
}

/// An answer for a path that nothing serves.
pub(crate) fn not_found(request: &Recorded) -> Answer {
    Answer::json(
        404,
        &json!({ "error": format!("the rehearsal has no {} {} on {}", request.method, request.path, request.host) }),
    )
}

fn redirect(to: &str) -> Answer {
    // A line break would make two headers of one.
    let location: String = to.chars().filter(|c| !c.is_control()).collect();
    Answer::full(302, "text/plain", "").with("location", &location)
}

fn split(path: &str) -> (&str, &str) {
    path.trim_start_matches('/')
        .split_once('/')
        .unwrap_or((path.trim_start_matches('/'), ""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::Body;
    use crate::record::tests::request;

    fn check(target: &str, status: u16, part: &str) {
        let seen = request(
            "GET",
            "extra.example",
            target,
            &[("x-one", "1"), ("x-two", "a"), ("x-two", "b")],
            "",
        );
        let answer = asked_by_query(&seen).unwrap_or_else(|| super::answer(&seen));
        let body = match &answer.body {
            Body::Full(body) => body.to_vec(),
            Body::Pieces { pieces, .. } => pieces.concat(),
        };
        let whole = format!("{:?} {}", answer.headers, String::from_utf8_lossy(&body));
        assert_eq!(answer.status, status, "{target}: {whole}");
        assert!(whole.contains(part), "{target}: {whole}");
    }

    #[test]
    fn answers_by_path() {
        check("/", 200, "rehearsal");
        check("/echo", 200, r#""x-one":"1""#);
        check("/echo?a=b", 200, r#""query":"a=b""#);
        check("/echo", 200, r#""x-two":["a","b"]"#);
        check("/echo/gzip", 200, "gzip");
        check("/echo/deflate", 200, "deflate");
        check("/echo/split", 200, r#""x-one":"1""#);
        check("/echo/zip", 404, "no GET /echo/zip");
        check(
            "/redirect?to=https%3A%2F%2Fevil.example%2F",
            302,
            "https://evil.example/",
        );
        check("/redirect?to=a%0d%0ab", 302, "\"ab\"");
        check("/status/503", 503, "503");
        check("/status/99", 404, "");
        check("/bytes/10", 200, "..........");
        check("/bytes/x", 404, "");
        check("/other?rehearsal-echo", 200, r#""x-one":"1""#);
        check("/other?rehearsal-echo=gzip", 200, "gzip");
        check("/other?rehearsal-redirect=/x", 302, "/x");
        check("/other", 404, "no GET /other on extra.example");
    }
}
