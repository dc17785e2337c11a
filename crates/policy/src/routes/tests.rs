//! The table as a person writes it.
#![allow(clippy::unwrap_used)]

use super::*;

fn error(text: &str) -> String {
    Routes::parse(text).unwrap_err().to_string()
}

const ROW: &str =
    "[[route]]\nname = \"x\"\nhosts = [\"a.example\"]\nmethods = [\"GET\"]\npaths = [\"/**\"]\n";

#[test]
fn the_shipped_table_is_sound() {
    let routes = Routes::parse(SHIPPED).unwrap();
    assert!(routes.rows.len() > 20);
    for name in ["npm", "pypi", "crates", "go"] {
        assert!(Routes::registry_host(name).is_some(), "{name}");
    }
}

#[test]
fn an_unknown_key_is_named_with_the_nearest_known_one() {
    let text = format!("{ROW}act = \"forward\"\nmetods = [\"GET\"]\n");
    assert_eq!(
        error(&text),
        "unknown key \"metods\" in route \"x\"; the nearest known key is \"methods\""
    );
    assert!(error("[[rout]]\nname = \"x\"").contains("\"rout\""));
}

#[test]
fn a_row_that_would_be_too_wide_is_refused() {
    let cases = [
        (
            format!("{ROW}act = \"inject\""),
            "an injecting row needs credentials",
        ),
        (
            format!(
                "{ROW}act = \"inject\"\nscheme = \"http\"\ncredentials = [{{ name = \"t\", scheme = \"bearer\" }}]"
            ),
            "an injecting row needs https",
        ),
        (
            format!(
                "{ROW}act = \"inject\"\ncredentials = [{{ name = \"t\", scheme = \"bearer\" }}]"
            )
            .replace("a.example", "*.a.example"),
            "full host names",
        ),
        (
            format!("{ROW}act = \"forward\"").replace("GET", "TRACE"),
            "\"TRACE\" is not a method",
        ),
        (
            format!("{ROW}act = \"forward\"").replace("a.example", "*.com"),
            "\"*.com\" is not a host",
        ),
        (
            format!("{ROW}act = \"forward\"").replace("a.example", "*"),
            "\"*\" is not a host",
        ),
        (
            format!("{ROW}act = \"forward\"").replace("/**", "**"),
            "\"**\" is not a path pattern",
        ),
        (
            format!("{ROW}act = \"forward\"\n{ROW}act = \"forward\""),
            "another row has the same name",
        ),
        (ROW.to_owned(), "missing field `act`"),
        (format!("{ROW}act = \"allow\""), "unknown variant `allow`"),
    ];
    for (text, expected) in cases {
        let error = error(&text);
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn a_wildcard_stands_for_one_short_label() {
    let pattern = HostPattern::parse("*.example.com").unwrap();
    let matches = |name: &str| pattern.matches(&Host::parse(name).unwrap());
    assert!(matches("a.example.com"));
    assert!(!matches("example.com"));
    assert!(!matches("a.b.example.com"));
    assert!(!matches("evilexample.com"));
    assert!(!matches(&format!("{}.example.com", "a".repeat(33))));
}

#[test]
fn the_persons_rows_come_first() {
    let extra = Routes::parse(&format!("{ROW}act = \"forward\"")).unwrap();
    let routes = Routes::builtin().with_extra(extra);
    assert_eq!(routes.rows[0].name, "x");
    assert!(routes.governs(&Host::parse("github.com").unwrap()));
    assert!(!routes.governs(&Host::parse("a.example").unwrap()));
}
