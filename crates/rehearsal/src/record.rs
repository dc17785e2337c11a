//! The memory of what was received, so that a test can say what left a sandbox. Bounded; the oldest is forgotten first.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::HeaderMap;
use tokio::sync::watch;

/// One request as it arrived, its credentials included.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// Whether it came through TLS.
    pub scheme: Scheme,
    /// The name in the TLS handshake, where one was sent.
    pub sni: Option<String>,
    /// The `Host` header without its port, in lower case.
    pub host: String,
    /// The method.
    pub method: String,
    /// The path as sent, not decoded.
    pub path: String,
    /// The query as sent, without the question mark; empty when there is none.
    pub query: String,
    /// All headers.
    pub headers: HeaderMap,
    /// The body, as far as it arrived.
    pub body: Bytes,
    /// Whether the whole body arrived.
    pub complete: bool,
    /// When the head arrived.
    pub at: SystemTime,
}

/// How a request arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// In clear.
    Http,
    /// Through TLS.
    Https,
}

/// No request of the kind arrived in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotSeen {
    /// How many requests were looked at.
    pub looked_at: usize,
}

impl Recorded {
    /// Whether it carries a credential that the service would take: any but one with the word `revoked` in it.
    pub(crate) fn is_authenticated(&self) -> bool {
        ["authorization", "x-api-key"].into_iter().any(|name| {
            self.header(name)
                .is_some_and(|shown| !shown.contains("revoked"))
        })
    }

    /// The value of a header, where it is one readable line.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The value of a query parameter, decoded.
    pub fn parameter(&self, name: &str) -> Option<String> {
        self.query.split('&').find_map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (key == name).then(|| percent_decoded(value))
        })
    }
}

impl std::fmt::Display for NotSeen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "no such request arrived in time; {} others did",
            self.looked_at
        )
    }
}

impl std::error::Error for NotSeen {}

const MOST_REQUESTS: usize = 20_000;
const MOST_BYTES: usize = 256 * 1024 * 1024;

/// All requests so far.
pub(crate) struct Record {
    kept: Mutex<Kept>,
    /// Counts arrivals, so that a waiting test wakes up.
    arrivals: watch::Sender<u64>,
}

#[derive(Default)]
struct Kept {
    requests: VecDeque<Recorded>,
    bytes: usize,
}

impl Record {
    pub fn new() -> Self {
        Self {
            kept: Mutex::new(Kept::default()),
            arrivals: watch::Sender::new(0),
        }
    }

    pub fn add(&self, request: Recorded) {
        self.kept().add(request);
        self.arrivals.send_modify(|count| *count += 1);
    }

    pub fn all(&self) -> Vec<Recorded> {
        self.kept().requests.iter().cloned().collect()
    }

    pub fn clear(&self) {
        *self.kept() = Kept::default();
    }

    /// The first request, past or to come, that fits.
    pub async fn wait_for(
        &self,
        mut fits: impl FnMut(&Recorded) -> bool,
        timeout: Duration,
    ) -> Result<Recorded, NotSeen> {
        let mut arrivals = self.arrivals.subscribe();
        let search = async {
            loop {
                arrivals.mark_unchanged();
                if let Some(found) = self.kept().requests.iter().find(|request| fits(request)) {
                    return found.clone();
                }
                // The sender lives as long as `self`, so this does not fail while we wait.
                let _ = arrivals.changed().await;
            }
        };
        match tokio::time::timeout(timeout, search).await {
            Ok(found) => Ok(found),
            Err(_) => Err(NotSeen {
                looked_at: self.kept().requests.len(),
            }),
        }
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Kept {
    fn add(&mut self, request: Recorded) {
        self.bytes += request.body.len();
        self.requests.push_back(request);
        while self.requests.len() > MOST_REQUESTS
            || (self.bytes > MOST_BYTES && self.requests.len() > 1)
        {
            let Some(oldest) = self.requests.pop_front() else {
                break;
            };
            self.bytes -= oldest.body.len();
        }
    }
}

fn percent_decoded(value: &str) -> String {
    let mut decoded = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        let escaped = (byte == b'%').then(|| tail.get(..2)).flatten();
        let code =
            escaped.and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        match code {
            Some(code) => {
                decoded.push(code);
                rest = &tail[2..];
            }
            None => {
                decoded.push(if byte == b'+' { b' ' } else { byte });
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

#[cfg(test)]
pub(crate) mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// A request for tests of pure replies; `target` is a path with an optional query.
    pub(crate) fn request(
        method: &str,
        host: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Recorded {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(
                http::HeaderName::from_bytes(name.as_bytes()).unwrap(),
                value.parse().unwrap(),
            );
        }
        Recorded {
            scheme: Scheme::Https,
            sni: Some(host.to_owned()),
            host: host.to_owned(),
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers: map,
            body: Bytes::copy_from_slice(body.as_bytes()),
            complete: true,
            at: SystemTime::UNIX_EPOCH,
        }
    }

    #[test]
    fn parameters_are_decoded() {
        let seen = request(
            "GET",
            "h",
            "/p?a=1&b=https%3A%2F%2Fx%2Fé&c&d=x+y&e=%zz",
            &[],
            "",
        );
        for (name, expected) in [
            ("a", Some("1")),
            ("b", Some("https://x/é")),
            ("c", Some("")),
            ("d", Some("x y")),
            ("e", Some("%zz")),
            ("f", None),
        ] {
            assert_eq!(seen.parameter(name).as_deref(), expected, "{name}");
        }
    }

    #[test]
    fn forgets_the_oldest_first() {
        let record = Record::new();
        for index in 0..MOST_REQUESTS + 5 {
            record.add(request("GET", "h", &format!("/{index}"), &[], ""));
        }
        let all = record.all();
        assert_eq!((all.len(), all[0].path.as_str()), (MOST_REQUESTS, "/5"));
    }

    #[tokio::test]
    async fn waits_for_what_comes_later_and_finds_what_came_before() {
        let record = std::sync::Arc::new(Record::new());
        let waiting = tokio::spawn({
            let record = record.clone();
            async move {
                record
                    .wait_for(|seen| seen.path == "/b", Duration::from_secs(5))
                    .await
            }
        });
        record.add(request("GET", "h", "/a", &[], ""));
        tokio::task::yield_now().await;
        record.add(request("GET", "h", "/b", &[], ""));
        assert_eq!(waiting.await.unwrap().unwrap().path, "/b");
        assert_eq!(
            record
                .wait_for(|seen| seen.path == "/a", Duration::ZERO)
                .await
                .unwrap()
                .path,
            "/a"
        );
        let missed = record.wait_for(|_| false, Duration::from_millis(1)).await;
        assert_eq!(missed.unwrap_err(), NotSeen { looked_at: 2 });
    }
}
