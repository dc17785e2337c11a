//! How long from the command to the agent's first request, side by side with the bare agent and a bare container, and how
//! much memory idle sessions cost. Medians of interleaved runs; nothing here asserts a time.
//!
//! The bare agent asks the same hosts the same things: it reaches the scripted upstream through the plainest proxy there
//! is, which splices bytes and looks at nothing. It starts in a home that it has used before; a session's is always new.
//!
//! Run it with `make bench`.

#![allow(clippy::print_stdout)]

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use clauderon_tests::world::{create, git};
use clauderon_tests::{World, lacks, programs};

const RUNS: usize = 10;
const FILES: usize = 1000;
const SESSIONS: usize = 10;
const PATIENCE: Duration = Duration::from_secs(30);

fn main() {
    if lacks("bubblewrap").is_some() {
        return;
    }
    let docker = lacks("docker").is_none();
    let world = World::new();
    fill(&world);
    let tunnel = open_tunnel(world.upstream.addr());
    println!(
        "create to the agent's first request, {FILES} files, median of {RUNS} interleaved runs"
    );
    let mut measured: Vec<(How, Vec<Duration>)> = How::ALL
        .into_iter()
        .filter(|how| docker || !how.needs_docker())
        .map(|how| (how, Vec::new()))
        .collect();
    for run in 0..=RUNS {
        for (how, times) in &mut measured {
            let took = how.start(&world, tunnel, run);
            // The first round warms every cache and is not counted.
            if run > 0 {
                times.push(took);
            }
        }
    }
    let medians: Vec<(How, f64)> = measured
        .into_iter()
        .map(|(how, times)| (how, median(times)))
        .collect();
    for (how, took) in &medians {
        println!(
            "  {:<18} {took:>6.0} ms{}",
            how.words(),
            beside(&medians, *how, *took)
        );
    }
    tidy(&world);
    memory(&world);
}

/// The ways to start that are compared.
#[derive(Clone, Copy, PartialEq)]
enum How {
    Bare,
    Bubblewrap,
    Container,
    Docker,
}

impl How {
    const ALL: [How; 4] = [How::Bare, How::Bubblewrap, How::Container, How::Docker];

    fn words(self) -> &'static str {
        match self {
            How::Bare => "claude",
            How::Bubblewrap => "create, bubblewrap",
            How::Container => "docker run",
            How::Docker => "create, docker",
        }
    }

    fn needs_docker(self) -> bool {
        matches!(self, How::Container | How::Docker)
    }

    /// What it is held against.
    fn reference(self) -> Option<How> {
        match self {
            How::Bubblewrap => Some(How::Bare),
            How::Docker => Some(How::Container),
            How::Bare | How::Container => None,
        }
    }

    fn start(self, world: &World, tunnel: SocketAddr, run: usize) -> Duration {
        match self {
            How::Bare => bare(world, tunnel),
            How::Bubblewrap => session(world, "bubblewrap", run),
            How::Container => bare_container(world, tunnel),
            How::Docker => session(world, "docker", run),
        }
    }
}

/// Says how much more one way takes than what it is held against.
fn beside(medians: &[(How, f64)], how: How, took: f64) -> String {
    let against = |reference| medians.iter().find(|(how, _)| *how == reference);
    match how.reference().and_then(against) {
        Some((_, bare)) => format!("   {:+.0} ms, {:.2} times", took - bare, took / bare),
        None => String::new(),
    }
}

fn fill(world: &World) {
    for number in 0..FILES {
        let folder = world.repository.join(format!("src/part{}", number / 50));
        std::fs::create_dir_all(&folder).expect("make a folder");
        let text = format!("pub fn number_{number}() -> usize {{ {number} }}\n").repeat(20);
        std::fs::write(folder.join(format!("file{number}.rs")), text).expect("write a file");
    }
    git(&world.repository, &["add", "--all"]);
    git(
        &world.repository,
        &["commit", "--quiet", "--message", "Many files"],
    );
    // As a clone is: in packs, not in a file an object.
    git(&world.repository, &["gc", "--quiet"]);
}

/// Runs `start` and returns the time until the model was first asked.
fn until_first_request(world: &World, start: impl FnOnce() -> std::process::Child) -> Duration {
    world.upstream.clear();
    let (began, clock) = (SystemTime::now(), Instant::now());
    let mut child = start();
    let request = world
        .wait(
            world
                .upstream
                .wait_for(|one| one.path == "/v1/messages", PATIENCE),
        )
        .unwrap_or_else(|_| panic!("no request came within {:?}", clock.elapsed()));
    let took = request.at.duration_since(began).unwrap_or_default();
    child.wait().expect("the child is ours");
    took
}

fn session(world: &World, backend: &str, run: usize) -> Duration {
    let name = format!("{backend}-{run}");
    let args = create(backend, &name, &["--print", "--prompt", "say hi"]);
    until_first_request(world, || quiet(world.command(&args)))
}

/// Deletes what was made, after everything was timed: for minutes after many files were deleted ext4 searches long for the
/// inode of each new one (1,000 files take 0.3 s instead of 0.03 s), and the next run would be charged for it.
fn tidy(world: &World) {
    for session in world.json(&["list"]).as_array().into_iter().flatten() {
        let name = session["name"].as_str().expect("a session has a name");
        world.run(&["delete", name, "--yes"]);
    }
}

fn bare(world: &World, tunnel: SocketAddr) -> Duration {
    let mut command = Command::new(agent());
    command
        .args(["-p", "say hi"])
        .current_dir(&world.repository)
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("HOME", world.root.path().join("bare"));
    for (name, value) in bare_environment(world, tunnel) {
        command.env(name, value);
    }
    until_first_request(world, || quiet(command))
}

fn bare_container(world: &World, tunnel: SocketAddr) -> Duration {
    let mut command = Command::new("docker");
    let agent = agent();
    let folder = agent
        .parent()
        .expect("the agent lies in a folder")
        .canonicalize()
        .expect("it is there");
    command.args([
        "run",
        "--rm",
        "--init",
        "--network",
        "host",
        "-u",
        "1000:1000",
        "-e",
        "HOME=/tmp",
        "-w",
        "/repository",
    ]);
    command
        .arg("-v")
        .arg(format!("{}:/agent:ro", folder.display()));
    command
        .arg("-v")
        .arg(format!("{}:/repository", world.repository.display()));
    command
        .arg("-v")
        .arg(format!("{0}:{0}:ro", authority(world).display()));
    for (name, value) in bare_environment(world, tunnel) {
        command.arg("-e").arg(format!("{name}={value}"));
    }
    command.args([programs::IMAGE, "/agent/claude", "-p", "say hi"]);
    until_first_request(world, || quiet(command))
}

fn bare_environment(world: &World, tunnel: SocketAddr) -> [(&'static str, String); 6] {
    [
        ("HTTPS_PROXY", format!("http://{tunnel}")),
        ("CLAUDE_CODE_OAUTH_TOKEN", "sk-ant-oat01-bench".to_owned()),
        (
            "NODE_EXTRA_CA_CERTS",
            authority(world).display().to_string(),
        ),
        ("DISABLE_AUTOUPDATER", "1".to_owned()),
        ("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1".to_owned()),
        (
            "CLAUDE_CODE_DISABLE_OFFICIAL_MARKETPLACE_AUTOINSTALL",
            "1".to_owned(),
        ),
    ]
}

fn authority(world: &World) -> std::path::PathBuf {
    world.root.path().join("upstream-ca.pem")
}

fn agent() -> std::path::PathBuf {
    let versions = programs::agents().join("claude");
    let newest = std::fs::read_dir(versions)
        .expect("the agents are installed")
        .flatten()
        .map(|entry| entry.path())
        .max();
    newest.expect("a version is installed").join("claude")
}

fn quiet(mut command: Command) -> std::process::Child {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts")
}

/// Splices every tunnel that is asked for to the upstream, whatever its name.
fn open_tunnel(upstream: SocketAddr) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a port");
    let address = listener.local_addr().expect("a listener has an address");
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || splice(&stream, upstream));
        }
    });
    address
}

fn splice(agent: &TcpStream, upstream: SocketAddr) -> Option<()> {
    let mut reader = BufReader::new(agent.try_clone().ok()?);
    let mut line = String::new();
    while reader.read_line(&mut line).ok()? > 2 {
        line.clear();
    }
    let mut agent = agent.try_clone().ok()?;
    agent.set_nodelay(true).ok()?;
    agent.write_all(b"HTTP/1.1 200 OK\r\n\r\n").ok()?;
    let far = TcpStream::connect(upstream).ok()?;
    far.set_nodelay(true).ok()?;
    let (mut down, mut up) = (far.try_clone().ok()?, far);
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut down, &mut agent);
        let _ = agent.shutdown(Shutdown::Write);
    });
    let _ = std::io::copy(&mut reader, &mut up);
    let _ = up.shutdown(Shutdown::Write);
    Some(())
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort();
    times[times.len() / 2].as_secs_f64() * 1000.0
}

/// Prints the proportional memory of the daemon and of ten idle sessions' holders.
fn memory(world: &World) {
    for number in 0..SESSIONS {
        world
            .detached("bubblewrap", "codex", &format!("idle-{number}"), None)
            .expect(0);
    }
    let daemon = pss(world.daemon_pid());
    let holders: u64 = world
        .json(&["list"])
        .as_array()
        .into_iter()
        .flatten()
        .filter(|session| session["state"] == "running")
        .filter_map(|session| session["id"].as_str().map(str::to_owned))
        .filter_map(|id| {
            let pid = world.session_folder(&id).join("private/holder.pid");
            std::fs::read_to_string(pid).ok()?.trim().parse().ok()
        })
        .map(pss)
        .sum();
    println!(
        "memory (PSS): daemon {:.1} MB, holders of {SESSIONS} idle sessions {:.1} MB, together {:.1} MB",
        daemon as f64 / 1024.0,
        holders as f64 / 1024.0,
        (daemon + holders) as f64 / 1024.0
    );
}

/// Reads a process's proportional set size in KiB.
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
