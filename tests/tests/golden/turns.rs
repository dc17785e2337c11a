//! What agents do and ask, what is put into them, and what interrupts them.

use clauderon_tests::{Terminal, on_each_backend, script_prompt};
use serde_json::json;

use crate::told::Told;

on_each_backend!(
    what_claude_does_becomes_its_golden_items,
    what_claude_asks_becomes_its_golden_items,
    what_is_put_into_claude_becomes_its_golden_items,
    what_codex_does_becomes_its_golden_items,
);

fn what_claude_does_becomes_its_golden_items(backend: &str) {
    let told = Told::begin(
        backend,
        "claude",
        &[
            json!({"thinking": "Let me think.", "text": "Two at once.", "tools": [
                {"tool": "Bash", "input": {"command": "echo one; exit 3", "description": "one"}},
                {"tool": "Bash", "input": {"command": "echo two", "description": "two"}},
            ]}),
            json!({"tool": "Write", "input": {"file_path": "/workspace/a.txt", "content": "one\ntwo\n"}}),
            json!({"tool": "Edit", "input": {"file_path": "/workspace/a.txt", "old_string": "two", "new_string": "three"}}),
            json!({"tool": "TaskCreate", "input": {"subject": "do it", "description": "all", "activeForm": "Doing it"}}),
            json!({"text": "# Done"}),
        ],
    );
    let part = script_prompt(&[
        json!({"tool": "Bash", "input": {"command": "echo below", "description": "d"}}),
        json!({"text": "The part is done."}),
    ]);
    told.turn(&[
        json!({"tool": "Agent", "input": {"description": "a part", "prompt": part, "subagent_type": "general-purpose"}}),
        json!({"text": "All parts are done."}),
    ]);
    told.interrupted(json!({"tool": "Bash", "input": {"command": "touch began; sleep 1000", "description": "long"}}));
    told.say("/compact");
    told.wait_for_kind("compaction");
    // Started anew, it goes on where it was.
    told.world.run(&["stop", "a"]).expect(0);
    told.world.run(&["start", "a"]).expect(0);
    told.turn(&[json!({"text": "It goes on."})]);
    told.is_golden("claude-does");
}

fn what_claude_asks_becomes_its_golden_items(backend: &str) {
    let question = |words: &str| {
        json!({"tool": "AskUserQuestion", "input": {"questions": [
            {"question": words, "header": "Pick", "multiSelect": false, "options": [
                {"label": "The first", "description": "one"}, {"label": "The second", "description": "two"},
            ]},
        ]}})
    };
    let told = Told::begin(
        backend,
        "claude",
        &[
            json!({"tool": "EnterPlanMode", "input": {}}),
            json!({"tool": "ExitPlanMode", "input": {"plan": "# The plan\n\n1. Begin"}}),
            question("Which one?"),
            json!({"text": "Thank you."}),
        ],
    );
    told.answer(&["approve", "a"]);
    told.answer(&["approve", "a", "--answer", "The second"]);
    told.idle();
    told.say(&script_prompt(&[
        question("And now?"),
        json!({"text": "never"}),
    ]));
    told.until(|standing| standing["approvals"] != json!([]));
    // The prompt holds the question, too, before there is a dialog.
    told.escape_from("Enter to select");
    told.until(|standing| standing["status"]["status"] == "interrupted");
    told.turn(&[json!({"text": "It goes on."})]);
    told.is_golden("claude-asks");
}

fn what_is_put_into_claude_becomes_its_golden_items(backend: &str) {
    let told = Told::begin(backend, "claude", &[json!({"text": "Ready."})]);
    let image = told.world.root.path().join("shot.png");
    std::fs::write(&image, include_bytes!("../../../icons/32x32.png")).expect("write a picture");
    let image = image.display().to_string();
    let path = told.world.run(&["upload", "a", &image]).expect(0).stdout;
    told.say(&format!(
        "{} {}",
        path.trim(),
        script_prompt(&[json!({"text": "A picture."})])
    ));
    told.idle_after(4);
    let long = format!(
        "{}{}",
        "0123456789 ".repeat(200 * 1024 / 11),
        script_prompt(&[json!({"text": "It was long."})])
    );
    let mut terminal = Terminal::open(told.world.command(&["attach", "a"]), 100, 30);
    terminal.wait_for("bypass permissions on");
    terminal.type_in(format!("\x1b[200~{long}\x1b[201~").as_bytes());
    terminal.wait_for("[Pasted text");
    terminal.type_in(b"\r");
    told.idle_after(6);
    told.is_golden("claude-pastes");
}

fn what_codex_does_becomes_its_golden_items(backend: &str) {
    let told = Told::begin(
        backend,
        "codex",
        &[
            json!({"thinking": "**Hm** let me see", "text": "Two at once.", "tools": [
                {"tool": "exec_command", "input": {"cmd": "echo one; exit 3"}},
                {"tool": "exec_command", "input": {"cmd": "echo two"}},
            ]}),
            json!({"tool": "update_plan", "input": {"plan": [{"step": "one", "status": "completed"}, {"step": "two", "status": "in_progress"}]}}),
            json!({"text": "# Done"}),
        ],
    );
    told.interrupted(json!({"tool": "exec_command", "input": {"cmd": "touch began; sleep 1000", "yield_time_ms": 30_000}}));
    told.say("/compact");
    told.wait_for_kind("compaction");
    told.world.run(&["stop", "a"]).expect(0);
    told.world.run(&["start", "a"]).expect(0);
    told.turn(&[json!({"text": "It goes on."})]);
    told.is_golden("codex-does");
}
