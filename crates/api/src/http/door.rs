//! Who may come in: links that work once and the cookies that they became. Both live in memory and end with the daemon.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::http::HeaderMap;
use axum::http::header::COOKIE;

/// How long a link waits to be used.
const PATIENCE: Duration = Duration::from_secs(10 * 60);
/// How many unused links there are at most; the oldest is forgotten.
const LINKS: usize = 16;
/// How many browsers are signed in at most; the oldest is signed out.
const COOKIES: usize = 64;

/// The door of one port.
#[derive(Debug)]
pub struct Door {
    port: u16,
    hosts: [String; 2],
    keys: Mutex<Keys>,
}

#[derive(Default)]
struct Keys {
    links: VecDeque<(String, Instant)>,
    cookies: VecDeque<String>,
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keys").finish_non_exhaustive()
    }
}

impl Door {
    /// Makes the door of the loopback port `port`, with nobody signed in.
    pub fn new(port: u16) -> Door {
        Door {
            port,
            hosts: [format!("127.0.0.1:{port}"), format!("localhost:{port}")],
            keys: Mutex::default(),
        }
    }

    /// Returns the port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Makes a link that signs one browser in, once, within ten minutes.
    pub fn link(&self, now: Instant) -> String {
        let token = random();
        let mut keys = self.keys();
        keys.links.truncate(LINKS - 1);
        keys.links.push_front((token.clone(), now));
        format!("http://127.0.0.1:{}/?token={token}", self.port)
    }

    /// Takes a link's token and returns the `Set-Cookie` that it is worth, once.
    pub(super) fn enter(&self, token: &str, now: Instant) -> Option<String> {
        let mut keys = self.keys();
        let at = keys.links.iter().position(|(link, _)| same(link, token))?;
        let (_, made) = keys.links.remove(at)?;
        if now.saturating_duration_since(made) > PATIENCE {
            return None;
        }
        let cookie = random();
        let set = format!(
            "{}={cookie}; Path=/; HttpOnly; SameSite=Strict",
            self.cookie_name()
        );
        keys.cookies.truncate(COOKIES - 1);
        keys.cookies.push_front(cookie);
        Some(set)
    }

    /// Says whether a request carries the cookie of a browser that was signed in.
    pub(super) fn knows(&self, headers: &HeaderMap) -> bool {
        let name = self.cookie_name();
        let keys = self.keys();
        headers
            .get_all(COOKIE)
            .iter()
            .filter_map(|header| header.to_str().ok())
            .flat_map(|header| header.split("; "))
            .filter_map(|pair| pair.strip_prefix(name.as_str())?.strip_prefix('='))
            .any(|value| keys.cookies.iter().any(|cookie| same(cookie, value)))
    }

    /// Says whether `host` is how this door is called.
    pub(super) fn is_host(&self, host: &str) -> bool {
        self.hosts.iter().any(|own| own == host)
    }

    /// Cookies know no ports, so the name does: two installations do not sign each other out.
    fn cookie_name(&self) -> String {
        format!("clauderon-{}", self.port)
    }

    fn keys(&self) -> MutexGuard<'_, Keys> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn random() -> String {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).expect("the system has random numbers");
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Compares without telling by its duration where the first difference is.
fn same(a: &str, b: &str) -> bool {
    a.len() == b.len()
        && a.bytes()
            .zip(b.bytes())
            .fold(0, |sum, (a, b)| sum | (a ^ b))
            == 0
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn token(link: &str) -> &str {
        link.split_once("?token=").unwrap().1
    }

    fn carrying(set_cookie: &str) -> HeaderMap {
        let pair = set_cookie.split(';').next().unwrap();
        HeaderMap::from_iter([(COOKIE, format!("other=1; {pair}").parse().unwrap())])
    }

    #[test]
    fn a_link_signs_in_once() {
        let door = Door::new(1);
        let now = Instant::now();
        let link = door.link(now);
        let cookie = door.enter(token(&link), now).unwrap();
        assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"));
        assert!(door.knows(&carrying(&cookie)));
        assert_eq!(door.enter(token(&link), now), None);
        assert!(
            door.knows(&carrying(&cookie)),
            "a second try signs nobody out"
        );
    }

    #[test]
    fn an_old_link_and_a_made_up_cookie_are_worth_nothing() {
        let door = Door::new(1);
        let now = Instant::now();
        let link = door.link(now);
        assert_eq!(
            door.enter(token(&link), now + PATIENCE + Duration::from_secs(1)),
            None
        );
        assert_eq!(door.enter("", now), None);
        assert!(!door.knows(&HeaderMap::new()));
        assert!(!door.knows(&carrying("clauderon-1=; Path=/")));
        assert!(!door.knows(&carrying(&format!("clauderon-1={}", "0".repeat(64)))));
    }

    #[test]
    fn another_doors_cookie_opens_nothing() {
        let now = Instant::now();
        let (one, two) = (Door::new(1), Door::new(2));
        let link = one.link(now);
        let cookie = one.enter(token(&link), now).unwrap();
        assert!(!two.knows(&carrying(&cookie)));
    }

    #[test]
    fn links_that_nobody_uses_do_not_pile_up() {
        let door = Door::new(1);
        let now = Instant::now();
        let first = door.link(now);
        for _ in 0..LINKS {
            door.link(now);
        }
        assert_eq!(door.keys().links.len(), LINKS);
        assert_eq!(door.enter(token(&first), now), None);
    }
}
