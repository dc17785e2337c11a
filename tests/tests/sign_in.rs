//! The sign-in: a program in a terminal of its own, whose token goes into the keychain and is seen by nobody.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use clauderon_api::{Client, SignInEvent, SignInText};
use clauderon_tests::keyring::Bus;
use clauderon_tests::{Canary, PATIENCE, World, lacks, programs};

const TOKEN: &str = "anthropic_oauth_token";
/// Starts a daemon with these variables in an installation without a Claude token.
fn installation(variables: &[(&str, &str)]) -> World {
    let world = World::new();
    std::fs::remove_file(world.home.join("secrets").join(TOKEN)).expect("remove the token");
    let mut start = world.command(&["list"]);
    start.envs(variables.iter().copied());
    let started = start.output().expect("clauderon starts");
    assert!(started.status.success());
    world
}

/// What a viewer saw of a sign-in, and its end.
struct Seen {
    output: String,
    links: Vec<String>,
    end: Option<SignInText>,
}

/// What a viewer does next.
#[derive(Clone, Copy)]
enum Step {
    Code,
    Enter,
    Watch,
}

/// Signs in as a viewer does: answers the first link with the code that its page would show, typed once the program shows that
/// it `asks` and sent once it shows what was `typed`.
fn sign_in(world: &World, [asks, typed]: [&str; 2], code: impl Fn(&str) -> String) -> Seen {
    let socket = world.home.join("clauderon.sock");
    let going = async {
        let client = Client::connect(socket).await.expect("a daemon answers");
        let mut sign_in = client.sign_in(TOKEN).await.expect("the sign-in begins");
        let mut seen = Seen {
            output: String::new(),
            links: Vec::new(),
            end: None,
        };
        let mut step = Step::Code;
        while let Some(event) = sign_in.next().await.expect("the daemon stays") {
            match event {
                SignInEvent::Output(bytes) => seen.output += &String::from_utf8_lossy(&bytes),
                SignInEvent::Text(SignInText::Link { url }) => seen.links.push(url),
                SignInEvent::Text(end) => seen.end = Some(end),
            }
            match (step, seen.links.first()) {
                (Step::Code, Some(link)) if seen.output.contains(asks) => {
                    sign_in.type_bytes(code(link)).await.expect("type");
                    step = Step::Enter;
                }
                (Step::Enter, _) if seen.output.contains(typed) => {
                    sign_in.type_bytes("\r").await.expect("type");
                    step = Step::Watch;
                }
                _ => {}
            }
        }
        seen
    };
    world.wait(async {
        tokio::time::timeout(PATIENCE, going)
            .await
            .expect("the sign-in ends")
    })
}

/// Puts a program in the place of Claude Code.
fn replace_claude(world: &World, script: &str) {
    let agents = world.home.join("agents");
    let version = std::fs::read_dir(programs::agents().join("claude"))
        .expect("Claude Code is installed")
        .flatten()
        .map(|entry| entry.file_name())
        .next()
        .expect("one version");
    std::fs::remove_file(&agents).expect("remove the link");
    let folder = agents.join("claude").join(version);
    std::fs::create_dir_all(&folder).expect("make the folder");
    let program = folder.join("claude");
    std::fs::write(&program, format!("#!/bin/bash\n{script}")).expect("write the program");
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).expect("chmod");
}

#[test]
fn a_scripted_sign_in_keeps_its_token_and_shows_and_knows_no_credential() {
    if lacks("bubblewrap").or(lacks("keychain")).is_some() {
        return;
    }
    let bus = Bus::with_keyring();
    let world = installation(&[
        ("DBUS_SESSION_BUS_ADDRESS", bus.address()),
        ("GITHUB_TOKEN", "ghp_of-the-person"),
    ]);
    let noted = world.root.path().join("noted");
    let canary = Canary::new("sk-ant-oat01-");
    // The canary's own spelling has characters that no such token has.
    let token = canary.token.replace(['+', '/'], "_");
    let (one, rest) = token.split_at(9);
    let (two, three) = rest.split_at(20);
    replace_claude(
        &world,
        &format!(
            "env > {noted}; echo \"args $*\" >> {noted}; test -t 0 && echo terminal >> {noted}\n\
             echo 'Open https://claude.example/sign?in=1 now'; read code; echo \"code $code\" >> {noted}\n\
             printf 'Your token: {one}'; sleep 0.2; printf '{two}'; sleep 0.2; printf '{three}\\n'; sleep 30\n",
            noted = noted.display()
        ),
    );
    let seen = sign_in(&world, [" now", "the-code"], |_| "the-code".to_owned());
    assert_eq!(seen.links, ["https://claude.example/sign?in=1"]);
    assert_eq!(
        seen.end,
        Some(SignInText::Done {
            name: TOKEN.to_owned()
        })
    );
    assert!(!seen.output.contains(&three[..12]), "{}", seen.output);
    assert!(seen.output.contains("Your token: [kept"), "{}", seen.output);
    assert!(bus.items("clauderon").contains(&token));

    let noted = std::fs::read_to_string(noted).expect("the program ran");
    for line in ["args setup-token", "terminal", "code the-code"] {
        assert!(noted.contains(line), "{noted}");
    }
    assert!(!noted.contains("ghp_of-the-person"), "{noted}");
    let home = noted.lines().find_map(|line| line.strip_prefix("HOME="));
    let home = PathBuf::from(home.expect("it has a home"));
    assert!(!home.starts_with(world.root.path()) && !home.exists());

    let accounts = world.json(&["accounts"]).to_string();
    assert!(accounts.contains("\"keychain\""), "{accounts}");
    no_file_holds(&world.home, token.as_bytes());
}

#[test]
fn the_real_sign_in_ends_in_the_keychain() {
    if lacks("bubblewrap").or(lacks("keychain")).is_some() {
        return;
    }
    let bus = Bus::with_keyring();
    let folder = tempfile::tempdir().expect("a folder");
    let ca = folder.path().join("ca.pem");
    let door = TcpListener::bind("127.0.0.1:0").expect("bind");
    let proxy = format!("http://{}", door.local_addr().expect("bound"));
    let world = installation(&[
        ("DBUS_SESSION_BUS_ADDRESS", bus.address()),
        ("HTTPS_PROXY", &proxy),
        ("NODE_EXTRA_CA_CERTS", ca.to_str().expect("UTF-8")),
    ]);
    std::fs::write(&ca, world.upstream.ca_pem()).expect("write the CA");
    let upstream = world.upstream.addr();
    std::thread::spawn(move || {
        for stream in door.incoming().flatten() {
            std::thread::spawn(move || tunnel(stream, upstream));
        }
    });
    let code = format!("code-{}", std::process::id());
    // The page shows the code with the link's own state behind it.
    let seen = sign_in(&world, ["prompted", "****"], |link| {
        let state = link.split("state=").nth(1).expect("the link has a state");
        format!("{code}#{state}")
    });
    assert!(
        seen.links[0].contains("code_challenge="),
        "{:?}",
        seen.links
    );
    assert_eq!(
        seen.end,
        Some(SignInText::Done {
            name: TOKEN.to_owned()
        }),
        "{}",
        seen.output
    );
    let token = format!("sk-ant-oat01-rehearsal-00000000000000000000-{code}");
    assert!(bus.items("clauderon").contains(&token));
    assert!(!seen.output.contains(&token));
    no_file_holds(&world.home, token.as_bytes());
}

#[test]
fn without_an_open_keychain_nothing_is_started() {
    if lacks("bubblewrap").is_some() {
        return;
    }
    let world = installation(&[("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent")]);
    let refused = world.run(&["accounts", "sign-in"]).expect(4);
    assert!(refused.stderr.contains("no keychain"), "{}", refused.stderr);
    let codex = world
        .run(&["accounts", "sign-in", "openai_api_key"])
        .expect(2);
    for words in ["no sign-in", "ChatGPT", "paste an API key"] {
        assert!(codex.stderr.contains(words), "{}", codex.stderr);
    }
}

/// Carries one tunnel to the scripted upstream, whatever host it is for.
fn tunnel(mut stream: TcpStream, upstream: SocketAddr) {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read(&mut byte) {
            Ok(1) => head.extend_from_slice(&byte),
            _ => return,
        }
    }
    let Ok(mut up) = TcpStream::connect(upstream) else {
        return;
    };
    if stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").is_err() {
        return;
    }
    let (Ok(mut from), Ok(mut to)) = (stream.try_clone(), up.try_clone()) else {
        return;
    };
    std::thread::spawn(move || {
        // Either side may hang up.
        let _ = std::io::copy(&mut from, &mut to);
        let _ = to.shutdown(std::net::Shutdown::Write);
    });
    let _ = std::io::copy(&mut up, &mut stream);
    let _ = stream.shutdown(std::net::Shutdown::Write);
}

fn no_file_holds(folder: &Path, token: &[u8]) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let kind = entry.file_type().expect("its kind");
        // The scripted program itself lies in `agents`.
        if kind.is_dir() && entry.file_name() != "agents" {
            no_file_holds(&entry.path(), token);
        } else if kind.is_file() {
            let bytes = std::fs::read(entry.path()).unwrap_or_default();
            let found = bytes.windows(token.len()).any(|window| window == token);
            assert!(!found, "{} holds the token", entry.path().display());
        }
    }
}
