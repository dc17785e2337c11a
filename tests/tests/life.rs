//! A session's life beyond start and stop: its place in the list, the archive, the trash, and the pause of all networks.
#![allow(clippy::unwrap_used)]

use std::time::{Duration, Instant};

use clauderon_tests::world::git;
use clauderon_tests::{PATIENCE, World, lacks, on_each_backend, script_prompt, wait_until};
use serde_json::{Value, json};

on_each_backend!(
    a_deleted_session_comes_back_whole_and_purging_ends_it,
    archiving_ends_the_agent_and_keeps_its_work,
    a_recreated_sandbox_goes_on_with_the_same_work,
    info_says_what_a_session_sees_may_use_and_uses,
);

fn a_deleted_session_comes_back_whole_and_purging_ends_it(backend: &str) {
    let world = World::new();
    world.detached(backend, "codex", "a", None).expect(0);
    let id = world.id_of("a");
    let container = container_of(&world, &id);
    std::fs::write(world.session_folder(&id).join("workspace/new.txt"), "new").unwrap();
    let deleted = world.run(&["delete", "a", "--yes"]).expect(0).stdout;
    assert!(deleted.contains("clauderon trash restore a"), "{deleted}");
    assert_eq!(world.json(&["list"]), json!([]));
    assert!(!world.session_folder(&id).exists());
    // What it borrows stays pinned.
    let pins = || {
        git(
            &world.repository,
            &["for-each-ref", "--format=%(refname)", "refs/clauderon"],
        )
    };
    assert!(pins().contains("refs/clauderon/a/base"), "{}", pins());
    let trash = world.json(&["trash"]);
    assert_eq!(trash[0]["id"], json!(id));
    assert_eq!(
        trash[0]["until_ms"],
        json!(trash[0]["deleted_ms"].as_u64().unwrap() + 7 * 24 * 3_600_000)
    );

    // Its name is used again, and the second deletion keeps the first one's pins too.
    world.detached(backend, "codex", "a", None).expect(0);
    let restored = world.json(&["trash", "restore", &id]);
    assert_eq!(restored["id"], json!(id));
    assert_eq!(restored["name"], "a-2");
    assert_eq!(restored["state"], "stopped");
    assert!(
        restored["notices"].to_string().contains("restored as a-2"),
        "{restored}"
    );
    assert!(pins().contains("refs/clauderon/a-2/base"), "{}", pins());
    assert_no_container(&container);
    let work = std::fs::read_to_string(world.session_folder(&id).join("workspace/new.txt"));
    assert_eq!(work.unwrap(), "new");
    let diff = world.json(&["diff", "a-2"]);
    assert_eq!(diff["files"][0]["path"], "new.txt");
    world.run(&["start", "a-2"]).expect(0);
    assert_eq!(world.listed("a-2")["state"], "running");

    let container = container_of(&world, &id);
    world.run(&["delete", "a-2", "--yes", "--now"]).expect(0);
    assert_no_container(&container);
    assert_eq!(world.json(&["trash"]), json!([]));
    assert!(!pins().contains("a-2"), "{}", pins());
    assert!(!pins().contains("_trash"), "{}", pins());
    world.run(&["trash", "restore", &id]).expect(3);
    // Another one lies in the trash while the daemon restarts, and goes with it.
    world.run(&["delete", "a", "--yes"]).expect(0);
    world.run(&["daemon", "restart"]).expect(0);
    assert_eq!(world.json(&["trash"]).as_array().map(Vec::len), Some(1));
    world.run(&["trash", "empty", "--yes"]).expect(0);
    assert_eq!(pins(), "");
    assert_eq!(
        std::fs::read_dir(world.home.join("trash")).unwrap().count(),
        0
    );
}

fn container_of(world: &World, id: &str) -> Option<String> {
    let record = std::fs::read_to_string(world.session_folder(id).join("session.json"));
    let record: Value = serde_json::from_str(&record.unwrap()).unwrap();
    record["container"].as_str().map(str::to_owned)
}

#[track_caller]
fn assert_no_container(container: &Option<String>) {
    let Some(container) = container else { return };
    let seen = std::process::Command::new("docker")
        .args(["inspect", container])
        .output()
        .unwrap();
    assert!(!seen.status.success(), "container {container} is left");
}

fn archiving_ends_the_agent_and_keeps_its_work(backend: &str) {
    let world = World::new();
    world.detached(backend, "codex", "a", None).expect(0);
    let archived = world.json(&["archive", "a"]);
    assert_eq!(archived["standing"], "archived");
    assert_eq!(archived["state"], "stopped");
    assert!(archived["archived_ms"].is_u64(), "{archived}");
    world.run(&["daemon", "restart"]).expect(0);
    assert_eq!(world.listed("a")["standing"], "archived");
    assert_eq!(world.json(&["unarchive", "a"])["standing"], "done");
    world.run(&["archive", "a"]).expect(0);
    // Whoever starts it wants it back.
    let started = world.json(&["start", "a"]);
    assert_eq!(
        (&started["state"], &started["archived_ms"]),
        (&json!("running"), &json!(null))
    );
}

fn a_recreated_sandbox_goes_on_with_the_same_work(backend: &str) {
    let world = World::new();
    world.detached(backend, "codex", "a", None).expect(0);
    let id = world.id_of("a");
    let before = container_of(&world, &id);
    std::fs::write(world.session_folder(&id).join("workspace/new.txt"), "new").unwrap();
    assert_eq!(world.json(&["recreate", "a"])["state"], "running");
    assert_no_container(&before);
    if before.is_some() {
        assert_ne!(container_of(&world, &id), before);
    }
    assert!(world.session_folder(&id).join("workspace/new.txt").exists());
}

#[test]
fn what_a_person_decides_about_a_session_is_kept() {
    if lacks("bubblewrap").is_some() {
        return;
    }
    let world = World::new();
    world.detached("bubblewrap", "codex", "a", None).expect(0);
    world
        .run(&["rename", "a", " Login\u{1b}[31m test "])
        .expect(0);
    world.run(&["pin", "a"]).expect(0);
    world.run(&["posture", "a", "locked"]).expect(0);
    world.run(&["posture", "a", "wide"]).expect(2);
    world.run(&["rename", "a", &"x".repeat(200)]).expect(2);
    world.run(&["daemon", "restart"]).expect(0);
    let session = world.listed("a");
    assert_eq!(session["title"], "Login[31m test");
    assert_eq!(session["pinned"], true);
    assert_eq!(session["posture"], "locked");
    assert_eq!(session["notify"], true);
    let listed = world.run(&["list"]).expect(0).stdout;
    assert!(listed.contains("* a (Login[31m test)"), "{listed}");
    world.run(&["unpin", "a"]).expect(0);
    assert_eq!(world.json(&["rename", "a", ""])["title"], json!(null));
    assert_eq!(world.listed("a")["pinned"], false);
}

#[test]
fn a_changed_posture_holds_from_the_next_request_on() {
    if lacks("bubblewrap").is_some() {
        return;
    }
    let world = World::new();
    let prompt = script_prompt(&[
        json!({"tool": "Bash", "input": {"command": "until curl -sSf https://echo.example/echo > /workspace/.answer 2>/workspace/.refused; do sleep 0.1; done", "description": "ask"}}),
        json!({"text": "asked"}),
    ]);
    world
        .detached("bubblewrap", "claude", "a", Some(&prompt))
        .expect(0);
    let workspace = world.session_folder(&world.id_of("a")).join("workspace");
    let holds =
        |file: &str| std::fs::metadata(workspace.join(file)).is_ok_and(|seen| seen.len() > 0);
    wait_until("it is refused first", || holds(".refused"));
    assert!(!holds(".answer"));
    world.run(&["posture", "a", "open"]).expect(0);
    wait_until("it is answered then", || holds(".answer"));
}

#[test]
fn a_paused_network_refuses_every_request_until_it_goes_on() {
    if lacks("bubblewrap").is_some() {
        return;
    }
    let world = World::new();
    world.run(&["network", "pause"]).expect(0);
    world.run(&["daemon", "restart"]).expect(0);
    assert_eq!(
        world.json(&["network"]),
        json!({"paused": true}),
        "a pause outlasts the daemon"
    );
    assert!(
        world
            .run(&["list"])
            .expect(0)
            .stderr
            .contains("network resume")
    );
    let prompt = script_prompt(&[json!({"text": "answered at last"})]);
    world
        .detached("bubblewrap", "claude", "a", Some(&prompt))
        .expect(0);
    wait_until("a request is refused", || {
        world
            .refusals()
            .iter()
            .any(|row| row["note"] == "network_paused")
    });
    assert!(world.upstream.requests().is_empty(), "nothing left");
    world.run(&["network", "resume"]).expect(0);
    let asked = world.upstream.wait_for(
        |request| String::from_utf8_lossy(&request.body).contains("answered at last"),
        Duration::from_secs(60),
    );
    world
        .wait(asked)
        .expect("the agent tries again and is answered");
    assert_eq!(world.json(&["network"]), json!({"paused": false}));
}

#[test]
fn a_session_stands_where_its_work_is() {
    if lacks("bubblewrap").is_some() {
        return;
    }
    for agent in ["claude", "codex"] {
        let world = World::new();
        world.detached("bubblewrap", agent, "idle", None).expect(0);
        let prompt = script_prompt(&[
            json!({"tool": if agent == "claude" { "Bash" } else { "exec_command" },
                   "input": if agent == "claude" { json!({"command": "until test -e /workspace/go; do sleep 0.1; done", "description": "wait"}) }
                            else { json!({"cmd": "until test -e /workspace/go; do sleep 0.1; done"}) }}),
            json!({"text": "done"}),
        ]);
        world
            .detached("bubblewrap", agent, "a", Some(&prompt))
            .expect(0);
        let standing = |name: &str| world.listed(name)["standing"].as_str().map(str::to_owned);
        let stands = |name: &str, wanted: &str| standing(name).as_deref() == Some(wanted);
        // The tool runs for longer than any pause in the traffic: only the title says that it works.
        let began = Instant::now();
        wait_until("it works", || {
            began.elapsed() > Duration::from_secs(8) && stands("a", "working")
        });
        assert!(
            world.listed("a")["last_line"].is_string(),
            "{}",
            world.listed("a")
        );
        let id = world.id_of("a");
        std::fs::write(world.session_folder(&id).join("workspace/go"), "").unwrap();
        wait_until("it is ready for review", || stands("a", "ready"));
        world.run(&["daemon", "restart"]).expect(0);
        // Where there is much to recall it is unknown for a moment; nobody has looked at it, so it is never idle.
        wait_until("it is ready for review again", || {
            assert!(!stands("a", "idle"), "{agent}: {}", world.listed("a"));
            stands("a", "ready")
        });
        // Looking at it is enough.
        let mut terminal =
            clauderon_tests::Terminal::open(world.command(&["attach", "a"]), 100, 30);
        terminal.wait_for("done");
        terminal.type_in(b"\x1d");
        assert_eq!(terminal.wait_end(), 0);
        assert!(stands("a", "idle"), "{agent}: {}", world.listed("a"));
        assert!(stands("idle", "idle"), "{agent}: {}", world.listed("idle"));
    }
}

#[test]
fn a_printed_answer_that_nobody_read_is_ready_for_review() {
    if lacks("bubblewrap").is_some() {
        return;
    }
    let world = World::new();
    world
        .print(
            "bubblewrap",
            "claude",
            "read",
            &script_prompt(&[json!({"text": "yes"})]),
        )
        .expect(0);
    assert_eq!(world.listed("read")["standing"], "done");
    let mut elsewhere = world
        .command(&[
            "create",
            "--name",
            "unread",
            "--backend",
            "bubblewrap",
            "--print",
            "--prompt",
        ])
        .arg(script_prompt(&[json!({"text": "read by nobody"})]))
        .spawn()
        .unwrap();
    let asked = world.upstream.wait_for(
        |request| String::from_utf8_lossy(&request.body).contains("read by nobody"),
        PATIENCE,
    );
    world.wait(asked).unwrap();
    elsewhere.kill().unwrap();
    elsewhere.wait().unwrap();
    wait_until("it ended", || world.listed("unread")["state"] == "exited");
    assert_eq!(world.listed("unread")["standing"], "ready");
}

fn info_says_what_a_session_sees_may_use_and_uses(backend: &str) {
    let world = World::new();
    world.detached(backend, "codex", "a", None).expect(0);
    let info = world.json(&["info", "a"]);
    let usage = &info["usage"];
    for measured in ["memory_bytes", "cpu_ms", "processes", "disk_bytes"] {
        assert!(usage[measured].is_u64(), "{measured}: {usage}");
    }
    assert!(usage["processes"].as_u64() > Some(0), "{usage}");
    let mounts = info["mounts"].as_array().unwrap();
    let find = |target: &str| {
        mounts
            .iter()
            .find(|mount| mount["target"] == target)
            .unwrap()
    };
    assert_eq!(find("/workspace")["writable"], true);
    assert_eq!(find("/clauderon/agent")["writable"], false);
    let credentials = info["credentials"].as_array().unwrap();
    let names: Vec<_> = credentials.iter().map(|one| one["name"].clone()).collect();
    assert!(names.contains(&json!("openai_api_key")), "{names:?}");
    assert!(
        !names.contains(&json!("anthropic_oauth_token")),
        "{names:?}"
    );
    assert_eq!(credentials[0]["source"], "file");
    assert!(
        !info.to_string().contains(&world.openai.token),
        "never a value"
    );
    assert!(
        info["placeholders"][0]
            .as_str()
            .unwrap()
            .contains("worth nothing")
    );
    assert_eq!(info["health"]["ok"], true, "{info}");
    world.run(&["stop", "a"]).expect(0);
    assert_eq!(
        world.json(&["info", "a"])["health"]["actions"],
        json!(["start"])
    );
    // Somebody removes the container behind our back.
    if let Some(container) = container_of(&world, &world.id_of("a")) {
        let removed = std::process::Command::new("docker")
            .args(["rm", "-f", &container])
            .output();
        assert!(removed.unwrap().status.success());
        let health = &world.json(&["info", "a"])["health"];
        assert_eq!(
            (&health["ok"], &health["actions"][0]),
            (&json!(false), &json!("recreate"))
        );
        world.run(&["recreate", "a"]).expect(0);
        assert_eq!(world.json(&["info", "a"])["health"]["ok"], true);
    }
    // The repository is moved away and put back.
    let elsewhere = world.repository.with_extension("moved");
    std::fs::rename(&world.repository, &elsewhere).unwrap();
    let mut asked = world.command(&["info", "a", "--json"]);
    let asked = asked.current_dir("/").output().unwrap();
    std::fs::rename(&elsewhere, &world.repository).unwrap();
    let info: Value = serde_json::from_slice(&asked.stdout).unwrap();
    assert!(
        info["health"]["sentence"]
            .as_str()
            .unwrap()
            .contains("put it back"),
        "{info}"
    );
}
