//! What the desktop around the real window does with it: tray, notifications, quitting. The identifiers are those of
//! `docs/scenarios.md`.

use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use clauderon_tests::{Scene, Terminal, script_prompt};
use serde_json::json;

#[test]
fn w09_the_trays_menu_shows_a_session_and_pauses_the_network() {
    let Some(scene) = Scene::new() else { return };
    scene
        .world
        .detached("bubblewrap", "claude", "known", Some("hello"))
        .expect(0);
    let window = scene.drive();
    window.press("Skip all");
    scene.choose("known  ·  ");
    window.see("clauderon/known");
    scene.choose("Pause all network");
    scene.desktop.until("the network is paused", || {
        (window.api("GET", "/api/network", None).1 == json!({"paused": true})).then_some(())
    });
}

#[test]
fn w12_the_trays_menu_begins_a_session() {
    let Some(scene) = Scene::new() else { return };
    // A repository that was worked on before is offered again.
    scene
        .world
        .detached("bubblewrap", "claude", "before", Some("hello"))
        .expect(0);
    let window = scene.drive();
    window.press("Skip all");
    scene.desktop.close_window();
    scene.choose("repository");
    scene.desktop.active("Clauderon");
    window.see("Quick start");
    let prompt = window.field("Prompt");
    scene.desktop.until("the caret is in the prompt", || {
        (window.focused() == Some(prompt.clone())).then_some(())
    });
    assert_eq!(
        window.value(&window.field("Repository")),
        scene.world.repository.to_string_lossy()
    );
    let asked = script_prompt(&[json!({"text": "begun from the tray"})]);
    window.type_into(&prompt, &asked);
    window.press("All choices");
    window.press_at("//label[normalize-space()='Bubblewrap']");
    window.press("Create session");
    window.see("begun from the tray");
    let sessions = scene.world.json(&["list"]);
    assert_eq!(sessions.as_array().map(Vec::len), Some(2), "{sessions}");
}

#[test]
fn w13_a_click_on_a_notification_opens_its_session() {
    let Some(scene) = Scene::new() else { return };
    let _service = scene.desktop.notifications();
    for name in ["quiet", "calling", "third"] {
        scene
            .world
            .detached("bubblewrap", "claude", name, None)
            .expect(0);
    }
    let window = scene.drive();
    window.press("Skip all");
    let (quiet, calling) = (scene.id_of("quiet"), scene.id_of("calling"));
    window.go(&format!("#/session/{calling}/terminal"));
    window.see("bypass permissions on");
    // The person looks at another session while this one works for a while and finishes.
    window.go(&format!("#/session/{quiet}/terminal"));
    let work = script_prompt(&[
        json!({"tool": "Bash", "input": {"command": "sleep 3", "description": "work"}}),
        json!({"text": "worked"}),
    ]);
    scene.world.run(&["say", "calling", &work]).expect(0);
    let notice = scene.desktop.until("a notification is shown", || {
        scene.desktop.middle(&["--class", "Dunst"])
    });
    scene.desktop.point_at(notice);
    scene.desktop.run("xdotool", &["click", "1"]);
    scene.desktop.until("the session that called is open", || {
        let place = window.run("return location.hash", &[]);
        place.as_str()?.contains(&calling).then_some(())
    });
    window.see("clauderon/calling");
}

#[test]
fn w14_whoever_quits_can_leave_sessions_to_a_daemon_without_a_window() {
    let Some(scene) = Scene::new() else { return };
    let mut window = scene.open();
    scene.daemon_answers();
    assert_eq!(scene.world.daemon_pid(), window.pid());
    scene
        .world
        .detached("bubblewrap", "claude", "left", None)
        .expect(0);
    Terminal::open(scene.world.command(&["attach", "left"]), 100, 30)
        .wait_for("bypass permissions on");
    scene.choose("Quit");
    scene.desktop.active("Quit Clauderon?");
    scene.desktop.key("Escape");
    scene.desktop.active("Clauderon");
    assert!(window.runs(), "whoever cancels stays");
    scene.choose("Quit");
    scene.desktop.active("Quit Clauderon?");
    // What ends nothing is what Enter does.
    scene.desktop.key("Return");
    scene
        .desktop
        .until("the app has ended", || (!window.runs()).then_some(()));
    let session = scene.world.json(&["list"])[0].clone();
    assert_eq!(session["state"], "running", "{session}");
    let status = scene.world.json(&["daemon", "status"]);
    assert_ne!(status["pid"], window.pid(), "{status}");
    // Its next request goes through the daemon that took over.
    let asked = script_prompt(&[json!({"text": "still here"})]);
    scene.world.run(&["say", "left", &asked]).expect(0);
    let request = scene.world.wait(scene.world.upstream.wait_for(
        |request| String::from_utf8_lossy(&request.body).contains("still here"),
        Duration::from_secs(60),
    ));
    request.expect("the agent's request reached the model");
}

#[test]
fn w15_what_only_the_login_shell_knows_is_found() {
    let Some(mut scene) = Scene::new() else {
        return;
    };
    let shell = scene.world.root.path().join("shell");
    let profile = "#!/bin/sh\nexport GITHUB_TOKEN=ghp_from_the_profile DOCKER_HOST=unix:///no/such.sock\nexec /bin/bash \"$@\"\n";
    std::fs::write(&shell, profile).expect("write a shell");
    std::fs::set_permissions(&shell, std::fs::Permissions::from_mode(0o755))
        .expect("make it a program");
    std::fs::remove_file(scene.world.home.join("secrets/github_token")).expect("remove a secret");
    let shell = shell.display().to_string();
    scene.world.variables.push(("SHELL", shell));
    let window = scene.open();
    scene.daemon_answers();
    assert_eq!(scene.world.daemon_pid(), window.pid());
    let accounts = scene.world.json(&["accounts"]).to_string();
    assert!(
        accounts.contains("shell environment variable GITHUB_TOKEN"),
        "{accounts}"
    );
    assert!(!accounts.contains("ghp_from_the_profile"), "{accounts}");
    let doctor = scene.world.run(&["doctor"]).stdout;
    assert!(doctor.contains("/no/such.sock"), "{doctor}");
}
