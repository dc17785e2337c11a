//! What comes home from a session, and what a poisoned one cannot do on the host.

use clauderon_tests::{Terminal, World, on_each_backend, script_prompt, world::git};
use serde_json::json;

on_each_backend!(
    pull_brings_commits_and_uncommitted_work,
    g1_a_poisoned_repository_executes_nothing_on_the_host,
    a_granted_host_opens_at_the_next_request,
    ten_sessions_work_at_once_and_one_killed_leaves_nine,
);

fn pull_brings_commits_and_uncommitted_work(backend: &str) {
    let world = World::new();
    world.inside(
        backend,
        "a",
        "cd /workspace && echo one > one.txt && git add one.txt && git commit -qm 'Add one' && echo two > two.txt",
    );
    let pulled = world.run(&["pull", "a"]).expect(0).stdout;
    assert!(pulled.contains("merge refs/clauderon/a/head"), "{pulled}");
    let log = git(
        &world.repository,
        &["log", "--format=%s %an", "refs/clauderon/a/head"],
    );
    assert_eq!(log.lines().next(), Some("Add one Ada"));
    let wip = git(
        &world.repository,
        &["show", "--stat", "refs/clauderon/a/wip"],
    );
    assert!(wip.contains("two.txt"), "{wip}");
    assert_eq!(
        git(&world.repository, &["status", "--porcelain"]),
        "",
        "the person's files are untouched"
    );
    world.run(&["delete", "a", "--yes"]).expect(0);
    assert_eq!(world.json(&["list"]).as_array().map(Vec::len), Some(0));
}

fn g1_a_poisoned_repository_executes_nothing_on_the_host(backend: &str) {
    let world = World::new();
    let marker = world.root.path().join("executed-on-the-host");
    let run = format!("touch {}", marker.display());
    world.inside(
        backend,
        "a",
        &format!(
            "cd /workspace && git config core.fsmonitor '{run}; true' && git config diff.external '{run}' && git config core.pager '{run}' \
             && git config core.sshCommand '{run}' && git config filter.x.clean '{run}; cat' && git config filter.x.smudge '{run}; cat' \
             && git config filter.x.required true && git config diff.x.textconv '{run}; cat' && git config gpg.program '{run}' \
             && git config uploadpack.packObjectsHook '{run}' && git config core.hooksPath /workspace/hooks \
             && mkdir -p hooks .git/hooks && for h in post-checkout pre-commit post-index-change reference-transaction post-merge; do printf '#!/bin/sh\\n{run}\\n' > hooks/$h; chmod +x hooks/$h; cp hooks/$h .git/hooks/; done \
             && printf '* filter=x diff=x\\n' > .gitattributes && echo changed >> README.md"
        ),
    );
    world.run(&["list"]).expect(0);
    world.run(&["diff", "a"]);
    world.run(&["pull", "a"]);
    world.run(&["delete", "a", "--yes"]).expect(0);
    assert!(!marker.exists(), "host code ran");
}

fn a_granted_host_opens_at_the_next_request(backend: &str) {
    let world = World::new();
    let refused = world.inside(backend, "a", "curl -sS https://echo.example/echo");
    assert!(refused.contains("\"code\""), "{refused}");
    world
        .run(&["policy", "allow", "a", "echo.example", "--always"])
        .expect(0);
    let seen = world.inside(backend, "b", "curl -sS https://echo.example/echo");
    assert!(
        seen.contains("echo.example") && !seen.contains("\"hint\""),
        "{seen}"
    );
}

fn ten_sessions_work_at_once_and_one_killed_leaves_nine(backend: &str) {
    let world = World::new();
    for number in 0..10 {
        world
            .detached(backend, "codex", &format!("s{number}"), None)
            .expect(0);
    }
    let running = |state: &str| {
        let sessions = world.json(&["list"]);
        sessions.as_array().map_or(0, |all| {
            all.iter().filter(|one| one["state"] == state).count()
        })
    };
    assert_eq!(running("running"), 10);
    let id = world.id_of("s3");
    let pid = std::fs::read_to_string(world.session_folder(&id).join("private/holder.pid"))
        .expect("the holder's pid");
    // SAFETY: the holder of a session that this test made.
    unsafe { libc::kill(pid.trim().parse().expect("a number"), libc::SIGKILL) };
    // Nine people attach at once, and each of the nine agents still answers.
    let mut others: Vec<(usize, Terminal)> = (0..10)
        .filter(|number| *number != 3)
        .map(|number| {
            let name = format!("s{number}");
            let terminal = Terminal::open(world.command(&["attach", &name]), 100, 30);
            (number, terminal)
        })
        .collect();
    for (number, terminal) in &mut others {
        // What is typed while an agent still loads is lost to it; it draws its line for the text before it has loaded.
        terminal.wait_for("permissions: YOLO mode");
        let prompt = script_prompt(&[json!({"text": format!("fine-{number}")})]);
        terminal.type_in(format!("\x1b[200~{prompt}\x1b[201~").as_bytes());
        terminal.wait_for("fine-");
        terminal.forget();
        terminal.type_in(b"\r");
    }
    for (number, terminal) in &mut others {
        terminal.wait_for(&format!("• fine-{number}"));
    }
    assert!(running("running") >= 9);
}
