//! A console from outside: over a holder's socket, and from what a holder left.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::thread;

use clauderon_holder::{Command, ExitRecord, FrameBuffer, Hello, Mode, Report, SessionFiles};
use clauderon_terminal::{Console, ConsoleEvent, PTY, Place, SNAPSHOT, View};

/// A session folder that is removed with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("console-{name}-{}", std::process::id()));
        fs::create_dir_all(path.join("private")).unwrap();
        Self(path)
    }

    fn files(&self) -> SessionFiles {
        SessionFiles::new(&self.0)
    }

    fn write_exit(&self) {
        fs::write(self.files().exit(), serde_json::to_vec(&exit()).unwrap()).unwrap();
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn exit() -> ExitRecord {
    ExitRecord {
        code: 3,
        signal: None,
        oom: false,
        at_ms: 1,
        error: None,
    }
}

/// Speaks as a holder to one viewer: hello, then these reports, then nothing more.
fn speak(files: &SessionFiles, hello: Hello, reports: Vec<Report>) -> thread::JoinHandle<Command> {
    let listener = UnixListener::bind(files.socket()).unwrap();
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut out = Vec::new();
        Report::Hello(hello).encode(&mut out);
        reports.iter().for_each(|report| report.encode(&mut out));
        stream.write_all(&out).unwrap();
        let mut frames = FrameBuffer::default();
        let mut bytes = [0; 64];
        loop {
            if let Some(command) = frames.next(Command::decode).unwrap() {
                return command;
            }
            let count = stream.read(&mut bytes).unwrap();
            frames.push(&bytes[..count]);
        }
    })
}

fn hello(mode: Mode, end: u64) -> Hello {
    Hello {
        mode,
        offset_start: 0,
        offset_end: end,
        running: true,
        pid: 1,
    }
}

async fn all(dir: &Path, from: u64) -> (Vec<u8>, u64, Option<ExitRecord>) {
    let mut console = Console::attach(dir, from).await.unwrap();
    let (mut seen, mut place) = (Vec::new(), 0);
    while let Some(event) = console.next().await {
        match event {
            ConsoleEvent::Output { bytes, next, .. } => {
                seen.extend_from_slice(&bytes);
                place = next;
            }
            ConsoleEvent::Exit(record) => return (seen, place, Some(record)),
            ConsoleEvent::Size { .. } | ConsoleEvent::Notice(_) | ConsoleEvent::Away(_) => {}
        }
    }
    (seen, place, None)
}

#[tokio::test]
async fn goes_on_in_the_files_where_the_holder_vanished() {
    let folder = Folder::new("vanished");
    fs::write(folder.files().log(), b"seen and unseen").unwrap();
    folder.write_exit();
    let output = Report::Output {
        offset: 5,
        bytes: b"and ".to_vec(),
    };
    let holder = speak(&folder.files(), hello(Mode::Pty, 9), vec![output]);
    let (seen, place, record) = all(&folder.0, 5).await;
    assert_eq!((seen.as_slice(), place), (&b"and unseen"[..], 15));
    assert_eq!(record, Some(exit()));
    assert_eq!(holder.join().unwrap(), Command::Attach { from: 5 });
}

#[tokio::test]
async fn says_nothing_of_an_end_that_nobody_recorded() {
    let folder = Folder::new("unrecorded");
    fs::write(folder.files().log(), b"all").unwrap();
    let (seen, _, record) = all(&folder.0, 0).await;
    assert_eq!((seen.as_slice(), record), (&b"all"[..], None));
}

#[tokio::test]
async fn frames_cut_anywhere_come_whole_and_a_gap_begins_anew() {
    let folder = Folder::new("gap");
    let output = |offset, bytes: &[u8]| Report::Output {
        offset,
        bytes: bytes.to_vec(),
    };
    let reports = vec![
        output(0, &[1, 3, 0]),
        output(3, &[0, 0, b'a', b'b', b'c', 1, 9]),
        output(100, &[2, 1, 0, 0, 0, b'd']),
        Report::Exit(exit()),
    ];
    let holder = speak(&folder.files(), hello(Mode::Pipes, 106), reports);
    let (seen, place, record) = all(&folder.0, 0).await;
    assert_eq!((seen.as_slice(), place), (&b"abcd"[..], 106));
    assert_eq!(record, Some(exit()));
    holder.join().unwrap();
}

#[tokio::test]
async fn fails_where_there_is_neither_a_holder_nor_a_log() {
    let folder = Folder::new("nothing");
    assert!(Console::attach(&folder.0, 0).await.is_err());
}

#[tokio::test]
async fn a_viewer_too_far_behind_is_shown_a_snapshot_and_then_exactly_the_rest() {
    let folder = Folder::new("behind");
    let log = b"a line of output\r\n".repeat(300_000);
    let end = log.len() as u64;
    fs::write(folder.files().log(), &log[..1000]).unwrap();
    let pieces = log
        .chunks(64 * 1024)
        .enumerate()
        .map(|(index, bytes)| Report::Output {
            offset: index as u64 * 64 * 1024,
            bytes: bytes.to_vec(),
        });
    let mut reports: Vec<_> = pieces.collect();
    // Half of it is in the snapshot already.
    reports.push(Report::Output {
        offset: end - 2,
        bytes: b"\r\nnew".to_vec(),
    });
    reports.push(Report::Exit(exit()));
    let holder = speak(&folder.files(), hello(Mode::Pty, 1000), reports);
    let place = Place {
        offset: 0,
        epoch: None,
    };
    let mut view = View::open(&folder.0, Some(place)).await.unwrap();
    // While nobody took an event, the agent printed on.
    fs::write(folder.files().log(), &log).unwrap();
    let mut events = Vec::new();
    while let Some(event) = view.next().await {
        match event {
            ConsoleEvent::Output {
                stream,
                next,
                bytes,
            } => events.push((stream, next, bytes)),
            ConsoleEvent::Size { .. } | ConsoleEvent::Notice(_) | ConsoleEvent::Away(_) => {}
            ConsoleEvent::Exit(_) => break,
        }
    }
    let [(SNAPSHOT, drawn, snapshot), (PTY, next, rest)] = &events[..] else {
        panic!("{} events", events.len());
    };
    assert_eq!((*drawn, *next), (end, end + 3));
    assert_eq!(&rest[..], b"new");
    assert!(snapshot.ends_with(b"a line of output\r\n"));
    assert!(snapshot.len() < 3 * 1024 * 1024);
    holder.join().unwrap();
}
