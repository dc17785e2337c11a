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
    let routes = Routes::shipped().unwrap();
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

#[test]
fn the_credentials_of_a_session_are_those_of_its_rows() {
    let policy = |posture, agent: &str, repository| Policy {
        posture,
        routes: Routes::builtin(),
        grants: Vec::new(),
        subject: crate::Subject {
            agent: agent.to_owned(),
            repository,
        },
    };
    let acme = || {
        Some(crate::Repository {
            owner: "acme".into(),
            name: "app".into(),
        })
    };
    let names = |policy: Policy| -> Vec<String> {
        let all = Routes::builtin().credentials_of(&policy);
        all.into_iter().map(|(name, _)| name).collect()
    };
    assert_eq!(
        names(policy(Posture::Locked, "claude", acme())),
        ["anthropic_oauth_token", "anthropic_api_key"]
    );
    let wide = names(policy(Posture::Balanced, "codex", acme()));
    assert!(wide.contains(&"openai_api_key".to_owned()), "{wide:?}");
    assert!(wide.contains(&"github_token".to_owned()), "{wide:?}");
    assert!(!wide.contains(&"anthropic_api_key".to_owned()), "{wide:?}");
    let all = Routes::builtin().credentials_of(&policy(Posture::Locked, "claude", None));
    assert_eq!(all[0].1, ["api.anthropic.com"]);
}

#[test]
fn a_row_of_bytes_names_hosts_and_a_port_and_nothing_else() {
    let row = "[[route]]\nname = \"db\"\nact = \"passthrough\"\n";
    let whole = format!("{row}hosts = [\"db.example\"]\nport = 5432\n");
    assert!(Routes::parse(&whole).is_ok());
    for (text, words) in [
        (format!("{row}hosts = [\"db.example\"]\n"), "a port"),
        (
            format!("{row}hosts = [\"*.db.example\"]\nport = 5432\n"),
            "full hosts",
        ),
        (format!("{whole}methods = [\"GET\"]\n"), "mean nothing"),
        (format!("{whole}paths = [\"/**\"]\n"), "mean nothing"),
        (format!("{whole}max_body = 1\n"), "mean nothing"),
        (
            format!("{whole}credentials = [{{ name = \"t\", scheme = \"bearer\" }}]\n"),
            "only act = \"inject\"",
        ),
    ] {
        assert!(error(&text).contains(words), "{text}: {}", error(&text));
    }
}
