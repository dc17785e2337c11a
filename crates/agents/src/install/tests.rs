#![allow(clippy::unwrap_used)]

use std::os::unix::fs::symlink;

use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha512};
use tar::{Builder, EntryType, Header};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::*;

/// One thing in a package: its name, its kind, its content (or the target of a link), its mode.
type Item<'a> = (&'a str, EntryType, &'a str, u32);

const GOOD: &[Item] = &[
    (
        "package/package.json",
        EntryType::Regular,
        r#"{"scripts":{"postinstall":"touch /tmp/ran"}}"#,
        0o644,
    ),
    ("package/vendor/", EntryType::Directory, "", 0o755),
    (
        "package/vendor/bin/tool",
        EntryType::Regular,
        "#!/bin/sh\n",
        0o755,
    ),
    (
        "package/vendor/deep/er/data",
        EntryType::Regular,
        "data",
        0o600,
    ),
];

struct Bench {
    home: TempDir,
    archive: PathBuf,
    pin: Pin,
    told: Vec<Progress>,
}

impl Bench {
    fn new(items: &[Item]) -> Self {
        let home = tempfile::tempdir().unwrap();
        let mut tar = Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
        for (name, kind, content, mode) in items {
            let mut header = Header::new_gnu();
            header.set_entry_type(*kind);
            header.set_mode(*mode);
            let bytes = if *kind == EntryType::Regular {
                content.as_bytes()
            } else {
                b""
            };
            header.set_size(bytes.len() as u64);
            // Written by hand: the builder refuses the names that are tested here.
            header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
            if kind.is_symlink() || kind.is_hard_link() {
                header.as_old_mut().linkname[..content.len()].copy_from_slice(content.as_bytes());
            }
            header.set_cksum();
            tar.append(&header, bytes).unwrap();
        }
        let bytes = tar.into_inner().unwrap().finish().unwrap();
        let archive = home.path().join("given.tgz");
        fs::write(&archive, &bytes).unwrap();
        let pin = Pin {
            agent: Agent::Codex,
            version: "1.2.3".to_owned(),
            arch: "x86_64".to_owned(),
            package: "@example/tool".to_owned(),
            file: "tool-1.2.3.tgz".to_owned(),
            sha512: STANDARD.encode(Sha512::digest(&bytes)),
            bytes: Some(bytes.len() as u64),
            folder: "package/vendor/".to_owned(),
            program: "bin/tool".to_owned(),
        };
        Self {
            home,
            archive,
            pin,
            told: Vec::new(),
        }
    }

    async fn install(&mut self) -> Result<Installed, InstallError> {
        let source = Source::Archive(self.archive.clone());
        let told = &mut self.told;
        install_pin(
            self.home.path(),
            self.pin.clone(),
            source,
            Path::new("curl"),
            |step| told.push(step),
        )
        .await
    }

    async fn download(&mut self, curl: &Path) -> Result<Installed, InstallError> {
        let source = Source::Registry("https://registry.example".to_owned());
        let told = &mut self.told;
        install_pin(self.home.path(), self.pin.clone(), source, curl, |step| {
            told.push(step)
        })
        .await
    }

    /// A stand-in for curl: it notes its arguments and does what `rest` says with the target `$out`.
    fn curl(&self, rest: &str) -> PathBuf {
        let path = self.home.path().join("curl");
        let script = format!(
            "#!/bin/sh\nprintf '%s\\n' \"$@\" > {0}/arguments\nfor out; do :; done\ngiven={0}/given.tgz\n{rest}\n",
            self.home.path().display()
        );
        // By a child: a file that this process has open for writing may be busy when it is run.
        let made = std::process::Command::new("sh")
            .args([
                "-c",
                "printf %s \"$1\" > \"$2\" && chmod 755 \"$2\"",
                "sh",
                &script,
            ])
            .arg(&path)
            .status();
        assert!(made.unwrap().success());
        path
    }

    fn nothing_is_left(&self) {
        let left: Vec<_> = fs::read_dir(self.home.path().join("agents"))
            .into_iter()
            .flatten()
            .map(|entry| entry.unwrap().file_name())
            .filter(|name| name != ".lock")
            .collect();
        assert!(left.is_empty(), "{left:?}");
        assert_eq!(present(self.home.path(), &self.pin), None);
    }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

#[tokio::test]
async fn installs_the_pinned_archive_and_nothing_else_of_it() {
    let mut bench = Bench::new(GOOD);
    let found = bench.install().await.unwrap();
    assert_eq!(found.version, "1.2.3");
    assert_eq!(found.dir, bench.home.path().join("agents/codex/1.2.3"));
    assert_eq!(
        fs::read(found.dir.join("bin/tool")).unwrap(),
        b"#!/bin/sh\n"
    );
    assert_eq!(mode(&found.dir.join("bin/tool")), 0o755);
    assert_eq!(
        mode(&found.dir.join("deep/er/data")),
        0o644,
        "a sandbox's own user reads it"
    );
    assert_eq!(mode(&found.dir), 0o755);
    assert!(!found.dir.join("package.json").exists());
    assert_eq!(
        bench.told[0],
        Progress::Fetching {
            version: "1.2.3".to_owned(),
            bytes: bench.pin.bytes
        }
    );
    assert_eq!(bench.told[1..], [Progress::Checking, Progress::Unpacking]);
    let agents = fs::read_dir(bench.home.path().join("agents"))
        .unwrap()
        .count();
    assert_eq!(agents, 2, "the lock and the agent");
}

#[tokio::test]
async fn does_nothing_when_it_is_there() {
    let mut bench = Bench::new(GOOD);
    bench.install().await.unwrap();
    fs::remove_file(&bench.archive).unwrap();
    bench.told.clear();
    bench.install().await.unwrap();
    assert_eq!(bench.told, []);
}

#[tokio::test]
async fn a_wrong_byte_is_refused_and_leaves_nothing() {
    let mut bench = Bench::new(GOOD);
    let mut bytes = fs::read(&bench.archive).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(&bench.archive, bytes).unwrap();
    let error = bench.install().await.unwrap_err();
    assert!(
        matches!(error, InstallError::WrongArchive { .. }),
        "{error}"
    );
    assert!(
        error.to_string().contains("is not Codex 1.2.3 as pinned"),
        "{error}"
    );
    bench.nothing_is_left();
}

#[tokio::test]
async fn refuses_what_must_not_be_unpacked() {
    let file = EntryType::Regular;
    for (item, why) in [
        (
            ("package/vendor/../../../x", file, "x", 0o644),
            "leads outside",
        ),
        (("/package/vendor/x", file, "x", 0o644), "leads outside"),
        (
            ("package/vendor/l", EntryType::Symlink, "/etc/passwd", 0o777),
            "neither a file nor a folder",
        ),
        (
            ("package/vendor/h", EntryType::Link, "/etc/passwd", 0o644),
            "neither a file nor a folder",
        ),
        (
            ("package/vendor/f", EntryType::Fifo, "", 0o644),
            "neither a file nor a folder",
        ),
    ] {
        let mut bench = Bench::new(&[GOOD, &[item]].concat());
        let error = bench.install().await.unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
        bench.nothing_is_left();
    }
    let mut bench = Bench::new(&[GOOD[2], GOOD[2]]);
    assert!(bench.install().await.is_err(), "a name that comes twice");
    bench.nothing_is_left();
    let mut bench = Bench::new(&GOOD[..2]);
    let error = bench.install().await.unwrap_err().to_string();
    assert_eq!(
        error,
        "the archive of Codex is refused: bin/tool is missing"
    );
}

#[tokio::test]
async fn a_setuid_bit_does_not_arrive() {
    let mut bench = Bench::new(&[("package/vendor/bin/tool", EntryType::Regular, "x", 0o6755)]);
    let found = bench.install().await.unwrap();
    assert_eq!(mode(&found.dir.join("bin/tool")), 0o755);
}

#[tokio::test]
async fn what_a_killed_installation_left_is_removed() {
    let mut bench = Bench::new(GOOD);
    let agents = bench.home.path().join("agents");
    fs::create_dir_all(agents.join(".partial-old/unpacked")).unwrap();
    fs::create_dir_all(agents.join("codex/1.2.3/half")).unwrap();
    bench.install().await.unwrap();
    assert!(!agents.join(".partial-old").exists());
    assert!(!agents.join("codex/1.2.3/half").exists());
}

#[tokio::test]
async fn a_second_installation_at_the_same_time_is_refused() {
    let mut bench = Bench::new(GOOD);
    let stage = Stage::open(bench.home.path()).unwrap();
    assert!(matches!(bench.install().await, Err(InstallError::Busy)));
    drop(stage);
    bench.install().await.unwrap();
}

#[tokio::test]
async fn a_folder_or_nothing_is_no_archive() {
    let mut bench = Bench::new(GOOD);
    bench.archive = bench.home.path().to_path_buf();
    let error = bench.install().await.unwrap_err().to_string();
    assert!(error.ends_with("it is not a file"), "{error}");
    bench.archive = PathBuf::from("/nowhere/a.tgz");
    let error = bench.install().await.unwrap_err().to_string();
    assert!(
        error.starts_with("could not read /nowhere/a.tgz: No such file"),
        "{error}"
    );
    bench.nothing_is_left();
}

#[tokio::test]
async fn downloads_by_curl_over_https_only() {
    let mut bench = Bench::new(GOOD);
    let curl = bench.curl("cp $given $out");
    bench.download(&curl).await.unwrap();
    let arguments = fs::read_to_string(bench.home.path().join("arguments")).unwrap();
    let arguments: Vec<_> = arguments.lines().collect();
    assert_eq!(arguments[..3], ["-q", "--proto", "=https"]);
    assert!(arguments.contains(&"https://registry.example/@example/tool/-/tool-1.2.3.tgz"));
    let plain = Source::Registry("http://registry.example".to_owned());
    let other = Bench::new(GOOD);
    let error = install_pin(other.home.path(), other.pin.clone(), plain, &curl, |_| {})
        .await
        .unwrap_err();
    assert!(matches!(error, InstallError::NotHttps(_)), "{error}");
}

#[tokio::test]
async fn a_failed_download_says_why_and_leaves_nothing() {
    let mut bench = Bench::new(GOOD);
    let curl = bench.curl("echo half > $out; echo 'curl: (6) Could not resolve host' >&2; exit 6");
    let error = bench.download(&curl).await.unwrap_err().to_string();
    assert!(
        error.ends_with("tool-1.2.3.tgz: (6) Could not resolve host"),
        "{error}"
    );
    bench.nothing_is_left();
    let error = bench
        .download(Path::new("/nowhere/curl"))
        .await
        .unwrap_err();
    assert!(matches!(error, InstallError::NoCurl), "{error}");
    let curl = bench.curl("echo '<html>' > $out");
    let error = bench.download(&curl).await.unwrap_err();
    assert!(
        matches!(error, InstallError::WrongArchive { .. }),
        "{error}"
    );
    bench.nothing_is_left();
}

#[tokio::test]
async fn a_cancelled_download_ends_curl_and_leaves_nothing() {
    let mut bench = Bench::new(GOOD);
    // The stand-in holds the pipe's other end as long as it lives.
    let pipe = bench.home.path().join("pipe");
    assert!(
        std::process::Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    let curl = bench.curl(&format!(
        "exec 3> {}; echo half > $out; exec sleep 600",
        pipe.display()
    ));
    let ended = tokio::task::spawn_blocking(move || fs::read(pipe).unwrap());
    let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
    let source = Source::Registry("https://registry.example".to_owned());
    let running = install_pin(
        bench.home.path(),
        bench.pin.clone(),
        source,
        &curl,
        move |step| {
            sender.send(step).unwrap();
        },
    );
    let half_way =
        async { while !matches!(receiver.recv().await, Some(Progress::Fetched { .. })) {} };
    tokio::select! {
        _ = running => panic!("it cannot end"),
        () = half_way => {}
    }
    assert_eq!(ended.await.unwrap(), b"");
    bench.nothing_is_left();
    bench.install().await.unwrap();
}

#[tokio::test]
async fn the_real_archives_install() {
    let Some(folder) = std::env::var_os("CLAUDERON_TEST_ARCHIVES") else {
        eprintln!("skipped: CLAUDERON_TEST_ARCHIVES names no folder with the agents' archives");
        return;
    };
    let home = tempfile::tempdir().unwrap();
    for agent in Agent::ALL {
        let pin = Pin::of(*agent).unwrap();
        let archive = fs::read_dir(&folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .find(|path| path.to_string_lossy().ends_with(&pin.file))
            .unwrap_or_else(|| panic!("{} is not in {folder:?}", pin.file));
        assert_eq!(installed(home.path(), *agent), None);
        let found = install(home.path(), *agent, Source::Archive(archive), |_| {})
            .await
            .unwrap();
        assert_eq!(installed(home.path(), *agent), Some(found.clone()));
        assert_eq!(mode(&found.dir.join(&pin.program)), 0o755);
    }
}

#[test]
fn a_link_in_place_of_the_program_counts_as_what_it_leads_to() {
    // Nobody but the owner of the home writes there; a dangling link is simply not an installed agent.
    let bench = Bench::new(GOOD);
    let dir = bench.pin.dir(bench.home.path());
    fs::create_dir_all(dir.join("bin")).unwrap();
    symlink("/nowhere", dir.join("bin/tool")).unwrap();
    assert_eq!(present(bench.home.path(), &bench.pin), None);
}
