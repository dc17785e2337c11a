//! Work on a session in the real window. The identifiers are those of `docs/scenarios.md`.

use std::path::Path;
use std::time::Duration;

use clauderon_tests::desktop::Resident;
use clauderon_tests::webdriver::Driver;
use clauderon_tests::world::git;
use clauderon_tests::{Scene, script_prompt};
use serde_json::json;

/// How long the model may be waited for.
const PATIENCE: Duration = Duration::from_secs(60);

/// A picture of one red point.
const PICTURE: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x02\0\0\0\x90wS\xde\0\0\0\x0cIDATx\x9cc\xf8\xcf\xc0\0\0\x03\x01\x01\0\xc9\xfe\x92\xef\0\0\0\0IEND\xaeB`\x82";

/// A prompt whose agent makes a file and says so.
fn makes_a_file() -> String {
    script_prompt(&[
        json!({"tool": "Bash", "input": {"command": "echo made-here > /workspace/made.txt", "description": "make a file"}}),
        json!({"text": "the file is made"}),
    ])
}

#[test]
fn w04_a_session_is_watched_and_typed_into() {
    let Some(scene) = Scene::new() else { return };
    scene
        .world
        .detached("bubblewrap", "claude", "watched", Some(&makes_a_file()))
        .expect(0);
    let window = scene.drive();
    let id = scene.id_of("watched");
    window.go(&format!("#/session/{id}/terminal"));
    window.see("the file is made");
    // Keys reach the agent one by one and in their order.
    window.press_at("//*[contains(@class,'xterm-screen')]");
    let keys = window.find("//textarea[contains(@class,'xterm-helper-textarea')]");
    window.type_into(&keys, "the quick brown fox 0123456789");
    window.see("the quick brown fox 0123456789");
    window.go(&format!("#/session/{id}/files"));
    window.see("made.txt");
    window.go(&format!("#/session/{id}/diff"));
    window.see("made-here");
}

#[test]
fn w08_a_session_is_made_brought_home_put_away_deleted_and_brought_back() {
    let Some(scene) = Scene::new() else { return };
    let window = scene.drive();
    window.press("Skip all");
    window.press("New session");
    window.type_into(
        &window.field("Repository"),
        &scene.world.repository.to_string_lossy(),
    );
    window.type_into(&window.field("Prompt"), &makes_a_file());
    window.press_at("//label[normalize-space()='Bubblewrap']");
    window.press("Create session");
    window.see("the file is made");

    window.press("Diff");
    window.see("made-here");
    window.press("Bring into my repository");
    window.press("Bring them in");
    window.see("It is in your repository");
    window.press("Done");
    let refs = git(&scene.world.repository, &["for-each-ref", "refs/clauderon"]);
    assert!(
        refs.contains("/wip"),
        "the uncommitted file came home: {refs}"
    );

    window.press("More for this session");
    window.press("Archive");
    window.see("Archived");
    window.press("Undo");
    window.press("More for this session");
    window.press("Delete");
    window.see("Deleted");
    assert_eq!(window.api("GET", "/api/sessions", None).1, json!([]));
    window.press("Undo");
    scene.desktop.until("the session is back", || {
        let (_, sessions) = window.api("GET", "/api/sessions", None);
        (sessions.as_array()?.len() == 1).then_some(())
    });
    window.press("Files");
    window.see("made.txt");
}

#[test]
fn w10_a_comment_on_a_line_reaches_the_agent() {
    let Some(scene) = Scene::new() else { return };
    scene
        .world
        .detached("bubblewrap", "claude", "reviewed", Some(&makes_a_file()))
        .expect(0);
    let window = scene.drive();
    window.press("Skip all");
    let id = scene.id_of("reviewed");
    window.go(&format!("#/session/{id}/terminal"));
    window.see("the file is made");
    window.press("Diff");
    window.press_at("//article[@aria-label='made.txt']//button[@aria-label='Comment on line 1']");
    let comment = format!(
        "louder, please {}",
        script_prompt(&[json!({"text": "I heard you"})])
    );
    let field = window.find("//textarea[@aria-label='Comment on line 1 of made.txt']");
    window.type_into(&field, &comment);
    window.press_at("//article//button[normalize-space()='Done']");
    window.press("Send to the agent");
    window.see("Sent to the agent.");
    let request = scene.world.wait(scene.world.upstream.wait_for(
        |request| String::from_utf8_lossy(&request.body).contains("louder, please"),
        PATIENCE,
    ));
    let body = request.expect("the comment reached the model").body;
    let body = String::from_utf8_lossy(&body).into_owned();
    assert!(
        body.contains("made.txt:1\\n> made-here\\nlouder, please"),
        "{body}"
    );
    window.press("Terminal");
    window.see("I heard you");
}

#[test]
fn w11_a_file_dropped_on_the_window_is_an_image_of_the_prompt() {
    let Some(scene) = Scene::new() else { return };
    scene
        .world
        .detached("bubblewrap", "claude", "given", None)
        .expect(0);
    let picture = scene.world.root.path().join("My shot (1).png");
    std::fs::write(&picture, PICTURE).expect("write a picture");
    let window = scene.drive();
    window.press("Skip all");
    let id = scene.id_of("given");
    window.go(&format!("#/session/{id}/terminal"));
    window.see("bypass permissions on");

    let _other = drop_on(&scene, &window, &picture, "Drop to give to given");
    window.see("[Image #1]");
    let folder = scene.world.session_folder(&id).join("uploads");
    let kept = std::fs::read(folder.join("My-shot-1-.png")).expect("the file arrived");
    assert_eq!(kept, PICTURE);
}

#[test]
fn w16_a_folder_dropped_on_the_form_of_a_new_session_is_its_repository() {
    let Some(scene) = Scene::new() else { return };
    scene
        .world
        .detached("bubblewrap", "claude", "behind", None)
        .expect(0);
    let folder = scene.world.root.path().join("Their shop");
    std::fs::create_dir(&folder).expect("make a folder");
    let window = scene.drive();
    window.press("Skip all");
    let id = scene.id_of("behind");
    window.go(&format!("#/session/{id}/chat"));
    window.press("New session");

    let says = "Drop pictures, or the folder to work on";
    let _other = drop_on(&scene, &window, &folder, says);
    let repository = window.field("Repository");
    scene.desktop.until("the folder is the repository", || {
        (window.value(&repository) == folder.to_string_lossy()).then_some(())
    });
    assert!(!window.text().contains("Folders are not copied"));
    let uploads = scene.world.session_folder(&id).join("uploads");
    assert_eq!(std::fs::read_dir(uploads).into_iter().flatten().count(), 0);
}

/// Drags this out of another program onto the window until it says so, and lets go. The program has to live until all has arrived.
fn drop_on(scene: &Scene, window: &Driver, path: &Path, says: &str) -> Resident {
    let other = scene.desktop.take_hold_of(path);
    let middle = scene
        .desktop
        .middle(&["--name", "^Clauderon$"])
        .expect("the window is there");
    // A hand does not hold still: each movement says anew where the file is.
    let mut step = 0;
    scene.desktop.until("the window takes it", || {
        step += 1;
        scene.desktop.point_at((middle.0 + step % 7, middle.1));
        window.text().contains(says).then_some(())
    });
    scene.desktop.run("xdotool", &["mouseup", "1"]);
    other
}
