//! The real window, measured as a person meets it: from the start of its program to a list that can be used, from a key to
//! the frame that shows it, 50 MB of output, opening a session with 10 MB of history, and memory with 20 sessions. Prints
//! one table; nothing here asserts a time.
//!
//! The agent is a shell, so that what is printed is known; everything else is the product's own: sandbox, holder, daemon,
//! window and web view. What is measured inside of the page is measured by `window.js`, which adds nothing to the product.
//!
//! Run it with `make bench-ui`.

#![allow(clippy::print_stdout)]

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use clauderon_tests::desktop::Desktop;
use clauderon_tests::webdriver::Driver;
use clauderon_tests::{World, lacks, programs};
use serde_json::{Value, json};

const STARTS: usize = 5;
const KEYS: usize = 200;
const SESSIONS: usize = 20;
/// Sessions with a long history; each is opened once.
const LONG: usize = 5;
const HISTORY: usize = 10_000_000;
const FLOOD: usize = 50_000_000;
const PATIENCE: Duration = Duration::from_secs(60);
/// Stands at the end of what is printed.
const END: &str = "that was all";

/// Megabytes of output for the page alone.
const ALONE: usize = 20;
/// What is measured of the page alone.
const PAGE_ROWS: [(&str, &str); 4] = [
    ("key to frame, p95", "ms"),
    ("output", "MB/s"),
    ("longest stall", "ms"),
    ("attach, 2 MiB,", "ms"),
];

const PAGE: &str = include_str!("window.js");

/// A shell in the agent's place. What it prints lies beside it.
const AGENT: &str = r#"#!/bin/bash
case "$*" in *history*) cat /clauderon/agent/history; echo 'that was all' ;; esac
export PS1='$ '
exec bash --norc --noprofile -i
"#;

fn main() {
    if lacks("bubblewrap").is_some() || lacks("window").is_some() {
        return;
    }
    let bench = Bench::new();
    // `-- window` or `-- page` measures only that.
    let only = std::env::args().skip(1).find(|one| !one.starts_with('-'));
    let wanted = |part| only.as_deref().is_none_or(|only| only == part);
    if wanted("window") {
        println!("{}", table(&bench.measure()));
    }
    if wanted("page") {
        println!("{}", bench.alone());
    }
}

/// An installation with its sessions, on a desktop. The fields end in this order.
struct Bench {
    desktop: Desktop,
    world: World,
    long: Vec<String>,
    short: Vec<String>,
}

/// What was measured, times in milliseconds.
struct Measured {
    starts: Vec<f64>,
    keys: Vec<f64>,
    attach: Vec<Value>,
    flood: Value,
    memory: [Memory; 2],
}

/// Proportional set sizes in KiB.
struct Memory {
    app: u64,
    web: u64,
}

impl Bench {
    fn new() -> Bench {
        let world = World::new();
        agent(&world);
        let create = |name: String, prompt: &str| {
            world
                .detached("bubblewrap", "claude", &name, Some(prompt))
                .expect(0);
            world.id_of(&name)
        };
        let long: Vec<String> = (0..LONG)
            .map(|number| create(format!("long-{number}"), "history"))
            .collect();
        let short = (LONG..SESSIONS)
            .map(|number| create(format!("short-{number}"), "wait"))
            .collect();
        for id in &long {
            wait_until("the history is printed", || {
                let log = world.session_folder(id).join("terminal.log");
                std::fs::metadata(log).is_ok_and(|log| log.len() >= HISTORY as u64)
            });
        }
        // The window runs the daemon itself, as it does for a person.
        world.run(&["daemon", "stop"]).expect(0);
        let desktop = Desktop::start(world.root.path());
        Bench {
            desktop,
            world,
            long,
            short,
        }
    }

    /// From the start of the program to the first frame with the sessions in it, in milliseconds.
    fn starts(&self) -> Vec<f64> {
        // The first one fills the caches, and goes through the first run.
        let window = self.drive();
        window.api("PUT", "/api/desk", Some(json!({"welcomed": true})));
        drop(window);
        (0..STARTS)
            .map_while(|_| {
                let window = self.drive();
                let usable = usable(&window)?;
                Some(usable - began(self.world.daemon_pid()))
            })
            .collect()
    }

    fn measure(&self) -> Measured {
        let starts = self.starts();
        let window = self.drive();
        window.run(PAGE, &[]);
        let attach = self
            .long
            .iter()
            .map(|id| {
                window.run("location.hash = '#/'", &[]);
                std::thread::sleep(Duration::from_millis(500));
                window.run(
                    "return bench.attach(...arguments)",
                    &[json!(id), END.into()],
                )
            })
            .collect();
        let keys = self.keys(&window);
        let flood = self.flood(&window);
        window.run("location.hash = '#/'", &[]);
        std::thread::sleep(Duration::from_secs(3));
        let few = self.memory();
        for id in self.long.iter().chain(&self.short) {
            window.run(
                "location.hash = `#/session/${arguments[0]}/terminal`",
                &[json!(id)],
            );
            std::thread::sleep(Duration::from_millis(400));
        }
        std::thread::sleep(Duration::from_secs(3));
        Measured {
            starts,
            keys,
            attach,
            flood,
            memory: [few, self.memory()],
        }
    }

    /// Real keys of the display, into a terminal with a history.
    fn keys(&self, window: &Driver) -> Vec<f64> {
        self.terminal(window, &self.long[0]);
        window.run("bench.keys.length = 0", &[]);
        self.press_keys(true);
        numbers(&window.run("return bench.keys", &[]))
    }

    fn press_keys(&self, lines: bool) {
        let mut command = vec!["key".to_owned()];
        for key in 0..KEYS {
            if lines && key > 0 && key % 40 == 0 {
                command.extend(["Return", "sleep", "0.3", "key"].map(str::to_owned));
            }
            let letter = char::from(b'a' + u8::try_from(key % 26).unwrap_or(0));
            // Never in step with the frames.
            let pause = format!("0.0{}", 30 + key % 7 * 5);
            command.extend([
                letter.to_string(),
                "sleep".to_owned(),
                pause,
                "key".to_owned(),
            ]);
        }
        command.push("Return".to_owned());
        let words: Vec<&str> = command.iter().map(String::as_str).collect();
        self.desktop.run("xdotool", &words);
    }

    /// 50 MB through one terminal; what it drew is what it acknowledged.
    fn flood(&self, window: &Driver) -> Value {
        self.terminal(window, &self.short[0]);
        window.run("bench.reset()", &[]);
        let before = window.run("return bench.flow.acknowledged", &[]);
        self.desktop.run(
            "xdotool",
            &["type", "--delay", "20", "cat /clauderon/agent/flood\n"],
        );
        wait_for(|| {
            std::thread::sleep(Duration::from_millis(250));
            let acknowledged = window.run("return bench.flow.acknowledged", &[]);
            let drawn = acknowledged.as_f64().unwrap_or(0.0) - before.as_f64().unwrap_or(0.0);
            (drawn >= FLOOD as f64 - 256.0 * 1024.0).then_some(())
        });
        window.run("return { ...bench.flow, stall: bench.longestStall }", &[])
    }

    /// Shows a session's terminal and gives it the keys.
    fn terminal(&self, window: &Driver, id: &str) {
        window.run(
            "location.hash = `#/session/${arguments[0]}/terminal`",
            &[json!(id)],
        );
        std::thread::sleep(Duration::from_secs(1));
        window.press_at("//*[contains(@class,'xterm-screen')]");
        std::thread::sleep(Duration::from_millis(500));
    }

    fn memory(&self) -> Memory {
        let app = self.world.daemon_pid();
        let web = descendants(app)
            .into_iter()
            .filter(|pid| name(*pid).starts_with("WebKit"));
        Memory {
            app: pss(app),
            web: web.map(pss).sum(),
        }
    }

    /// The page alone, with a console in the page, as each renderer draws it: in the window's engine and in Chromium.
    fn alone(&self) -> String {
        let mut columns = Vec::new();
        if let Some(mut server) = Server::start() {
            let window = self.drive();
            // While it still starts it chooses its own place.
            usable(&window);
            window.run("location.href = arguments[0]", &[server.address().into()]);
            wait_until("the page is there", || {
                window.run("return 'bench' in window", &[]) == true
            });
            for renderer in ["dom", "webgl"] {
                columns.push((
                    format!("WebKitGTK, {renderer}"),
                    self.page(&window, renderer),
                ));
            }
        }
        for (renderer, figures) in chromium() {
            columns.push((format!("Chromium, {renderer}"), figures));
        }
        let mut text = format!("{:<36}", "the page alone");
        for (name, _) in &columns {
            let _ = write!(text, "{name:>20}");
        }
        text.push('\n');
        for (name, unit) in PAGE_ROWS {
            let _ = write!(text, "{:<36}", format!("{name} {unit}"));
            for (_, figures) in &columns {
                let figure = figures[format!("{name} {unit}")].as_f64();
                let _ = write!(text, "{:>20.1}", figure.unwrap_or(f64::NAN));
            }
            text.push('\n');
        }
        text
    }

    fn page(&self, window: &Driver, renderer: &str) -> Value {
        let ask = |script: &str| window.run(&format!("return bench.{script}"), &[renderer.into()]);
        ask("attach(arguments[0])");
        ask("beginTyping(arguments[0])");
        self.press_keys(false);
        let keys = numbers(&window.run("return bench.endTyping()", &[]));
        let flow = ask(&format!("throughput(arguments[0], {ALONE})"));
        json!({
            "key to frame, p95 ms": percentile(&keys, 0.95),
            "output MB/s": flow["mbPerSecond"],
            "longest stall ms": flow["longestStallMs"],
            "attach, 2 MiB, ms": ask("attach(arguments[0])")["ms"],
        })
    }

    fn drive(&self) -> Driver {
        let settings = self.world.command(&[]);
        let mut command = Command::new(programs::driver());
        command.env_clear();
        for (name, value) in settings.get_envs() {
            command.env(name, value.unwrap_or_default());
        }
        self.desktop.dress(&mut command);
        Driver::start(command, &programs::folder().join("clauderon-desktop"))
    }
}

/// When the app's page was usable first, in milliseconds since 1970.
fn usable(window: &Driver) -> Option<f64> {
    const MARK: &str = "return performance.getEntriesByName('usable').map((mark) => performance.timeOrigin + mark.startTime)[0] ?? null";
    wait_for(|| window.run(MARK, &[]).as_f64())
}

/// Puts the shell in the place of this release's agent.
fn agent(world: &World) {
    use std::os::unix::fs::PermissionsExt as _;
    let versions = std::fs::read_dir(programs::agents().join("claude"));
    let version = versions
        .expect("the agents are installed")
        .flatten()
        .map(|entry| entry.file_name())
        .max()
        .expect("a version is installed");
    let agents = world.home.join("agents");
    std::fs::remove_file(&agents).expect("take the link to the agents away");
    let folder = agents.join("claude").join(version);
    std::fs::create_dir_all(&folder).expect("make the agent's folder");
    let program = folder.join("claude");
    std::fs::write(&program, AGENT).expect("write the agent");
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).expect("let it run");
    write_output(&folder.join("history"), HISTORY);
    write_output(&folder.join("flood"), FLOOD);
}

/// Output as coding agents print it: coloured lines, some of them drawn over again.
fn write_output(file: &Path, bytes: usize) {
    let mut block = String::new();
    for at in 0..400 {
        let line = match at % 9 {
            0 => format!(
                "\x1b[2K\r\x1b[38;5;{}m● Working\x1b[0m \x1b[2m({at} s · esc to interrupt)\x1b[22m\n",
                at % 256
            ),
            _ => format!(
                "\x1b[32m{at:>4}\x1b[39m  const value{at} = \x1b[33m\"{}\"\x1b[39m; // é ✓ {at}\n",
                "x".repeat(at % 60)
            ),
        };
        block.push_str(&line);
    }
    let mut all = block.repeat(bytes / block.len() + 1).into_bytes();
    all.truncate(bytes - 1);
    all.push(b'\n');
    std::fs::write(file, all).expect("write the output");
}

fn table(measured: &Measured) -> String {
    let Measured {
        starts,
        keys,
        attach,
        flood,
        memory: [some, all],
    } = measured;
    let middle = |name| {
        let all: Vec<f64> = attach.iter().filter_map(|one| one[name].as_f64()).collect();
        percentile(&all, 0.5)
    };
    let flow = |name: &str| flood[name].as_f64().unwrap_or(f64::NAN);
    let speed = flow("acknowledged") / 1000.0 / (flow("drawn") - flow("began"));
    let ms = |value: f64| format!("{value:.0} ms");
    let rows = [
        (
            "start to usable window, warm",
            "1500 ms",
            ms(percentile(starts, 0.5)),
        ),
        ("key to frame, p50", "", ms(percentile(keys, 0.5))),
        ("key to frame, p95", "50 ms", ms(percentile(keys, 0.95))),
        (
            "50 MB of output, acknowledged",
            "20 MB/s",
            format!("{speed:.1} MB/s"),
        ),
        ("  longest stall meanwhile", "100 ms", ms(flow("stall"))),
        ("  snapshots meanwhile", "0", flood["snapshots"].to_string()),
        ("  messages to the page", "", flood["messages"].to_string()),
        ("open a session with 10 MB", "150 ms", ms(middle("ms"))),
        (
            "  the first one",
            "",
            ms(attach[0]["ms"].as_f64().unwrap_or(f64::NAN)),
        ),
        ("  until the daemon is asked", "", ms(middle("opened"))),
        ("  until all has come", "", ms(middle("arrived"))),
        (
            "  size of its snapshot",
            "",
            format!("{:.0} KiB", middle("bytes") / 1024.0),
        ),
        ("20 sessions, 6 opened: app + web", "700 MB", some.words()),
        ("20 sessions, 20 opened: app + web", "700 MB", all.words()),
    ];
    let mut text = format!(
        "{:<36}{:>10}{:>24}\n",
        "the real window", "limit", "measured"
    );
    for (what, limit, value) in rows {
        let _ = writeln!(text, "{what:<36}{limit:>10}{value:>24}");
    }
    text
}

/// Serves the page alone until it is dropped.
struct Server(Child, String);

impl Server {
    /// None where there is no Node.js.
    fn start() -> Option<Server> {
        let mut child = node("--serve")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .ok()?;
        let mut address = String::new();
        BufReader::new(child.stdout.take()?)
            .read_line(&mut address)
            .ok()?;
        Some(Server(child, address.trim().to_owned()))
    }

    fn address(&mut self) -> &str {
        &self.1
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

/// The page alone in Chromium, by renderer; nothing where there is none.
fn chromium() -> Vec<(String, Value)> {
    let Ok(output) = node("--json").stderr(Stdio::null()).output() else {
        return Vec::new();
    };
    let figures: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    figures
        .as_object()
        .into_iter()
        .flatten()
        .map(|(renderer, figures)| (renderer.clone(), figures.clone()))
        .collect()
}

fn node(mode: &str) -> Command {
    let mut node = Command::new("node");
    node.args(["bench/run.js", mode])
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../ui"))
        .env("MIB", ALONE.to_string());
    node
}

impl Memory {
    fn words(&self) -> String {
        let mb = |kib: u64| kib as f64 * 1024.0 / 1e6;
        format!(
            "{:.0} + {:.0} = {:.0} MB",
            mb(self.app),
            mb(self.web),
            mb(self.app + self.web)
        )
    }
}

fn numbers(values: &Value) -> Vec<f64> {
    values
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_f64)
        .collect()
}

fn percentile(samples: &[f64], share: f64) -> f64 {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = (sorted.len() as f64 * share) as usize;
    sorted
        .get(at.min(sorted.len().saturating_sub(1)))
        .copied()
        .unwrap_or(f64::NAN)
}

/// When a process began, in milliseconds since 1970.
fn began(pid: i32) -> f64 {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let stat = read(&format!("/proc/{pid}/stat"));
    // After the name, which may hold spaces: the 20th field is the start in hundredths of a second since boot.
    let fields = stat.rsplit(") ").next().unwrap_or_default();
    let start: f64 = fields
        .split(' ')
        .nth(19)
        .and_then(|field| field.parse().ok())
        .unwrap_or(f64::NAN);
    let uptime = read("/proc/uptime");
    let up: f64 = uptime
        .split(' ')
        .next()
        .and_then(|field| field.parse().ok())
        .unwrap_or(f64::NAN);
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("the clock is past 1970");
    now.as_secs_f64() * 1000.0 - (up * 1000.0 - start * 10.0)
}

/// A process's children, and theirs.
fn descendants(pid: i32) -> Vec<i32> {
    let children = std::fs::read_dir(format!("/proc/{pid}/task"))
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|task| std::fs::read_to_string(task.path().join("children")).ok())
        .flat_map(|children| {
            children
                .split_whitespace()
                .filter_map(|child| child.parse().ok())
                .collect::<Vec<i32>>()
        });
    children
        .flat_map(|child| std::iter::once(child).chain(descendants(child)))
        .collect()
}

fn name(pid: i32) -> String {
    std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default()
}

/// A process's proportional set size in KiB.
fn pss(pid: i32) -> u64 {
    std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))
        .unwrap_or_default()
        .lines()
        .find_map(|line| {
            line.strip_prefix("Pss:")?
                .trim()
                .strip_suffix("kB")?
                .trim()
                .parse()
                .ok()
        })
        .unwrap_or(0)
}

fn wait_until(what: &str, mut there: impl FnMut() -> bool) {
    assert!(
        wait_for(|| there().then_some(())).is_some(),
        "waited in vain until {what}"
    );
}

fn wait_for<T>(mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let started = Instant::now();
    while started.elapsed() < PATIENCE {
        if let Some(found) = look() {
            return Some(found);
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    None
}
