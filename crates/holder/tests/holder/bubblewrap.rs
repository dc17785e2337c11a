use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::process::Command as Process;
use std::time::{Duration, Instant};

use clauderon_holder::wire::LIVE_END;
use clauderon_holder::{Announcement, Command, ExecRequest, Mode, Report, Sandbox, Stage, User};

use crate::bed::{Session, find, relay, skip, streams, until, write_public};

fn is_root() -> bool {
    fs::metadata("/proc/self").unwrap().uid() == 0
}

/// Root becomes another user, since that is what it must be able to do.
fn user() -> Option<User> {
    is_root().then_some(User {
        uid: 1000,
        gid: 1000,
    })
}

const BASE: &str = "bwrap --unshare-all --die-with-parent --clearenv --ro-bind /usr /usr --symlink usr/bin /bin \
     --symlink usr/lib /lib --symlink usr/lib64 /lib64 --proc /proc --dev /dev --tmpfs /tmp --setenv PATH /usr/bin --setenv PS1 ok> --chdir /";

fn bwrap(command: &[&str]) -> Sandbox {
    let words = BASE.split_whitespace().chain(command.iter().copied());
    Sandbox::Bubblewrap {
        argv: words.map(str::to_owned).collect(),
        seccomp: None,
        user: user(),
        stage: Vec::new(),
        cgroups: Vec::new(),
    }
}

fn bash(script: &str) -> Sandbox {
    bwrap(&["bash", "--norc", "-c", script])
}

/// A sandbox whose first process is the relay, its agent a shell script.
fn relayed(session: &Session, script: &str) -> Option<Sandbox> {
    let relay = relay()?;
    let run = session.dir.path().join("run");
    fs::create_dir(&run).unwrap();
    fs::set_permissions(&run, fs::Permissions::from_mode(0o711)).unwrap();
    let launch = serde_json::json!({
        "argv": ["bash", "--norc", "-c", script],
        "env": {"PATH": "/usr/bin", "MARK": "agent"},
        "cwd": "/tmp",
    });
    write_public(
        &run.join("launch.json"),
        launch.to_string().as_bytes(),
        0o644,
    );
    let staged = is_root();
    let place = |name: &str, source: &std::path::Path| match staged {
        true => format!("{{stage}}/{name}"),
        false => source.display().to_string(),
    };
    let (run_source, relay_source) = (place("run", &run), place("relay", &relay));
    let mut sandbox = bwrap(&[
        "--as-pid-1",
        "--ro-bind",
        &run_source,
        "/clauderon/run",
        "--ro-bind",
        &relay_source,
        "/clauderon/relay",
        "/clauderon/relay",
        "--control",
        "{control}",
    ]);
    let stages = [("run", &run), ("relay", &relay)];
    if let (true, Sandbox::Bubblewrap { stage, .. }) = (staged, &mut sandbox) {
        stage.extend(stages.map(|(name, source)| Stage {
            source: source.clone(),
            name: name.into(),
        }));
    }
    Some(sandbox)
}

#[test]
fn a_terminal_echoes_obeys_ctrl_c_and_knows_its_size() {
    let mut session = Session::new();
    let mut spec = session.spec(Mode::Pty, bwrap(&["bash", "--norc", "-i"]));
    (spec.cols, spec.rows) = (100, 30);
    session.start(&spec);
    let mut client = session.attach(0);
    assert!(client.hello().running && client.hello().mode == Mode::Pty);
    // Each line waits for the prompt: bash loses some of what is typed while it changes modes.
    client.until("ok>");
    client.type_in("stty size; echo mark$((1+1))\r");
    client.until("30 100\r\nmark2\r\nok>");
    // Printed once the foreground is its own: a Ctrl-C before that would be for bash.
    client.type_in("bash -c 'echo ready; exec sleep 60'\r");
    client.until("\nready\r\n");
    client.type_in("\x03");
    client.until("^C");
    client.until("ok>");
    client.type_in("stty size\r");
    client.until("30 100\r\nok>");
    client.send(&Command::Resize { cols: 77, rows: 11 });
    client.type_in("stty size; tty < /dev/tty\r");
    client.until("11 77\r\n");
    client.until("ok>");
    client.type_in("exit 7\r");
    let record = client.exit();
    assert_eq!((record.code, record.signal, record.oom), (7, None, false));
    session.wait();
    assert_eq!(session.exit(), record);
    assert!(!session.files.socket().exists());
}

#[test]
fn the_agent_behind_the_relay_gets_ctrl_c_ctrl_p_and_window_changes() {
    let mut session = Session::new();
    // With flushing on, the kernel signals first and then throws away what waits to be read, quick answers included.
    let script = "trap 'echo got int' INT; trap 'echo got winch $(stty size)' WINCH; stty -echo raw isig noflsh; echo ready; \
        printf 'key %s\\r\\n' $(head -c 1 | od -An -tx1); \
        while :; do now=$(stty size); [ \"$now\" = \"$old\" ] || echo \"size $now\"; old=$now; sleep 0.05; done";
    let Some(sandbox) = relayed(&session, script) else {
        return;
    };
    session.start(&session.spec(Mode::Pty, sandbox));
    let mut client = session.attach(0);
    client.until("ready");
    client.type_in("\x10");
    client.until("key 10\r\n");
    client.type_in("\x03");
    client.until("got int");
    client.send(&Command::Resize { cols: 90, rows: 20 });
    client.until("got winch 20 90");
    client.type_in("\x1a");
    client.send(&Command::Resize { cols: 91, rows: 20 });
    // Ctrl-Z stopped it, and nobody but the relay could bring it back. Bash forgets a signal that comes while its trap for the
    // one before still runs, so the size is read from its loop.
    client.until("size 20 91");
    client.send(&Command::Signal(libc::SIGKILL));
    assert_eq!(client.exit().code, 137);
}

#[test]
fn the_relay_is_the_first_process_and_reaps_what_others_leave() {
    let mut session = Session::new();
    let script = "cat /proc/1/comm; (sleep 0.1 & sleep 0.2 &); sleep 0.5; cat /proc/[0-9]*/stat | grep -c ' Z '; \
        cat /proc/1/environ 2>/dev/null | wc -c; echo $MARK; pwd; tty; id -u; exit 5";
    let Some(sandbox) = relayed(&session, script) else {
        return;
    };
    session.start(&session.spec(Mode::Pipes, sandbox));
    let mut client = session.attach(0);
    let code = client.exit().code;
    let (stdout, stderr) = streams(&client.seen);
    let uid = user().map_or_else(
        || fs::metadata("/proc/self").unwrap().uid(),
        |user| user.uid,
    );
    let expected = format!("relay\n0\n0\nagent\n/tmp\nnot a tty\n{uid}\n");
    assert_eq!(
        (String::from_utf8(stdout).unwrap(), code),
        (expected, 5),
        "{}",
        stderr.escape_ascii()
    );
}

#[test]
fn nothing_of_the_holders_environment_is_inside() {
    let mut session = Session::new();
    session.start(&session.spec(
        Mode::Pipes,
        bash("cat /proc/1/environ | tr '\\0' '\\n'; ls /proc/self/fd | wc -l"),
    ));
    let mut client = session.attach(0);
    client.exit();
    let (stdout, _) = streams(&client.seen);
    assert_eq!(String::from_utf8(stdout).unwrap(), "4\n");
}

#[test]
fn pipes_carry_every_byte_of_both_streams_and_the_exit_code() {
    let mut session = Session::new();
    let input: Vec<u8> = (0..1_000_000u32)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8)
        .collect();
    let mut spec = session.spec(Mode::Pipes, bash("tee /dev/stderr; exit 3"));
    let file = session.dir.path().join("private/stdin");
    fs::write(&file, &input).unwrap();
    spec.stdin = Some(file);
    // Opening /dev/stderr again needs the pipe's owner; tee -a of a descriptor does not.
    spec.sandbox = bash("tee >(cat >&2); exit 3");
    session.start(&spec);
    let mut client = session.attach(0);
    let record = client.exit();
    assert_eq!(record.code, 3);
    let (stdout, stderr) = streams(&client.seen);
    assert!(
        stdout == input,
        "standard output differs: {} bytes",
        stdout.len()
    );
    assert!(input.starts_with(&stderr), "standard error differs");
    session.wait();
    assert_eq!(session.log(), client.seen);
}

#[test]
fn without_a_file_the_input_is_at_its_end() {
    let mut session = Session::new();
    session.start(&session.spec(Mode::Pipes, bash("cat; echo done")));
    let mut client = session.attach(0);
    assert_eq!(client.exit().code, 0);
    assert_eq!(streams(&client.seen).0, b"done\n");
}

#[test]
fn a_viewer_gets_exactly_the_rest_from_any_offset() {
    let mut session = Session::new();
    session.start(&session.spec(
        Mode::Pty,
        bash("echo one; read x; echo two; read x; echo three; exit 0"),
    ));
    let mut first = session.attach(0);
    first.until("one\r\n");
    let place = first.next;
    // A viewer that dies takes nothing with it.
    drop(first);
    let mut second = session.attach(place);
    second.type_in("\r");
    second.until("two\r\n");
    let mut live = session.attach(LIVE_END);
    live.next = second.next;
    second.type_in("\r");
    assert_eq!(second.exit(), live.exit());
    assert!(find(&live.seen, b"three\r\n").is_some() && find(&live.seen, b"two").is_none());
    let log = session.log();
    assert_eq!(log[log.len() - second.seen.len()..], second.seen);
}

#[test]
fn a_viewer_that_stops_reading_delays_nobody() {
    let mut session = Session::new();
    session.start(&session.spec(
        Mode::Pty,
        bash("read x; for i in $(seq 300000); do echo line $i; done; echo END"),
    ));
    let stopped = session.attach(0);
    let mut reader = session.attach(0);
    reader.type_in("\r");
    let started = Instant::now();
    reader.until("END\r\n");
    assert_eq!(reader.exit().code, 0);
    assert!(started.elapsed() < Duration::from_secs(20));
    drop(stopped);
    session.wait();
}

#[test]
fn a_lone_viewer_that_stops_reading_holds_the_agent_only_for_a_moment() {
    let mut session = Session::new();
    let script = "read x; for i in $(seq 600000); do echo line $i; done; echo END";
    session.start(&session.spec(Mode::Pty, bash(script)));
    let mut stopped = session.attach(0);
    stopped.type_in("\r");
    until("the agent ends", || {
        session.files.read_exit().unwrap().is_some()
    });
    assert!(find(&session.log(), b"END").is_some());
}

#[test]
fn stop_asks_first_and_kills_after_the_grace() {
    let mut session = Session::new();
    let Some(sandbox) = relayed(
        &session,
        "trap 'echo asked' TERM; echo ready; while :; do sleep 0.05; done",
    ) else {
        return;
    };
    session.start(&session.spec(Mode::Pty, sandbox));
    let mut client = session.attach(0);
    client.until("ready");
    client.send(&Command::Stop { grace_ms: 300 });
    client.until("asked");
    let record = client.exit();
    assert_eq!((record.code, record.signal), (137, Some(9)));
}

#[test]
fn the_sandbox_ends_with_its_holder() {
    let mut session = Session::new();
    let mark = format!("86400.{}", std::process::id());
    session.start(&session.spec(Mode::Pty, bwrap(&["sleep", &mark])));
    let alive = || {
        Process::new("pgrep")
            .args(["-f", &format!("^sleep {mark}$")])
            .output()
            .unwrap()
            .status
            .success()
    };
    until("the sandbox runs", alive);
    session.kill_holder();
    until("the sandbox is gone", || !alive());
    assert_eq!(session.files.read_exit().unwrap(), None);
}

#[test]
fn runs_programs_beside_the_agent() {
    let mut session = Session::new();
    let Some(sandbox) = relayed(&session, "echo ready; read x") else {
        return;
    };
    session.start(&session.spec(Mode::Pty, sandbox));
    session.attach(0).until("ready");
    let run = |script: &str, env| {
        let mut client = session.connect();
        let argv = ["bash", "-c", script].map(str::to_owned).to_vec();
        client.send(&Command::Exec(ExecRequest {
            argv,
            env,
            cwd: None,
        }));
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        loop {
            match client.report().unwrap() {
                Report::ExecOutput { stream: 1, bytes } => stdout.extend(bytes),
                Report::ExecOutput { bytes, .. } => stderr.extend(bytes),
                Report::ExecExit(code) => return (stdout, stderr, code),
                other => panic!("{other:?}"),
            }
        }
    };
    let (stdout, stderr, code) = run("echo $MARK; pwd; echo problem >&2; exit 9", None);
    assert_eq!(
        (stdout.as_slice(), stderr.as_slice(), code),
        (&b"agent\n/tmp\n"[..], &b"problem\n"[..], 9)
    );
    let (stdout, _, code) = run(
        "head -c 3000000 /dev/zero; sleep 60 & exit 0",
        Some([].into()),
    );
    assert_eq!((stdout.len(), code), (3_000_000, 0));

    let mut client = session.connect();
    client.send(&Command::Exec(ExecRequest {
        argv: vec!["nowhere".into()],
        env: None,
        cwd: None,
    }));
    assert!(
        matches!(client.report(), Some(Report::Error(text)) if text.contains("nowhere was not found"))
    );
    assert_eq!(client.report(), Some(Report::ExecExit(127)));
}

#[test]
fn root_reaches_sources_for_a_user_who_could_not() {
    if !is_root() {
        skip("only root stages mounts");
        return;
    }
    let mut session = Session::new();
    let hidden = session.dir.path().join("private/hidden");
    fs::create_dir(&hidden).unwrap();
    fs::set_permissions(session.dir.path(), fs::Permissions::from_mode(0o700)).unwrap();
    write_public(&hidden.join("file"), b"reached\n", 0o644);
    let mut sandbox = bwrap(&[
        "--ro-bind",
        "{stage}/0",
        "/data",
        "--ro-bind",
        "{stage}/1",
        "/one",
        "bash",
        "-c",
        "cat /data/file /one; id -u; id -G; echo > /data/x || true; ls -d /run/clauderon 2>/dev/null | wc -l",
    ]);
    if let Sandbox::Bubblewrap { stage, .. } = &mut sandbox {
        stage.push(Stage {
            source: hidden.clone(),
            name: "0".into(),
        });
        stage.push(Stage {
            source: hidden.join("file"),
            name: "1".into(),
        });
    }
    session.start(&session.spec(Mode::Pipes, sandbox));
    let mut client = session.attach(0);
    client.exit();
    let (stdout, stderr) = streams(&client.seen);
    assert_eq!(
        String::from_utf8(stdout).unwrap(),
        "reached\nreached\n1000\n1000\n0\n"
    );
    assert!(find(&stderr, b"Read-only file system").is_some());
}

#[test]
fn says_in_one_sentence_what_it_cannot_start() {
    let mut session = Session::new();
    let mut missing = bwrap(&["true"]);
    if let Sandbox::Bubblewrap { argv, .. } = &mut missing {
        argv[0] = "/nowhere/bwrap".into();
    }
    let mut staged = bwrap(&["true"]);
    if let Sandbox::Bubblewrap { stage, .. } = &mut staged {
        stage.push(Stage {
            source: "/nowhere".into(),
            name: "0".into(),
        });
    }
    let check = |session: &mut Session, sandbox, part: &str| {
        let error = session.refusal(&session.spec(Mode::Pty, sandbox));
        assert!(error.contains(part) && !error.contains('\n'), "{error}");
        session.wait();
    };
    check(
        &mut session,
        missing,
        "cannot run /nowhere/bwrap: No such file",
    );
    check(&mut session, staged, "cannot mount /nowhere");
    check(
        &mut session,
        bwrap(&["--seccomp", "{seccomp}", "true"]),
        "mentions {seccomp}",
    );

    session.start(&session.spec(Mode::Pty, bwrap(&["sleep", "60"])));
    let mut other = Session::new();
    let mut spec = session.spec(Mode::Pty, bwrap(&["true"]));
    spec.dir = session.dir.path().into();
    assert!(
        matches!(other.announce(&spec), Announcement::Failed { error } if error.contains("already"))
    );
    // And the one that runs is still reachable.
    assert!(session.connect().hello().running);
}

#[test]
fn commands_after_the_end_and_nonsense_are_answered() {
    let mut session = Session::new();
    session.start(&session.spec(Mode::Pipes, bash("read x; sleep 60")));
    let mut client = session.connect();
    client.send(&Command::Resize { cols: 1, rows: 1 });
    assert!(matches!(client.report(), Some(Report::Error(_))));
    let mut viewer = session.attach(0);
    client.send(&Command::Stop { grace_ms: 0 });
    assert_ne!(viewer.exit().code, 0);
    session.wait();
}

#[test]
fn a_holder_that_waits_is_small() {
    let mut session = Session::new();
    session.start(&session.spec(Mode::Pty, bwrap(&["sleep", "60"])));
    session.attach(0);
    let smaps = fs::read_to_string(format!("/proc/{}/smaps_rollup", session.holder_pid())).unwrap();
    let pss = smaps
        .lines()
        .find_map(|line| line.strip_prefix("Pss:"))
        .unwrap();
    let pss: u64 = pss.trim().trim_end_matches(" kB").parse().unwrap();
    assert!(pss < 3_000, "{pss} kB");
}

#[test]
fn sizes_are_told_where_they_begin_and_kept_beside_the_log() {
    let mut session = Session::new();
    let mut spec = session.spec(Mode::Pty, bash("echo one; read x; echo two; read x"));
    (spec.cols, spec.rows) = (100, 30);
    session.start(&spec);
    let mut client = session.attach(0);
    client.until("one\r\n");
    let before = client.next;
    client.send(&Command::Resize { cols: 70, rows: 20 });
    client.send(&Command::Resize { cols: 71, rows: 20 });
    client.type_in("\r");
    client.until("two\r\n");
    assert_eq!(client.sizes[0], (0, 100, 30));
    assert_eq!(client.sizes.last(), Some(&(before, 71, 20)));
    let marks = session.files.read_sizes().unwrap();
    let marks: Vec<_> = marks
        .iter()
        .map(|mark| (mark.offset, mark.cols, mark.rows))
        .collect();
    assert_eq!(marks, [(0, 100, 30), (before, 71, 20)]);
    let mut late = session.attach(0);
    late.until("two\r\n");
    assert_eq!(late.sizes, [(0, 100, 30), (before, 71, 20)]);
    client.type_in("\r");
    assert_eq!(client.exit().code, 0);
}

#[test]
fn one_who_keeps_books_does_not_let_the_agent_run_away_from_its_viewer() {
    let mut session = Session::new();
    session.start(&session.spec(Mode::Pty, bash("read x; yes | head -c 8000000")));
    let mut books = session.connect();
    books.send(&Command::Follow { from: 0 });
    let mut viewer = session.attach(0);
    viewer.type_in("\r");
    // Nothing is read: the agent has to wait, although the bookkeeper has all there is.
    let mut printed = 0;
    while printed < 1024 * 1024 {
        match books.report() {
            Some(Report::Output { offset, bytes }) => printed = offset + bytes.len() as u64,
            other => panic!("{other:?}"),
        }
    }
    assert!(session.files.log().metadata().unwrap().len() < 3 * 1024 * 1024);
    assert_eq!(viewer.exit().code, 0);
}

/// A small file system in memory, which only root can make.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn mount() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mounted = Process::new("mount")
            .args(["-t", "tmpfs", "-o", "size=1m", "tmpfs"])
            .arg(folder.path())
            .output();
        match mounted {
            Ok(output) if output.status.success() => Some(Self(folder)),
            _ => {
                skip("a small file system cannot be mounted");
                None
            }
        }
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Process::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

#[test]
fn on_a_full_disk_the_agent_waits_and_no_byte_is_lost() {
    let Some(disk) = SmallDisk::mount() else {
        return;
    };
    let ballast = disk.0.path().join("ballast");
    fs::write(&ballast, vec![b'x'; 400_000]).unwrap();
    let mut session = Session::in_folder(&disk.0);
    let script = "for i in $(seq 1 100000); do echo line $i; done; exit 4";
    session.start(&session.spec(Mode::Pty, bash(script)));
    let mut client = session.attach(0);
    let mut told = false;
    while !told {
        match client.report() {
            Some(Report::Output { offset, bytes }) => {
                assert_eq!(offset, client.next);
                client.next += bytes.len() as u64;
                client.seen.extend_from_slice(&bytes);
            }
            Some(Report::Notice(sentence)) => {
                assert!(sentence.contains("disk is full"), "{sentence}");
                told = true;
            }
            other => panic!("{other:?}"),
        }
    }
    // The disk stays full; what was printed is in the log, and the agent still runs.
    let length = fs::metadata(session.files.log()).unwrap().len();
    std::thread::park_timeout(Duration::from_millis(1200));
    assert_eq!(fs::metadata(session.files.log()).unwrap().len(), length);
    assert!(session.files.read_exit().unwrap().is_none());
    fs::remove_file(&ballast).unwrap();
    // There is room for 400 kB more, not for all: the reader takes it away as a rotation would.
    while client.next < length + 100_000 {
        match client.report() {
            Some(Report::Output { offset, bytes }) => {
                assert_eq!(offset, client.next, "a gap in the output");
                client.next += bytes.len() as u64;
                client.seen.extend_from_slice(&bytes);
            }
            Some(Report::Notice(_)) => {}
            other => panic!("{other:?}"),
        }
    }
    let seen = String::from_utf8(client.seen.clone()).unwrap();
    let whole: Vec<_> = seen
        .split_inclusive("\r\n")
        .filter(|line| line.ends_with('\n'))
        .collect();
    for (index, line) in whole.iter().enumerate() {
        assert_eq!(*line, format!("line {}\r\n", index + 1));
    }
}
