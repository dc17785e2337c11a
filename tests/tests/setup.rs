//! What a first run and the settings ask of the daemon: what is here, what can be mended, how much room it takes, and what
//! the window remembers.

#![allow(clippy::unwrap_used)]

use std::io::Read as _;
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::time::Duration;

use clauderon_api::{Backend, Check, Client, Desk, Fix, SayText, Status};
use clauderon_tests::{World, lacks, programs, wait_until};

/// How long anything here may take at most.
const LIMIT: Duration = Duration::from_secs(30);
const ENGINE: &str = "/var/run/docker.sock";

/// Starts the daemon with these variables besides the usual ones and returns a client of it.
fn daemon(world: &World, variables: &[(&str, &str)]) -> Client {
    let mut command = world.command(&["daemon", "restart"]);
    command.envs(variables.iter().copied());
    clauderon_tests::Finished::from(command.output().unwrap()).expect(0);
    let socket = world.home.join("clauderon.sock");
    world.wait(Client::connect(socket)).unwrap()
}

fn check(world: &World, client: &Client, name: &str) -> Check {
    let report = world.wait(client.doctor()).unwrap();
    let found = report.checks.iter().find(|check| check.check == name);
    found
        .cloned()
        .unwrap_or_else(|| panic!("{name} in {report:#?}"))
}

#[test]
fn the_desk_outlives_the_daemon_and_a_broken_one_is_an_empty_one() {
    let world = World::new();
    let client = daemon(&world, &[]);
    assert_eq!(world.wait(client.desk()).unwrap(), Desk::default());
    let desk: Desk = serde_json::from_str(r#"{"theme":"dark","split":[1,null,"é"]}"#).unwrap();
    world.wait(client.save_desk(&desk)).unwrap();
    let client = daemon(&world, &[]);
    assert_eq!(world.wait(client.desk()).unwrap(), desk);
    let file = world.home.join("desk.json");
    let mode = std::fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);

    std::fs::write(&file, "{\"theme\":").unwrap();
    assert_eq!(world.wait(client.desk()).unwrap(), Desk::default());
    assert!(world.home.join("desk.json.broken").is_file());
    let large = "x".repeat(256 << 10);
    let large = Desk([("a".to_owned(), large.into())].into_iter().collect());
    let error = world.wait(client.save_desk(&large)).unwrap_err();
    assert!(error.message.contains("256"), "{error}");
}

#[test]
fn storage_counts_each_session_and_the_rest() {
    if lacks("bubblewrap").is_some() {
        return;
    }
    let world = World::new();
    world.print("bubblewrap", "claude", "a", "hi").expect(0);
    let session = &world.json(&["list"])[0];
    let id = session["id"].as_str().unwrap();
    let uploads = world.session_folder(id).join("uploads");
    std::fs::write(uploads.join("large"), vec![1; 5 << 20]).unwrap();
    std::fs::create_dir_all(world.home.join("trash/x")).unwrap();
    std::fs::write(world.home.join("trash/x/file"), vec![1; 3 << 20]).unwrap();
    let storage = world.json(&["storage"]);
    assert_eq!(storage["sessions"][0]["name"], "a");
    assert!(storage["sessions"][0]["bytes"].as_u64().unwrap() >= 5 << 20);
    let trash = storage["trash_bytes"].as_u64().unwrap();
    assert!((3 << 20..4 << 20).contains(&trash), "{trash}");
    assert!(storage["logs_bytes"].as_u64().unwrap() > 0);
    assert!(storage["free_bytes"].as_u64().unwrap() > 0);
    let text = world.run(&["storage"]).expect(0).stdout;
    assert!(
        text.contains("(trash)") && text.contains("3.0 MiB"),
        "{text}"
    );
}

#[test]
fn what_a_session_can_be_made_with_is_told_before_it_is_made() {
    if lacks("bubblewrap").is_some() || lacks("docker").is_some() {
        return;
    }
    let world = World::new();
    let client = daemon(&world, &[]);
    let options = world.wait(client.create_options()).unwrap();
    assert_eq!(options.backends, [Backend::Docker, Backend::Bubblewrap]);
    assert_eq!(options.image.as_deref(), Some("clauderon:latest"));
    let there = options.images.iter().any(|image| image == programs::IMAGE);
    assert!(there, "{options:?}");
    assert!(options.missing.is_empty(), "{options:?}");

    let client = daemon(&world, &[("DOCKER_HOST", "tcp://10.0.0.1:2375")]);
    let options = world.wait(client.create_options()).unwrap();
    assert_eq!(options.backends, [Backend::Bubblewrap]);
    assert_eq!((options.image, options.images.len()), (None, 0));
    assert!(
        options.missing[0].contains("tcp://10.0.0.1:2375"),
        "{:?}",
        options.missing
    );
}

#[test]
fn the_engine_of_the_docker_context_is_found_and_said() {
    if lacks("docker").is_some() {
        return;
    }
    let world = World::new();
    let settings = world.root.path().join(".docker");
    let socket = world.root.path().join("engine.sock");
    symlink(ENGINE, &socket).unwrap();
    // The folder is the SHA-256 of "colima".
    let meta = settings
        .join("contexts/meta/f24fd3749c1368328e2b149bec149cb6795619f244c5b584e844961215dadd16");
    std::fs::create_dir_all(&meta).unwrap();
    std::fs::write(
        settings.join("config.json"),
        r#"{"currentContext":"colima"}"#,
    )
    .unwrap();
    let endpoint =
        |host: &str| format!(r#"{{"Name":"colima","Endpoints":{{"docker":{{"Host":"{host}"}}}}}}"#);
    let unix = format!("unix://{}", socket.display());
    std::fs::write(meta.join("meta.json"), endpoint(&unix)).unwrap();
    let client = daemon(&world, &[]);
    let docker = check(&world, &client, "docker");
    assert_eq!(docker.status, Status::Ok);
    assert!(
        docker.detail.contains("docker context colima"),
        "{}",
        docker.detail
    );
    assert!(
        docker.detail.contains(socket.to_str().unwrap()),
        "{}",
        docker.detail
    );

    std::fs::write(meta.join("meta.json"), endpoint("ssh://ada@server")).unwrap();
    let docker = check(&world, &client, "docker");
    assert_eq!(docker.status, Status::Warn);
    assert!(
        docker.detail.contains("ssh://ada@server"),
        "{}",
        docker.detail
    );
}

#[test]
fn an_engine_that_comes_later_is_found_without_a_restart() {
    if lacks("docker").is_some() {
        return;
    }
    let world = World::new();
    let socket = world.root.path().join("engine.sock");
    let host = format!("unix://{}", socket.display());
    let client = daemon(&world, &[("DOCKER_HOST", &host)]);
    assert_eq!(check(&world, &client, "docker").status, Status::Warn);
    symlink(ENGINE, &socket).unwrap();
    let docker = check(&world, &client, "docker");
    assert_eq!(docker.status, Status::Ok, "{docker:?}");
    assert!(docker.detail.contains("DOCKER_HOST"), "{}", docker.detail);
    std::fs::remove_file(&socket).unwrap();
    assert_eq!(check(&world, &client, "docker").status, Status::Warn);
    symlink(ENGINE, &socket).unwrap();
    assert_eq!(check(&world, &client, "docker").status, Status::Ok);
}

#[test]
fn a_missing_image_carries_its_repair() {
    if lacks("docker").is_some() {
        return;
    }
    let world = World::new();
    let config = "[defaults]\nimage = \"clauderon-test:latest\"\n";
    std::fs::write(world.home.join("config.toml"), config).unwrap();
    let image = check(&world, &daemon(&world, &[]), "image");
    assert_eq!((image.status, image.repair), (Status::Ok, None));
    // An image of the person's own is not ours to make.
    let config = "[defaults]\nimage = \"no-such-image:1\"\n";
    std::fs::write(world.home.join("config.toml"), config).unwrap();
    let image = check(&world, &daemon(&world, &[]), "image");
    assert_eq!((image.status, image.repair), (Status::Warn, None));
    assert_eq!(image.fix.as_deref(), Some("docker pull no-such-image:1"));
}

/// An installation without agents, whose registry is at this address.
fn without_agents(registry: &str) -> World {
    let world = World::new();
    std::fs::remove_file(world.home.join("agents")).unwrap();
    let config = format!("[agents]\nregistry = \"{registry}\"\n");
    std::fs::write(world.home.join("config.toml"), config).unwrap();
    world
}

fn nothing_half_made(world: &World) {
    let agents = std::fs::read_dir(world.home.join("agents"));
    let names: Vec<_> = agents
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.file_name())
        .filter(|name| name != ".lock")
        .collect();
    assert!(names.is_empty(), "{names:?}");
}

#[test]
fn a_repair_that_fails_says_why_and_leaves_nothing() {
    // Nobody listens on a port that was just given back.
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let world = without_agents(&format!("https://{port}"));
    // No engine, so that no image is offered.
    let client = daemon(&world, &[("DOCKER_HOST", "unix:///nowhere/docker.sock")]);
    let claude = check(&world, &client, "agent claude");
    assert_eq!(claude.repair, Some(Fix::InstallClaude));
    let codex = check(&world, &client, "agent codex");
    assert_eq!(codex.repair, Some(Fix::InstallCodex));
    let mut steps = Vec::new();
    let repair = client.repair(Fix::InstallClaude, |step, percent| {
        steps.push((step.to_owned(), percent));
    });
    let error = world.wait(repair).unwrap_err();
    assert!(error.message.contains(&port.to_string()), "{error}");
    assert!(
        steps[0].0.contains("Claude Code") && steps[0].1 == Some(0),
        "{steps:?}"
    );
    nothing_half_made(&world);

    let finished = world.run(&["doctor", "--fix", "--yes"]).expect(1);
    assert!(
        finished.stderr.contains(&port.to_string()),
        "{}",
        finished.stderr
    );
    let finished = world.run(&["doctor", "--fix"]).expect(2);
    assert!(finished.stderr.contains("--yes"), "{}", finished.stderr);
}

#[test]
fn a_repair_ends_when_nobody_listens_any_more() {
    let registry = TcpListener::bind("127.0.0.1:0").unwrap();
    let world = without_agents(&format!("https://{}", registry.local_addr().unwrap()));
    let client = daemon(&world, &[]);
    let mut download = world.wait(async {
        let accepted = tokio::task::spawn_blocking(move || registry.accept().unwrap().0);
        let step = tokio::sync::Notify::new();
        let repair = client.repair(Fix::InstallCodex, |_, _| step.notify_one());
        // It is said and begun, in whichever order; the registry says nothing, and the caller goes away.
        tokio::select! {
            ended = repair => panic!("the repair ended: {ended:?}"),
            (accepted, ()) = async { tokio::join!(accepted, step.notified()) } => accepted.unwrap(),
        }
    });
    download.set_read_timeout(Some(LIMIT)).unwrap();
    let mut said = Vec::new();
    // Ends when the one who downloads has closed the connection.
    download.read_to_end(&mut said).expect("the download ends");
    let gone = world.wait(async {
        tokio::time::timeout(LIMIT, async {
            while std::fs::read_dir(world.home.join("agents"))
                .unwrap()
                .count()
                > 1
            {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        })
        .await
    });
    gone.expect("the half-made folder goes away");
    nothing_half_made(&world);
    // And the lock is free again: the next one is not refused as busy.
    let error = world
        .wait(client.repair(Fix::InstallCodex, |_, _| {}))
        .unwrap_err();
    assert!(!error.message.contains("another installation"), "{error}");
}

fn rows_of<'a>(
    audit: &'a [serde_json::Value],
    id: &'a str,
) -> impl Iterator<Item = &'a serde_json::Value> {
    audit.iter().filter(move |row| row["session"] == id)
}

fn was_refused(world: &World, id: &str) -> bool {
    rows_of(&world.audit(), id)
        .any(|row| row["kind"] == "refusal" && row["host"] == "collector.example")
}

/// Waits until a demo's agent has done its task.
fn demo_done(world: &World, client: &Client, id: &str) {
    wait_until("the refusal of the demo's unknown host", || {
        was_refused(world, id)
    });
    wait_until("the end of the demo's task", || {
        let view = world.wait(client.session(id)).unwrap();
        view.status.activity.word() == "idle"
    });
}

/// No model request that reached the configured upstream is of a demo, and each carries the real token.
fn upstream_saw_no_demo(world: &World) -> usize {
    let requests = world.upstream.requests();
    let turns: Vec<_> = requests
        .iter()
        .filter(|one| one.path == "/v1/messages")
        .collect();
    for turn in &turns {
        let bearer = format!("Bearer {}", world.anthropic.token);
        assert_eq!(turn.header("authorization"), Some(bearer.as_str()));
        let body = String::from_utf8_lossy(&turn.body);
        assert!(!body.contains("greet.sh"), "{body}");
    }
    turns.len()
}

#[test]
fn a_demo_and_a_session_with_an_account_run_side_by_side_and_never_meet() {
    if lacks("bubblewrap").is_some() {
        return;
    }
    let world = World::new();
    let client = daemon(&world, &[]);
    let mut steps = Vec::new();
    let created = world
        .wait(client.demo(|step| steps.push(step.to_owned())))
        .unwrap();
    let demo = created.session;
    assert!(demo.demo && demo.name == "demo" && demo.backend == Backend::Bubblewrap);
    let info = world.wait(client.session_info(&demo.id)).unwrap();
    assert!(info.credentials.is_empty(), "{:?}", info.credentials);
    assert!(
        created.notices[0].contains("no account"),
        "{:?}",
        created.notices
    );
    assert!(steps.len() > 2, "{steps:?}");
    world
        .print("bubblewrap", "claude", "a", "hello from a")
        .expect(0);
    demo_done(&world, &client, &demo.id);
    assert!(upstream_saw_no_demo(&world) > 0);

    let audit = world.audit();
    let injected = |id: &str| -> std::collections::BTreeSet<String> {
        let names = rows_of(&audit, id).filter_map(|row| row["auth_injected"].as_str());
        names.map(str::to_owned).collect()
    };
    assert_eq!(injected(&demo.id), ["invented".to_owned()].into());
    let own = world.wait(client.session("a")).unwrap();
    assert!(!own.demo);
    assert_eq!(
        injected(&own.id),
        ["anthropic_oauth_token".to_owned()].into()
    );

    // There is something to look at.
    let diff = world.wait(client.diff(&demo.id)).unwrap();
    let paths: Vec<_> = diff.files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!((diff.commits, paths), (1, vec!["NOTES.md", "greet.sh"]));
    let printed = std::fs::read(world.session_folder(&demo.id).join("terminal.log")).unwrap();
    assert!(String::from_utf8_lossy(&printed).contains("placeholder"));
    let recent = world.wait(client.recent_repositories()).unwrap();
    assert_eq!(recent.len(), 1, "{recent:?}");

    // The next daemon knows it for a demo, too: nothing that is said to it leaves.
    let client = daemon(&world, &[]);
    assert!(world.wait(client.session(&demo.id)).unwrap().demo);
    let before = rows_of(&world.audit(), &demo.id)
        .filter(|row| row["kind"] == "decision")
        .count();
    let text = SayText {
        text: "greet.sh again, please".to_owned(),
        send: true,
    };
    world.wait(client.say(&demo.id, &text)).unwrap();
    wait_until("the demo's next turn", || {
        rows_of(&world.audit(), &demo.id)
            .filter(|row| row["kind"] == "decision")
            .count()
            > before
    });
    upstream_saw_no_demo(&world);
    assert_eq!(
        world.wait(client.demo(|_| {})).unwrap().session.name,
        "demo-2"
    );
}

#[test]
fn a_demo_needs_no_account_and_runs_in_docker_where_that_is_preferred() {
    if lacks("docker").is_some() {
        return;
    }
    let world = World::new();
    std::fs::remove_file(world.home.join("secrets/anthropic_oauth_token")).unwrap();
    let image = programs::IMAGE;
    let config = format!("[defaults]\nbackend = \"docker\"\nimage = \"{image}\"\n");
    std::fs::write(world.home.join("config.toml"), config).unwrap();
    let client = daemon(&world, &[]);
    let demo = world.wait(client.demo(|_| {})).unwrap().session;
    assert_eq!((demo.demo, demo.backend), (true, Backend::Docker));
    demo_done(&world, &client, &demo.id);
    assert_eq!(upstream_saw_no_demo(&world), 0);
}

#[test]
fn a_repository_that_is_gone_is_named_and_nothing_is_lost_when_it_is_back() {
    if lacks("bubblewrap").is_some() {
        return;
    }
    let world = World::new();
    world.detached("bubblewrap", "claude", "a", None).expect(0);
    world.run(&["stop", "a"]).expect(0);
    let repository = world.repository.clone();
    let away = world.root.path().join("away");
    std::fs::rename(&repository, &away).unwrap();
    for verb in ["diff", "pull", "start"] {
        let mut command = world.command(&[verb, "a"]);
        let output = command.current_dir(world.root.path()).output().unwrap();
        let finished = clauderon_tests::Finished::from(output).expect(1);
        let name = repository.to_str().unwrap();
        assert!(
            finished.stderr.contains(name),
            "{verb}: {}",
            finished.stderr
        );
        assert!(
            finished.stderr.contains("put it back"),
            "{verb}: {}",
            finished.stderr
        );
    }
    std::fs::rename(&away, &repository).unwrap();
    world.run(&["start", "a"]).expect(0);
    world.run(&["diff", "a"]).expect(0);
}
