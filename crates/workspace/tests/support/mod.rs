//! A person's repository, a session's folder and a real bubblewrap, all in a temporary directory.
#![allow(dead_code, clippy::unwrap_used, clippy::print_stderr)]

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use clauderon_runtime::{Bubblewrap, Docker, Installation, Runtime, User};
use clauderon_session::SessionName;
use clauderon_workspace::{Created, Plan, Sandboxes, Source, Workspace, create, fill, settle};

pub struct House {
    pub root: tempfile::TempDir,
    pub repository: PathBuf,
    pub session: PathBuf,
    pub runtime: Box<dyn Runtime>,
    pub image: Option<String>,
}

/// Makes the house, or says why the test is skipped; where `CI` is set nothing is skipped.
pub async fn house() -> Option<House> {
    house_in(Kind::Bubblewrap).await
}

/// The same with a Docker engine, in the image that is made for tests.
pub async fn docker_house() -> Option<House> {
    house_in(Kind::Docker).await
}

enum Kind {
    Bubblewrap,
    Docker,
}

/// The name of the image that is made for tests.
const IMAGE: &str = "clauderon-test";

async fn runtime(
    kind: Kind,
    installation: Installation,
) -> Result<(Box<dyn Runtime>, Option<String>), String> {
    match kind {
        Kind::Bubblewrap => {
            let runtime = Bubblewrap::new(installation);
            runtime.probe().await.map_err(|error| error.to_string())?;
            Ok((Box::new(runtime), None))
        }
        Kind::Docker => {
            let runtime = Docker::find(&installation, &Default::default())
                .await
                .map_err(|error| error.to_string())?;
            runtime
                .check_image(IMAGE)
                .await
                .map_err(|error| error.to_string())?;
            Ok((Box::new(runtime), Some(IMAGE.to_owned())))
        }
    }
}

async fn house_in(kind: Kind) -> Option<House> {
    let root = tempfile::tempdir().unwrap();
    let home = root.path().join("person/.clauderon");
    let session = home.join("sessions/aaaaaaaaaa");
    fs::create_dir_all(&session).unwrap();
    let installation = Installation {
        id: "test".into(),
        version: "0".into(),
        home,
        user_home: Some(root.path().join("person")),
        holder: PathBuf::new(),
    };
    let (runtime, image) = match runtime(kind, installation).await {
        Ok(found) => found,
        Err(error) => {
            assert!(std::env::var_os("CI").is_none(), "no sandbox: {error}");
            eprintln!("skipped: {error}");
            return None;
        }
    };
    let repository = root.path().join("code");
    let house = House {
        root,
        repository,
        session,
        runtime,
        image,
    };
    house.make_repository();
    Some(house)
}

impl House {
    fn make_repository(&self) {
        fs::create_dir_all(&self.repository).unwrap();
        self.git(&["init", "-q", "-b", "main"]);
        self.git(&["config", "user.name", "Ada \"A\" L"]);
        self.git(&["config", "user.email", "ada@example.org"]);
        self.write("a.txt", "one\n");
        self.write("dir/b.txt", "two\n");
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "-m", "first"]);
    }

    pub fn write(&self, path: &str, text: &str) {
        let path = self.repository.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub fn git(&self, args: &[&str]) -> String {
        git(&self.repository, args)
    }

    pub fn sandboxes(&self) -> Sandboxes<'_> {
        Sandboxes {
            runtime: self.runtime.as_ref(),
            image: self.image.clone(),
            user: User::for_caller(),
        }
    }

    pub async fn source(&self) -> Source {
        Source::inspect(&self.repository).await.unwrap()
    }

    pub async fn create_with(&self, isolate: bool, secrets: bool) -> Created {
        let source = self.source().await;
        let plan = Plan {
            session_dir: &self.session,
            name: &name(),
            source: &source,
            isolate_history: isolate,
            include_secrets: secrets,
        };
        let mut created = create(&self.sandboxes(), plan).await.unwrap();
        fill(&self.sandboxes(), &created.workspace).await.unwrap();
        let counted = settle(&self.sandboxes(), &source, &created.workspace).await;
        created.notices.extend(counted.unwrap());
        created
    }

    pub async fn create(&self) -> Workspace {
        self.create_with(false, false).await.workspace
    }

    /// Runs a script as the agent would: as the sandbox's user, in the session's own mounts.
    pub async fn agent(&self, workspace: &Workspace, script: &str) -> String {
        let one = clauderon_runtime::OneShot {
            image: self.image.clone(),
            mounts: workspace.mounts(),
            session_dir: Some(self.session.clone()),
            cwd: "/workspace".into(),
            env: [("HOME".to_owned(), "/tmp".to_owned())].into(),
            ..clauderon_runtime::OneShot::new(["/bin/bash", "-c", script])
        };
        let ended = self.runtime.run_once(one).await.unwrap();
        let said = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert_eq!(ended.code, 0, "{said}");
        String::from_utf8(ended.stdout).unwrap()
    }

    /// Returns all references of the person's repository.
    pub fn references(&self) -> String {
        self.git(&["for-each-ref", "--format=%(objectname) %(refname)"])
    }
}

pub fn name() -> SessionName {
    "tidy-up".parse().unwrap()
}

pub fn git(at: &Path, args: &[&str]) -> String {
    let output = run_git(at, args);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "git {args:?}: {said}");
    String::from_utf8(output.stdout)
        .unwrap()
        .trim_end()
        .to_owned()
}

/// Runs git in a session's workspace as a careless host would, with the borrowed objects within reach.
pub fn careless(house: &House, at: &Path, args: &[&str]) {
    let objects = house.repository.join(".git/objects");
    let mut command = plain_git(at, args);
    command
        .env("GIT_ALTERNATE_OBJECT_DIRECTORIES", objects)
        .output()
        .unwrap();
}

/// Runs git the way a person does: with whatever configuration the place has.
pub fn run_git(at: &Path, args: &[&str]) -> Output {
    plain_git(at, args).output().unwrap()
}

fn plain_git(at: &Path, args: &[&str]) -> Command {
    let mut command = Command::new("git");
    command
        .current_dir(at)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_COUNT", "2")
        .env("GIT_CONFIG_KEY_0", "safe.directory")
        .env("GIT_CONFIG_VALUE_0", "*")
        .env("GIT_CONFIG_KEY_1", "protocol.file.allow")
        .env("GIT_CONFIG_VALUE_1", "always")
        .args(args);
    command
}

/// Makes a folder that every user can reach, and gives what is below to one.
pub fn give(path: &Path, uid: u32) {
    chown(path, Some(uid), Some(uid)).unwrap();
    if path.symlink_metadata().unwrap().is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            give(&entry.unwrap().path(), uid);
        }
    }
}

pub fn open_folder(path: &Path) {
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}
