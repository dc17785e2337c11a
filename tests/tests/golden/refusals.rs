//! What the model's service refuses, cannot do or breaks off, and what its agent makes of that.

use clauderon_tests::world::git;
use clauderon_tests::{World, on_each_backend};
use serde_json::{Value, json};

use crate::told::Told;

on_each_backend!(
    what_is_refused_to_claude_becomes_its_golden_items,
    what_is_refused_to_codex_becomes_its_golden_items,
);

fn what_is_refused_to_claude_becomes_its_golden_items(backend: &str) {
    let told = Told::begin_in(patient_for(2), backend, "claude", &[text("Ready.")]);
    told.fails(
        &[refused(401, "Invalid bearer token")],
        "Invalid bearer token",
    );
    told.fails(
        &[refused(403, "Not with this account")],
        "Not with this account",
    );
    // The same words again are another turn.
    let busy = [refused(429, "Slow down")];
    told.fails(&busy, "Slow down");
    told.fails(&busy, "Slow down");
    told.turn(&[passing(500, "Internal server error")]);
    told.fails(&[refused(529, "Overloaded")], "API Error: 529");
    told.turn(&[cut_once(
        4,
        text("Half of this was cut and then it came whole."),
    )]);
    // Of an answer of which it has shown a part it does not ask again.
    let call = json!({"text": "A call.", "tool": "Bash", "input": {"command": "echo one", "description": "one"}});
    told.fails(&[cut_once(7, call)], "Connection closed mid-response");
    told.turn(&[text("It goes on.")]);
    told.is_golden("claude-refused");
}

fn what_is_refused_to_codex_becomes_its_golden_items(backend: &str) {
    let told = Told::begin(backend, "codex", &[text("Ready.")]);
    told.fails(&[refused(401, "Invalid key")], "Invalid key");
    told.fails(&[refused(403, "Not with this key")], "Not with this key");
    let busy = [refused(429, "Slow down")];
    told.fails(&busy, "429 Too Many Requests");
    told.fails(&busy, "429 Too Many Requests");
    told.turn(&[passing(500, "Internal server error")]);
    told.turn(&[passing(529, "Overloaded")]);
    told.turn(&[cut_once(
        4,
        text("Half of this was cut and then it came whole."),
    )]);
    let call = json!({"tool": "exec_command", "input": {"cmd": "echo one"}});
    told.turn(&[cut_once(3, call), text("It goes on.")]);
    told.is_golden("codex-refused");
}

fn text(text: &str) -> Value {
    json!({ "text": text })
}

/// A step that always fails.
fn refused(status: u16, message: &str) -> Value {
    json!({ "error": { "status": status, "message": message } })
}

/// A step that fails twice and is answered then.
fn passing(status: u16, message: &str) -> Value {
    json!({ "error": { "status": status, "message": message }, "times": 2, "text": "At last." })
}

/// A step whose stream is cut after so many events, once; slow enough that the agent has read them by then.
fn cut_once(events: usize, mut step: Value) -> Value {
    step["cut_after"] = json!(events);
    step["times"] = json!(1);
    step["delay_ms"] = json!(50);
    step
}

/// An installation with a repository whose Claude Code tries so often and no more.
fn patient_for(retries: u32) -> World {
    let world = World::new();
    let folder = world.repository.join(".claude");
    std::fs::create_dir_all(&folder).expect("make a folder");
    let settings = json!({ "env": { "CLAUDE_CODE_MAX_RETRIES": retries.to_string() } });
    std::fs::write(folder.join("settings.json"), settings.to_string()).expect("write settings");
    git(&world.repository, &["add", "--all"]);
    git(
        &world.repository,
        &["commit", "--quiet", "--message", "Settings"],
    );
    world
}
