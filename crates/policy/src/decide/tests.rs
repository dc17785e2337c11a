//! Decisions as an agent meets them, the shipped table included.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::policy::{Grant, Repository, Subject};
use crate::routes::Routes;

fn policy(posture: Posture, agent: &str) -> Policy {
    Policy {
        posture,
        routes: Routes::builtin(),
        grants: Vec::new(),
        subject: Subject {
            agent: agent.to_owned(),
            repository: Some(Repository {
                owner: "acme".into(),
                name: "app".into(),
            }),
        },
    }
}

/// Says what happens to `METHOD https://host/path?query`, as `forward ROW`, `inject ROW`, `answer ROW STATUS` or `refuse CODE`.
fn outcome(policy: &Policy, line: &str) -> String {
    let (method, url) = line.split_once(' ').unwrap();
    let (scheme, rest) = match url.strip_prefix("http://") {
        Some(rest) => (Scheme::Http, rest),
        None => (Scheme::Https, url.strip_prefix("https://").unwrap_or(url)),
    };
    let (authority, path) = rest.split_at(rest.find('/').unwrap());
    let port = if scheme == Scheme::Http { 80 } else { 443 };
    let target = match authority.contains(':') {
        true => Target::parse_authority(authority).unwrap(),
        false => Target {
            host: Host::parse(authority).unwrap(),
            port,
        },
    };
    let (path, query) = match path.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (path, None),
    };
    let request = Request {
        scheme,
        host: &target.host,
        port: target.port,
        method,
        path,
        query,
    };
    match decide(policy, &request) {
        Decision::Forward { rule, .. } => format!("forward {rule}"),
        Decision::Inject { rule, .. } => format!("inject {rule}"),
        Decision::Answer { rule, status, .. } => format!("answer {rule} {status}"),
        Decision::Refuse(refusal) => format!("refuse {}", refusal.code),
    }
}

fn check(posture: Posture, agent: &str, cases: &[(&str, &str)]) {
    let policy = policy(posture, agent);
    for (line, expected) in cases {
        assert_eq!(
            outcome(&policy, line),
            *expected,
            "{posture} {agent}: {line}"
        );
    }
}

#[test]
fn claude_reaches_its_model_and_nothing_else_of_the_account() {
    for posture in [Posture::Locked, Posture::Balanced, Posture::Open] {
        check(
            posture,
            "claude",
            &[
                (
                    "POST https://api.anthropic.com/v1/messages?beta=true",
                    "inject anthropic-messages",
                ),
                (
                    "POST https://API.Anthropic.com./v1/messages",
                    "inject anthropic-messages",
                ),
                (
                    "POST https://api.anthropic.com/v1/messages/count_tokens?beta=true",
                    "inject anthropic-messages",
                ),
                (
                    "GET https://api.anthropic.com/v1/models?limit=10",
                    "inject anthropic-models",
                ),
                (
                    "GET https://api.anthropic.com/api/claude_code/policy_limits",
                    "answer anthropic-settings 404",
                ),
                (
                    "GET https://api.anthropic.com/api/claude_code/settings",
                    "answer anthropic-settings 404",
                ),
                (
                    "POST https://api.anthropic.com/api/event_logging/v2/batch",
                    "answer anthropic-telemetry 200",
                ),
                (
                    "POST https://api.anthropic.com/api/eval/sdk-zAZezfDKGoZuXXKe",
                    "answer anthropic-telemetry 200",
                ),
                (
                    "GET https://api.anthropic.com/mcp-registry/v0/servers?limit=100",
                    "answer anthropic-connectors 200",
                ),
                (
                    "GET https://api.anthropic.com/api/hello",
                    "answer anthropic-hello 200",
                ),
                (
                    "GET https://platform.claude.com/v1/oauth/hello",
                    "answer anthropic-hello 200",
                ),
                // a6, a8, e1: uploads, batches, tokens, keys, profile.
                (
                    "POST https://api.anthropic.com/v1/files",
                    "refuse forbidden",
                ),
                (
                    "GET https://api.anthropic.com/v1/files/abc/content",
                    "refuse forbidden",
                ),
                (
                    "POST https://api.anthropic.com/v1/messages/batches",
                    "refuse forbidden",
                ),
                (
                    "POST https://api.anthropic.com/v1/oauth/token",
                    "refuse forbidden",
                ),
                (
                    "POST https://platform.claude.com/v1/oauth/token",
                    "refuse forbidden",
                ),
                (
                    "POST https://console.anthropic.com/v1/oauth/token",
                    "refuse forbidden",
                ),
                (
                    "GET https://api.anthropic.com/api/oauth/profile",
                    "refuse forbidden",
                ),
                (
                    "POST https://api.anthropic.com/api/oauth/claude_cli/create_api_key",
                    "refuse forbidden",
                ),
                (
                    "GET https://claude.ai/api/organizations",
                    "refuse forbidden",
                ),
                // e1: a key in the query; a7: in clear, on another port.
                (
                    "POST https://api.anthropic.com/v1/messages?key=x",
                    "refuse not_allowed",
                ),
                (
                    "POST https://api.anthropic.com/v1/messages?%6bey=x",
                    "refuse not_allowed",
                ),
                (
                    "POST http://api.anthropic.com/v1/messages",
                    "refuse not_allowed",
                ),
                (
                    "POST https://api.anthropic.com:8443/v1/messages",
                    "refuse not_allowed",
                ),
                // Another agent's model.
                (
                    "POST https://api.openai.com/v1/responses",
                    "refuse forbidden",
                ),
            ],
        );
    }
}

#[test]
fn codex_reaches_its_model_and_nothing_else_of_the_account() {
    for posture in [Posture::Locked, Posture::Balanced, Posture::Open] {
        check(
            posture,
            "codex",
            &[
                (
                    "POST https://api.openai.com/v1/responses",
                    "inject openai-responses",
                ),
                (
                    "GET https://api.openai.com/v1/responses",
                    "answer openai-websocket 426",
                ),
                (
                    "GET https://api.openai.com/v1/models?client_version=0.169.0",
                    "inject openai-models",
                ),
                (
                    "GET https://chatgpt.com/backend-api/codex/models?client_version=1",
                    "answer chatgpt-models 404",
                ),
                (
                    "POST https://ab.chatgpt.com/otlp/v1/metrics",
                    "answer openai-telemetry 200",
                ),
                ("POST https://api.openai.com/v1/files", "refuse forbidden"),
                (
                    "GET https://api.openai.com/v1/responses/resp_1",
                    "refuse forbidden",
                ),
                (
                    "POST https://api.openai.com/v1/chat/completions",
                    "refuse forbidden",
                ),
                (
                    "POST https://auth.openai.com/oauth/token",
                    "refuse forbidden",
                ),
                (
                    "GET https://chatgpt.com/backend-api/conversations",
                    "refuse forbidden",
                ),
                (
                    "POST https://api.anthropic.com/v1/messages",
                    "refuse forbidden",
                ),
            ],
        );
    }
}

#[test]
fn git_fetches_with_the_token_only_from_the_own_repository() {
    check(
        Posture::Balanced,
        "claude",
        &[
            (
                "GET https://github.com/acme/app.git/info/refs?service=git-upload-pack",
                "inject github-own-refs",
            ),
            (
                "GET https://github.com/Acme/APP/info/refs?service=git-upload-pack",
                "inject github-own-refs",
            ),
            (
                "POST https://github.com/acme/app.git/git-upload-pack",
                "inject github-own-fetch",
            ),
            (
                "GET https://github.com/acme/other/info/refs?service=git-upload-pack",
                "forward github-public-refs",
            ),
            (
                "GET https://github.com/acme/app2/info/refs?service=git-upload-pack",
                "forward github-public-refs",
            ),
            (
                "POST https://github.com/evil/app.git/git-upload-pack",
                "forward github-public-fetch",
            ),
            // e2: pushes, gists, the rest of the site.
            (
                "GET https://github.com/acme/app/info/refs?service=git-receive-pack",
                "refuse forbidden",
            ),
            (
                "POST https://github.com/acme/app/git-receive-pack",
                "refuse forbidden",
            ),
            (
                "POST https://github.com/acme/app/Git-Receive-Pack",
                "refuse forbidden",
            ),
            (
                "POST https://github.com/acme/app/info/lfs/objects/batch",
                "refuse forbidden",
            ),
            (
                "GET https://github.com/acme/app/info/refs",
                "refuse not_allowed",
            ),
            (
                "GET https://github.com/acme/app/info/refs?service=git-upload-pack&x=1",
                "refuse not_allowed",
            ),
            ("GET https://github.com/acme/app", "refuse not_allowed"),
            ("POST https://gist.github.com/", "refuse not_allowed"),
            ("POST https://api.github.com/gists", "refuse not_allowed"),
            (
                "POST https://api.github.com/user/keys",
                "refuse not_allowed",
            ),
            // Path tricks towards the own repository.
            (
                "GET https://github.com/acme/app/../other/info/refs?service=git-upload-pack",
                "refuse malformed_request",
            ),
            (
                "GET https://github.com/acme/app%2f..%2fother/info/refs?service=git-upload-pack",
                "refuse malformed_request",
            ),
            (
                "GET https://github.com/acme%2fapp/info/refs?service=git-upload-pack",
                "refuse not_allowed",
            ),
            (
                "GET https://github.com//acme/app/info/refs?service=git-upload-pack",
                "refuse malformed_request",
            ),
        ],
    );
    check(
        Posture::Locked,
        "claude",
        &[(
            "GET https://github.com/acme/app/info/refs?service=git-upload-pack",
            "refuse not_allowed",
        )],
    );
    check(
        Posture::Open,
        "claude",
        &[
            (
                "GET https://github.com/acme/app/blob/main/README.md",
                "forward github-pages-read",
            ),
            (
                "POST https://github.com/acme/app/git-receive-pack",
                "refuse forbidden",
            ),
            ("POST https://github.com/session", "refuse not_allowed"),
        ],
    );
}

#[test]
fn public_packages_are_read_and_nothing_is_published() {
    let npm = Routes::registry_host("npm").unwrap();
    let pypi = Routes::registry_host("pypi").unwrap();
    let crates = Routes::registry_host("crates").unwrap();
    let go = Routes::registry_host("go").unwrap();
    let downloads = Routes::registry_host("crates-files").unwrap();
    let sums = Routes::registry_host("go-checksums").unwrap();
    let upload = Routes::registry_host("pypi-upload").unwrap();
    let long = "a".repeat(400);
    let cases: Vec<(String, &str)> = vec![
        (format!("GET {npm}/left-pad"), "forward npm"),
        (format!("GET {npm}/@types%2fnode"), "forward npm"),
        (format!("GET {npm}/@types/node/-/node-1.0.0.tgz"), "forward npm"),
        (format!("HEAD {npm}/left-pad/-/left-pad-1.3.0.tgz"), "forward npm"),
        (format!("GET {npm}/-/whoami"), "refuse forbidden"),
        (format!("GET {npm}/-/npm/v1/tokens"), "refuse forbidden"),
        (format!("POST {npm}/-/npm/v1/tokens"), "refuse forbidden"),
        (format!("POST {npm}/%2d/npm/v1/tokens"), "refuse forbidden"),
        (format!("GET {npm}/-%2fwhoami"), "refuse forbidden"),
        (format!("PUT {npm}/left-pad"), "refuse not_allowed"),
        (format!("GET {npm}/left-pad?x=data"), "refuse not_allowed"),
        (format!("GET {npm}/{long}"), "refuse too_long"),
        (format!("GET {npm}/@types%2f..%2f-%2fwhoami"), "refuse malformed_request"),
        (format!("GET {pypi}/simple/requests/"), "forward pypi"),
        (format!("GET {pypi}/pypi/requests/json"), "forward pypi"),
        (format!("POST {pypi}/legacy/"), "refuse not_allowed"),
        (format!("GET {pypi}/simple/requests/?data=x"), "refuse not_allowed"),
        (format!("GET {crates}/se/rd/serde"), "forward crates"),
        (format!("GET {crates}/config.json"), "forward crates"),
        (format!("GET {downloads}/crates/serde/1.0.0/download"), "forward crates-files"),
        (format!("POST {upload}/legacy/"), "refuse forbidden"),
        (format!("PUT {downloads}/api/v1/crates/new"), "refuse not_allowed"),
        (format!("GET {go}/github.com/!burnt!sushi/toml/@v/v1.0.0.zip"), "forward go"),
        (format!("GET {go}/golang.org/x/text/@v/list"), "forward go"),
        (format!("GET {go}/gopkg.in/yaml.v3/@latest"), "forward go"),
        // It would fetch from a stranger's server for its caller.
        (format!("GET {go}/evil.example/data/@v/list"), "refuse not_allowed"),
        (format!("GET {go}/github.com/evil/x/@v/../../../../evil.example/@v/list"), "refuse malformed_request"),
        (format!("GET {go}/sumdb/{sums}/lookup/evil.example/d@v1.0.0"), "answer go-checksums-by-proxy 404"),
        (format!("GET {sums}/lookup/github.com/a/b@v1.0.0"), "forward go-checksums"),
        (format!("GET {sums}/lookup/evil.example/d@v1.0.0"), "refuse not_allowed"),
        (format!("GET {sums}/tile/8/0/x001/234"), "forward go-checksums"),
        ("GET github.com/a/b/releases/download/v1/b.tar.gz".into(), "forward github-downloads"),
        ("GET objects.githubusercontent.com/github-production-release-asset-2e65be/1/x?X-Amz-Signature=1".into(), "forward github-download-hosts"),
        ("GET codeload.github.com/a/b/tar.gz/refs/tags/v1".into(), "forward github-download-hosts"),
        ("PUT codeload.github.com/a/b/tar.gz/x".into(), "refuse not_allowed"),
    ];
    for (line, expected) in &cases {
        check(Posture::Balanced, "codex", &[(line.as_str(), *expected)]);
    }
}

#[test]
fn open_reaches_public_names_on_443_only() {
    check(
        Posture::Open,
        "claude",
        &[
            ("PUT https://example.com/a//b/%2e%2e/c?d", "forward open"),
            ("GET http://example.com/", "refuse not_allowed"),
            ("GET https://example.com:8443/", "refuse not_allowed"),
            ("GET https://127.0.0.1/", "refuse not_allowed"),
            ("GET https://0x7f.1/", "refuse not_allowed"),
            ("GET https://8.8.8.8/", "refuse not_allowed"),
            ("GET https://localhost/", "refuse not_allowed"),
            ("TRACE https://example.com/", "refuse forbidden"),
        ],
    );
}

#[test]
fn a_grant_opens_one_host_and_port_and_never_a_governed_one() {
    let grant = |host: &str, port| Grant {
        host: Host::parse(host).unwrap(),
        port,
    };
    let policy = Policy {
        grants: vec![
            grant("docs.example.com", 443),
            grant("docs.example.com", 8443),
            grant("api.anthropic.com", 443),
            grant("github.com", 443),
        ],
        ..policy(Posture::Locked, "claude")
    };
    for (line, expected) in [
        ("POST https://docs.example.com/a/../b", "forward grant"),
        ("GET https://Docs.Example.com:8443/", "forward grant"),
        ("GET https://example.com/", "refuse not_allowed"),
        ("GET https://docs.example.com:444/", "refuse not_allowed"),
        ("GET https://x.docs.example.com/", "refuse not_allowed"),
        ("GET https://evildocs.example.com/", "refuse not_allowed"),
        (
            "POST https://api.anthropic.com/v1/files",
            "refuse forbidden",
        ),
        (
            "POST https://github.com/evil/x/git-receive-pack",
            "refuse not_allowed",
        ),
    ] {
        assert_eq!(outcome(&policy, line), expected, "{line}");
    }
}

#[test]
fn an_empty_table_refuses_everything() {
    let empty = Policy {
        routes: Arc::new(Routes::default()),
        ..policy(Posture::Balanced, "claude")
    };
    assert_eq!(
        outcome(&empty, "POST https://api.anthropic.com/v1/messages"),
        "refuse not_allowed"
    );
    let target = Target::parse_authority("api.anthropic.com:443").unwrap();
    assert!(matches!(
        decide_connect(&empty, &target),
        ConnectDecision::InterceptToRefuse(_)
    ));
}

#[test]
fn a_tunnel_is_intercepted_refused_inside_or_rejected() {
    let policy = policy(Posture::Balanced, "claude");
    let word = |authority: &str| match decide_connect(
        &policy,
        &Target::parse_authority(authority).unwrap(),
    ) {
        ConnectDecision::Intercept => "intercept",
        ConnectDecision::InterceptToRefuse(_) => "refuse inside",
        ConnectDecision::Passthrough { .. } => "unread",
        ConnectDecision::Reject(_) => "reject",
    };
    for (authority, expected) in [
        ("api.anthropic.com:443", "intercept"),
        ("API.ANTHROPIC.COM.:443", "intercept"),
        ("github.com:443", "intercept"),
        ("github.com:22", "reject"),
        ("api.anthropic.com:80", "reject"),
        ("example.com:443", "refuse inside"),
        ("169.254.169.254:443", "refuse inside"),
        ("127.0.0.1:3128", "reject"),
    ] {
        assert_eq!(word(authority), expected, "{authority}");
    }
}

#[test]
fn a_refusal_tells_the_agent_what_and_the_person_how() {
    let host = Host::parse("example.com").unwrap();
    let request = Request {
        scheme: Scheme::Https,
        host: &host,
        port: 443,
        method: "GET",
        path: "/a",
        query: Some("secret=1"),
    };
    let Decision::Refuse(refusal) = decide(&policy(Posture::Balanced, "claude"), &request) else {
        panic!("example.com must be refused");
    };
    assert_eq!(
        refusal.to_json(),
        r#"{"code":"not_allowed","host":"example.com","method":"GET","path":"/a","rule":"none","hint":"The person can allow this host: clauderon policy allow NAME example.com"}"#
    );
}

#[test]
fn methods_and_paths_that_read_two_ways_are_refused() {
    check(
        Posture::Balanced,
        "claude",
        &[
            (
                "post https://api.anthropic.com/v1/messages",
                "refuse forbidden",
            ),
            (
                "TRACE https://api.anthropic.com/v1/messages",
                "refuse forbidden",
            ),
            (
                "trace https://api.anthropic.com/v1/messages",
                "refuse forbidden",
            ),
            (
                "CONNECT https://api.anthropic.com/v1/messages",
                "refuse forbidden",
            ),
            (
                "POST https://api.anthropic.com/V1/messages",
                "refuse forbidden",
            ),
            (
                "POST https://api.anthropic.com/v1/%6dessages",
                "inject anthropic-messages",
            ),
            (
                "POST https://api.anthropic.com/v1/messages/",
                "refuse forbidden",
            ),
            (
                "POST https://api.anthropic.com/v1//messages",
                "refuse malformed_request",
            ),
            (
                "POST https://api.anthropic.com/v1/./messages",
                "refuse malformed_request",
            ),
            (
                "POST https://api.anthropic.com/v1/files/../messages",
                "refuse malformed_request",
            ),
            (
                "POST https://api.anthropic.com/v1/files/%2e%2E/messages",
                "refuse malformed_request",
            ),
            (
                "POST https://api.anthropic.com/v1/files/..;x/messages",
                "refuse malformed_request",
            ),
            (
                "POST https://api.anthropic.com/v1/messages%00",
                "refuse malformed_request",
            ),
            (
                "POST https://api.anthropic.com/v1/messages%0d%0a",
                "refuse malformed_request",
            ),
            (
                "POST https://api.anthropic.com/v1/%256dessages",
                "refuse malformed_request",
            ),
            (
                "POST https://api.anthropic.com/v1\\messages",
                "refuse malformed_request",
            ),
            (
                "POST https://api.anthropic.com/v1/messages%5c",
                "refuse malformed_request",
            ),
            (
                "POST https://api.anthropic.com/v1%2fmessages",
                "refuse forbidden",
            ),
            (
                "POST https://api.anthropic.com/v1/messages%",
                "refuse malformed_request",
            ),
            (
                "POST https://api.anthropic.com/v1/messages#x",
                "refuse malformed_request",
            ),
            (
                "POST https://api.anthropic.com/v1/mességes",
                "refuse malformed_request",
            ),
        ],
    );
}

proptest! {
    /// What no row names is refused: hosts that stand in no row, whatever the rest says.
    #[test]
    fn what_no_row_names_is_refused(
        host in "[a-z0-9-]{1,20}\\.[a-z0-9.-]{1,20}\\.(test|example|invalid)",
        port in 1u16..,
        method in "[A-Za-z]{1,8}",
        path in "/[ -~]{0,40}",
        query in proptest::option::of("[ -~]{0,20}"),
        open in any::<bool>(),
    ) {
        let Ok(host) = Host::parse(&host) else { return Ok(()) };
        let posture = if open { Posture::Locked } else { Posture::Balanced };
        for agent in ["claude", "codex", ""] {
            let policy = policy(posture, agent);
            for scheme in [Scheme::Http, Scheme::Https] {
                let request = Request { scheme, host: &host, port, method: &method, path: &path, query: query.as_deref() };
                prop_assert!(matches!(decide(&policy, &request), Decision::Refuse(_)));
            }
            let target = Target { host: host.clone(), port };
            prop_assert!(matches!(decide_connect(&policy, &target), ConnectDecision::InterceptToRefuse(_) | ConnectDecision::Reject(_)));
        }
    }

    /// On a host with a credential only the named paths get it, however the path is spelt.
    #[test]
    fn the_credential_goes_only_to_the_named_paths(path in "/(v1|V1|%76%31|\\.|%2e)?(/|//|%2f|\\\\)?[a-z%./;]{0,24}") {
        let policy = policy(Posture::Open, "claude");
        let host = Host::parse("api.anthropic.com").unwrap();
        for method in ["GET", "POST", "PUT", "DELETE"] {
            let request = Request { scheme: Scheme::Https, host: &host, port: 443, method, path: &path, query: None };
            if let Decision::Inject { .. } = decide(&policy, &request) {
                let read = Path::parse(&path).unwrap().segments.join("/");
                prop_assert!(["v1/messages", "v1/messages/count_tokens"].contains(&read.as_str()) || read.starts_with("v1/models"));
            }
        }
    }
}

#[test]
fn bytes_pass_unread_only_where_a_row_says_so_and_no_other_judges() {
    let rows = r#"
[[route]]
name = "db"
agents = ["claude"]
hosts = ["db.example", "api.anthropic.com", "github.com"]
port = 443
act = "passthrough"

[[route]]
name = "ssh"
hosts = ["github.com"]
port = 22
act = "passthrough"
"#;
    let routes = Routes::builtin().with_extra(Routes::parse(rows).unwrap());
    let decided = |posture, agent: &str, authority: &str| {
        let policy = Policy {
            routes: Arc::new(routes.clone()),
            ..policy(posture, agent)
        };
        let target = Target::parse_authority(authority).unwrap();
        match decide_connect(&policy, &target) {
            ConnectDecision::Passthrough { rule } => rule,
            ConnectDecision::Intercept => "read".to_owned(),
            ConnectDecision::InterceptToRefuse(_) | ConnectDecision::Reject(_) => "no".to_owned(),
        }
    };
    use Posture::*;
    for (posture, agent, authority, expected) in [
        (Balanced, "claude", "db.example:443", "db"),
        (Open, "claude", "db.example:443", "db"),
        (Locked, "claude", "db.example:443", "no"),
        (Balanced, "codex", "db.example:443", "no"),
        (Balanced, "claude", "db.example:444", "no"),
        (Balanced, "claude", "api.anthropic.com:443", "read"),
        (Balanced, "claude", "github.com:443", "read"),
        (Balanced, "codex", "github.com:22", "ssh"),
    ] {
        assert_eq!(
            decided(posture, agent, authority),
            expected,
            "{posture} {agent} {authority}"
        );
    }
    // A request in a tunnel that is read finds no such row.
    let policy = Policy {
        routes: Arc::new(routes.clone()),
        ..policy(Balanced, "claude")
    };
    assert_eq!(
        outcome(&policy, "GET https://db.example/"),
        "refuse not_allowed"
    );
}
