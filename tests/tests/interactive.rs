//! Interactive sessions: a person's terminal on one side, the real agent on the other, the daemon free to die in between.

use clauderon_tests::world::create;
use clauderon_tests::{PATIENCE, Terminal, World, on_each_backend, script_prompt};
use serde_json::json;

on_each_backend!(
    a_session_is_typed_into_interrupted_resized_and_detached,
    an_agent_outlives_a_killed_daemon_and_answers_after_it,
    stop_and_start_keep_the_workspace,
);

fn a_session_is_typed_into_interrupted_resized_and_detached(backend: &str) {
    let world = World::new();
    let mut terminal = Terminal::open(attached(&world, backend), 100, 30);
    terminal.wait_for("bypass permissions on");
    terminal.type_in(b"hello there");
    terminal.wait_for("hello there");
    // Ctrl-C clears what was typed: it reached the agent, not the command line around it.
    terminal.forget();
    terminal.type_in(b"\x03");
    terminal.wait_for("Ctrl-C again to exit");
    terminal.forget();
    terminal.resize(70, 24);
    terminal.wait_for("bypass permissions on");
    let prompt = script_prompt(&[json!({"text": "answer one"})]);
    terminal.type_in(format!("\x1b[200~{prompt}\x1b[201~").as_bytes());
    terminal.wait_for("answer one");
    terminal.type_in(b"\r");
    world
        .wait(world.upstream.wait_for(
            |request| String::from_utf8_lossy(&request.body).contains("answer one"),
            PATIENCE,
        ))
        .expect("the prompt reached the model");
    // Ctrl-P recalls the prompt before: the container engine did not swallow it as a detach key.
    terminal.forget();
    terminal.type_in(b"\x10");
    terminal.wait_for("answer one");
    terminal.type_in(b"\x1d");
    assert_eq!(terminal.wait_end(), 0);
    assert_eq!(
        world.json(&["list"])[0]["state"],
        "running",
        "detaching leaves the agent alone"
    );
}

fn an_agent_outlives_a_killed_daemon_and_answers_after_it(backend: &str) {
    let world = World::new();
    let prompt = script_prompt(&[json!({"big": 4000, "text": "BEGIN", "delay_ms": 20})]);
    world
        .detached(backend, "claude", "a", Some(&prompt))
        .expect(0);
    let mut first = Terminal::open(world.command(&["attach", "a"]), 100, 30);
    first.wait_for("BEGIN");
    kill(world.daemon_pid());
    drop(first);

    let mut second = Terminal::open(world.command(&["attach", "a"]), 100, 30);
    second.wait_for("BEGIN");
    second.wait_for("bypass permissions on");
    let next = script_prompt(&[json!({"text": "still here"})]);
    second.type_in(format!("\x1b[200~{next}\x1b[201~").as_bytes());
    second.wait_for("still here");
    second.forget();
    second.type_in(b"\r");
    second.wait_for("still here");
    assert_eq!(world.json(&["list"])[0]["state"], "running");
}

fn stop_and_start_keep_the_workspace(backend: &str) {
    let world = World::new();
    let prompt = script_prompt(&[
        json!({"tool": "Bash", "input": {"command": "echo kept > /workspace/kept.txt", "description": "write"}}),
        json!({"text": "written"}),
    ]);
    world
        .detached(backend, "claude", "a", Some(&prompt))
        .expect(0);
    let mut terminal = Terminal::open(world.command(&["attach", "a"]), 100, 30);
    terminal.wait_for("● written");
    drop(terminal);
    world.run(&["stop", "a"]).expect(0);
    assert_eq!(world.json(&["list"])[0]["state"], "stopped");
    world.run(&["start", "a"]).expect(0);
    let mut terminal = Terminal::open(world.command(&["attach", "a"]), 100, 30);
    terminal.wait_for("bypass permissions on");
    let diff = world.run(&["diff", "a"]).expect(0).stdout;
    assert!(diff.contains("kept.txt"), "{diff}");
}

fn attached(world: &World, backend: &str) -> std::process::Command {
    world.command(&create(backend, "a", &[]))
}

fn kill(pid: i32) {
    // SAFETY: a signal to the daemon that this test's world started.
    unsafe { libc::kill(pid, libc::SIGKILL) };
}
