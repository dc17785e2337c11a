//! What a session may spend: counted by the proxy, and held at the gate when it is used up.

use clauderon_tests::world::create;
use clauderon_tests::{World, on_each_backend, script_prompt, wait_for, wait_until};
use serde_json::{Value, json};

on_each_backend!(
    claudes_next_request_waits_for_the_person,
    codexs_next_request_waits_for_the_person,
    a_request_that_is_held_for_long_is_tried_and_held_again,
    a_storm_of_requests_passes_the_budget_by_one_at_most,
    a_count_that_cannot_be_read_holds_what_it_should_count,
    money_without_a_price_is_held_rather_than_guessed,
);

fn claudes_next_request_waits_for_the_person(backend: &str) {
    waits_for_the_person(backend, "claude");
}

fn codexs_next_request_waits_for_the_person(backend: &str) {
    waits_for_the_person(backend, "codex");
}

/// A first answer that uses the budget up, and a second one.
fn two_turns() -> String {
    script_prompt(&[
        json!({"tool": "Bash", "input": {"command": "echo one", "description": "print"}, "big": 4000}),
        json!({"text": "after the raise"}),
    ])
}

fn waits_for_the_person(backend: &str, agent: &str) {
    let world = World::new();
    created(&world, backend, agent, "500tokens", &two_turns());
    let held = wait_for_hold(&world);
    assert_eq!(held["budget"]["held"]["why"], "reached");
    assert_eq!(held["standing"], "needs-you");
    let line = held["last_line"].as_str().unwrap_or_default();
    assert!(line.contains("used up: raise it or stop"), "{held}");
    let asked = turns_asked(&world);
    assert_eq!(asked, 1, "one turn went up, the next one waits");
    let told = world.run(&["wait", "a", "--for", "attention", "--timeout", "60"]);
    assert!(told.expect(0).stdout.contains("used up: raise it or stop"));
    let notice = wait_for_item(&world, |item| item["about"] == "budget");
    assert_eq!(notice["seen"], json!(["daemon"]), "{notice}");

    // What was used and what may be used outlive the daemon.
    let used = held["budget"]["tokens"].clone();
    world.run(&["daemon", "stop"]).expect(0);
    let again = wait_for_hold(&world);
    assert_eq!(again["budget"]["tokens"], used);
    assert_eq!(turns_asked(&world), asked);

    world.run(&["budget", "a", "raise", "1Mtokens"]).expect(0);
    let done = wait_for_item(&world, |item| item["text"] == "after the raise");
    assert_eq!(done["kind"], "text");
    assert_eq!(session(&world)["budget"]["held"], Value::Null);
}

fn a_request_that_is_held_for_long_is_tried_and_held_again(backend: &str) {
    let world = World::new();
    let config = "[attention]\nhold_seconds = 1\n";
    std::fs::write(world.home.join("config.toml"), config).expect("write config.toml");
    created(&world, backend, "claude", "500tokens", &two_turns());
    let refused = || {
        let audit = world.audit();
        audit.iter().filter(|one| one["note"] == "budget").count()
    };
    wait_until("it is tried again and held again", || refused() >= 3);
    assert_eq!(turns_asked(&world), 1);
    assert_eq!(session(&world)["state"], "running");
    assert_eq!(session(&world)["standing"], "needs-you");
    let screen = world.run(&["logs", "a"]).expect(0).stdout;
    assert!(screen.contains("Retrying"), "the agent says so: {screen}");
    world.run(&["budget", "a", "lift"]).expect(0);
    wait_for_item(&world, |item| item["text"] == "after the raise");
}

fn a_storm_of_requests_passes_the_budget_by_one_at_most(backend: &str) {
    let world = World::new();
    let config = "[attention]\nhold_seconds = 1\n";
    std::fs::write(world.home.join("config.toml"), config).expect("write config.toml");
    let cap = 400;
    // Each of these uses 12 tokens and about 30 more, and says that it may use 100.
    let body = r#"{"model":"claude-sonnet-5","max_tokens":100,"stream":true,"messages":[{"role":"user","content":"a b c d e f g h i"}]}"#;
    let storm = format!(
        "for i in $(seq 60); do curl -s -o /dev/null -H 'authorization: Bearer x' -H 'content-type: application/json' -d '{body}' https://api.anthropic.com/v1/messages & done; wait; echo the storm is over"
    );
    let prompt = script_prompt(&[
        json!({"tool": "Bash", "input": {"command": storm, "description": "storm"}}),
        json!({"text": "done"}),
    ]);
    created(&world, backend, "claude", &format!("{cap}tokens"), &prompt);
    wait_for_hold(&world);
    let refused = || {
        let audit = world.audit();
        audit.iter().filter(|one| one["note"] == "budget").count()
    };
    wait_until("the storm is held", || refused() >= 30);
    let answered = world.audit();
    let answered = answered
        .iter()
        .filter(|one| one["kind"] == "close" && one["path"] == "/v1/messages")
        .count();
    assert!(answered > 4, "some of it went up: {answered}");
    let used = world.json(&["chat", "a", "--standing"])["used"]["usage"].clone();
    let used = used["input"].as_u64().unwrap_or(0) + used["output"].as_u64().unwrap_or(0);
    // The dearest that may run alone is the agent's own first request.
    let most = 200;
    assert!((cap..cap + most).contains(&used), "{used} of {cap}");
}

fn a_count_that_cannot_be_read_holds_what_it_should_count(backend: &str) {
    let world = World::new();
    created(&world, backend, "claude", "1Mtokens", "say hi");
    world
        .run(&["wait", "a", "--for", "idle", "--timeout", "60"])
        .expect(0);
    world.run(&["daemon", "stop"]).expect(0);
    let ledger = world
        .session_folder(session_id(&world).as_str())
        .join("private/usage.jsonl");
    world.run(&["daemon", "stop"]).expect(0);
    let written = std::fs::read_to_string(&ledger).expect("the ledger is there");
    let torn = written.replacen("{\"at_ms\"", "{\"at_", 1);
    assert_ne!(torn, written);
    std::fs::write(&ledger, torn).expect("write the ledger");
    let before = world.upstream.requests().len();
    world.run(&["say", "a", "say more"]).expect(0);
    let held = wait_for_hold(&world);
    assert_eq!(held["budget"]["held"]["why"], "uncounted", "{held}");
    assert_eq!(world.upstream.requests().len(), before);
    world.run(&["budget", "a", "lift"]).expect(0);
    wait_for_item(&world, |item| {
        item["kind"] == "prompt" && item["text"] == "say more"
    });
    wait_until("it is answered", || {
        items(&world)
            .last()
            .is_some_and(|last| last["kind"] == "text")
    });
}

fn money_without_a_price_is_held_rather_than_guessed(backend: &str) {
    let world = World::new();
    let made = created(&world, backend, "codex", "5usd", "say hi");
    assert!(made.contains("are not known"), "{made}");
    let held = wait_for_hold(&world);
    assert_eq!(held["budget"]["held"]["why"], "unpriced", "{held}");
    assert_eq!(turns_asked(&world), 0);
    world.run(&["budget", "a", "set", "1Mtokens"]).expect(0);
    wait_until("it is answered", || {
        items(&world)
            .last()
            .is_some_and(|last| last["kind"] == "text")
    });
}

/// Creates the session and returns what was said about it.
fn created(world: &World, backend: &str, agent: &str, budget: &str, prompt: &str) -> String {
    let more = ["--agent", agent, "--budget", budget, "--detach"];
    let mut args = create(backend, "a", &more);
    args.extend(["--prompt", prompt]);
    world.run(&args).expect(0).stderr
}

fn session(world: &World) -> Value {
    world.json(&["budget", "a"])
}

fn session_id(world: &World) -> String {
    session(world)["id"].as_str().expect("an id").to_owned()
}

#[track_caller]
fn wait_for_hold(world: &World) -> Value {
    wait_for(|| match session(world) {
        found if found["budget"]["held"].is_null() => Err(found),
        found => Ok(found),
    })
}

/// How many turns of the conversation the service was asked for: an agent's requests for itself have no tools, or want a form.
fn turns_asked(world: &World) -> usize {
    let all = world.upstream.requests();
    all.iter()
        .filter(|one| one.method == "POST" && one.path.starts_with("/v1/"))
        .filter(|one| {
            let body: Value = serde_json::from_slice(&one.body).unwrap_or_default();
            let tools = body["tools"].as_array();
            match one.path.ends_with("/responses") {
                true => body["text"]["format"].is_null(),
                false => tools.is_some_and(|tools| !tools.is_empty()),
            }
        })
        .count()
}

fn items(world: &World) -> Vec<Value> {
    let printed = world.run(&["chat", "a", "--json"]).expect(0).stdout;
    let item = |line: &str| serde_json::from_str(line).expect("one item a line");
    printed.lines().map(item).collect()
}

#[track_caller]
fn wait_for_item(world: &World, wanted: impl Fn(&Value) -> bool) -> Value {
    wait_for(|| {
        let found = items(world);
        let item = found.iter().find(|item| wanted(item)).cloned();
        item.ok_or(found)
    })
}
