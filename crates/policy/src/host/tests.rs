//! Every spelling of a host leads to one, or to a refusal.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::*;

#[test]
fn names_have_one_spelling() {
    for (text, expected) in [
        ("API.Anthropic.COM", "api.anthropic.com"),
        ("api.anthropic.com.", "api.anthropic.com"),
        ("ａｐｉ.anthropic。com", "api.anthropic.com"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("XN--BCHER-KVA.example", "xn--bcher-kva.example"),
        // A Cyrillic letter makes another name, and is seen to.
        ("аpi.anthropic.com", "xn--pi-6kc.anthropic.com"),
        ("_dmarc.example.com", "_dmarc.example.com"),
    ] {
        assert_eq!(
            Host::parse(text).map(|h| h.to_string()).as_deref(),
            Ok(expected),
            "{text}"
        );
    }
}

#[test]
fn addresses_are_known_in_every_spelling() {
    for (text, expected) in [
        ("127.0.0.1", "127.0.0.1"),
        ("127.0.0.1.", "127.0.0.1"),
        ("0x7f.1", "127.0.0.1"),
        ("0X7F.0.0.1", "127.0.0.1"),
        ("2130706433", "127.0.0.1"),
        ("017700000001", "127.0.0.1"),
        ("0177.0.0.01", "127.0.0.1"),
        ("127.1", "127.0.0.1"),
        ("１２７.0.0.1", "127.0.0.1"),
        ("[::1]", "::1"),
        ("::1", "::1"),
        ("[0:0:0:0:0:0:0:1]", "::1"),
        ("[::ffff:a9fe:a9fe]", "169.254.169.254"),
        ("[::FFFF:169.254.169.254]", "169.254.169.254"),
    ] {
        let host = Host::parse(text);
        assert_eq!(host.as_ref().map(Host::as_str), Ok(expected), "{text}");
        assert!(host.unwrap().ip().is_some());
    }
}

#[test]
fn what_is_no_host_is_refused() {
    for text in [
        "",
        ".",
        "..",
        "a..b",
        ".a.example",
        "a\0.example",
        "user@host",
        "user:pass@host",
        "a b",
        "a/b",
        "a%2eb",
        "a\\b",
        "a?b",
        "a#b",
        "[fe80::1%25eth0]",
        "fe80::1%eth0",
        "[::1",
        "::1]",
        "[127.0.0.1]",
        "256.256.256.256",
        "1.2.3.4.5",
        "0x100000000",
        "a.0x",
        "1.2.3.09",
        "-a.example",
        "a-.example",
        "*.example.com",
        "xn--",
        "a\n.example",
        "exa\u{ad}mple\u{202e}.com/",
    ] {
        let parsed = Host::parse(text);
        // `a.0x` ends in a number and is an address or nothing.
        assert!(parsed.is_err(), "{text:?} became {parsed:?}");
    }
    assert!(Host::parse(&"a".repeat(64)).is_err());
    assert!(Host::parse(&"a.".repeat(200)).is_err());
}

#[test]
fn an_authority_is_one_host_and_one_port() {
    for (text, expected) in [
        ("a.example:443", Some("a.example:443")),
        ("A.example.:0443", Some("a.example:443")),
        ("[::1]:443", Some("[::1]:443")),
        ("a.example:443:443", None),
        ("a.example", None),
        ("a.example:", None),
        ("a.example:0", None),
        ("a.example:65536", None),
        ("a.example:+443", None),
        ("a.example: 443", None),
        ("a.example:443 ", None),
        ("user@a.example:443", None),
        ("::1:443", None),
        ("https://a.example:443", None),
        (":443", None),
        ("", None),
    ] {
        let parsed = Target::parse_authority(text).ok().map(|t| t.to_string());
        assert_eq!(parsed.as_deref(), expected, "{text}");
    }
}

proptest! {
    #[test]
    fn a_parsed_host_parses_to_itself(text in "\\PC{0,40}") {
        if let Ok(host) = Host::parse(&text) {
            prop_assert_eq!(Host::parse(host.as_str()), Ok(host.clone()));
            prop_assert!(host.as_str().is_ascii() && !host.as_str().ends_with('.'));
        }
    }

    #[test]
    fn parsing_never_panics(text in any::<String>()) {
        let _ = Host::parse(&text);
        let _ = Target::parse_authority(&text);
    }
}
