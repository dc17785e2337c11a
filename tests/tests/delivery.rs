//! Messages on their way to an agent: typed once, seen to be taken, and told of truthfully whatever happens to the daemon.

use clauderon_tests::{Finished, Terminal, World, on_each_backend, script_prompt, wait_for};
use serde_json::{Value, json};

on_each_backend!(
    claude_takes_a_message_and_answers_it,
    codex_takes_a_message_and_answers_it,
    codexs_command_to_sum_up_is_entered_when_that_begins,
    a_message_waits_until_the_agent_has_finished,
    codexs_message_waits_until_it_has_finished,
    claudes_messages_survive_a_killed_daemon,
    codexs_messages_survive_a_killed_daemon,
    a_typing_that_was_cut_off_is_never_begun_again,
    a_message_waits_for_what_a_person_types,
    a_message_answers_no_question,
    a_long_message_becomes_a_file,
    a_session_that_does_not_run_takes_no_message_and_keeps_what_waits,
);

fn claude_takes_a_message_and_answers_it(backend: &str) {
    takes_and_answers(backend, "claude");
}

fn codex_takes_a_message_and_answers_it(backend: &str) {
    takes_and_answers(backend, "codex");
}

fn takes_and_answers(backend: &str, agent: &str) {
    let world = World::new();
    world.detached(backend, agent, "a", None).expect(0);
    let sent = world.json(&["send", "a", "say hi", "--timeout", "60"]);
    assert!(
        ["accepted", "answered"].contains(&sent["stage"].as_str().unwrap_or("")),
        "{sent}"
    );
    let answered = world.json(&["send", "a", "say\n\tho ho", "--wait", "--timeout", "60"]);
    assert_eq!(answered["stage"], "answered", "{answered}");
    assert_eq!(prompts(&world), ["say hi", "say\n\tho ho"].map(words));
    until(&world, || messages(&world)[0]["stage"] == "answered");
}

fn codexs_command_to_sum_up_is_entered_when_that_begins(backend: &str) {
    let world = World::new();
    world.detached(backend, "codex", "a", None).expect(0);
    world.json(&["send", "a", "say hi", "--wait", "--timeout", "60"]);
    let sent = world.json(&["send", "a", "/compact", "--timeout", "60"]);
    assert_eq!(sent["stage"], "entered", "{sent}");
    // A command of which nothing is seen is taken to be entered after 15 s.
    let [typed, since] = ["typed_ms", "since_ms"].map(|key| sent[key].as_u64().unwrap_or(0));
    assert!(typed > 0 && since - typed < 15_000, "{sent}");
}

fn a_message_waits_until_the_agent_has_finished(backend: &str) {
    waits_for_its_turn(backend, "claude");
}

fn codexs_message_waits_until_it_has_finished(backend: &str) {
    waits_for_its_turn(backend, "codex");
}

fn waits_for_its_turn(backend: &str, agent: &str) {
    let world = World::new();
    let busy = busy();
    world.detached(backend, agent, "a", Some(&busy)).expect(0);
    until(&world, || working_file(&world).exists());
    world
        .run(&["send", "a", "say second", "--no-wait"])
        .expect(0);
    world
        .run(&["send", "a", "say third", "--no-wait"])
        .expect(0);
    until(&world, || messages(&world)[0]["waits"] == "working");
    assert_eq!(messages(&world)[1]["waits"], "before");
    // Both agents keep what is typed meanwhile until they have time for it.
    let now = world.json(&["send", "a", "say now", "--now", "--no-wait"]);
    until(&world, || {
        stage(&world, &now) == "typed" || stage(&world, &now) == "accepted"
    });
    std::fs::write(go_file(&world), "").expect("let it go on");
    until(&world, || {
        let all = messages(&world);
        all.iter().all(|message| message["stage"] == "answered")
    });
    let said = prompts(&world);
    assert_eq!(said.len(), 4, "each once: {said:?}");
    assert_eq!(
        &said[1..],
        ["say now", "say second", "say third"].map(words)
    );
}

fn claudes_messages_survive_a_killed_daemon(backend: &str) {
    survives_a_killed_daemon(backend, "claude");
}

fn codexs_messages_survive_a_killed_daemon(backend: &str) {
    survives_a_killed_daemon(backend, "codex");
}

/// The daemon is killed while one message waits, while one stands in the agent's own queue, and while one is answered.
fn survives_a_killed_daemon(backend: &str, agent: &str) {
    let world = World::new();
    let busy = busy();
    world.detached(backend, agent, "a", None).expect(0);
    let first = world.json(&["send", "a", &busy, "--no-wait"]);
    until(&world, || working_file(&world).exists());
    until(&world, || stage(&world, &first) == "accepted");
    let typed = world.json(&["send", "a", "say typed", "--now", "--no-wait"]);
    let queued = world.json(&["send", "a", "say queued", "--no-wait"]);
    until(&world, || {
        ["typed", "accepted"].contains(&stage(&world, &typed).as_str())
    });
    kill_the_daemon(&world);
    assert_eq!(stage(&world, &queued), "queued");
    assert_eq!(stage(&world, &first), "accepted");
    std::fs::write(go_file(&world), "").expect("let it go on");
    until(&world, || {
        messages(&world)
            .iter()
            .all(|message| message["stage"] == "answered")
    });
    let said = prompts(&world);
    assert_eq!(
        said,
        [busy.as_str(), "say typed", "say queued"].map(words),
        "each once"
    );
}

fn a_typing_that_was_cut_off_is_never_begun_again(backend: &str) {
    let world = World::new();
    world.detached(backend, "claude", "a", None).expect(0);
    let daemon = world.daemon_pid();
    let mut watching = Terminal::open(world.command(&["attach", "a"]), 100, 30);
    let sent = world.json(&["send", "a", "say cut", "--no-wait"]);
    // Enter follows what is drawn within half a second: nothing may come between this look and the end.
    watching.wait_for("say cut");
    kill(daemon);
    drop(watching);
    let found = messages(&world)[0].clone();
    assert_eq!(found["stage"], "not_delivered", "{found}");
    assert_eq!(found["reason"], "cut_off", "{found}");
    // What comes after it waits for a person's decision.
    let next = world.json(&["send", "a", "say next", "--no-wait"]);
    until(&world, || messages(&world)[1]["waits"] == "undelivered");
    assert!(prompts(&world).is_empty(), "nothing was sent");
    // The person looks, clears the line and has it typed again.
    let mut terminal = Terminal::open(world.command(&["attach", "a"]), 100, 30);
    terminal.wait_for("say cut");
    terminal.type_in(b"\x15");
    let id = sent["id"].as_str().unwrap_or_default();
    world.run(&["messages", "a", "--retry", id]).expect(0);
    until(&world, || stage(&world, &next) == "answered");
    assert_eq!(prompts(&world), ["say cut", "say next"].map(words));
}

fn a_message_waits_for_what_a_person_types(backend: &str) {
    let world = World::new();
    world
        .detached(backend, "claude", "a", Some("say ready"))
        .expect(0);
    world
        .run(&["wait", "a", "--for", "idle", "--timeout", "60"])
        .expect(0);
    let mut terminal = Terminal::open(world.command(&["attach", "a"]), 100, 30);
    terminal.wait_for("say ready");
    terminal.type_in(b"say by hand");
    terminal.wait_for("say by hand");
    let sent = world.json(&["send", "a", "say by message", "--no-wait"]);
    until(&world, || messages(&world)[0]["waits"] == "draft");
    terminal.type_in(b"\r");
    until(&world, || stage(&world, &sent) == "answered");
    let expected = ["say ready", "say by hand", "say by message"].map(words);
    assert_eq!(prompts(&world), expected);
}

fn a_message_answers_no_question(backend: &str) {
    let world = World::new();
    let question = json!({"question": "Which one?", "header": "One", "multiSelect": false, "options": [
        {"label": "First", "description": "the first"},
        {"label": "Second", "description": "the second"},
    ]});
    let prompt = script_prompt(&[
        json!({"tool": "AskUserQuestion", "input": {"questions": [question]}}),
        json!({"text": "It was answered."}),
    ]);
    world
        .detached(backend, "claude", "a", Some(&prompt))
        .expect(0);
    let asks = || world.run(&["chat", "a", "--json"]).expect(0).stdout;
    until(&world, || asks().contains("\"kind\":\"question\""));
    let sent = world.json(&["send", "a", "say after", "--now", "--no-wait"]);
    until(&world, || messages(&world)[0]["waits"] == "answer");
    let mut terminal = Terminal::open(world.command(&["attach", "a"]), 100, 30);
    // The prompt names the choices, too, before there is a dialog that takes a key.
    terminal.wait_for("Enter to select");
    terminal.type_in(b"2");
    until(&world, || stage(&world, &sent) == "answered");
    let chat = world.run(&["chat", "a"]).expect(0).stdout;
    assert!(
        chat.contains("Second"),
        "the person's answer stands: {chat}"
    );
    assert_eq!(prompts(&world)[1..], [words("say after")]);
}

fn a_long_message_becomes_a_file(backend: &str) {
    let world = World::new();
    world.detached(backend, "claude", "a", None).expect(0);
    let long = "A line of a long message.\n".repeat(8_000);
    let file = world.root.path().join("long.txt");
    std::fs::write(&file, &long).expect("write a long text");
    let mut command = world.command(&["send", "a", "-", "--wait", "--timeout", "60", "--json"]);
    command.stdin(std::fs::File::open(&file).expect("open it"));
    let finished = Finished::from(command.output().expect("clauderon starts")).expect(0);
    let sent: Value = serde_json::from_str(&finished.stdout).expect("a message");
    assert_eq!(sent["stage"], "answered", "{sent}");
    let uploads = world.session_folder(&world.id_of("a")).join("uploads");
    let kept = std::fs::read_to_string(uploads.join("message.txt")).expect("the file is there");
    assert_eq!(kept, long);
    let asked = &prompts(&world)[0];
    assert!(
        asked
            .iter()
            .any(|word| word.contains("/clauderon/uploads/message.txt")),
        "{asked:?}"
    );
}

fn a_session_that_does_not_run_takes_no_message_and_keeps_what_waits(backend: &str) {
    let world = World::new();
    world
        .detached(backend, "claude", "a", Some(&busy()))
        .expect(0);
    until(&world, || working_file(&world).exists());
    let sent = world.json(&["send", "a", "say later", "--no-wait"]);
    world.run(&["stop", "a"]).expect(0);
    world.run(&["send", "a", "say more"]).expect(4);
    until(&world, || messages(&world)[0]["waits"] == "start");
    std::fs::write(go_file(&world), "").expect("let it go on");
    world.run(&["start", "a"]).expect(0);
    until(&world, || stage(&world, &sent) == "answered");
    let count = prompts(&world)
        .iter()
        .filter(|text| **text == words("say later"))
        .count();
    assert_eq!(count, 1);
}

fn kill_the_daemon(world: &World) {
    kill(world.daemon_pid());
}

fn kill(pid: i32) {
    // SAFETY: a signal to a process of this test.
    unsafe { libc::kill(pid, libc::SIGKILL) };
}

/// A prompt that keeps the agent busy until a file is there.
fn busy() -> String {
    let command = "touch working; while ! test -e go; do sleep 0.1; done";
    script_prompt(&[
        json!({"tool": "Bash", "input": {"command": command, "description": "wait"}}),
        json!({"text": "It is done."}),
    ])
}

fn working_file(world: &World) -> std::path::PathBuf {
    workspace(world).join("working")
}

fn go_file(world: &World) -> std::path::PathBuf {
    workspace(world).join("go")
}

fn workspace(world: &World) -> std::path::PathBuf {
    world.session_folder(&world.id_of("a")).join("workspace")
}

fn messages(world: &World) -> Vec<Value> {
    let all = world.json(&["messages", "a"]);
    all.as_array().cloned().expect("a list of messages")
}

fn stage(world: &World, message: &Value) -> String {
    let all = messages(world);
    let found = all.iter().find(|one| one["id"] == message["id"]);
    found
        .and_then(|one| one["stage"].as_str())
        .unwrap_or("none")
        .to_owned()
}

/// What was asked, word for word.
fn prompts(world: &World) -> Vec<Vec<String>> {
    let printed = world.run(&["chat", "a", "--json"]).expect(0).stdout;
    let items = printed
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("one item a line"));
    let asked = items.filter(|item| item["kind"] == "prompt");
    asked
        .filter_map(|item| item["text"].as_str().map(words))
        .collect()
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

#[track_caller]
fn until(world: &World, is_so: impl Fn() -> bool) {
    wait_for(|| match is_so() {
        true => Ok(()),
        false => Err((messages(world), prompts(world))),
    });
}
