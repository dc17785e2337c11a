//! What was said and done, as it is put together outside of the sandbox.

use clauderon_tests::{Terminal, World, on_each_backend, script_prompt, wait_for, wait_until};
use serde_json::{Value, json};

on_each_backend!(
    claudes_words_and_tools_are_one_conversation,
    codexs_words_and_tools_are_one_conversation,
    what_was_used_outlives_the_daemon,
    claude_hears_what_is_said_while_it_starts,
    codex_hears_what_is_said_while_it_starts,
    a_line_typed_below_a_followed_conversation_is_sent,
);

fn claudes_words_and_tools_are_one_conversation(backend: &str) {
    one_conversation(backend, "claude");
}

fn codexs_words_and_tools_are_one_conversation(backend: &str) {
    one_conversation(backend, "codex");
}

fn one_conversation(backend: &str, agent: &str) {
    let world = World::new();
    let prompt = script_prompt(&[
        json!({"tool": "Bash", "input": {"command": "echo out-of-the-tool", "description": "print"}}),
        json!({"text": "The tool has *run*."}),
    ]);
    world.detached(backend, agent, "a", Some(&prompt)).expect(0);
    world
        .run(&["wait", "a", "--for", "idle", "--timeout", "60"])
        .expect(0);
    // What the agent writes down may come after it has drawn that it waits.
    let items = wait_for(|| {
        let items = items(&world, "a");
        match items.iter().all(|item| is_seen_by(item, "transcript")) {
            true => Ok(items),
            false => Err(items),
        }
    });
    let kinds: Vec<&str> = items
        .iter()
        .filter_map(|item| item["kind"].as_str())
        .collect();
    assert_eq!(kinds, ["prompt", "tool", "text"], "{items:#?}");
    assert_eq!(items[0]["text"], prompt);
    assert_eq!(items[1]["detail"]["command"], "echo out-of-the-tool");
    assert_eq!(
        items[1]["outcome"]["text"].as_str().map(str::trim),
        Some("out-of-the-tool")
    );
    assert_eq!(items[2]["text"], "The tool has *run*.");
    for item in &items {
        assert_eq!(item["state"], "done", "{item}");
        assert!(is_seen_by(item, "tap"), "the proxy saw it: {item}");
        assert!(
            is_seen_by(item, "transcript"),
            "and the agent wrote it down: {item}"
        );
    }
    let shown = world.run(&["chat", "a"]).expect(0).stdout;
    for part in ["> SCRIPT:", "  | out-of-the-tool", "The tool has *run*."] {
        assert!(shown.contains(part), "{part:?} is not in\n{shown}");
    }
    // And it goes on with what a person types.
    world.run(&["say", "a", "say hi"]).expect(0);
    let more = wait_for_items(&world, "a", 5);
    assert_eq!(more[3]["text"], "say hi");
    assert_eq!(more[4]["kind"], "text");
}

fn claude_hears_what_is_said_while_it_starts(backend: &str) {
    hears_what_is_said_while_it_starts(backend, "claude");
}

fn codex_hears_what_is_said_while_it_starts(backend: &str) {
    hears_what_is_said_while_it_starts(backend, "codex");
}

fn hears_what_is_said_while_it_starts(backend: &str, agent: &str) {
    let world = World::new();
    world.detached(backend, agent, "a", None).expect(0);
    world.run(&["say", "a", "say hi"]).expect(0);
    let items = wait_for_items(&world, "a", 2);
    assert_eq!(items[0]["text"], "say hi");
    assert_eq!(items[1]["kind"], "text");
}

fn a_line_typed_below_a_followed_conversation_is_sent(backend: &str) {
    let world = World::new();
    let prompt = script_prompt(&[json!({"text": "I am ready."})]);
    world
        .detached(backend, "claude", "a", Some(&prompt))
        .expect(0);
    let mut terminal = Terminal::open(world.command(&["chat", "a", "--follow"]), 100, 30);
    terminal.wait_for("I am ready.");
    let line = script_prompt(&[json!({"text": "I heard."})]);
    terminal.type_in(format!("{line}\n").as_bytes());
    let said = wait_for_items(&world, "a", 4);
    assert_eq!(
        (&said[2]["text"], &said[3]["text"]),
        (&json!(line), &json!("I heard."))
    );
    terminal.type_in(b"\x04");
    assert_eq!(terminal.wait_end(), 0);
    wait_until("the agent has written all of it down", || {
        let written = |item: &Value| is_seen_by(item, "transcript");
        items(&world, "a").iter().all(written)
    });
    let logged = world.run(&["logs", "a", "--json"]).expect(0).stdout;
    assert_eq!(logged, world.run(&["chat", "a", "--json"]).expect(0).stdout);
    world.run(&["logs", "a", "--json", "--tail", "9"]).expect(2);
}

fn what_was_used_outlives_the_daemon(backend: &str) {
    let world = World::new();
    world.print(backend, "claude", "a", "say hi").expect(0);
    let before = used(&world);
    assert!(before["usage"]["output"].as_u64() > Some(0), "{before}");
    world.run(&["daemon", "stop"]).expect(0);
    assert_eq!(used(&world), before);
    let ledger = world
        .session_folder(&world.id_of("a"))
        .join("private/usage.jsonl");
    let ledger = std::fs::read_to_string(ledger).expect("it is written down");
    assert!(
        !ledger.contains("say hi"),
        "without a word of the conversation: {ledger}"
    );
}

/// What the session used, as the info of its conversation says.
fn used(world: &World) -> Value {
    world.json(&["chat", "a", "--standing"])["used"].clone()
}

fn is_seen_by(item: &Value, source: &str) -> bool {
    let seen = item["seen"].as_array().expect("a list of sources");
    seen.contains(&json!(source))
}

fn items(world: &World, name: &str) -> Vec<Value> {
    let printed = world.run(&["chat", name, "--json"]).expect(0).stdout;
    let item = |line: &str| serde_json::from_str(line).expect("one item a line");
    printed.lines().map(item).collect()
}

fn wait_for_items(world: &World, name: &str, count: usize) -> Vec<Value> {
    wait_for(|| {
        let found = items(world, name);
        let over = found.iter().all(|item| item["state"] == "done");
        match found.len() >= count && over {
            true => Ok(found),
            false => Err(found),
        }
    })
}
