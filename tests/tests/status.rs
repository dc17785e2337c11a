//! What an agent does, as everybody is told it: the list, the conversation, the command line and whoever waits.
#![allow(clippy::print_stderr)]

use std::time::Duration;

use clauderon_api::{Client, ConversationQuery};
use clauderon_tests::{
    Terminal, World, lacks, on_each_backend, script_prompt, wait_for, wait_until,
};
use serde_json::{Value, json};

on_each_backend!(
    claude_that_was_given_nothing_to_do_is_idle,
    codex_that_was_given_nothing_to_do_is_idle,
    everybody_is_told_the_same_of_claude,
    everybody_is_told_the_same_of_codex,
);

fn claude_that_was_given_nothing_to_do_is_idle(backend: &str) {
    given_nothing_to_do_is_idle(backend, "claude");
}

fn codex_that_was_given_nothing_to_do_is_idle(backend: &str) {
    given_nothing_to_do_is_idle(backend, "codex");
}

fn given_nothing_to_do_is_idle(backend: &str, agent: &str) {
    let world = World::new();
    world.detached(backend, agent, "a", None).expect(0);
    let idle = ["wait", "a", "--for", "idle", "--timeout", "60"];
    world.run(&idle).expect(0);
    assert_eq!(world.listed("a")["status"]["status"], "idle");
    // And whoever asks again is told at once.
    world.run(&["wait", "a", "--timeout", "1"]).expect(0);
}

fn everybody_is_told_the_same_of_claude(backend: &str) {
    let tool = |command: &str| json!({"tool": "Bash", "input": {"command": command, "description": "run"}});
    everybody_is_told_the_same(backend, "claude", tool);
}

fn everybody_is_told_the_same_of_codex(backend: &str) {
    let tool = |command: &str| json!({"tool": "exec_command", "input": {"cmd": command}});
    everybody_is_told_the_same(backend, "codex", tool);
}

/// A prompt, a tool, its interruption, errors that are tried again, one that is not, and the agent's end.
fn everybody_is_told_the_same(backend: &str, agent: &str, tool: impl Fn(&str) -> Value) {
    let world = World::new();
    let until_gone = "touch began; until test -e go; do sleep 0.1; done";
    let prompt = script_prompt(&[tool(until_gone), json!({"text": "It went on."})]);
    world.detached(backend, agent, "a", Some(&prompt)).expect(0);
    let told = Told::new(&world);
    let working = told.until("working");
    let workspace = world.session_folder(&world.id_of("a")).join("workspace");
    told.while_not("its tool runs", || workspace.join("began").exists());
    let doing = told.until("working")["doing"].clone();
    assert!(
        doing.as_str().is_some_and(|line| line.contains("touch")),
        "{doing}"
    );
    std::fs::write(workspace.join("go"), "").expect("end the tool");
    let idle = told.until("idle");
    assert!(idle["since_ms"].as_u64() > working["since_ms"].as_u64());

    // A person stops a tool.
    let prompt = script_prompt(&[tool("touch again; sleep 1000"), json!({"text": "never"})]);
    world.run(&["say", "a", &prompt]).expect(0);
    told.while_not("its tool runs", || workspace.join("again").exists());
    told.until("working");
    escape(&world, agent);
    told.until("interrupted");
    world.run(&["wait", "a", "--timeout", "1"]).expect(0);

    // The service is busy; Claude Code tries again and again, until a person stops that.
    // Codex gives up before anybody could.
    if agent == "claude" {
        let busy = json!({"error": {"status": 500, "message": "busy"}});
        world.run(&["say", "a", &script_prompt(&[busy])]).expect(0);
        told.while_not("it tries again", || {
            world.listed("a")["status"]["doing"] == "Waiting to try again"
        });
        escape(&world, agent);
        told.until("interrupted");
    }

    // And refuses it for good.
    let no =
        json!({"error": {"status": 400, "type": "invalid_request_error", "message": "not so"}});
    world.run(&["say", "a", &script_prompt(&[no])]).expect(0);
    let failed = told.until("failed");
    assert!(failed["why"].as_str().is_some_and(|why| !why.is_empty()));
    assert_eq!(world.listed("a")["standing"], "needs-you");
    assert_eq!(world.listed("a")["needs_you"], true, "the proxy saw it");

    world.run(&["stop", "a"]).expect(0);
    told.until("done");
    world.run(&["wait", "a", "--for", "done"]).expect(0);
}

/// Presses Esc in the agent's own terminal, and leaves in the same breath.
fn escape(world: &World, agent: &str) {
    let mut terminal = Terminal::open(world.command(&["attach", "a"]), 100, 30);
    if agent == "codex" {
        // The new size makes it ask where the cursor is, and it drops keys until it is told.
        terminal.wait_until_asked();
        // What it draws then it draws with that size: it has nothing more to ask.
        terminal.forget();
        terminal.wait_for("esc to interrupt");
    }
    terminal.type_in(b"\x1b\x1d");
    assert_eq!(terminal.wait_end(), 0);
}

/// Whoever can be asked of a session called `a`.
struct Told<'a> {
    world: &'a World,
    client: Client,
}

impl<'a> Told<'a> {
    fn new(world: &'a World) -> Self {
        Self {
            world,
            client: Client::at(world.home.join("clauderon.sock")),
        }
    }

    /// Asks everybody until the status has this name. At each moment all of them say the same.
    fn until(&self, name: &str) -> Value {
        wait_for(|| {
            let told = self.ask();
            match told["status"] == name {
                true => Ok(told),
                false => Err(std::fmt::from_fn(move |f| {
                    let said = self.world.run(&["chat", "a", "--json"]).stdout;
                    write!(f, "not {name}, but {told}:\n{said}")
                })),
            }
        })
    }

    fn while_not(&self, what: &str, is: impl Fn() -> bool) {
        wait_until(what, || {
            self.ask();
            is()
        });
    }

    /// Asks the list, the session, the conversation and the command line; only where nothing changed meanwhile they must agree.
    fn ask(&self) -> Value {
        let world = self.world;
        let listed = || {
            let sessions = world.wait(self.client.sessions()).expect("a list");
            serde_json::to_value(&sessions[0].status).expect("a status")
        };
        let before = listed();
        let query = ConversationQuery::default();
        let view = world.wait(self.client.conversation("a", &query));
        let conversation = view.expect("a conversation").standing.status;
        let session = world.wait(self.client.session("a")).expect("a session");
        let printed = world.listed("a")["status"].clone();
        let after = listed();
        if before == after {
            let all = [
                serde_json::to_value(conversation).expect("a status"),
                serde_json::to_value(&session.status).expect("a status"),
                printed,
            ];
            assert!(all.iter().all(|one| *one == after), "{after} and {all:?}");
        }
        after
    }
}

/// Sessions that idle, and how long nothing is asked of the daemon that has them.
const IDLE: (usize, Duration) = (10, Duration::from_secs(20));

#[test]
fn ten_idle_sessions_cost_the_daemon_nothing() {
    if lacks("bubblewrap").is_some() {
        return;
    }
    let world = World::new();
    for number in 0..IDLE.0 {
        let agent = ["claude", "codex"][number % 2];
        let name = format!("s{number}");
        world.detached("bubblewrap", agent, &name, None).expect(0);
        world.run(&["wait", &name, "--timeout", "60"]).expect(0);
    }
    // What an agent did last is followed for ten seconds.
    std::thread::sleep(Duration::from_secs(11));
    let pid = world.daemon_pid();
    let before = cpu(pid);
    std::thread::sleep(IDLE.1);
    let used = cpu(pid) - before;
    let share = used.as_secs_f64() / IDLE.1.as_secs_f64();
    eprintln!(
        "the daemon used {used:?} in {:?}: {:.2} %",
        IDLE.1,
        share * 100.0
    );
    assert!(share < 0.01, "{share}");
}

/// The processor time of a process so far.
fn cpu(pid: i32) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).expect("it runs");
    // The name in parentheses may hold spaces; 14 and 15 are user and system time in hundredths.
    let (_, rest) = stat.rsplit_once(')').expect("a name in parentheses");
    let ticks = |at: usize| {
        rest.split_whitespace()
            .nth(at)
            .and_then(|text| text.parse::<u64>().ok())
    };
    let ticks = ticks(11).unwrap_or(0) + ticks(12).unwrap_or(0);
    Duration::from_millis(ticks * 10)
}
