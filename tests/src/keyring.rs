//! A real Secret Service of its own: a private message bus with GNOME Keyring on it, gone with the value.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::wait::PATIENCE;

/// A message bus, perhaps with a keyring on it.
pub struct Bus {
    folder: TempDir,
    address: String,
    daemon: Child,
    keyring: Option<Child>,
}

/// The password of the keyring.
const PASSWORD: &str = "correct horse";
/// The collection that GNOME Keyring makes of a login password.
const LOGIN: &str = "/org/freedesktop/secrets/collection/login";
/// A bus that starts nothing by itself.
const CONFIG: &str = r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN" "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>unix:tmpdir=/tmp</listen><auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy></busconfig>"#;

impl Bus {
    /// Starts a bus with nobody on it.
    pub fn empty() -> Self {
        let folder = tempfile::Builder::new()
            .prefix("cl-bus-")
            .tempdir_in("/tmp")
            .expect("a folder in /tmp");
        let config = folder.path().join("bus.conf");
        std::fs::write(&config, CONFIG).expect("write the bus's configuration");
        let mut daemon = Command::new("dbus-daemon")
            .arg(format!("--config-file={}", config.display()))
            .args(["--nofork", "--print-address=1"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("dbus-daemon starts");
        let mut address = String::new();
        let output = daemon.stdout.take().expect("its output is piped");
        BufReader::new(output)
            .read_line(&mut address)
            .expect("dbus-daemon says its address");
        Self {
            folder,
            address: address.trim().to_owned(),
            daemon,
            keyring: None,
        }
    }

    /// Starts a bus with an unlocked keyring.
    pub fn with_keyring() -> Self {
        let mut bus = Self::empty();
        bus.start_keyring();
        bus
    }

    /// Starts the keyring, unlocked; one that ran before on this bus finds its items again.
    pub fn start_keyring(&mut self) {
        let mut keyring = self
            .command("gnome-keyring-daemon")
            .args(["--foreground", "--unlock", "--components=secrets"])
            .arg(format!(
                "--control-directory={}",
                self.folder.path().join("control").display()
            ))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("gnome-keyring-daemon starts");
        let mut input = keyring.stdin.take().expect("its input is piped");
        input
            .write_all(PASSWORD.as_bytes())
            .expect("say the password");
        drop(input);
        self.keyring = Some(keyring);
        let begun = Instant::now();
        while !self
            .ask("org.freedesktop.Secret.Service.ReadAlias", "string:default")
            .contains(LOGIN)
        {
            assert!(begun.elapsed() < PATIENCE, "the keyring does not open");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Locks the keyring, as a screen lock does.
    pub fn lock(&self) {
        let answer = self.ask(
            "org.freedesktop.Secret.Service.Lock",
            &format!("array:objpath:{LOGIN}"),
        );
        assert!(answer.contains(LOGIN), "the keyring did not lock: {answer}");
    }

    /// Prints the items of a service that an independent client sees, their values included.
    pub fn items(&self, service: &str) -> String {
        let output = self
            .command("secret-tool")
            .args(["search", "--all", "service", service])
            .output()
            .expect("secret-tool starts");
        String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
    }

    /// The bus's address, for `DBUS_SESSION_BUS_ADDRESS`.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The folder that the keyring keeps its files in.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn ask(&self, method: &str, argument: &str) -> String {
        let output = self
            .command("dbus-send")
            .args([
                "--session",
                "--print-reply",
                "--dest=org.freedesktop.secrets",
                "/org/freedesktop/secrets",
                method,
                argument,
            ])
            .output()
            .expect("dbus-send starts");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .env("HOME", self.folder.path())
            .env("XDG_RUNTIME_DIR", self.folder.path())
            .env("DBUS_SESSION_BUS_ADDRESS", &self.address);
        command
    }
}

impl Drop for Bus {
    fn drop(&mut self) {
        for child in self.keyring.iter_mut().chain([&mut self.daemon]) {
            // They may have ended by themselves.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
