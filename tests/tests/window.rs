//! The real window on a real desktop: what it is, and what it survives. The identifiers are those of `docs/scenarios.md`.

use clauderon_tests::{Scene, sockets};

#[test]
fn w01_the_first_window_sets_the_machine_up() {
    let Some(scene) = Scene::new() else { return };
    let window = scene.drive();
    window.see("Engine and agents");
    window.press("Next");
    // The step's own words: its name stands above every step.
    window.see("The proxy sets these outside of the sandboxes");
    window.press("Skip all");
    window.see("No sessions");
}

#[test]
fn a_display_that_does_not_answer_is_named() {
    let Some(scene) = Scene::new() else { return };
    let (code, said) = scene.launch_without(":4095");
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("DISPLAY is `:4095`"), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
}

#[test]
fn w02_no_network_port_is_open() {
    let Some(scene) = Scene::new() else { return };
    let window = scene.open();
    // The daemon answers, so all that listens does.
    scene.daemon_answers();
    assert_eq!(
        scene.world.daemon_pid(),
        window.pid(),
        "the window hosts the daemon"
    );
    assert_eq!(sockets::listening(window.pid()), Vec::<String>::new());
}

#[test]
fn w03_a_closed_window_comes_back_from_the_tray_and_by_a_second_launch() {
    let Some(scene) = Scene::new() else { return };
    let mut window = scene.open();
    scene.desktop.until("the tray icon is there", || {
        scene.desktop.tray_items().pop()
    });
    scene.desktop.close_window();
    assert!(window.runs(), "closing the window does not end the app");
    scene.choose("Open Clauderon");
    scene.desktop.until("the tray brings the window back", || {
        scene.desktop.windows().pop()
    });
    scene.desktop.close_window();
    assert_eq!(scene.launch_again(), Some(0));
    scene
        .desktop
        .until("a second launch brings the window back", || {
            scene.desktop.windows().pop()
        });
    assert_eq!(scene.world.daemon_pid(), window.pid());
    scene.choose("Quit");
    scene
        .desktop
        .until("the app has ended", || (!window.runs()).then_some(()));
}

#[test]
fn w05_a_pasted_token_is_found_in_the_keychain_after_a_restart() {
    let Some(scene) = Scene::new() else { return };
    std::fs::remove_file(scene.world.home.join("secrets/github_token"))
        .expect("forget the token's file");
    let token = scene.world.github.token.clone();
    {
        let window = scene.drive();
        window.press("Skip all");
        window.go("#/settings/accounts");
        window.press_at("//*[@data-account='github_token']//button[contains(., 'Paste')]");
        window.type_into(&window.field("Value"), &token);
        window.press("Keep and test");
        window.see("is kept in the keychain");
        window.see("From keychain");
        assert!(!window.text().contains(&token), "the value is never shown");
    }
    // Another program of this person finds it where the system keeps such things.
    let kept = scene
        .desktop
        .ask("secret-tool", &["search", "--all", "service", "clauderon"]);
    assert!(kept.contains(&token), "{kept}");
    let window = scene.drive();
    window.go("#/settings/accounts");
    window.find("//*[@data-account='github_token'][contains(., 'From keychain')]");
    let (_, view) = window.api("GET", "/api/accounts", None);
    assert!(
        !view.to_string().contains(&token),
        "the value comes back nowhere"
    );
}

#[test]
fn w06_the_page_reaches_nothing_but_the_api() {
    let Some(scene) = Scene::new() else { return };
    let window = scene.drive();
    for attempt in [
        "return window.__TAURI_INTERNALS__.invoke('api_request', { method: 'GET', path: '/../etc/passwd' })",
        "return window.__TAURI_INTERNALS__.invoke('socket_open', { path: '/api/sessions', channel: '__CHANNEL__:1' })",
        "return window.__TAURI_INTERNALS__.invoke('shell_dropped', { path: '/etc/passwd' })",
        "return window.__TAURI_INTERNALS__.invoke('shell_open_file', { path: '/etc/passwd' })",
        "return window.__TAURI_INTERNALS__.invoke('shell_open_link', { url: 'file:///etc/passwd' })",
        "return window.__TAURI_INTERNALS__.invoke('plugin:dialog|open', { options: {} })",
        "return window.__TAURI_INTERNALS__.invoke('plugin:fs|read_file', { path: '/etc/passwd' })",
        "return fetch('https://example.com/')",
        "return new Function('return 1')()",
    ] {
        let refused = window.run(
            &format!("return Promise.resolve().then(() => {{ {attempt} }}).then(() => 'done', () => 'refused')"),
            &[],
        );
        assert_eq!(refused, "refused", "{attempt}");
    }
}

#[test]
fn w07_a_crash_of_the_window_ends_no_session() {
    let Some(scene) = Scene::new() else { return };
    let window = scene.open();
    scene.daemon_answers();
    assert_eq!(scene.world.daemon_pid(), window.pid());
    scene
        .world
        .detached("bubblewrap", "claude", "survivor", Some("hello"))
        .expect(0);
    // SIGKILL: nothing of the app's own runs any more.
    drop(window);
    let session = scene.world.json(&["list"])[0].clone();
    assert_eq!(session["state"], "running", "{session}");
    assert_ne!(scene.world.daemon_pid(), 0);
}
