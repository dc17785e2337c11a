//! Credentials tried out at the service, the way the proxy goes.

use clauderon_tests::{Canary, World, lacks};
use serde_json::Value;

/// Puts a token into a file of the installation.
fn keep(world: &World, name: &str, token: &str) {
    std::fs::write(world.home.join("secrets").join(name), token).expect("write a secret");
}

fn account(world: &World, name: &str) -> Value {
    let view = world.json(&["accounts"]);
    let mut all = view["accounts"].as_array().cloned().unwrap_or_default();
    all.retain(|account| account["name"] == name);
    all.pop().expect("the account is listed")
}

#[test]
fn a_check_asks_the_service_itself_with_the_real_token() {
    if lacks("bubblewrap").is_some() {
        return;
    }
    let world = World::new();
    for (name, path, header, canary) in [
        (
            "anthropic_oauth_token",
            "/v1/models",
            "authorization",
            &world.anthropic,
        ),
        (
            "openai_api_key",
            "/v1/models",
            "authorization",
            &world.openai,
        ),
        ("github_token", "/user", "authorization", &world.github),
    ] {
        world.upstream.clear();
        let check = world.json(&["accounts", "check", name]);
        assert_eq!(check["ok"], true, "{check}");
        let seen = world.upstream.requests();
        assert_eq!(seen.len(), 1);
        assert_eq!(
            (seen[0].method.as_str(), seen[0].path.as_str()),
            ("GET", path)
        );
        assert_eq!(
            seen[0].header(header),
            Some(format!("Bearer {}", canary.token).as_str())
        );
        canary.assert_absent("the check", check.to_string().as_bytes());
        canary.assert_absent_below(&world.home, &["secrets"]);
    }
    let api_key = Canary::new("sk-ant-api03-");
    keep(&world, "anthropic_oauth_token", "sk-ant-oat01-revoked");
    let refused = world
        .run(&["accounts", "check", "anthropic_oauth_token"])
        .expect(1);
    assert!(
        refused.stdout.contains("does not take it"),
        "{}",
        refused.stdout
    );
    world
        .run(&["accounts", "check", "anthropic_api_key"])
        .expect(7);
    let path = world.home.join("secrets/anthropic_api_key");
    std::fs::write(&path, &api_key.token).unwrap();
    std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    world
        .run(&["accounts", "check", "anthropic_api_key"])
        .expect(0);
    let seen = world.upstream.requests();
    let last = seen.last().expect("the key was sent");
    assert_eq!(last.header("x-api-key"), Some(api_key.token.as_str()));
    assert_eq!(last.header("authorization"), None);
}

#[test]
fn a_token_that_reaches_too_far_or_ends_soon_is_said_and_remembered() {
    if lacks("bubblewrap").is_some() {
        return;
    }
    let world = World::new();
    let wide = world.json(&["accounts", "check", "github_token"])["wide"].to_string();
    assert!(wide.contains("every repository"), "{wide}");

    // The day is one that every clock of a test machine has passed, or not reached, for years.
    keep(&world, "github_token", "github_pat_until_20200101");
    let check = world.json(&["accounts", "check", "github_token"]);
    assert_eq!(check["wide"], Value::Null);
    world.run(&["daemon", "restart"]).expect(0);
    let after = account(&world, "github_token");
    assert!(
        after["problem"]
            .to_string()
            .contains("expired on 2020-01-01"),
        "{after}"
    );
    assert_eq!(after["checked"]["ok"], true);

    keep(&world, "github_token", "github_pat_until_20990101");
    // What was found out belonged to the other value.
    assert_eq!(account(&world, "github_token")["checked"], Value::Null);
    world.run(&["accounts", "check", "github_token"]).expect(0);
    let later = account(&world, "github_token");
    assert_eq!(
        (&later["problem"], later["expires_ms"].as_u64()),
        (&Value::Null, Some(4_070_952_000_000))
    );
}

#[test]
fn a_check_follows_the_upstream_settings_and_nothing_around_them() {
    if lacks("bubblewrap").is_some() {
        return;
    }
    let world = World::new();
    let settings = std::fs::read_to_string(world.home.join("proxy.toml")).unwrap();
    // Without the person's CA the scripted upstream is a stranger.
    let trusted = settings
        .lines()
        .find(|line| line.starts_with("ca_file"))
        .unwrap();
    std::fs::write(world.home.join("proxy.toml"), settings.replace(trusted, "")).unwrap();
    let refused = world.run(&["accounts", "check", "github_token"]).expect(1);
    assert!(refused.stderr.contains("certificate"), "{}", refused.stderr);
    world
        .github
        .assert_absent("the refusal", refused.stderr.as_bytes());
    assert!(world.upstream.requests().is_empty());
}
