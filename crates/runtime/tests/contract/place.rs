//! A backend with a throw-away home, and helpers to ask things of sandboxes from inside.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use clauderon_runtime::{
    Bubblewrap, Docker, Handle, Installation, Limits, Mount, OneShot, OneShotOutput, Runtime,
    SandboxPlan, State, User,
};
use clauderon_session::{Mode, SessionId};

pub const IMAGE: &str = "clauderon-test:latest";

pub struct Place {
    pub root: tempfile::TempDir,
    pub runtime: Box<dyn Runtime>,
    pub installation: Installation,
}

impl Place {
    /// Makes a place around a backend that needs no installation.
    pub fn with(runtime: Box<dyn Runtime>) -> Self {
        Self::new(|_| runtime)
    }

    fn new(make: impl FnOnce(Installation) -> Box<dyn Runtime>) -> Self {
        let root = tempfile::Builder::new()
            .prefix("clauderon-contract-")
            .tempdir()
            .unwrap();
        // Ordinary users must pass through to what is mounted for them.
        fs::set_permissions(root.path(), fs::Permissions::from_mode(0o711)).unwrap();
        let home = root.path().join("person/.clauderon");
        fs::create_dir_all(home.join("bin")).unwrap();
        fs::create_dir_all(home.join("secrets")).unwrap();
        fs::write(home.join("secrets/token"), "real-token").unwrap();
        let installation = Installation {
            id: format!("test-{}", root.path().file_name().unwrap().display()),
            version: "0.0.0".into(),
            home,
            user_home: Some(root.path().join("person")),
            holder: program_beside_the_tests("clauderon-holder").unwrap_or_default(),
        };
        Self {
            runtime: make(installation.clone()),
            installation,
            root,
        }
    }

    /// Runs a throw-away program in the test image.
    pub async fn run(
        &self,
        one: OneShot,
    ) -> Result<OneShotOutput, clauderon_runtime::RuntimeError> {
        let session_dir = one.session_dir.clone();
        self.runtime
            .run_once(OneShot {
                image: Some(IMAGE.into()),
                session_dir,
                ..one
            })
            .await
    }

    /// Runs a shell script and returns what it printed, both streams together.
    pub async fn say(&self, script: &str) -> String {
        let output = self
            .run(OneShot::new([
                "/bin/bash",
                "-c",
                &format!("exec 2>&1; {script}"),
            ]))
            .await
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    }

    /// Asks the kernel from inside, by a small static program.
    pub async fn probe(&self, what: &str) -> OneShotOutput {
        let program = self.installation.home.join("bin/probe");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/contract/probe.c");
        let built = Command::new("cc")
            .args(["-static", "-O1", "-o"])
            .arg(&program)
            .arg(source)
            .status();
        assert!(built.unwrap().success());
        let one = OneShot::new(["/clauderon/probe", what]);
        self.run(OneShot {
            mounts: vec![Mount::read_only(program, "/clauderon/probe")],
            ..one
        })
        .await
        .unwrap()
    }

    /// Makes the folders of a session whose agent is this script, run by the real relay, and the plan for it.
    pub fn session(&self, mode: Mode, agent: &str) -> SandboxPlan {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let mut random = [0_u8; 10];
        random[..4].copy_from_slice(&std::process::id().to_le_bytes());
        random[4..8].copy_from_slice(&NEXT.fetch_add(1, Ordering::Relaxed).to_le_bytes());
        let session = SessionId::from_random(random);
        let dir = self
            .installation
            .home
            .join("sessions")
            .join(session.to_string());
        let user = User::for_caller();
        for name in ["workspace", "home", "uploads", "run", "private"] {
            fs::create_dir_all(dir.join(name)).unwrap();
        }
        if rustix_is_root() {
            for name in ["workspace", "home", "uploads"] {
                chown(dir.join(name), Some(user.uid), Some(user.gid)).unwrap();
            }
        }
        fs::write(dir.join("session.json"), "{}").unwrap();
        let launch = serde_json::json!({
            "argv": ["/bin/bash", "-c", agent],
            "env": {"PATH": "/usr/bin:/bin", "HOME": "/clauderon/home", "MARK": "agent"},
            "cwd": "/workspace",
        });
        fs::write(dir.join("run/launch.json"), launch.to_string()).unwrap();
        let program = self
            .installation
            .home
            .join("bin")
            .join(format!("relay-{session}"));
        let relay = program_beside_the_tests("clauderon-relay").unwrap();
        fs::copy(relay, &program).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        SandboxPlan {
            session,
            mode,
            image: Some(IMAGE.into()),
            mounts: vec![
                Mount::read_write(dir.join("workspace"), "/workspace"),
                Mount::read_write(dir.join("home"), "/clauderon/home"),
                Mount::read_write(dir.join("uploads"), "/clauderon/uploads"),
                Mount::read_only(dir.join("run"), "/clauderon/run"),
                Mount::read_only(program, "/clauderon/relay"),
            ],
            user,
            limits: Limits::of_this_machine(),
            cols: 80,
            rows: 24,
            stdin: None,
            dir,
        }
    }

    /// Waits until what runs in the sandbox has ended.
    pub async fn ended(&self, handle: &Handle) {
        self.until(handle, |state| *state == State::Present { running: false })
            .await;
    }

    pub async fn until(&self, handle: &Handle, wanted: impl Fn(&State) -> bool) {
        let mut last = State::Absent;
        for _ in 0..500 {
            last = self.runtime.state(handle).await;
            if wanted(&last) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("the sandbox stayed {last:?}");
    }
}

pub fn env(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

pub fn rustix_is_root() -> bool {
    User::for_caller()
        == User {
            uid: 1000,
            gid: 1000,
        }
        && fs::metadata("/proc/self")
            .is_ok_and(|seen| std::os::unix::fs::MetadataExt::uid(&seen) == 0)
}

/// The engine of these tests: `DOCKER_HOST`, or the usual socket.
pub fn surroundings() -> clauderon_runtime::docker::discover::Surroundings {
    clauderon_runtime::docker::discover::Surroundings::from_variables(
        |name| std::env::var_os(name),
        None,
    )
}

pub async fn docker() -> Option<Place> {
    let place = Place::with(Box::new(clauderon_runtime::Fake::new()));
    let docker = match Docker::find(&place.installation, &surroundings()).await {
        Ok(docker) => docker,
        Err(unavailable) => return skip(&unavailable.to_string()),
    };
    if let Err(error) = docker.check_image(IMAGE).await {
        return skip(&format!("{error} (scripts/test-image.sh makes it)"));
    }
    Some(Place {
        runtime: Box::new(docker),
        ..place
    })
}

pub async fn bubblewrap() -> Option<Place> {
    let place = Place::new(|installation| Box::new(Bubblewrap::new(installation)));
    match place.runtime.probe().await {
        Ok(_) => Some(place),
        Err(unavailable) => skip(&unavailable.to_string()),
    }
}

/// Runs one check over every real backend that is here.
pub async fn each(check: impl AsyncFn(&Place)) {
    for place in [bubblewrap().await, docker().await].into_iter().flatten() {
        eprintln!("on {}", place.runtime.backend());
        check(&place).await;
    }
}

/// The same, for checks that start sessions and so need the holder's program.
pub async fn each_with_holder(check: impl AsyncFn(&Place)) {
    for program in ["clauderon-holder", "clauderon-relay"] {
        if program_beside_the_tests(program).is_none() {
            skip(&format!("{program} is not built (scripts/build dev)"));
            return;
        }
    }
    each(check).await;
}

/// Says visibly that something was not checked; a failure where everything must be there.
pub fn skip(reason: &str) -> Option<Place> {
    assert!(
        std::env::var_os("CI").is_none(),
        "CI must have everything: {reason}"
    );
    eprintln!("SKIPPED: {reason}");
    None
}

fn program_beside_the_tests(name: &str) -> Option<PathBuf> {
    let own = std::env::current_exe().ok()?;
    let path = own.parent().and_then(Path::parent)?.join(name);
    path.exists().then_some(path)
}
