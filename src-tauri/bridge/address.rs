//! What the page may ask for: the API's own addresses, spelled plainly.

use clauderon_api::{Error, ErrorCode};
use http::Method;

/// A request that may be sent.
#[derive(Debug, PartialEq, Eq)]
pub struct Address {
    /// Its method.
    pub method: Method,
    /// Its path and query.
    pub target: String,
}

/// Lets a request to the API pass.
pub fn request(method: &str, path: &str) -> Result<Address, Error> {
    let method = match method {
        "GET" => Method::GET,
        "POST" => Method::POST,
        "PUT" => Method::PUT,
        "PATCH" => Method::PATCH,
        "DELETE" => Method::DELETE,
        _ => return Err(refused()),
    };
    Ok(Address {
        method,
        target: below("/api/", path)?,
    })
}

/// Lets a WebSocket of the API pass.
pub fn socket(path: &str) -> Result<String, Error> {
    below("/ws/", path)
}

fn below(root: &str, path: &str) -> Result<String, Error> {
    let plain = path
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && byte != b'\\' && byte != b'#');
    let (place, _) = path.split_once('?').unwrap_or((path, ""));
    let straight = place
        .split('/')
        .all(|segment| segment != "." && segment != "..");
    match path.starts_with(root) && plain && straight && !place.contains("//") {
        true => Ok(path.to_owned()),
        false => Err(refused()),
    }
}

fn refused() -> Error {
    Error::new(
        ErrorCode::Refused,
        "The window may ask for nothing but the API.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_the_api_passes() {
        for (method, path, passes) in [
            ("GET", "/api/sessions", true),
            ("POST", "/api/sessions/a%2Fb/stop", true),
            ("GET", "/api/sessions/a/folder?path=..%2Fx", true),
            ("GET", "/ws/events", false),
            ("GET", "/", false),
            ("GET", "/api", false),
            ("GET", "http://evil.example/api/", false),
            ("GET", "//evil.example/api/", false),
            ("GET", "/api/../ws/events", false),
            ("GET", "/api//x", false),
            ("GET", "/api/x HTTP/1.1\r\nHost: evil", false),
            ("GET", "/api/x#y", false),
            ("CONNECT", "/api/x", false),
            ("get", "/api/x", false),
        ] {
            assert_eq!(request(method, path).is_ok(), passes, "{method} {path}");
        }
        assert!(socket("/ws/console/a?from=0").is_ok());
        assert!(socket("/api/sessions").is_err());
        assert!(socket("/ws/../api/daemon/stop").is_err());
    }
}
