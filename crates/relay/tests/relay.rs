//! The relay as a process: real sockets, real signals, real children.
#![allow(clippy::unwrap_used)]

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

struct Sandbox {
    dir: tempfile::TempDir,
    address: SocketAddr,
}

impl Sandbox {
    fn new() -> Self {
        let address = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap();
        Self {
            dir: tempfile::tempdir().unwrap(),
            address,
        }
    }

    fn egress(&self) -> PathBuf {
        self.dir.path().join("egress.sock")
    }

    fn launch(&self, text: &str) -> Command {
        let launch = self.dir.path().join("launch.json");
        std::fs::write(&launch, text).unwrap();
        self.command(&launch)
    }

    fn command(&self, launch: &Path) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_clauderon-relay"));
        command
            .arg("--launch")
            .arg(launch)
            .arg("--egress")
            .arg(self.egress());
        command.arg("--listen").arg(self.address.to_string());
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// A relay whose agent lives until its input ends, once it listens.
    fn idle(&self, hard_limit: Option<u64>) -> Running {
        let mut command = self.launch(&shell("echo ready; read line"));
        if let Some(limit) = hard_limit {
            limit_files(&mut command, limit);
        }
        let mut child = command.spawn().unwrap();
        let mut ready = [0; 6];
        child
            .stdout
            .as_mut()
            .unwrap()
            .read_exact(&mut ready)
            .unwrap();
        Running(child)
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(20)))
            .unwrap();
        stream
    }

    fn echo(&self) {
        let listener = UnixListener::bind(self.egress()).unwrap();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let stream = stream.unwrap();
                thread::Builder::new()
                    .stack_size(96 * 1024)
                    .spawn(move || copy_back(stream))
                    .unwrap();
            }
        });
    }
}

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn copy_back(mut stream: UnixStream) {
    let mut bytes = [0; 16 * 1024];
    while let Ok(count @ 1..) = stream.read(&mut bytes) {
        if stream.write_all(&bytes[..count]).is_err() {
            return;
        }
    }
    let _ = stream.shutdown(Shutdown::Write);
}

fn shell(script: &str) -> String {
    let script = script.replace('\\', "\\\\").replace('"', "\\\"");
    format!(r#"{{"argv":["sh","-c","{script}"],"env":{{"PATH":"/usr/bin:/bin"}},"cwd":"/"}}"#)
}

fn limit_files(command: &mut Command, hard: u64) {
    // SAFETY: one async-signal-safe call.
    unsafe {
        command.pre_exec(move || {
            let limit = libc::rlimit {
                rlim_cur: hard.min(1024),
                rlim_max: hard,
            };
            libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit);
            Ok(())
        });
    }
}

fn raise_own_limit() {
    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: the structure outlives both calls.
    unsafe {
        libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit);
        limit.rlim_cur = limit.rlim_max;
        libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit);
    }
}

fn run(sandbox: &Sandbox, launch: &str) -> Output {
    sandbox
        .launch(launch)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn signal(child: &Child, signal: i32) {
    // SAFETY: a plain call on a child that was not waited for.
    unsafe { libc::kill(child.id() as i32, signal) };
}

/// Processor time of a process in clock ticks.
fn ticks(child: &Child) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", child.id())).unwrap();
    let fields: Vec<&str> = stat
        .rsplit(')')
        .next()
        .unwrap()
        .split_whitespace()
        .collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}

fn echoes(stream: &mut TcpStream, text: &[u8]) {
    stream.write_all(text).unwrap();
    let mut back = vec![0; text.len()];
    stream.read_exact(&mut back).unwrap();
    assert_eq!(back, text);
}

#[test]
fn carries_a_thousand_connections_at_once() {
    raise_own_limit();
    let sandbox = Sandbox::new();
    sandbox.echo();
    let _relay = sandbox.idle(None);
    let mut streams: Vec<_> = (0..1000).map(|_| sandbox.connect()).collect();
    for (number, stream) in streams.iter_mut().enumerate() {
        stream
            .write_all(format!("hello {number:04}").as_bytes())
            .unwrap();
    }
    for (number, stream) in streams.iter_mut().enumerate() {
        let mut back = [0; 10];
        stream.read_exact(&mut back).unwrap();
        assert_eq!(back, format!("hello {number:04}").as_bytes());
    }
}

#[test]
fn stops_accepting_at_a_small_file_limit_and_goes_on_when_connections_end() {
    let sandbox = Sandbox::new();
    sandbox.echo();
    let relay = sandbox.idle(Some(64));
    // 64 descriptors allow 16 connections; the others wait at the door.
    let mut streams: Vec<_> = (0..40).map(|_| sandbox.connect()).collect();
    for stream in &mut streams[..16] {
        echoes(stream, b"in");
    }
    let late = &mut streams[39];
    late.write_all(b"late").unwrap();
    late.set_read_timeout(Some(Duration::from_millis(300)))
        .unwrap();
    let before = ticks(&relay.0);
    assert!(late.read(&mut [0; 4]).is_err());
    assert!(ticks(&relay.0) - before < 10, "the relay spins");
    let mut late = streams.pop().unwrap();
    drop(streams);
    late.set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    let mut back = [0; 4];
    late.read_exact(&mut back).unwrap();
    assert_eq!(&back, b"late");
}

#[test]
fn holds_a_connection_until_the_egress_socket_answers() {
    let sandbox = Sandbox::new();
    let relay = sandbox.idle(None);
    let mut stream = sandbox.connect();
    stream.write_all(b"patience").unwrap();
    stream
        .set_read_timeout(Some(Duration::from_millis(500)))
        .unwrap();
    let before = ticks(&relay.0);
    assert!(stream.read(&mut [0; 8]).is_err());
    assert!(ticks(&relay.0) - before < 10, "the relay spins");
    sandbox.echo();
    stream
        .set_read_timeout(Some(Duration::from_secs(5)))
        .unwrap();
    let mut back = [0; 8];
    stream.read_exact(&mut back).unwrap();
    assert_eq!(&back, b"patience");
}

#[test]
fn serves_the_next_connection_from_a_socket_that_was_replaced() {
    let sandbox = Sandbox::new();
    sandbox.echo();
    let _relay = sandbox.idle(None);
    echoes(&mut sandbox.connect(), b"one");
    std::fs::remove_file(sandbox.egress()).unwrap();
    let mut held = sandbox.connect();
    held.write_all(b"two").unwrap();
    sandbox.echo();
    let mut back = [0; 3];
    held.read_exact(&mut back).unwrap();
    assert_eq!(&back, b"two");
}

#[test]
fn passes_on_the_end_of_each_direction_alone() {
    let sandbox = Sandbox::new();
    let listener = UnixListener::bind(sandbox.egress()).unwrap();
    let _relay = sandbox.idle(None);

    let mut client = sandbox.connect();
    client.write_all(b"question").unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    let (mut server, _) = listener.accept().unwrap();
    let mut asked = Vec::new();
    server.read_to_end(&mut asked).unwrap();
    assert_eq!(asked, b"question");
    server.write_all(b"answer").unwrap();
    drop(server);
    let mut answered = Vec::new();
    client.read_to_end(&mut answered).unwrap();
    assert_eq!(answered, b"answer");

    let mut client = sandbox.connect();
    let (mut server, _) = listener.accept().unwrap();
    server.write_all(b"all").unwrap();
    server.shutdown(Shutdown::Write).unwrap();
    let mut answered = Vec::new();
    client.read_to_end(&mut answered).unwrap();
    assert_eq!(answered, b"all");
    client.write_all(b"still here").unwrap();
    drop(client);
    let mut rest = Vec::new();
    server.read_to_end(&mut rest).unwrap();
    assert_eq!(rest, b"still here");
}

#[test]
fn waits_for_a_slow_reader_with_bounded_memory() {
    let sandbox = Sandbox::new();
    sandbox.echo();
    let relay = sandbox.idle(None);
    let mut stream = sandbox.connect();
    let mut writer = stream.try_clone().unwrap();
    let sent: Vec<u8> = (0..16_000_000u32).map(|n| (n % 251) as u8).collect();
    let copy = sent.clone();
    let writing = thread::spawn(move || {
        writer.write_all(&copy).unwrap();
        writer.shutdown(Shutdown::Write).unwrap();
    });
    let before = ticks(&relay.0);
    // Nobody reads: everything between stands still.
    let started = Instant::now();
    while started.elapsed() < Duration::from_millis(300) {
        thread::park_timeout(Duration::from_millis(50));
    }
    assert!(!writing.is_finished());
    assert!(ticks(&relay.0) - before < 20, "the relay spins");
    let status = std::fs::read_to_string(format!("/proc/{}/status", relay.0.id())).unwrap();
    let resident: u64 = status
        .lines()
        .find_map(|l| l.strip_prefix("VmRSS:"))
        .unwrap()
        .trim_end_matches("kB")
        .trim()
        .parse()
        .unwrap();
    assert!(resident < 8_000, "{resident} kB");
    let mut back = Vec::new();
    stream.read_to_end(&mut back).unwrap();
    writing.join().unwrap();
    assert!(back == sent);
}

#[test]
fn passes_streams_environment_and_exit_code_through() {
    let sandbox = Sandbox::new();
    let output = run(&sandbox, &shell("env; pwd; echo problem >&2; exit 42"));
    assert_eq!(output.status.code(), Some(42));
    assert_eq!(
        String::from_utf8(output.stdout).unwrap(),
        "PATH=/usr/bin:/bin\nPWD=/\n/\n"
    );
    assert_eq!(output.stderr, b"problem\n");
}

#[test]
fn answers_128_and_the_signal_for_an_agent_that_was_killed() {
    let output = run(&Sandbox::new(), &shell("kill -KILL $$"));
    assert_eq!(output.status.code(), Some(137));
}

#[test]
fn forwards_signals_to_the_whole_process_group() {
    for (number, name) in [
        (libc::SIGTERM, "TERM"),
        (libc::SIGHUP, "HUP"),
        (libc::SIGINT, "INT"),
    ] {
        let sandbox = Sandbox::new();
        let script = format!("trap 'exit 7' {name}; sleep 60 & echo ready; wait");
        let mut child = sandbox.launch(&shell(&script)).spawn().unwrap();
        child
            .stdout
            .as_mut()
            .unwrap()
            .read_exact(&mut [0; 6])
            .unwrap();
        signal(&child, number);
        let output = child.wait_with_output().unwrap();
        assert_eq!(
            (output.status.code(), output.status.signal()),
            (Some(7), None),
            "{name}"
        );
    }
}

#[test]
fn gives_the_agent_default_signals_and_its_own_file_limit() {
    let sandbox = Sandbox::new();
    let mut command = sandbox.launch(&shell(
        "grep -E 'Sig(Blk|Ign)' /proc/self/status; ulimit -Sn",
    ));
    limit_files(&mut command, 2000);
    let output = command.stdin(Stdio::null()).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let [blocked, ignored, limit] = text.lines().collect::<Vec<_>>()[..] else {
        panic!("{text}")
    };
    assert_eq!((blocked, limit), ("SigBlk:\t0000000000000000", "1024"));
    let ignored = u64::from_str_radix(ignored.trim_start_matches("SigIgn:\t"), 16).unwrap();
    // The first 31 signals; the C library keeps some above for itself.
    assert_eq!(ignored & 0x7fff_ffff, 0);
}

#[test]
fn brings_a_stopped_agent_back() {
    let sandbox = Sandbox::new();
    let output = run(&sandbox, &shell("kill -STOP $$; echo back"));
    assert_eq!(output.stdout, b"back\n");
}

#[test]
fn what_the_agent_left_running_ends_with_it() {
    let sandbox = Sandbox::new();
    let started = Instant::now();
    let output = run(&sandbox, &shell("sleep 60 & exit 3"));
    assert_eq!(output.status.code(), Some(3));
    assert!(started.elapsed() < Duration::from_secs(10));
}

#[test]
fn is_closed_to_processes_of_the_same_user() {
    let sandbox = Sandbox::new();
    let relay = sandbox.idle(None);
    use std::os::unix::fs::MetadataExt;
    // The kernel gives the files of a process that is not dumpable to root.
    assert_eq!(
        std::fs::metadata(format!("/proc/{}/environ", relay.0.id()))
            .unwrap()
            .uid(),
        0
    );
    let output = Command::new("cat")
        .arg(format!("/proc/{}/environ", relay.0.id()))
        .uid(65534)
        .output()
        .unwrap();
    assert!(!output.status.success() || output.stdout.is_empty());
}

#[test]
fn says_in_one_sentence_what_it_cannot_start() {
    let check = |launch: &str, code: i32, part: &str| {
        let output = run(&Sandbox::new(), launch);
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{text}");
        assert!(text.contains(part) && text.lines().count() == 1, "{text}");
    };
    check("{", 126, "is not a launch file");
    check(r#"{"argv":[],"env":{},"cwd":"/"}"#, 126, "names no program");
    check(
        r#"{"argv":["nowhere"],"env":{"PATH":"/bin"},"cwd":"/"}"#,
        127,
        "nowhere was not found",
    );
    check(
        r#"{"argv":["/etc/passwd"],"env":{},"cwd":"/"}"#,
        126,
        "cannot run /etc/passwd",
    );
    check(
        r#"{"argv":["/bin/sh"],"env":{},"cwd":"/nowhere"}"#,
        126,
        "cannot work in /nowhere",
    );

    let sandbox = Sandbox::new();
    let output = sandbox
        .command(Path::new("/nowhere/launch.json"))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(126));
    assert!(
        String::from_utf8(output.stderr)
            .unwrap()
            .contains("cannot read /nowhere/launch.json")
    );
}

#[test]
fn a_launch_file_that_comes_later_is_awaited() {
    let sandbox = Sandbox::new();
    let launch = sandbox.dir.path().join("launch.json");
    let relay = sandbox.command(&launch).spawn().unwrap();
    let doing = format!("/proc/{}/syscall", relay.id());
    let asleep = format!("{} ", libc::SYS_clock_nanosleep);
    let begun = Instant::now();
    while !std::fs::read_to_string(&doing).is_ok_and(|call| call.starts_with(&asleep)) {
        assert!(
            begun.elapsed() < Duration::from_secs(20),
            "the relay does not wait"
        );
        thread::yield_now();
    }
    let half = sandbox.dir.path().join("launch.new");
    std::fs::write(&half, shell("echo here")).unwrap();
    std::fs::rename(&half, &launch).unwrap();
    assert_eq!(relay.wait_with_output().unwrap().stdout, b"here\n");
}

/// A pair of connected packet sockets; the second one is inherited by children.
fn control_pair() -> (OwnedFd, OwnedFd) {
    let mut fds = [0; 2];
    // SAFETY: the array outlives the call, and the descriptors are owned by nobody else.
    unsafe {
        assert_eq!(
            libc::socketpair(libc::AF_UNIX, libc::SOCK_SEQPACKET, 0, fds.as_mut_ptr()),
            0
        );
        libc::fcntl(fds[0], libc::F_SETFD, libc::FD_CLOEXEC);
        (OwnedFd::from_raw_fd(fds[0]), OwnedFd::from_raw_fd(fds[1]))
    }
}

fn send_request(socket: &OwnedFd, request: &str, fds: &[i32]) {
    let mut ancillary = [0u64; 8];
    let mut part = libc::iovec {
        iov_base: request.as_ptr().cast_mut().cast(),
        iov_len: request.len(),
    };
    // SAFETY: all buffers outlive the call and have room for three descriptors.
    unsafe {
        let mut message: libc::msghdr = std::mem::zeroed();
        message.msg_iov = &raw mut part;
        message.msg_iovlen = 1;
        if !fds.is_empty() {
            message.msg_control = ancillary.as_mut_ptr().cast();
            message.msg_controllen = libc::CMSG_SPACE(size_of_val(fds) as u32) as _;
            let header = libc::CMSG_FIRSTHDR(&raw const message);
            (*header).cmsg_level = libc::SOL_SOCKET;
            (*header).cmsg_type = libc::SCM_RIGHTS;
            (*header).cmsg_len = libc::CMSG_LEN(size_of_val(fds) as u32) as _;
            std::ptr::copy_nonoverlapping(fds.as_ptr(), libc::CMSG_DATA(header).cast(), fds.len());
        }
        assert!(libc::sendmsg(socket.as_raw_fd(), &raw const message, 0) > 0);
    }
}

fn answer(socket: &OwnedFd) -> serde_json::Value {
    let mut bytes = [0u8; 4096];
    // SAFETY: the buffer outlives the call.
    let count = unsafe {
        libc::recv(
            socket.as_raw_fd(),
            bytes.as_mut_ptr().cast(),
            bytes.len(),
            0,
        )
    };
    serde_json::from_slice(&bytes[..count as usize]).unwrap()
}

#[test]
fn runs_programs_beside_the_agent_for_the_holder() {
    let sandbox = Sandbox::new();
    let (ours, theirs) = control_pair();
    let mut command = sandbox.launch(&shell(
        "echo ready; trap 'echo usr; exit 9' USR1; while :; do sleep 0.05; done",
    ));
    command.arg("--control").arg(theirs.as_raw_fd().to_string());
    let mut child = command.spawn().unwrap();
    drop(theirs);
    child
        .stdout
        .as_mut()
        .unwrap()
        .read_exact(&mut [0; 6])
        .unwrap();

    let (mut reader, writer) = std::io::pipe().unwrap();
    let null = std::fs::File::open("/dev/null").unwrap();
    let fds = [null.as_raw_fd(), writer.as_raw_fd(), writer.as_raw_fd()];
    let request = r#"{"id":5,"argv":["sh","-c","echo $PATH $X; pwd; ls /proc/self/fd | wc -l; exit 4"],"env":{"PATH":"/bin","X":"1"},"cwd":"/tmp"}"#;
    send_request(&ours, request, &fds);
    drop(writer);
    assert_eq!(answer(&ours)["id"], 5);
    let mut text = String::new();
    reader.read_to_string(&mut text).unwrap();
    // 0, 1, 2 and the folder being listed: nothing of the relay's is inherited.
    assert_eq!(text, "/bin 1\n/tmp\n4\n");
    assert_eq!(answer(&ours), serde_json::json!({"id": 5, "exit": 4}));

    let (_reader, writer) = std::io::pipe().unwrap();
    let fds = [null.as_raw_fd(), writer.as_raw_fd(), writer.as_raw_fd()];
    send_request(&ours, r#"{"id":6,"argv":["nowhere"]}"#, &fds);
    assert_eq!(answer(&ours)["exit"], 127);
    send_request(&ours, r#"{"id":7,"argv":["sleep","60"]}"#, &fds);
    assert_eq!(answer(&ours)["id"], 7);
    send_request(&ours, r#"{"id":7,"signal":9}"#, &[]);
    assert_eq!(answer(&ours), serde_json::json!({"id": 7, "exit": 137}));

    send_request(&ours, &format!(r#"{{"signal":{}}}"#, libc::SIGUSR1), &[]);
    assert_eq!(child.wait().unwrap().code(), Some(9));
}
