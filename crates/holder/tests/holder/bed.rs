//! A session folder, a holder started in it, and a plain client of its socket.

use std::fs::{self, File};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command as Process, Stdio};
use std::time::{Duration, Instant};

use clauderon_holder::{
    Announcement, Command, ExitRecord, FrameBuffer, Hello, Mode, Report, Sandbox, SessionFiles,
    Spec,
};

/// Longer than anything here takes on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(30);

pub struct Session {
    pub dir: Folder,
    pub files: SessionFiles,
    holder: Option<Child>,
}

/// A session's folder, removed with the test unless it lies in another that is.
pub enum Folder {
    Own(tempfile::TempDir),
    Within(PathBuf),
}

impl Folder {
    pub fn path(&self) -> &Path {
        match self {
            Self::Own(dir) => dir.path(),
            Self::Within(path) => path,
        }
    }
}

impl Session {
    pub fn new() -> Self {
        Self::at(Folder::Own(tempfile::tempdir().unwrap()))
    }

    /// Makes a session in a folder that stays.
    pub fn in_folder(parent: &tempfile::TempDir) -> Self {
        Self::at(Folder::Within(parent.path().to_owned()))
    }

    fn at(dir: Folder) -> Self {
        fs::create_dir(dir.path().join("private")).unwrap();
        let files = SessionFiles::new(dir.path());
        Self {
            dir,
            files,
            holder: None,
        }
    }

    pub fn spec(&self, mode: Mode, sandbox: Sandbox) -> Spec {
        Spec {
            session: "abcdefghij".into(),
            dir: self.dir.path().into(),
            mode,
            cols: 0,
            rows: 0,
            stdin: None,
            sandbox,
        }
    }

    /// Starts a holder and returns what it announced.
    pub fn announce(&mut self, spec: &Spec) -> Announcement {
        let order = self.dir.path().join("private/holder.json");
        fs::write(&order, serde_json::to_vec(spec).unwrap()).unwrap();
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.dir.path().join("private/holder.log"))
            .unwrap();
        let mut child = Process::new(env!("CARGO_BIN_EXE_clauderon-holder"))
            .arg(order)
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut line = String::new();
        child
            .stdout
            .take()
            .unwrap()
            .read_to_string(&mut line)
            .unwrap();
        self.holder = Some(child);
        serde_json::from_str(&line).unwrap_or_else(|_| panic!("{line:?}: {}", self.notes()))
    }

    pub fn start(&mut self, spec: &Spec) {
        let announcement = self.announce(spec);
        assert!(
            matches!(announcement, Announcement::Ready { .. }),
            "{announcement:?}"
        );
    }

    pub fn refusal(&mut self, spec: &Spec) -> String {
        match self.announce(spec) {
            Announcement::Failed { error } => error,
            ready => panic!("{ready:?}"),
        }
    }

    pub fn holder_pid(&self) -> u32 {
        self.holder.as_ref().unwrap().id()
    }

    pub fn kill_holder(&mut self) {
        let holder = self.holder.as_mut().unwrap();
        holder.kill().unwrap();
        holder.wait().unwrap();
    }

    /// Waits for the holder to end by itself.
    pub fn wait(&mut self) {
        let holder = self.holder.as_mut().unwrap();
        until("the holder ends", || holder.try_wait().unwrap().is_some());
        self.holder = None;
    }

    pub fn notes(&self) -> String {
        fs::read_to_string(self.dir.path().join("private/holder.log")).unwrap_or_default()
    }

    pub fn connect(&self) -> Client {
        let stream = UnixStream::connect(self.files.socket()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut client = Client {
            stream,
            frames: FrameBuffer::default(),
            hello: None,
            seen: Vec::new(),
            next: 0,
            sizes: Vec::new(),
        };
        match client.report() {
            Some(Report::Hello(hello)) => client.hello = Some(hello),
            other => panic!("{other:?}"),
        }
        client
    }

    pub fn attach(&self, from: u64) -> Client {
        let mut client = self.connect();
        client.send(&Command::Attach { from });
        client.next = from;
        client
    }

    pub fn log(&self) -> Vec<u8> {
        fs::read(self.files.log()).unwrap()
    }

    pub fn exit(&self) -> ExitRecord {
        self.files.read_exit().unwrap().expect("an exit record")
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if let Some(holder) = &mut self.holder {
            let _ = holder.kill();
            let _ = holder.wait();
        }
    }
}

pub struct Client {
    stream: UnixStream,
    frames: FrameBuffer,
    hello: Option<Hello>,
    pub seen: Vec<u8>,
    /// The offset after all that was seen.
    pub next: u64,
    /// The sizes that were told, with the offset at which they came.
    pub sizes: Vec<(u64, u16, u16)>,
}

impl Client {
    pub fn hello(&self) -> &Hello {
        self.hello.as_ref().unwrap()
    }

    pub fn send(&mut self, command: &Command) {
        let mut bytes = Vec::new();
        command.encode(&mut bytes);
        self.stream.write_all(&bytes).unwrap();
    }

    pub fn type_in(&mut self, text: &str) {
        self.send(&Command::Input(text.into()));
    }

    /// The next report, `None` when the holder hung up.
    pub fn report(&mut self) -> Option<Report> {
        let mut bytes = [0; 64 * 1024];
        loop {
            match self.frames.next(Report::decode).unwrap() {
                Some(Report::Size { cols, rows }) => {
                    self.sizes.push((self.next, cols, rows));
                    continue;
                }
                Some(report) => return Some(report),
                None => {}
            }
            match self.stream.read(&mut bytes) {
                Ok(0) => return None,
                Ok(count) => self.frames.push(&bytes[..count]),
                Err(error) if error.kind() == ErrorKind::ConnectionReset => return None,
                Err(error) => panic!("{error}; seen so far: {}", self.seen.escape_ascii()),
            }
        }
    }

    /// Reads on until the output contains the text, and forgets what was before.
    pub fn until(&mut self, text: &str) -> String {
        // What was looked through once is not looked through again: some outputs have megabytes.
        let mut from = 0;
        loop {
            if let Some(place) = find(&self.seen[from..], text.as_bytes()) {
                let place = from + place;
                let rest = self.seen.split_off(place + text.len());
                let before = std::mem::replace(&mut self.seen, rest);
                return String::from_utf8_lossy(&before).into_owned();
            }
            from = self.seen.len().saturating_sub(text.len());
            match self.report() {
                Some(Report::Output { offset, bytes }) => {
                    assert_eq!(offset, self.next, "a gap in the output");
                    self.next += bytes.len() as u64;
                    self.seen.extend_from_slice(&bytes);
                }
                other => {
                    let end = self.seen.len().saturating_sub(2000);
                    let last = self.seen[end..].escape_ascii();
                    panic!("{other:?} instead of {text:?} after {last}")
                }
            }
        }
    }

    /// Reads on until the holder says that the engine does not answer, and forgets what was before.
    pub fn until_away(&mut self) {
        loop {
            match self.report() {
                Some(Report::Output { bytes, .. }) => self.next += bytes.len() as u64,
                Some(Report::Away(_)) => break self.seen.clear(),
                other => panic!("{other:?} instead of an engine that is away"),
            }
        }
    }

    /// Reads to the end of the agent.
    pub fn exit(&mut self) -> ExitRecord {
        loop {
            match self.report() {
                Some(Report::Output { offset, bytes }) => {
                    if self.next != u64::MAX {
                        assert_eq!(offset, self.next, "a gap in the output");
                        self.next += bytes.len() as u64;
                    }
                    self.seen.extend_from_slice(&bytes);
                }
                Some(Report::Exit(record)) => return record,
                other => panic!("{other:?} instead of an end"),
            }
        }
    }
}

pub fn find(bytes: &[u8], text: &[u8]) -> Option<usize> {
    bytes.windows(text.len()).position(|window| window == text)
}

/// Standard output and error from the frames of a log.
pub fn streams(mut log: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let mut streams = (Vec::new(), Vec::new());
    while let Some((header, rest)) = log.split_first_chunk::<5>() {
        let (bytes, rest) =
            rest.split_at(u32::from_le_bytes(header[1..].try_into().unwrap()) as usize);
        match header[0] {
            1 => streams.0.extend_from_slice(bytes),
            2 => streams.1.extend_from_slice(bytes),
            other => panic!("stream {other}"),
        }
        log = rest;
    }
    streams
}

/// Waits for a state that no descriptor announces.
pub fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let started = Instant::now();
    while !is_so() {
        assert!(started.elapsed() < PATIENCE, "{what}: not in time");
        std::thread::park_timeout(Duration::from_millis(10));
    }
}

/// The relay beside this test, where it was built.
pub fn relay() -> Option<PathBuf> {
    let beside = std::env::current_exe().unwrap();
    let path = beside.ancestors().nth(2).unwrap().join("clauderon-relay");
    if path.is_file() {
        return Some(path);
    }
    skip("clauderon-relay is not built");
    None
}

/// Says that a test was left out; in CI nothing is.
pub fn skip(reason: &str) {
    assert!(std::env::var_os("CI").is_none(), "{reason}");
    // The test harness would keep a printed line to itself.
    let _ = writeln!(std::io::stderr(), "skipped: {reason}");
}

pub fn write_public(path: &std::path::Path, bytes: &[u8], mode: u32) {
    fs::write(path, bytes).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}
