//! Print mode: the real agents answer one prompt, with their own output and exit code, and no credential near them.

use clauderon_tests::world::create;
use clauderon_tests::{World, on_each_backend, script_prompt};
use serde_json::json;

on_each_backend!(
    claude_runs_a_tool_writes_a_file_and_answers,
    codex_runs_a_tool_writes_a_file_and_answers,
    the_real_token_is_nowhere_near_the_agent,
    an_api_error_is_the_agents_own_exit_code,
    a_prompt_arrives_byte_for_byte,
    a_prompt_of_200_kb_travels_by_standard_input,
    a_session_begins_with_what_claude_would_keep_of_its_organisation,
);

fn claude_runs_a_tool_writes_a_file_and_answers(backend: &str) {
    runs_a_tool_writes_a_file_and_answers(backend, "claude", "/v1/messages");
}

fn codex_runs_a_tool_writes_a_file_and_answers(backend: &str) {
    runs_a_tool_writes_a_file_and_answers(backend, "codex", "/v1/responses");
}

fn runs_a_tool_writes_a_file_and_answers(backend: &str, agent: &str, model_path: &str) {
    let world = World::new();
    let prompt = script_prompt(&[
        json!({"tool": "Bash", "input": {"command": "echo hi > /workspace/made.txt", "description": "write"}}),
        json!({"text": "the file is written"}),
    ]);
    let finished = world.print(backend, agent, "a", &prompt).expect(0);
    assert_eq!(finished.stdout.trim(), "the file is written");

    let diff = world.run(&["diff", "a"]).expect(0).stdout;
    assert!(diff.contains("made.txt") && diff.contains("+hi"), "{diff}");

    let canary = if agent == "claude" {
        &world.anthropic
    } else {
        &world.openai
    };
    let requests = world.upstream.requests();
    let turns: Vec<_> = requests
        .iter()
        .filter(|one| one.path == model_path)
        .collect();
    assert!(turns.len() >= 2, "{} turns", turns.len());
    for turn in turns {
        assert_eq!(
            turn.header("authorization"),
            Some(format!("Bearer {}", canary.token).as_str()),
            "the upstream sees the real token"
        );
    }
}

fn the_real_token_is_nowhere_near_the_agent(backend: &str) {
    let world = World::new();
    let look = "cat /proc/*/environ /proc/*/cmdline; env; cat /proc/keys; keyctl show; git -C /workspace config --list; \
                cat /proc/1/environ; find / -xdev -type f -size -200k \\( -path '/clauderon/*' -o -path '/etc/*' -o -path '/tmp/*' -o -path '/run/*' -o -path '/workspace/*' -o -path '/root/*' \\) \
                ! -path '/clauderon/agent/*' -exec cat {} + 2>/dev/null | base64 -w0";
    let seen = world.inside(backend, "a", look);
    let files = seen.lines().last().unwrap_or_default();
    let files = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, files)
        .expect("the last line is what the files hold");
    assert!(files.len() > 1000, "the sandbox's files were read");
    for canary in [&world.anthropic, &world.openai, &world.github] {
        canary.assert_absent("what the agent can see", seen.as_bytes());
        canary.assert_absent("the files that the agent can read", &files);
        // Logs, transcripts, database, audit, session folders: all but the secrets themselves.
        canary.assert_absent_below(&world.home, &["secrets", "agents"]);
        if backend == "docker" {
            let inspected = std::process::Command::new("sh")
                .args(["-c", "docker inspect $(docker ps -aq)"])
                .output()
                .expect("docker answers");
            canary.assert_absent("docker inspect", &inspected.stdout);
        }
    }
    assert!(
        seen.contains("clauderon-proxy-placeholder"),
        "the agent holds a placeholder"
    );
}

fn an_api_error_is_the_agents_own_exit_code(backend: &str) {
    let world = World::new();
    let prompt = script_prompt(&[json!({"error": {"status": 400, "message": "scripted refusal"}})]);
    let finished = world.print(backend, "claude", "a", &prompt).expect(1);
    assert!(
        finished.stdout.contains("scripted refusal")
            || finished.stderr.contains("scripted refusal"),
        "{finished:?}"
    );
    assert_eq!(world.json(&["list"])[0]["state"], "exited");
}

fn a_prompt_arrives_byte_for_byte(backend: &str) {
    let world = World::new();
    for (name, prompt) in [
        ("dash", "-not --a flag"),
        (
            "quotes",
            "it's \"quoted\" $(touch /workspace/ran) `id` \\ ; & | > <",
        ),
        ("lines", "first line\n\nthird\tline 🦀 žluťoučký"),
    ] {
        world.print(backend, "claude", name, prompt).expect(0);
        let wanted = serde_json::to_string(prompt).expect("a text is JSON");
        let arrived = world
            .upstream
            .requests()
            .iter()
            .any(|one| String::from_utf8_lossy(&one.body).contains(wanted.trim_matches('"')));
        assert!(arrived, "{prompt:?} did not arrive as it was");
    }
}

fn a_prompt_of_200_kb_travels_by_standard_input(backend: &str) {
    let world = World::new();
    let mut prompt = "long ".repeat(40_000);
    prompt.push_str("THE END");
    let finished = world
        .command(&create(backend, "a", &["--print", "-"]))
        .stdin(file_with(&world, &prompt))
        .output()
        .expect("clauderon starts");
    let finished = clauderon_tests::Finished::from(finished).expect(0);
    assert!(!finished.stdout.is_empty());
    let arrived = world
        .upstream
        .requests()
        .iter()
        .any(|one| String::from_utf8_lossy(&one.body).contains("long long THE END"));
    assert!(arrived, "the whole prompt arrived");
}

/// Without these files Claude asks for them before its first request: it must not wait, nor be told another thing than it
/// would have been.
fn a_session_begins_with_what_claude_would_keep_of_its_organisation(backend: &str) {
    let world = World::new();
    // Claude takes the placeholder out of what its tools see.
    let look = "export $(cat /proc/*/environ | tr '\\0' '\\n' | grep -m1 ^CLAUDE_CODE_OAUTH_TOKEN=); \
                mkdir /tmp/new && HOME=/tmp/new claude -p hello < /dev/null; \
                for file in policy-limits remote-settings; do for home in /tmp/new /clauderon/home; do \
                tr -d ' \\n' < $home/.claude/$file.json; echo; done; done";
    let seen = world.inside(backend, "a", look);
    let files: Vec<&str> = seen.lines().filter(|line| line.starts_with('{')).collect();
    let [limits, given_limits, settings, given_settings] = files[..] else {
        panic!("four files: {seen}");
    };
    assert_eq!(given_limits, limits);
    assert_eq!(given_settings, settings);
}

fn file_with(world: &World, text: &str) -> std::fs::File {
    let path = world.root.path().join("prompt.txt");
    std::fs::write(&path, text).expect("write the prompt");
    std::fs::File::open(path).expect("read it back")
}
