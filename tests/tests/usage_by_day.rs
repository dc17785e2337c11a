//! What all sessions used, by day and account; and agents that this release was not tried with.

use clauderon_tests::{World, on_each_backend, programs, script_prompt, wait_until};
use serde_json::{Value, json};

on_each_backend!(
    the_books_hold_what_the_service_counted_to_the_token,
    an_agent_of_another_version_says_so_and_is_known_by_its_transcript_alone,
);

fn the_books_hold_what_the_service_counted_to_the_token(backend: &str) {
    let world = World::new();
    let limits = json!({
        "anthropic-ratelimit-unified-5h-utilization": "0.42",
        "anthropic-ratelimit-unified-5h-reset": "4102444800",
    });
    let prompt = script_prompt(&[
        json!({"tool": "Bash", "input": {"command": "echo one", "description": "print"}}),
        json!({"text": "done", "headers": limits}),
    ]);
    world.print(backend, "claude", "a", &prompt).expect(0);
    world.print(backend, "codex", "b", "say hi").expect(0);
    let mut sums = [("a", Value::Null), ("b", Value::Null)];
    for (name, sum) in &mut sums {
        *sum = world.json(&["chat", name, "--standing"])["used"].clone();
    }
    // What is gone was used all the same, and a daemon that ends forgets nothing.
    world.run(&["delete", "a", "--yes", "--now"]).expect(0);
    world.run(&["daemon", "stop"]).expect(0);
    let view = world.json(&["usage"]);
    let days = view["days"].as_array().expect("rows");
    for (account, (_, used)) in ["anthropic_oauth_token", "openai_api_key"]
        .iter()
        .zip(&sums)
    {
        let rows: Vec<&Value> = days
            .iter()
            .filter(|day| day["account"] == *account)
            .collect();
        let sum = |key: &str| -> u64 {
            rows.iter()
                .filter_map(|row| row["sum"]["usage"][key].as_u64())
                .sum()
        };
        for key in [
            "input",
            "output",
            "cache_read",
            "cache_write",
            "cache_write_hour",
        ] {
            assert_eq!(
                Some(sum(key)),
                used["usage"][key].as_u64(),
                "{account} {key}: {view}"
            );
        }
        let requests: u64 = rows
            .iter()
            .filter_map(|row| row["sum"]["requests"].as_u64())
            .sum();
        assert_eq!(
            Some(requests),
            used["requests"].as_u64(),
            "{account}: {view}"
        );
        assert!(requests > 0, "{view}");
    }
    let plan = &view["plans"][0];
    assert_eq!(plan["account"], "anthropic_oauth_token");
    assert_eq!(plan["limits"]["five_hour"]["used"], 0.42);
    let shown = world.run(&["usage", "--by", "account"]).expect(0).stdout;
    assert!(shown.contains("42 % of the five hours"), "{shown}");
    // Nobody knows what Codex's models cost.
    assert!(shown.contains("not known"), "{shown}");
}

fn an_agent_of_another_version_says_so_and_is_known_by_its_transcript_alone(backend: &str) {
    let world = World::new();
    // The same programs under another version's name: what differs is what is known of them.
    let agents = world.home.join("agents");
    std::fs::remove_file(&agents).expect("take the link away");
    std::fs::create_dir_all(agents.join("claude")).expect("make the folder");
    let pinned = std::fs::read_dir(programs::agents().join("claude")).expect("agents are there");
    let pinned = pinned.flatten().next().expect("a version").path();
    std::os::unix::fs::symlink(pinned, agents.join("claude/99.0.0")).expect("link the version");
    let config = "[agents]\nclaude = \"99.0.0\"\n";
    std::fs::write(world.home.join("config.toml"), config).expect("write config.toml");

    world
        .detached(backend, "claude", "a", Some("say hi"))
        .expect(0);
    wait_until("it has answered", || {
        let said = world.run(&["chat", "a"]).expect(0).stdout;
        said.contains("You said: say hi")
    });
    let list = world.json(&["list"]);
    let untested = list[0]["untested"].as_str().unwrap_or_default();
    assert!(untested.contains("99.0.0 is newer than"), "{list}");
    // Its title names what it does; nobody reads it.
    let standing = world.json(&["chat", "a", "--standing"]);
    assert!(!standing.to_string().contains("\"terminal\""), "{standing}");
    let idle = ["wait", "a", "--for", "idle", "--timeout", "60"];
    world.run(&idle).expect(0);
    wait_until("its last line is what the proxy saw", || {
        world.listed("a")["last_line"] == "Asked the model"
    });
    // The terminal is what it is.
    assert!(
        world
            .run(&["logs", "a"])
            .expect(0)
            .stdout
            .contains("Claude")
    );
}
