//! What goes wrong around a running session: the engine goes away, the disk fills up, the machine sleeps, the daemon is killed,
//! the repository disappears. Each is said, loses nothing that was typed, and mends itself or says what to do.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use clauderon_api::{Client, ServerEvent};
use clauderon_tests::world::git;
use clauderon_tests::{Disk, Engine, PATIENCE, World, lacks, script_prompt, wait_until};
use serde_json::{Value, json};

fn health(world: &World, name: &str) -> Value {
    world.json(&["info", name])["health"].clone()
}

fn is(world: &World, name: &str, state: &str) -> bool {
    world.listed(name)["state"] == state
}

fn signal(pid: i32, signal: i32) {
    // SAFETY: a signal to a process that this test's world started.
    assert_eq!(unsafe { libc::kill(pid, signal) }, 0);
}

/// A world whose sessions run in an engine that the test may stop; dropped after it.
fn with_engine() -> Option<(Engine, World)> {
    if lacks("docker").is_some() {
        return None;
    }
    let engine = Engine::start()?;
    let mut world = World::new();
    world.variables.push(("DOCKER_HOST", engine.host()));
    Some((engine, world))
}

#[test]
fn an_engine_that_stops_is_said_at_once_and_its_sessions_start_again_when_it_is_back() {
    let Some((mut engine, world)) = with_engine() else {
        return;
    };
    world.detached("docker", "claude", "a", None).expect(0);
    world.detached("docker", "codex", "done", None).expect(0);
    world.run(&["stop", "done"]).expect(0);
    engine.stop();
    wait_until("nobody knows how it is", || is(&world, "a", "unknown"));
    let seen = world.listed("a");
    assert_eq!(seen["standing"], "needs-you");
    assert!(
        seen["reason"]
            .to_string()
            .contains("engine does not answer"),
        "{seen}"
    );
    assert_eq!(world.listed("done")["state"], "stopped");
    let ill = health(&world, "a");
    assert_eq!(ill["ok"], false, "{ill}");
    let refused = world.run(&["start", "a"]).expect(4);
    assert!(refused.stderr.contains("may run still"), "{refused:?}");

    // A daemon that is killed meanwhile changes nothing.
    signal(world.daemon_pid(), libc::SIGKILL);
    assert!(is(&world, "a", "unknown"), "{}", world.listed("a"));

    engine.resume(&[]);
    wait_until("it says how it ended", || is(&world, "a", "failed"));
    let seen = world.listed("a");
    assert!(
        seen["reason"].to_string().contains("engine was stopped"),
        "{seen}"
    );
    assert!(
        health(&world, "a")["actions"].to_string().contains("start"),
        "{seen}"
    );
    world.run(&["start", "a"]).expect(0);
    assert!(is(&world, "a", "running"));
}

#[test]
fn a_session_goes_on_by_itself_where_the_engine_lets_containers_live() {
    let Some((mut engine, world)) = with_engine() else {
        return;
    };
    engine.stop();
    engine.resume(&["--live-restore"]);
    world.detached("docker", "claude", "a", None).expect(0);
    let log = world.session_folder(&world.id_of("a")).join("terminal.log");
    let printed = || std::fs::metadata(&log).map_or(0, |log| log.len());
    wait_until("it has drawn itself", || printed() > 500);
    engine.stop();
    wait_until("nobody knows how it is", || is(&world, "a", "unknown"));
    let before = printed();
    engine.resume(&["--live-restore"]);
    wait_until("it runs", || is(&world, "a", "running"));
    wait_until("it draws itself again", || printed() > before + 200);
}

/// A world on a small disk.
fn on_a_small_disk() -> Option<(Disk, World)> {
    if lacks("bubblewrap").is_some() {
        return None;
    }
    let mut disk = None;
    let world = World::made(|home| disk = Disk::over(home, 64));
    Some((disk?, world))
}

/// Watches the daemon until it says this about its disk.
fn hear_of_disk(world: &World, wanted: bool) {
    let client = world
        .wait(Client::connect(world.home.join("clauderon.sock")))
        .unwrap();
    let heard = async {
        let mut events = client.events().await.unwrap();
        loop {
            match events.next().await.unwrap().unwrap() {
                ServerEvent::State { disk_full, .. } if disk_full == wanted => return,
                ServerEvent::Disk { full, .. } if full == wanted => return,
                _ => {}
            }
        }
    };
    world
        .wait(async { tokio::time::timeout(PATIENCE, heard).await })
        .unwrap();
}

#[test]
fn a_full_disk_is_said_keeps_what_was_and_lets_go_on_once_there_is_room() {
    let Some((disk, world)) = on_a_small_disk() else {
        return;
    };
    let prompt = script_prompt(&[
        json!({"tool": "Bash", "input": {"command": "touch /workspace/begun; until test -e /tmp/never -o -e /workspace/go; do sleep 0.1; done", "description": "wait"}}),
        json!({"text": "went on"}),
    ]);
    world
        .detached("bubblewrap", "claude", "a", Some(&prompt))
        .expect(0);
    world.detached("bubblewrap", "claude", "b", None).expect(0);
    world.run(&["rename", "a", "Before"]).expect(0);
    let workspace = world.session_folder(&world.id_of("a")).join("workspace");
    wait_until("its tool runs", || workspace.join("begun").exists());
    disk.fill();
    hear_of_disk(&world, true);
    // The audit log has given its reserve away meanwhile.
    disk.fill();

    for args in [
        &["rename", "a", "Meanwhile"][..],
        &["pin", "a"],
        &[
            "create",
            "--name",
            "c",
            "--agent",
            "claude",
            "--backend",
            "bubblewrap",
            "--detach",
        ],
        &["diff", "a"],
    ] {
        let refused = world.run(args).expect(1);
        assert!(
            refused.stderr.contains("disk is full"),
            "{args:?}: {refused:?}"
        );
        assert!(
            refused.stderr.contains("make room"),
            "{args:?}: {refused:?}"
        );
    }
    let seen = world.listed("a");
    assert_eq!(
        (&seen["title"], &seen["pinned"]),
        (&json!("Before"), &json!(false))
    );
    assert_eq!(
        world.json(&["list"]).as_array().unwrap().len(),
        2,
        "nothing half-made"
    );
    // What ends meanwhile is known to have ended, and a pause holds.
    world.run(&["stop", "b"]).expect(0);
    assert!(is(&world, "b", "stopped"), "{}", world.listed("b"));
    world.run(&["network", "pause"]).expect(1);
    assert_eq!(world.json(&["network"])["paused"], true);
    world.run(&["network", "resume"]).expect(1);

    // A daemon that starts where not a byte is left serves, and room can be made with it.
    signal(world.daemon_pid(), libc::SIGKILL);
    std::fs::remove_file(world.home.join("daemon.info")).unwrap();
    disk.fill();
    assert!(is(&world, "a", "running"), "{}", world.listed("a"));
    world.run(&["delete", "b", "--yes", "--now"]).expect(0);
    disk.clear();
    hear_of_disk(&world, false);
    world.run(&["network", "resume"]).expect(0);
    world.run(&["rename", "a", "After"]).expect(0);
    std::fs::write(workspace.join("go"), "").unwrap();
    wait_until("it goes on", || {
        let printed = world.run(&["chat", "a", "--json"]).expect(0).stdout;
        let mut items = printed
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok());
        items.any(|item| item["kind"] == "text" && item["text"] == "went on")
    });
    wait_until("its turn ends", || {
        world.listed("a")["status"]["status"] == "idle"
    });
    world.run(&["daemon", "restart"]).expect(0);
    assert_eq!(world.listed("a")["title"], "After");
}

#[test]
fn a_state_that_the_full_disk_did_not_take_is_written_once_there_is_room() {
    let Some((disk, world)) = on_a_small_disk() else {
        return;
    };
    world.detached("bubblewrap", "claude", "a", None).expect(0);
    let record = world.session_folder(&world.id_of("a")).join("session.json");
    let written = |state: &str| {
        let record: Value =
            serde_json::from_slice(&std::fs::read(&record).unwrap_or_default()).unwrap_or_default();
        record
            .to_string()
            .contains(&format!("\"state\":\"{state}\""))
    };
    wait_until("it runs", || written("running"));
    // The audit log gives its reserve away with the next record that finds no room; here it has done so already.
    let reserve = world.home.join("audit.reserve");
    std::fs::remove_file(reserve).expect("there is a reserve");
    disk.fill();
    world.run(&["stop", "a"]).expect(0);
    assert!(is(&world, "a", "stopped"));
    assert!(written("running"), "there was no room for it");
    disk.clear();
    wait_until("it is written by itself", || written("stopped"));
}

#[test]
fn a_machine_that_sleeps_goes_on_where_it_was() {
    if lacks("bubblewrap").is_some() {
        return;
    }
    let world = World::new();
    let prompt = script_prompt(&[
        json!({"tool": "Bash", "input": {"command": "touch /workspace/began; until test -e /workspace/go; do sleep 0.1; done", "description": "wait"}}),
        json!({"text": "went on"}),
    ]);
    world
        .detached("bubblewrap", "claude", "a", Some(&prompt))
        .expect(0);
    let id = world.id_of("a");
    let holder: Value = serde_json::from_str(
        &std::fs::read_to_string(world.session_folder(&id).join("private/holder.pid"))
            .unwrap()
            .replace('\n', ""),
    )
    .unwrap();
    let holder = i32::try_from(holder.as_i64().unwrap()).unwrap();
    let workspace = world.session_folder(&id).join("workspace");
    wait_until("its tool runs", || workspace.join("began").exists());
    let asleep = [world.daemon_pid(), holder];
    asleep.iter().for_each(|pid| signal(*pid, libc::SIGSTOP));
    // The tool ends while nobody listens; what it and the agent do next waits for the daemon.
    std::fs::write(workspace.join("go"), "").unwrap();
    std::thread::sleep(Duration::from_secs(5));
    asleep.iter().for_each(|pid| signal(*pid, libc::SIGCONT));
    let asked = world.upstream.wait_for(
        |request| String::from_utf8_lossy(&request.body).contains("tool_result"),
        PATIENCE,
    );
    world.wait(asked).expect("the agent goes on by itself");
    wait_until("its turn ends", || {
        world.listed("a")["status"]["status"] == "idle"
    });
    assert!(is(&world, "a", "running"));
}

#[test]
fn an_agent_that_waits_in_vain_is_stuck_and_says_what_helps() {
    if lacks("bubblewrap").is_some() {
        return;
    }
    let world = World::new();
    let config = "[attention]\nstuck_after_seconds = 1\n";
    std::fs::write(world.home.join("config.toml"), config).unwrap();
    let overloaded = json!({"error": {"status": 529, "message": "overloaded"}});
    let mut steps = vec![overloaded; 8];
    steps.push(json!({"text": "answered at last"}));
    world
        .detached("bubblewrap", "claude", "a", Some(&script_prompt(&steps)))
        .expect(0);
    // Its tries are further and further apart.
    wait_until("it is stuck", || {
        let seen = world.listed("a");
        let listed = world.run(&["list"]).expect(0).stdout;
        seen["status"]["status"] == "stuck"
            && seen["standing"] == "needs-you"
            && listed.contains("stuck")
    });
    let ill = health(&world, "a");
    // It may have tried again meanwhile.
    if ill["ok"] == false {
        assert!(
            ill["sentence"].to_string().contains("does not come"),
            "{ill}"
        );
        assert_eq!(ill["actions"], json!(["recreate"]), "{ill}");
    }
}

#[test]
fn another_repository_in_the_place_of_the_first_is_not_taken_for_it() {
    if lacks("bubblewrap").is_some() {
        return;
    }
    let world = World::new();
    world.detached("bubblewrap", "codex", "a", None).expect(0);
    let workspace = world.session_folder(&world.id_of("a")).join("workspace");
    std::fs::write(workspace.join("typed.txt"), "by hand").unwrap();
    let away = world.root.path().join("away");
    std::fs::rename(&world.repository, &away).unwrap();
    std::fs::create_dir(&world.repository).unwrap();
    git(&world.repository, &["init", "--quiet"]);
    git(
        &world.repository,
        &[
            "-c",
            "user.name=B",
            "-c",
            "user.email=b@example.com",
            "commit",
            "--quiet",
            "--allow-empty",
            "--message",
            "Another",
        ],
    );
    for verb in ["diff", "pull"] {
        let refused = world.run(&[verb, "a"]).expect(1);
        assert!(refused.stderr.contains("another repository"), "{refused:?}");
        assert!(
            refused.stderr.contains("put the first one back"),
            "{refused:?}"
        );
    }
    assert_eq!(health(&world, "a")["ok"], false);
    world.run(&["stop", "a"]).expect(0);
    let refused = world.run(&["start", "a"]).expect(1);
    assert!(refused.stderr.contains("another repository"), "{refused:?}");
    std::fs::remove_dir_all(&world.repository).unwrap();
    std::fs::rename(&away, &world.repository).unwrap();
    world.run(&["start", "a"]).expect(0);
    world.run(&["diff", "a"]).expect(0);
    assert!(workspace.join("typed.txt").exists());
}
