//! What is remembered survives crashes, damage and a deleted database.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use clauderon_policy::{Grant, Host, Posture};
use clauderon_session::{Agent, Backend, Event, Lifecycle, Mode, SessionId, SessionName, Spec};
use clauderon_store::{Deleted, Found, Record, Shelf, Store, StoreError, Turn};
use tempfile::TempDir;

fn id(number: u8) -> SessionId {
    SessionId::from_random([number; 10])
}

fn grant(host: &str) -> Grant {
    Grant {
        host: Host::parse(host).unwrap(),
        port: 443,
    }
}

fn record(number: u8, name: &str, created_ms: u64) -> Record {
    Record {
        spec: Spec {
            id: id(number),
            name: SessionName::convert(name).unwrap().name,
            agent: Agent::Claude,
            backend: Backend::Bubblewrap,
            mode: Mode::Interactive,
            image: None,
            model: None,
            repository: PathBuf::from(format!("/src/{name}")),
            base: "0123456789012345678901234567890123456789".to_owned(),
            branch: format!("clauderon/{name}"),
            created_ms,
            agent_session: "11111111-2222-4333-8444-555555555555".to_owned(),
            copy_of: None,
        },
        life: Lifecycle::new(created_ms),
        posture: Posture::Locked,
        grants: vec![grant("example.org")],
        agent_version: None,
        budget: None,
        github: None,
        container: Some("c0ffee".to_owned()),
        engine: None,
        demo: false,
        user: (1000, 1000),
        limits: vec!["4096 processes: kernel-enforced".to_owned()],
        notices: Vec::new(),
        prompted: true,
        shelf: Shelf::default(),
        turn: Turn::default(),
        deleted: None,
    }
}

struct Bench(TempDir);

impl Bench {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn home(&self) -> PathBuf {
        self.0.path().join("home")
    }

    fn open(&self) -> (Store, Found) {
        Store::open(&self.home()).unwrap()
    }

    fn with(records: &[Record]) -> Self {
        let bench = Self::new();
        let (store, _) = bench.open();
        for record in records {
            store.create_dir(record.spec.id).unwrap();
            store.save(record).unwrap();
        }
        bench
    }
}

fn names(found: &Found) -> Vec<&str> {
    found
        .sessions
        .iter()
        .map(|record| record.spec.name.as_str())
        .collect()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().mode() & 0o777
}

#[test]
fn a_session_comes_back_as_it_was_saved() {
    let one = record(1, "one", 10);
    let bench = Bench::with(std::slice::from_ref(&one));
    let (store, found) = bench.open();
    assert_eq!(found.sessions, std::slice::from_ref(&one));
    assert_eq!(store.load(id(1)).unwrap(), one);
    assert_eq!(store.find(&one.spec.name).unwrap(), Some(id(1)));
    assert!(matches!(store.load(id(2)), Err(StoreError::NoSession(_))));
    let mut later = one;
    later.life.handle(Event::Created, 20);
    store.save(&later).unwrap();
    assert_eq!(store.load(id(1)).unwrap(), later);
}

#[test]
fn everything_is_for_its_owner_alone() {
    let bench = Bench::with(&[record(1, "one", 10)]);
    let (store, _) = bench.open();
    let dir = store.dir(id(1));
    assert_eq!(mode(&bench.home()), 0o700);
    assert_eq!(mode(&bench.home().join("db.sqlite")), 0o600);
    assert_eq!(mode(&dir.record()), 0o600);
    for own in [
        dir.path().to_path_buf(),
        dir.workspace(),
        dir.home(),
        dir.uploads(),
        dir.private(),
    ] {
        assert_eq!(mode(&own), 0o700, "{own:?}");
    }
    assert_eq!(mode(&dir.run()), 0o711);
    assert!(matches!(
        store.create_dir(id(1)),
        Err(StoreError::Exists(_))
    ));
}

#[test]
fn a_torn_temporary_file_is_ignored_and_replaced() {
    let one = record(1, "one", 10);
    let bench = Bench::with(std::slice::from_ref(&one));
    let torn = bench
        .home()
        .join("sessions")
        .join(id(1).as_str())
        .join(".session.json.new");
    fs::write(&torn, "{\"version\":1,\"spec\":{\"id\":").unwrap();
    let (store, found) = bench.open();
    assert_eq!(found.sessions, std::slice::from_ref(&one));
    store.save(&one).unwrap();
    assert!(!torn.exists());
}

#[test]
fn a_deleted_database_is_made_again_from_the_folders() {
    let bench = Bench::with(&[record(1, "old", 10), record(2, "new", 20)]);
    let (store, _) = bench.open();
    store
        .always_allow(Path::new("/src/old"), grant("crates.example"))
        .unwrap();
    store
        .always_allow(Path::new("/src/old"), grant("crates.example"))
        .unwrap();
    drop(store);
    for file in fs::read_dir(bench.home()).unwrap().flatten() {
        if file.file_name().to_string_lossy().starts_with("db.sqlite") {
            fs::remove_file(file.path()).unwrap();
        }
    }
    let (store, found) = bench.open();
    assert_eq!(names(&found), ["old", "new"]);
    assert_eq!(store.find(&"new".parse().unwrap()).unwrap(), Some(id(2)));
    let recent = |limit| -> Vec<PathBuf> {
        let rows = store.recent_repositories(limit).unwrap();
        rows.into_iter().map(|(path, _)| path).collect()
    };
    assert_eq!(recent(5), [Path::new("/src/new"), Path::new("/src/old")]);
    assert_eq!(recent(1), [Path::new("/src/new")]);
    assert_eq!(
        store.always_allowed(Path::new("/src/old")),
        [grant("crates.example")]
    );
    assert_eq!(store.always_allowed(Path::new("/src/new")), []);
}

#[test]
fn a_damaged_database_is_set_aside() {
    let bench = Bench::with(&[record(1, "one", 10)]);
    let path = bench.home().join("db.sqlite");
    for damage in [
        &b"this is not a database, and it is long enough to be seen as such"[..],
        &[0xff; 9_000],
    ] {
        fs::write(&path, damage).unwrap();
        let (store, found) = bench.open();
        assert_eq!(names(&found), ["one"]);
        assert_eq!(fs::read(found.set_aside.unwrap()).unwrap(), damage);
        assert_eq!(store.find(&"one".parse().unwrap()).unwrap(), Some(id(1)));
    }
}

#[test]
fn an_unreadable_record_is_named_and_left_alone() {
    let bench = Bench::with(&[
        record(1, "one", 10),
        record(2, "two", 20),
        record(3, "three", 30),
        record(4, "four", 40),
    ]);
    let sessions = bench.home().join("sessions");
    let file = |number: u8| sessions.join(id(number).as_str()).join("session.json");
    fs::write(file(1), "{ half").unwrap();
    fs::write(file(2), "{\"version\":99}").unwrap();
    fs::copy(file(4), file(3)).unwrap();
    fs::create_dir(sessions.join("not-a-session")).unwrap();
    let (store, found) = bench.open();
    assert_eq!(names(&found), ["four"]);
    let mut reasons: Vec<_> = found
        .broken
        .iter()
        .map(|broken| (broken.id, broken.error.to_string()))
        .collect();
    reasons.sort();
    assert!(reasons[0].1.contains("cannot be understood"), "{reasons:?}");
    assert!(
        reasons[1]
            .1
            .contains("later release of Clauderon (format 99)"),
        "{reasons:?}"
    );
    assert!(
        reasons[2]
            .1
            .contains(&format!("the record of session {}", id(4))),
        "{reasons:?}"
    );
    assert_eq!(fs::read(file(1)).unwrap(), b"{ half");
    assert!(store.dir(id(1)).home().is_dir());
    assert!(sessions.join("not-a-session").is_dir());
}

#[test]
fn a_record_that_is_a_link_is_not_followed() {
    let bench = Bench::with(&[record(1, "one", 10), record(2, "two", 20)]);
    let (store, _) = bench.open();
    fs::remove_file(store.dir(id(1)).record()).unwrap();
    symlink(store.dir(id(2)).record(), store.dir(id(1)).record()).unwrap();
    assert!(matches!(store.load(id(1)), Err(StoreError::Io { .. })));
}

#[test]
fn removal_follows_no_link_and_finishes_after_a_crash() {
    let bench = Bench::with(&[record(1, "one", 10)]);
    let (store, _) = bench.open();
    let outside = bench.0.path().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("kept"), "kept").unwrap();
    symlink(&outside, store.dir(id(1)).workspace().join("link")).unwrap();
    store.remove(id(1)).unwrap();
    assert!(outside.join("kept").exists());
    assert!(!store.dir(id(1)).path().exists());
    assert_eq!(store.find(&"one".parse().unwrap()).unwrap(), None);
    assert!(matches!(store.remove(id(1)), Err(StoreError::NoSession(_))));

    let half = bench
        .home()
        .join("sessions")
        .join(format!(".removed-{}", id(2)));
    fs::create_dir_all(half.join("workspace")).unwrap();
    let (_, found) = bench.open();
    assert!(found.sessions.is_empty() && found.broken.is_empty());
    assert!(!half.exists());
}

#[test]
fn a_save_that_fails_leaves_the_old_record() {
    let one = record(1, "one", 10);
    let bench = Bench::with(std::slice::from_ref(&one));
    let (store, _) = bench.open();
    // A folder where the temporary file belongs makes writing fail, for root as well.
    fs::create_dir(store.dir(id(1)).path().join(".session.json.new")).unwrap();
    let mut later = one.clone();
    later.posture = Posture::Open;
    assert!(matches!(store.save(&later), Err(StoreError::Io { .. })));
    assert_eq!(store.load(id(1)).unwrap(), one);
    let unknown = record(9, "nine", 90);
    assert!(matches!(
        store.save(&unknown),
        Err(StoreError::NoSession(_))
    ));
}

#[test]
fn grants_of_a_later_release_stop_the_start_rather_than_being_lost() {
    let bench = Bench::with(&[]);
    fs::write(
        bench.home().join("grants.json"),
        "{\"version\":2,\"repositories\":[]}",
    )
    .unwrap();
    assert!(matches!(
        Store::open(&bench.home()),
        Err(StoreError::Newer { found: 2, .. })
    ));
}

#[test]
fn a_home_that_cannot_be_written_gives_one_sentence() {
    let bench = Bench::new();
    fs::write(bench.home(), "a file").unwrap();
    let error = Store::open(&bench.home()).err().unwrap().to_string();
    assert!(
        error.starts_with(&format!("could not create {}", bench.home().display())),
        "{error}"
    );
    assert_eq!(
        fs::metadata(bench.home()).unwrap().permissions().mode() & 0o111,
        0,
        "it is left as it was"
    );
}

fn deleted(record: &Record, at_ms: u64) -> Record {
    Record {
        deleted: Some(Deleted {
            at_ms,
            cleared: false,
            bytes: None,
        }),
        ..record.clone()
    }
}

#[test]
fn a_discarded_session_is_whole_and_comes_back_as_it_was() {
    let one = record(1, "one", 10);
    let bench = Bench::with(std::slice::from_ref(&one));
    let (store, _) = bench.open();
    fs::write(store.dir(id(1)).workspace().join("work"), "work").unwrap();
    store.discard(&deleted(&one, 50)).unwrap();
    assert!(!store.dir(id(1)).path().exists());
    assert_eq!(mode(&bench.home().join("trash")), 0o700);
    assert_eq!(mode(store.trash_dir(id(1)).path()), 0o700);
    assert_eq!(store.find(&one.spec.name).unwrap(), None);
    drop(store);
    let (store, found) = bench.open();
    assert!(found.sessions.is_empty());
    assert_eq!(store.trashed().unwrap(), [deleted(&one, 50)]);
    store.restore(&one).unwrap();
    let work = store.dir(id(1)).workspace().join("work");
    assert_eq!(fs::read_to_string(work).unwrap(), "work");
    assert_eq!(store.find(&one.spec.name).unwrap(), Some(id(1)));
    assert!(store.trashed().unwrap().is_empty());
    store.discard(&deleted(&one, 60)).unwrap();
    store.purge(id(1)).unwrap();
    assert!(!store.trash_dir(id(1)).path().exists());
    assert!(matches!(store.purge(id(1)), Err(StoreError::NoSession(_))));
}

#[test]
fn a_deletion_cut_short_is_finished_at_the_next_start() {
    let one = deleted(&record(1, "one", 10), 50);
    let bench = Bench::with(std::slice::from_ref(&one));
    let (store, found) = bench.open();
    assert!(found.sessions.is_empty());
    assert_eq!(store.trashed().unwrap(), [one]);
}

#[test]
fn a_record_of_an_earlier_release_is_read() {
    let one = record(1, "one", 10);
    let bench = Bench::with(std::slice::from_ref(&one));
    let path = bench.open().0.dir(id(1)).record();
    let mut text: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    for later in ["shelf", "turn"] {
        text.as_object_mut().unwrap().remove(later).unwrap();
    }
    fs::write(&path, text.to_string()).unwrap();
    assert_eq!(bench.open().1.sessions, [one]);
}

#[test]
fn a_paused_network_is_remembered() {
    let bench = Bench::new();
    assert!(!bench.open().0.network_paused().unwrap());
    bench.open().0.set_network_paused(true).unwrap();
    assert!(bench.open().0.network_paused().unwrap());
    bench.open().0.set_network_paused(false).unwrap();
    assert!(!bench.open().0.network_paused().unwrap());
}
