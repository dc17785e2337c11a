//! Bad input: one clear sentence that names the thing and the way out, the right exit code, and nothing half-made.

use clauderon_tests::{World, lacks, programs};

/// Runs `create` on bubblewrap with more arguments and expects this exit code and these words on standard error.
#[track_caller]
fn refused(world: &World, args: &[&str], code: i32, words: &[&str]) {
    let base = ["create", "--backend", "bubblewrap", "--detach"];
    let finished = world.run(&[&base[..], args].concat()).expect(code);
    for word in words {
        assert!(
            finished.stderr.contains(word),
            "{word:?} is missing:\n{}",
            finished.stderr
        );
    }
    assert!(
        finished.stderr.lines().count() <= 4,
        "one sentence, not a page:\n{}",
        finished.stderr
    );
    assert!(!finished.stderr.contains("panicked"), "{}", finished.stderr);
}

#[track_caller]
fn nothing_is_left(world: &World) {
    assert_eq!(world.json(&["list"]).as_array().map(Vec::len), Some(0));
    let folders = std::fs::read_dir(world.home.join("sessions")).map_or(0, Iterator::count);
    assert_eq!(folders, 0, "no session folder is left");
    let refs = clauderon_tests::world::git(&world.repository, &["for-each-ref", "refs/clauderon"]);
    assert_eq!(refs, "", "no ref is left in the person's repository");
}

#[test]
fn a_folder_without_a_repository_is_named() {
    if lacks("bubblewrap").is_some() {
        return;
    }
    let world = World::new();
    let plain = world.root.path().join("plain");
    std::fs::create_dir(&plain).unwrap();
    let plain = plain.to_str().unwrap();
    refused(&world, &["--repository", plain], 2, &[plain, "git"]);
    refused(
        &world,
        &["--repository", "/nowhere/at/all"],
        2,
        &["/nowhere/at/all"],
    );
    nothing_is_left(&world);
}

#[test]
fn a_repository_without_commits_is_named() {
    if lacks("bubblewrap").is_some() {
        return;
    }
    let world = World::new();
    let empty = world.root.path().join("empty");
    std::fs::create_dir(&empty).unwrap();
    clauderon_tests::world::git(&empty, &["init", "--quiet"]);
    refused(
        &world,
        &["--repository", empty.to_str().unwrap()],
        2,
        &["commit"],
    );
    nothing_is_left(&world);
}

#[test]
fn a_missing_image_is_named_with_the_way_to_get_it() {
    if lacks("docker").is_some() {
        return;
    }
    let world = World::new();
    let args = [
        "create",
        "--backend",
        "docker",
        "--detach",
        "--image",
        "no-such-image:1",
    ];
    let finished = world.run(&args).expect(1);
    assert!(
        finished.stderr.contains("no-such-image:1"),
        "{}",
        finished.stderr
    );
    assert!(
        finished.stderr.contains("docker pull"),
        "{}",
        finished.stderr
    );
    nothing_is_left(&world);
}

#[test]
fn an_engine_that_is_down_is_said_with_the_fix() {
    if lacks("bubblewrap").is_some() {
        return;
    }
    let world = World::new();
    let finished = world
        .command(&["create", "--backend", "docker", "--detach"])
        .env("DOCKER_HOST", "unix:///nowhere/docker.sock")
        .output()
        .unwrap();
    let finished = clauderon_tests::Finished::from(finished).expect(5);
    assert!(
        finished.stderr.contains("bubblewrap"),
        "{}",
        finished.stderr
    );
    nothing_is_left(&world);
}

#[test]
fn a_missing_credential_is_said_with_the_fix() {
    if lacks("bubblewrap").is_some() {
        return;
    }
    let world = World::new();
    std::fs::remove_file(world.home.join("secrets/anthropic_oauth_token")).unwrap();
    refused(
        &world,
        &[],
        7,
        &["CLAUDE_CODE_OAUTH_TOKEN", "accounts sign-in"],
    );
    nothing_is_left(&world);
}

#[test]
fn a_secret_that_others_can_read_is_refused_with_the_fix() {
    use std::os::unix::fs::PermissionsExt as _;
    if lacks("bubblewrap").is_some() {
        return;
    }
    let world = World::new();
    let secret = world.home.join("secrets/anthropic_oauth_token");
    std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(0o644)).unwrap();
    refused(&world, &[], 7, &["chmod 600"]);
    nothing_is_left(&world);
}

#[test]
fn a_taken_name_is_a_conflict() {
    if lacks("bubblewrap").is_some() {
        return;
    }
    let world = World::new();
    world
        .detached("bubblewrap", "claude", "same", None)
        .expect(0);
    refused(&world, &["--name", "same"], 4, &["same"]);
    assert_eq!(world.json(&["list"]).as_array().map(Vec::len), Some(1));
}

#[test]
fn a_name_is_converted_and_that_is_said() {
    if lacks("bubblewrap").is_some() {
        return;
    }
    let world = World::new();
    let finished = world
        .detached("bubblewrap", "claude", "Fix The Bug!", None)
        .expect(0);
    assert!(
        finished.stderr.contains("fix-the-bug"),
        "{}",
        finished.stderr
    );
}

#[test]
fn an_interactive_prompt_of_200_kb_is_refused_with_the_reason() {
    if lacks("bubblewrap").is_some() {
        return;
    }
    let world = World::new();
    let path = world.root.path().join("long");
    std::fs::write(&path, "x".repeat(200_000)).unwrap();
    let finished = world
        .command(&["create", "--backend", "bubblewrap", "--detach", "-"])
        .stdin(std::fs::File::open(path).unwrap())
        .output()
        .unwrap();
    let finished = clauderon_tests::Finished::from(finished).expect(2);
    assert!(finished.stderr.contains("--print"), "{}", finished.stderr);
    nothing_is_left(&world);
}

#[test]
fn an_unknown_setting_is_named_with_the_nearest_known_one() {
    if lacks("bubblewrap").is_some() {
        return;
    }
    let world = World::new();
    std::fs::write(
        world.home.join("config.toml"),
        "[defaults]\nagnet = \"codex\"\n",
    )
    .unwrap();
    let finished = world.run(&["list"]);
    assert_ne!(finished.code, 0);
    assert!(
        finished.stderr.contains("agnet") && finished.stderr.contains("defaults.agent"),
        "{}",
        finished.stderr
    );
    std::fs::remove_file(world.home.join("config.toml")).unwrap();
}

#[test]
fn a_home_that_cannot_be_written_is_named() {
    if lacks("bubblewrap").is_some() {
        return;
    }
    let world = World::new();
    // A file in the way serves root as well, whom permissions do not stop.
    let home = world.root.path().join("file");
    std::fs::write(&home, "").unwrap();
    let finished = world
        .command(&["list"])
        .env("CLAUDERON_HOME", &home)
        .output()
        .unwrap();
    let finished = clauderon_tests::Finished::from(finished).expect(1);
    assert!(
        finished.stderr.contains(home.to_str().unwrap()),
        "{}",
        finished.stderr
    );
}

#[test]
fn an_unknown_session_is_not_found() {
    if lacks("bubblewrap").is_some() {
        return;
    }
    let world = World::new();
    for verb in ["attach", "start", "stop", "diff", "pull", "logs"] {
        let finished = world.run(&[verb, "nobody"]).expect(3);
        assert!(
            finished.stderr.contains("nobody"),
            "{verb}: {}",
            finished.stderr
        );
    }
}

#[test]
fn usage_errors_exit_with_two() {
    let world = World::new();
    for args in [
        &["create", "--agent", "gpt"][..],
        &["frobnicate"],
        &["attach"],
    ] {
        world.run(args).expect(2);
    }
    let _ = programs::IMAGE;
}
