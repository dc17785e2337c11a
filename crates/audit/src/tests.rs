//! The log as a caller and an attacker with a text editor see it.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::TempDir;

use crate::writer::{Job, Writer};
use crate::{AuditError, FaultKind, Filter, Kind, Log, Options, Record, escape, tail, verify};

struct Place {
    folder: TempDir,
}

impl Place {
    fn new() -> Self {
        Place {
            folder: TempDir::new().unwrap(),
        }
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("audit.jsonl")
    }

    fn key(&self) -> PathBuf {
        self.folder.path().join("audit.key")
    }

    fn open(&self) -> Log {
        self.open_with(Options::default())
    }

    fn open_with(&self, options: Options) -> Log {
        // The thread of a log that was dropped lets go of the file a moment later.
        for _ in 0..1000 {
            match Log::open_with(&self.log(), &self.key(), options) {
                Err(AuditError::Held { .. }) => std::thread::yield_now(),
                other => return other.unwrap(),
            }
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        panic!("the log stays locked");
    }

    fn lines(&self) -> Vec<String> {
        fs::read_to_string(self.log())
            .unwrap()
            .lines()
            .map(str::to_owned)
            .collect()
    }

    fn rewrite(&self, lines: &[String]) {
        fs::write(self.log(), lines.join("\n") + "\n").unwrap();
    }

    fn faults(&self) -> Vec<(FaultKind, u64)> {
        let report = verify(&self.log(), &self.key()).unwrap();
        report
            .faults
            .iter()
            .map(|fault| (fault.kind, fault.seq))
            .collect()
    }
}

fn record(path: &str) -> Record {
    Record {
        session: "abcdefghij".into(),
        host: "api.anthropic.com".into(),
        port: 443,
        method: "POST".into(),
        path: path.into(),
        auth_injected: Some("anthropic_oauth_token".into()),
        ..Record::default()
    }
}

async fn filled(count: usize) -> Place {
    let place = Place::new();
    let log = place.open();
    for number in 0..count {
        log.append(record(&format!("/{number}"))).await.unwrap();
    }
    log.settle().await;
    place
}

#[tokio::test]
async fn an_appended_record_is_read_back_and_verifies() {
    let place = filled(5).await;
    let report = verify(&place.log(), &place.key()).unwrap();
    assert!(report.is_sound() && report.anchored, "{report:?}");
    assert_eq!((report.entries, report.beyond_head), (5, 0));
    let newest = tail(&place.log(), 2, &Filter::default()).unwrap();
    assert_eq!(
        newest
            .iter()
            .map(|e| e.record.path.as_str())
            .collect::<Vec<_>>(),
        ["/3", "/4"]
    );
    let other = Filter {
        session: Some("other".into()),
        ..Filter::default()
    };
    assert!(tail(&place.log(), 2, &other).unwrap().is_empty());
}

#[tokio::test]
async fn files_are_private() {
    use std::os::unix::fs::PermissionsExt;
    let place = filled(1).await;
    for name in ["audit.jsonl", "audit.key", "audit.head", "audit.reserve"] {
        let mode = fs::metadata(place.folder.path().join(name))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[tokio::test]
async fn verify_names_the_place_of_every_change() {
    type Change = fn(&mut Vec<String>);
    type Case = (&'static str, Change, &'static [(FaultKind, u64)]);
    let cases: [Case; 6] = [
        (
            "edited",
            |lines| lines[4] = lines[4].replace("/4", "/x"),
            &[(FaultKind::Edited, 5)],
        ),
        (
            "dropped",
            |lines| drop(lines.remove(4)),
            &[(FaultKind::Dropped, 5)],
        ),
        (
            "swapped",
            |lines| lines.swap(4, 5),
            &[(FaultKind::Dropped, 5), (FaultKind::Reordered, 5)],
        ),
        (
            "truncated",
            |lines| lines.truncate(7),
            &[(FaultKind::Truncated, 8)],
        ),
        (
            "repeated",
            |lines| lines.push(lines[9].clone()),
            &[(FaultKind::Reordered, 10)],
        ),
        (
            "no entry",
            |lines| lines[2] = "{}".into(),
            &[(FaultKind::Unreadable, 3), (FaultKind::Dropped, 3)],
        ),
    ];
    for (name, change, expected) in cases {
        let place = filled(10).await;
        let mut lines = place.lines();
        change(&mut lines);
        place.rewrite(&lines);
        assert_eq!(place.faults(), expected, "{name}");
    }
}

/// An attacker who recomputes the hashes is found by the next entry's link, or by the signed head.
#[tokio::test]
async fn a_record_that_was_sealed_anew_is_found() {
    let reseal = |line: &str| {
        let (covered, _) = crate::chain::unseal(line).unwrap();
        crate::chain::seal(covered.replace("/", "/x") + "}").0
    };
    let place = filled(10).await;
    let mut lines = place.lines();
    lines[4] = reseal(&lines[4]);
    place.rewrite(&lines);
    assert_eq!(place.faults(), [(FaultKind::Broken, 6)]);
    let mut lines = filled_lines(&place).await;
    let last = lines.len() - 1;
    lines[last] = reseal(&lines[last]);
    place.rewrite(&lines);
    assert_eq!(place.faults(), [(FaultKind::Replaced, 10)]);
}

async fn filled_lines(place: &Place) -> Vec<String> {
    for name in ["audit.jsonl", "audit.head"] {
        fs::remove_file(place.folder.path().join(name)).unwrap();
    }
    let log = place.open();
    for number in 0..10 {
        log.append(record(&format!("/{number}"))).await.unwrap();
    }
    log.settle().await;
    place.lines()
}

#[tokio::test]
async fn a_log_that_was_cut_off_stays_marked_after_a_restart() {
    let place = filled(10).await;
    let lines = place.lines();
    place.rewrite(&lines[..7]);
    place.open().append(record("/after")).await.unwrap();
    assert_eq!(place.faults(), [(FaultKind::Dropped, 8)]);
    let notes = tail(
        &place.log(),
        9,
        &Filter {
            kinds: vec![Kind::Recovered],
            ..Filter::default()
        },
    )
    .unwrap();
    assert!(
        notes[0].record.note.contains("Truncated at entry 8"),
        "{}",
        notes[0].record.note
    );
}

#[tokio::test]
async fn without_the_key_the_report_is_unanchored() {
    let place = filled(3).await;
    fs::remove_file(place.key()).unwrap();
    let report = verify(&place.log(), &place.key()).unwrap();
    assert!(report.is_sound() && !report.anchored);
}

#[tokio::test]
async fn a_head_signed_with_another_key_is_a_fault() {
    let place = filled(3).await;
    fs::write(place.key(), [7; 32]).unwrap();
    assert_eq!(place.faults(), [(FaultKind::Head, 3)]);
}

#[tokio::test]
async fn a_torn_last_line_is_moved_aside_and_noted() {
    let place = filled(3).await;
    let mut bytes = fs::read(place.log()).unwrap();
    bytes.extend_from_slice(b"{\"seq\":4,\"at\":\"20");
    fs::write(place.log(), bytes).unwrap();
    assert!(verify(&place.log(), &place.key()).unwrap().is_sound());
    place.open().append(record("/next")).await.unwrap();
    let report = verify(&place.log(), &place.key()).unwrap();
    assert!(report.is_sound() && report.anchored, "{report:?}");
    assert_eq!(report.entries, 5);
    let noted = tail(&place.log(), 2, &Filter::default()).unwrap().remove(0);
    assert_eq!((noted.seq, noted.record.kind), (4, Kind::Recovered));
    let aside = fs::read_to_string(place.folder.path().join("audit.torn")).unwrap();
    assert!(aside.starts_with("{\"seq\":4"));
}

#[tokio::test]
async fn the_chain_goes_on_in_a_new_file() {
    let place = Place::new();
    let small = Options {
        rotate_at: 2000,
        ..Options::default()
    };
    for round in 0..3 {
        let log = place.open_with(small);
        for number in 0..10 {
            log.append(record(&format!("/{round}/{number}")))
                .await
                .unwrap();
        }
    }
    let report = verify(&place.log(), &place.key()).unwrap();
    assert!(report.is_sound() && report.anchored, "{report:?}");
    assert!(report.files > 2, "{}", report.files);
    let all = tail(
        &place.log(),
        1000,
        &Filter {
            kinds: vec![Kind::Decision],
            ..Filter::default()
        },
    )
    .unwrap();
    assert_eq!(all.len(), 30);
    fs::remove_file(place.folder.path().join("audit.1.jsonl")).unwrap();
    assert_eq!(place.faults()[0], (FaultKind::Dropped, 1));
}

#[tokio::test]
async fn two_writers_are_refused() {
    let place = Place::new();
    let _first = place.open();
    let second = Log::open(&place.log(), &place.key());
    assert!(matches!(second, Err(AuditError::Held { .. })));
}

#[tokio::test]
async fn many_at_once_share_syncs_and_keep_the_chain() {
    let place = Place::new();
    let log = place.open();
    let tasks: Vec<_> = (0..300)
        .map(|number| {
            let log = log.clone();
            tokio::spawn(async move { log.append(record(&format!("/{number}"))).await })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    let report = verify(&place.log(), &place.key()).unwrap();
    assert!(report.is_sound() && report.entries == 300, "{report:?}");
}

#[tokio::test]
async fn text_from_a_sandbox_is_harmless() {
    let place = Place::new();
    let hostile = "/a\r\n{\"seq\":9}\x1b[2J\u{202e}gpj\u{200b}é";
    place.open().append(record(hostile)).await.unwrap();
    let bytes = fs::read(place.log()).unwrap();
    assert_eq!(bytes.iter().filter(|b| **b == b'\n').count(), 1);
    assert!(!bytes[..bytes.len() - 1].iter().any(|b| *b < 0x20));
    let entry = tail(&place.log(), 1, &Filter::default()).unwrap().remove(0);
    assert_eq!(
        entry.record.path,
        "/a\\u{d}\\u{a}{\"seq\":9}\\u{1b}[2J\\u{202e}gpj\\u{200b}é"
    );
    assert_eq!(escape("plain ünïcode"), "plain ünïcode");
    let long = Record {
        note: "\x1b".repeat(9999),
        ..Record::default()
    };
    place.open().append(long).await.unwrap();
    assert!(
        tail(&place.log(), 1, &Filter::default()).unwrap()[0]
            .record
            .note
            .len()
            < 4000
    );
}

/// A small file system of its own; needs root.
struct SmallDisk(TempDir);

impl SmallDisk {
    fn mount() -> Option<Self> {
        let folder = TempDir::new().unwrap();
        let target = c_path(folder.path());
        // SAFETY: all pointers are to strings that end in NUL and outlive the call.
        let made = unsafe {
            libc::mount(
                c"tmpfs".as_ptr(),
                target.as_ptr(),
                c"tmpfs".as_ptr(),
                0,
                c"size=1m".as_ptr().cast(),
            )
        };
        (made == 0).then_some(SmallDisk(folder))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let target = c_path(self.0.path());
        // SAFETY: the pointer is to a string that ends in NUL and outlives the call.
        unsafe { libc::umount2(target.as_ptr(), libc::MNT_DETACH) };
    }
}

fn c_path(path: &Path) -> std::ffi::CString {
    std::ffi::CString::new(path.to_str().unwrap()).unwrap()
}

#[tokio::test]
async fn a_full_disk_refuses_decisions_and_still_records_refusals() {
    let Some(disk) = SmallDisk::mount() else {
        println!("skipped: a file system of a fixed size cannot be mounted here (needs root)");
        return;
    };
    let (path, key) = (
        disk.0.path().join("audit.jsonl"),
        disk.0.path().join("audit.key"),
    );
    let log = Log::open_with(
        &path,
        &key,
        Options {
            reserve: 128 << 10,
            ..Options::default()
        },
    )
    .unwrap();
    log.append(record("/before")).await.unwrap();
    let filler = disk.0.path().join("filler");
    let _ = fs::write(&filler, vec![0; 2 << 20]);

    let mut refused = None;
    for _ in 0..64 {
        match log.append(record(&"/long".repeat(300))).await {
            Ok(()) => {}
            Err(error) => {
                refused = Some(error);
                break;
            }
        }
    }
    assert!(matches!(refused, Some(AuditError::Full)), "{refused:?}");
    log.append(Record {
        kind: Kind::Refusal,
        ..record("/refused")
    })
    .await
    .unwrap();
    let newest = tail(&path, 2, &Filter::default()).unwrap();
    assert_eq!(newest[0].record.kind, Kind::Full);
    assert_eq!(newest[1].record.kind, Kind::Refusal);
    assert!(verify(&path, &key).unwrap().is_sound());

    fs::remove_file(&filler).unwrap();
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
    while log.append(record("/again")).await.is_err() {
        assert!(
            std::time::Instant::now() < deadline,
            "the log never took room back"
        );
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert!(verify(&path, &key).unwrap().is_sound());
}

/// A file that takes writes of its own kind and can never be synced.
fn unsyncable() -> Arc<fs::File> {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    Arc::new(fs::File::from(std::os::fd::OwnedFd::from(writer)))
}

#[test]
fn while_the_disk_keeps_nothing_decisions_are_refused_and_refusals_still_written() {
    let place = Place::new();
    let mut writer = Writer::open(&place.log(), &place.key(), Options::default()).unwrap();
    let ask = |writer: &mut Writer, kind| {
        let (done, mut answer) = tokio::sync::oneshot::channel();
        let record = Record {
            kind,
            ..record("/x")
        };
        writer.serve(&mut vec![Job { record, done }]);
        answer.try_recv().unwrap()
    };
    let lost = writer.end().clone();
    writer.keeper().written(&unsyncable(), lost);
    writer.keeper().settle();
    assert!(matches!(
        ask(&mut writer, Kind::Decision),
        Err(AuditError::Write(_))
    ));
    ask(&mut writer, Kind::Refusal).unwrap();
    writer.keeper().settle();
    ask(&mut writer, Kind::Decision).unwrap();
}
