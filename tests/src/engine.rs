//! A Docker engine of a test's own, which it may stop and start: beside the machine's, without any network, gone with the value.

use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::programs::IMAGE;
use crate::wait::PATIENCE;

/// An engine with the test image.
pub struct Engine {
    folder: TempDir,
    dockerd: Option<Child>,
}

impl Engine {
    /// Starts one; none, and a line that says why, where this caller cannot: an engine of one's own takes root.
    pub fn start() -> Option<Self> {
        // SAFETY: it only asks.
        if unsafe { libc::geteuid() } != 0 {
            #[allow(clippy::print_stderr)]
            {
                eprintln!("skipped: an engine of a test's own takes root");
            }
            return None;
        }
        let folder = tempfile::Builder::new()
            .prefix("cl-engine-")
            .tempdir_in("/tmp")
            .expect("a folder in /tmp");
        let mut engine = Self {
            folder,
            dockerd: None,
        };
        engine.resume(&[]);
        let load = format!(
            "docker save {IMAGE} | docker --host {} load --quiet",
            engine.host()
        );
        let loaded = Command::new("sh")
            .args(["-c", &load])
            .stdout(Stdio::null())
            .status()
            .expect("sh starts");
        assert!(loaded.success(), "the engine takes the test image");
        Some(engine)
    }

    /// What `DOCKER_HOST` says of it.
    pub fn host(&self) -> String {
        format!("unix://{}", self.socket().display())
    }

    /// Stops it, with all its containers unless it was told to let them live.
    pub fn stop(&mut self) {
        let Some(mut dockerd) = self.dockerd.take() else {
            return;
        };
        let pid = i32::try_from(dockerd.id()).expect("a process id");
        // SAFETY: a signal to our own child, which was not waited for yet.
        unsafe { libc::kill(pid, libc::SIGTERM) };
        let _ = dockerd.wait();
    }

    /// Starts it again, with more arguments, and waits until it answers.
    pub fn resume(&mut self, more: &[&str]) {
        let at = |name: &str| self.folder.path().join(name).into_os_string();
        let log = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(at("log"))
            .expect("a file for the engine's log");
        // In a network of its own: an engine without a bridge takes the machine's away.
        let dockerd = Command::new("unshare")
            .args(["--net", "--", "dockerd"])
            .args(["--host", &self.host()])
            .arg("--data-root")
            .arg(at("data"))
            .arg("--exec-root")
            .arg(at("exec"))
            .arg("--pidfile")
            .arg(at("pid"))
            .args(["--bridge=none", "--iptables=false", "--ip6tables=false"])
            .args(more)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("dockerd starts");
        self.dockerd = Some(dockerd);
        let begun = Instant::now();
        while !answers(&self.socket()) {
            assert!(
                begun.elapsed() < PATIENCE,
                "the engine answers: {}",
                std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("docker.sock")
    }
}

fn answers(socket: &Path) -> bool {
    use std::io::{Read as _, Write as _};
    let ask = || {
        let mut stream = UnixStream::connect(socket)?;
        stream.write_all(b"GET /_ping HTTP/1.0\r\nHost: docker\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok::<_, std::io::Error>(answer)
    };
    ask().is_ok_and(|answer| answer.contains(" 200 "))
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.stop();
        // An engine mounts its folder on itself and leaves that behind.
        let mounts = std::fs::read_to_string("/proc/self/mounts").unwrap_or_default();
        let below: Vec<_> = mounts
            .lines()
            .filter_map(|line| line.split(' ').nth(1))
            .filter(|place| Path::new(place).starts_with(self.folder.path()))
            .collect();
        for place in below.iter().rev() {
            let _ = Command::new("umount").arg("--lazy").arg(place).status();
        }
    }
}
