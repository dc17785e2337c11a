use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::process::{Command as Process, Stdio};
use std::sync::{Arc, Mutex};

use clauderon_holder::{Command, Mode, Sandbox};

use crate::bed::{Session, skip, streams, until};

const IMAGE: &str = "clauderon-test:latest";
const SOCKET: &str = "/var/run/docker.sock";

/// A way to the engine that can be closed, as if the engine were gone.
struct Way {
    path: std::path::PathBuf,
    open: Arc<Mutex<Vec<UnixStream>>>,
}

impl Way {
    fn open(path: &Path) -> Self {
        let listener = UnixListener::bind(path).unwrap();
        let open = Arc::new(Mutex::new(Vec::new()));
        let all = open.clone();
        std::thread::spawn(move || {
            for agent in listener.incoming() {
                let (agent, engine) = (agent.unwrap(), UnixStream::connect(SOCKET).unwrap());
                for (from, to) in [(&agent, &engine), (&engine, &agent)] {
                    let (mut from, mut to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
                    std::thread::spawn(move || {
                        let _ = std::io::copy(&mut from, &mut to);
                        let _ = to.shutdown(Shutdown::Write);
                    });
                }
                all.lock().unwrap().extend([agent, engine]);
            }
        });
        Self {
            path: path.to_owned(),
            open,
        }
    }
}

impl Drop for Way {
    fn drop(&mut self) {
        // Nobody comes through any more, and who is on the way hears of the end.
        std::fs::remove_file(&self.path).unwrap();
        for stream in self.open.lock().unwrap().drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

/// A container that goes when the test does.
struct Container(String);

impl Container {
    fn create(options: &[&str], command: &[&str]) -> Option<Self> {
        if UnixStream::connect(SOCKET).is_err() {
            skip("no Docker engine answers");
            return None;
        }
        let known = Process::new("docker")
            .args(["image", "inspect", IMAGE])
            .stdout(Stdio::null())
            .status()
            .unwrap();
        if !known.success() {
            skip("the test image is not there");
            return None;
        }
        let output = Process::new("docker")
            .args(["create", "--network", "none"])
            .args(options)
            .arg(IMAGE)
            .args(command)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", output.stderr.escape_ascii());
        Some(Self(
            String::from_utf8(output.stdout).unwrap().trim().to_owned(),
        ))
    }

    fn sandbox(&self, start: bool) -> Sandbox {
        Sandbox::Docker {
            socket: SOCKET.into(),
            container: self.0.clone(),
            start,
        }
    }

    fn is_running(&self) -> bool {
        let output = Process::new("docker")
            .args(["inspect", "-f", "{{.State.Running}}", &self.0])
            .output()
            .unwrap();
        output.stdout.starts_with(b"true")
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        let _ = Process::new("docker")
            .args(["rm", "-f", &self.0])
            .stdout(Stdio::null())
            .status();
    }
}

#[test]
fn a_terminal_in_a_container_echoes_obeys_ctrl_c_and_passes_ctrl_p_at_once() {
    let Some(container) = Container::create(&["-it", "-e", "PS1=ok>"], &["bash", "--norc", "-i"])
    else {
        return;
    };
    let mut session = Session::new();
    let mut spec = session.spec(Mode::Pty, container.sandbox(true));
    (spec.cols, spec.rows) = (101, 31);
    session.start(&spec);
    let mut client = session.attach(0);
    client.until("ok>");
    client.type_in("bash -c 'echo up; exec sleep 60'\r");
    client.until("\rup\r\n");
    client.type_in("\x03");
    client.until("^C");
    client.until("ok>");
    client.type_in("stty size\r");
    client.until("31 101\r\n");
    client.until("ok>");
    client.send(&Command::Resize { cols: 60, rows: 12 });
    client.type_in("read -rsn1 key; printf 'key %x\\n' \"'$key\"\r");
    client.until("key %x\\n' \"'$key\"\r\n");
    client.type_in("\x10");
    client.until("key 10\r\n");
    client.until("ok>");
    // The engine applies a size beside the input, so that the first answers may be older.
    let sizes = (0..100).map(|_| {
        client.type_in("stty size\r");
        client.until("\r\n\x1b[?2004hok>")
    });
    assert!(sizes.into_iter().any(|size| size.contains("12 60")));
    client.type_in("exit 7\r");
    assert_eq!(client.exit().code, 7);
    session.wait();
    assert_eq!(session.exit().code, 7);
}

#[test]
fn nothing_that_a_container_prints_is_lost() {
    for _ in 0..3 {
        let Some(container) = Container::create(
            &["-t"],
            &["bash", "-c", "printf 'first\\nlast without end'"],
        ) else {
            return;
        };
        let mut session = Session::new();
        session.start(&session.spec(Mode::Pty, container.sandbox(true)));
        let mut client = session.attach(0);
        assert_eq!(client.exit().code, 0);
        assert_eq!(client.seen, b"first\r\nlast without end");
    }
}

#[test]
fn pipes_of_a_container_carry_every_byte_and_the_exit_code() {
    let Some(container) =
        Container::create(&["-i"], &["bash", "-c", "tee >(sha256sum >&2); exit 3"])
    else {
        return;
    };
    let mut session = Session::new();
    let input: Vec<u8> = (0..1_000_000u32)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8)
        .collect();
    let file = session.dir.path().join("private/stdin");
    std::fs::write(&file, &input).unwrap();
    let mut spec = session.spec(Mode::Pipes, container.sandbox(true));
    spec.stdin = Some(file);
    session.start(&spec);
    let mut client = session.attach(0);
    assert_eq!(client.exit().code, 3);
    let (stdout, _) = streams(&client.seen);
    assert!(stdout == input, "{} bytes", stdout.len());
}

#[test]
fn without_a_file_a_containers_input_is_at_its_end() {
    for options in [&["-i"][..], &[]] {
        let Some(container) =
            Container::create(options, &["bash", "-c", "cat; echo out; echo err >&2"])
        else {
            return;
        };
        let mut session = Session::new();
        session.start(&session.spec(Mode::Pipes, container.sandbox(true)));
        let mut client = session.attach(0);
        assert_eq!(client.exit().code, 0);
        assert_eq!(
            streams(&client.seen),
            (b"out\n".to_vec(), b"err\n".to_vec())
        );
    }
}

#[test]
fn a_container_outlives_its_holder_and_the_next_one_goes_on_with_the_log() {
    let script = "echo one; read x; echo two; read x; echo three";
    let Some(container) = Container::create(&["-it"], &["bash", "-c", script]) else {
        return;
    };
    let mut session = Session::new();
    session.start(&session.spec(Mode::Pty, container.sandbox(true)));
    let mut client = session.attach(0);
    client.until("one\r\n");
    let place = client.next;
    session.kill_holder();
    assert!(container.is_running());
    session.start(&session.spec(Mode::Pty, container.sandbox(false)));
    let mut client = session.attach(place);
    assert_eq!(client.hello().offset_end, place);
    client.type_in("\r");
    client.until("two\r\n");
    client.type_in("\r");
    assert_eq!(client.exit().code, 0);
    session.wait();
    assert!(session.log().starts_with(b"one\r\n"));
}

#[test]
fn a_busy_program_draws_itself_again_when_its_engine_is_back() {
    let script = "seen=; while :; do now=$(stty size); [ \"$now\" = \"$seen\" ] || echo \"drawn $now\"; seen=$now; sleep 2; done";
    let Some(container) = Container::create(&["-it"], &["bash", "-c", script]) else {
        return;
    };
    let mut session = Session::new();
    let socket = session.dir.path().join("engine.sock");
    let way = Way::open(&socket);
    let mut spec = session.spec(
        Mode::Pty,
        Sandbox::Docker {
            socket: socket.clone(),
            container: container.0.clone(),
            start: true,
        },
    );
    (spec.cols, spec.rows) = (101, 31);
    session.start(&spec);
    let mut client = session.attach(0);
    client.until("drawn 31 101");
    drop(way);
    client.until_away();
    let _way = Way::open(&socket);
    client.until("drawn 31 100");
    client.until("drawn 31 101");
}

#[test]
fn stop_asks_a_container_first_and_kills_it_after_the_grace() {
    let script = "trap 'echo asked' TERM; echo ready; while :; do sleep 0.05; done";
    let Some(container) = Container::create(&["-t"], &["bash", "-c", script]) else {
        return;
    };
    let mut session = Session::new();
    session.start(&session.spec(Mode::Pty, container.sandbox(true)));
    let mut client = session.attach(0);
    client.until("ready");
    client.send(&Command::Stop { grace_ms: 500 });
    client.until("asked");
    assert_eq!(client.exit().code, 137);
    until("the container ends", || !container.is_running());
}

#[test]
fn a_container_out_of_memory_is_named_as_such() {
    let script = "x=$(head -c 200000000 /dev/zero | tr '\\0' x); echo ${#x}";
    let Some(container) = Container::create(&["--memory", "24m"], &["bash", "-c", script]) else {
        return;
    };
    let mut session = Session::new();
    session.start(&session.spec(Mode::Pipes, container.sandbox(true)));
    let record = session.attach(0).exit();
    assert!(record.oom, "{record:?}");
}

#[test]
fn a_container_that_is_gone_or_cannot_start_is_one_sentence() {
    let Some(container) = Container::create(&[], &["/nowhere"]) else {
        return;
    };
    let mut session = Session::new();
    let error = session.refusal(&session.spec(Mode::Pipes, container.sandbox(true)));
    assert!(
        error.starts_with("cannot start the container: ") && error.contains("/nowhere"),
        "{error}"
    );
    session.wait();
    let gone = Sandbox::Docker {
        socket: SOCKET.into(),
        container: "nowhere".into(),
        start: true,
    };
    let error = session.refusal(&session.spec(Mode::Pipes, gone));
    assert!(error.contains("No such container"), "{error}");
    session.wait();
    let engine = Sandbox::Docker {
        socket: "/nowhere.sock".into(),
        container: "a".into(),
        start: true,
    };
    let error = session.refusal(&session.spec(Mode::Pipes, engine));
    assert!(error.contains("cannot attach to the container"), "{error}");
}
