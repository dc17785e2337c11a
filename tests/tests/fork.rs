//! A fork: another session with a copy of a session's files and conversation, each on its own from then on.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use clauderon_tests::world::git;
use clauderon_tests::{PATIENCE, World, on_each_backend, script_prompt, wait_until};
use serde_json::{Value, json};

on_each_backend!(
    a_fork_of_claude_goes_on_with_files_and_conversation,
    a_fork_of_codex_goes_on_with_files_and_conversation,
    a_running_claude_is_forked_in_the_middle_of_a_tool,
    a_running_codex_is_forked_in_the_middle_of_a_tool,
    an_answer_that_was_printed_is_gone_on_with,
    g3_a_poisoned_workspace_is_forked_without_the_host,
);

/// What the first session is asked, apart from its script.
const REMEMBERED: &str = "the word to remember is heliotrope";

fn a_fork_of_claude_goes_on_with_files_and_conversation(backend: &str) {
    goes_on(backend, "claude");
}

fn a_fork_of_codex_goes_on_with_files_and_conversation(backend: &str) {
    goes_on(backend, "codex");
}

fn goes_on(backend: &str, agent: &str) {
    let world = World::new();
    let prompt = script_prompt(&[
        json!({"text": REMEMBERED, "tool": "Bash", "input": {"command": "cd /workspace; echo one > one.txt; git add one.txt; git commit -qm one; echo two > two.txt", "description": "work"}}),
        json!({"text": "It is done."}),
    ]);
    world.detached(backend, agent, "a", Some(&prompt)).expect(0);
    idle(&world, "a");
    let used = used(&world, "a");

    let forked = world.json(&["fork", "a", "--name", "b"]);
    assert_eq!(forked["session"]["name"], "b", "{forked}");
    assert_eq!(forked["session"]["branch"], "clauderon/b");
    assert_eq!(forked["session"]["base"], world.listed("a")["base"]);
    assert_eq!(forked["notices"], json!([]));

    // What was said before is there, and nothing of it was used by the fork.
    idle(&world, "b");
    let before = items(&world, "a");
    assert_eq!(said(&items(&world, "b")), said(&before));
    assert_eq!(used_of(&world, "b"), 0);
    world.run(&["stop", "b"]).expect(0);
    world.run(&["start", "b"]).expect(0);
    idle(&world, "b");

    // The next prompt is answered by a model that is told of all before it, once.
    world.run(&["send", "b", "say what now"]).expect(0);
    wait_until("the answer", || {
        items(&world, "b").len() == before.len() + 2
    });
    idle(&world, "b");
    let seen = items(&world, "b");
    assert_eq!(said(&seen[..before.len()]), said(&before));
    assert_eq!(seen[before.len()]["text"], "say what now");
    let request = world
        .wait(
            world
                .upstream
                .wait_for(|seen| is_asked(&seen.body, "say what now"), PATIENCE),
        )
        .unwrap();
    let body = String::from_utf8_lossy(&request.body).into_owned();
    assert_eq!(
        body.matches(REMEMBERED).count(),
        2,
        "asked and answered: {body}"
    );
    assert_eq!(said(&items(&world, "a")), said(&before));
    assert_eq!(used, self::used(&world, "a"));
    assert!(used_of(&world, "b") > 0);

    // Files, commits and changes are the same, and each session's own.
    assert_eq!(files(&world, "b"), ["one.txt", "two.txt"]);
    let (a, b) = (workspace(&world, "a"), workspace(&world, "b"));
    std::fs::write(b.join("three.txt"), "in the fork").unwrap();
    std::fs::write(a.join("four.txt"), "in the first").unwrap();
    assert_eq!(files(&world, "a"), ["four.txt", "one.txt", "two.txt"]);
    assert_eq!(files(&world, "b"), ["one.txt", "three.txt", "two.txt"]);
    let branch = std::fs::read_to_string(b.join(".git/HEAD")).unwrap();
    assert_eq!(branch, "ref: refs/heads/clauderon/b\n");
    world.run(&["pull", "b"]).expect(0);
    let log = git(
        &world.repository,
        &["log", "--format=%s", "refs/clauderon/b/head"],
    );
    assert_eq!(log, "one\nFirst\n");

    // It is a session like any other: it stops, starts and remembers, also without the first.
    world.run(&["delete", "a", "--yes", "--now"]).expect(0);
    world.run(&["stop", "b"]).expect(0);
    world.run(&["start", "b"]).expect(0);
    world.run(&["send", "b", "say and then"]).expect(0);
    wait_until("the second answer", || {
        items(&world, "b").len() == seen.len() + 2
    });
    assert_eq!(said(&items(&world, "b")[..seen.len()]), said(&seen));
    assert_eq!(files(&world, "b"), ["one.txt", "three.txt", "two.txt"]);
}

fn a_running_claude_is_forked_in_the_middle_of_a_tool(backend: &str) {
    forked_at_work(backend, "claude");
}

fn a_running_codex_is_forked_in_the_middle_of_a_tool(backend: &str) {
    forked_at_work(backend, "codex");
}

/// The first session goes on with its tool; the fork has its files of this moment and its own next prompt, and what waits in
/// the first one's queue waits there alone.
fn forked_at_work(backend: &str, agent: &str) {
    let world = World::new();
    world
        .detached(backend, agent, "a", Some("say hi"))
        .expect(0);
    idle(&world, "a");
    let busy = script_prompt(&[
        json!({"text": REMEMBERED, "tool": "Bash", "input": {"command": "cd /workspace; echo begun > begun.txt; while ! test -e go; do sleep 0.1; done", "description": "wait"}}),
        json!({"text": "It went."}),
    ]);
    world.run(&["send", "a", &busy]).expect(0);
    let begun = workspace(&world, "a").join("begun.txt");
    wait_until("the tool runs", || begun.exists());
    world
        .run(&["send", "a", "say later", "--no-wait"])
        .expect(0);

    world
        .run(&["fork", "a", "--prompt", "say something else"])
        .expect(0);
    wait_until("the fork answers", || {
        let seen = items(&world, "a-fork");
        let asked = seen
            .iter()
            .position(|one| one["text"] == "say something else");
        asked.is_some_and(|at| seen[at + 1..].iter().any(|one| one["kind"] == "text"))
    });
    idle(&world, "a-fork");
    assert_eq!(world.json(&["messages", "a-fork"]), json!([]));
    assert_eq!(files(&world, "a-fork"), ["begun.txt"]);
    let first = items(&world, "a-fork")[0].clone();
    assert_eq!(first["text"], "say hi");

    std::fs::write(workspace(&world, "a").join("go"), "").unwrap();
    wait_until("the first goes on", || {
        items(&world, "a")
            .iter()
            .any(|one| one["text"] == "It went.")
    });
    assert_eq!(files(&world, "a-fork"), ["begun.txt"]);
    // A third one gets a number, and a name that is taken is refused.
    assert_eq!(world.json(&["fork", "a"])["session"]["name"], "a-fork-2");
    world.run(&["fork", "a", "--name", "a-fork"]).expect(4);
    world.run(&["fork", "nobody"]).expect(3);
    world.run(&["fork", "a", "--name", "!"]).expect(2);
    assert_eq!(world.json(&["list"]).as_array().map(Vec::len), Some(3));
}

fn an_answer_that_was_printed_is_gone_on_with(backend: &str) {
    let world = World::new();
    for agent in ["claude", "codex"] {
        world.print(backend, agent, agent, "say hi").expect(0);
        let forked = world.json(&["fork", agent, "--prompt", "say more"]);
        assert_eq!(forked["session"]["mode"], "interactive");
        let fork = format!("{agent}-fork");
        wait_until("it answers", || items(&world, &fork).len() == 4);
        let seen = items(&world, &fork);
        let asked = (&seen[0]["text"], &seen[2]["text"]);
        assert_eq!(asked, (&json!("say hi"), &json!("say more")));
        idle(&world, &fork);
    }
}

/// Everything that a careless host would run or read when it copies: hooks, filters, monitors, links, a nested repository.
fn g3_a_poisoned_workspace_is_forked_without_the_host(backend: &str) {
    let world = World::new();
    let marker = world.root.path().join("executed-on-the-host");
    let secret = world.root.path().join("of-the-host");
    std::fs::write(&secret, "only on the host\n").unwrap();
    let (run, secret) = (format!("touch {}", marker.display()), secret.display());
    let root = world.root.path().display();
    let out = world.inside(
        backend,
        "a",
        &format!(
            "cd /workspace && git config core.fsmonitor '{run}; true' && git config core.sshCommand '{run}' && git config core.editor '{run}' \
             && git config filter.x.clean '{run}; cat' && git config filter.x.smudge '{run}; cat' && git config filter.x.process '{run}' && git config filter.x.required true \
             && git config core.hooksPath /workspace/hooks && git config alias.branch '!{run}' && git config core.pager '{run}' \
             && mkdir -p hooks .git/hooks && for h in post-checkout pre-commit post-index-change reference-transaction post-merge; do printf '#!/bin/sh\\n{run}\\n' > hooks/$h; chmod +x hooks/$h; cp hooks/$h .git/hooks/; done \
             && printf '* filter=x diff=x\\n' > .gitattributes && echo changed >> README.md \
             && ln -s {secret} link && ln -s {secret} .git/link && ln -s {root} up && mkfifo pipe && ln -s ../../../../../../../../{secret} far \
             && mkdir nested && cd nested && git init -q && git config core.fsmonitor '{run}; true' && cp ../hooks/* .git/hooks/ && echo deep > deep.txt && cd .. \
             && for c in $HOME/.claude/projects/*/*.jsonl; do mkdir -p ${{c%.jsonl}} && ln -s {secret} ${{c%.jsonl}}/y.jsonl || exit; done \
             && mkdir -p $HOME/.claude/projects/x && ln -s {secret} $HOME/.claude/projects/x/y.jsonl && mkdir \"$(printf 'odd\\nname')\""
        ),
    );
    assert_eq!(out, "");
    let forked = world.json(&["fork", "a"]);
    world.run(&["diff", "a-fork"]);
    let folder = world.session_folder(forked["session"]["id"].as_str().unwrap());
    let copy = folder.join("workspace");
    for link in ["link", ".git/link", "up", "far"] {
        let kind = copy.join(link).symlink_metadata().unwrap().file_type();
        assert!(kind.is_symlink(), "{link}");
    }
    let deep = std::fs::read_to_string(copy.join("nested/deep.txt"));
    assert_eq!(deep.unwrap(), "deep\n");
    assert!(copy.join("nested/.git/hooks/pre-commit").exists());
    assert!(!marker.exists(), "host code ran");
    assert!(
        !holds(&folder, b"only on the host"),
        "a file of the host was copied"
    );
    // It is live: a git that touches the copy on the host runs it.
    let careless = std::process::Command::new("git")
        .args(["-c", "safe.directory=*", "-C"])
        .args([copy.as_os_str(), "status".as_ref()])
        .output()
        .unwrap();
    assert!(
        marker.exists(),
        "the poison is not live, so the test proves nothing: {careless:?}"
    );
}

/// Says whether any plain file below a folder holds these bytes.
fn holds(folder: &Path, bytes: &[u8]) -> bool {
    std::fs::read_dir(folder).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        let kind = path.symlink_metadata().unwrap().file_type();
        match (kind.is_dir(), kind.is_file()) {
            (true, _) => holds(&path, bytes),
            (_, true) => {
                let content = std::fs::read(&path).unwrap();
                content.windows(bytes.len()).any(|part| part == bytes)
            }
            _ => false,
        }
    })
}

fn idle(world: &World, name: &str) {
    world
        .run(&["wait", name, "--for", "idle", "--timeout", "60"])
        .expect(0);
}

fn items(world: &World, name: &str) -> Vec<Value> {
    let printed = world.run(&["chat", name, "--json"]).expect(0).stdout;
    let item = |line: &str| serde_json::from_str(line).expect("one item a line");
    printed.lines().map(item).collect()
}

/// What the items say, without when and by whom it was seen.
fn said(items: &[Value]) -> Vec<Value> {
    let kept = |item: &Value| {
        json!([
            item["kind"],
            item["text"],
            item["detail"],
            item["outcome"]["text"]
        ])
    };
    items.iter().map(kept).collect()
}

fn used(world: &World, name: &str) -> Value {
    world.json(&["chat", name, "--standing"])["used"].clone()
}

fn used_of(world: &World, name: &str) -> u64 {
    used(world, name)["requests"].as_u64().unwrap()
}

fn files(world: &World, name: &str) -> Vec<String> {
    let diff = world.json(&["diff", name]);
    let path = |file: &Value| file["path"].as_str().unwrap().to_owned();
    diff["files"].as_array().unwrap().iter().map(path).collect()
}

fn workspace(world: &World, name: &str) -> std::path::PathBuf {
    world.session_folder(&world.id_of(name)).join("workspace")
}

/// Says whether a request's last prompt is this one.
fn is_asked(body: &[u8], prompt: &str) -> bool {
    String::from_utf8_lossy(body).contains(prompt)
}
