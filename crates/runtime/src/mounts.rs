//! Decides which paths of the host a sandbox may see. Every source is judged by where it really is, after links.
//!
//! Refused: sockets, devices and pipes; `/`, the person's home and whatever contains them; everything under Clauderon's
//! own folder but the session's own folders, `agents/`, `bin/` and the throw-away repositories in `demo/`. The path that was judged is the path that is mounted.

use std::fs;
use std::os::unix::fs::FileTypeExt;
use std::path::{Component, Path, PathBuf};

use crate::{Access, Installation, Mount, RuntimeError};

/// A mount whose source was judged; only these reach an engine or bubblewrap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// Where the source really is.
    pub source: PathBuf,
    /// The absolute path inside.
    pub target: PathBuf,
    /// What the sandbox may do there.
    pub access: Access,
    /// Whether the source is a folder.
    pub folder: bool,
}

/// What must never be shown to a sandbox, resolved once.
#[derive(Debug, Clone)]
pub struct Guard {
    home: PathBuf,
    private: Vec<PathBuf>,
}

/// Folders of the system that hold sockets, devices or the kernel's own files.
const SYSTEM: [&str; 5] = ["/proc", "/sys", "/dev", "/run", "/var/run"];

impl Guard {
    /// Reads where the installation and the person's home really are.
    pub fn new(installation: &Installation) -> Self {
        let home = real(&installation.home);
        let private = installation
            .user_home
            .iter()
            .map(real)
            .chain([home.clone()])
            .collect();
        Self { home, private }
    }

    /// Judges every mount and orders them so that a parent comes before what is mounted inside it.
    pub fn check_all(
        &self,
        mounts: &[Mount],
        session_dir: Option<&Path>,
    ) -> Result<Vec<Checked>, RuntimeError> {
        let session_dir = session_dir.map(real);
        let mut checked = Vec::with_capacity(mounts.len());
        for mount in mounts {
            checked.push(self.check(mount, session_dir.as_deref())?);
        }
        checked.sort_by_key(|mount| mount.target.components().count());
        Ok(checked)
    }

    fn check(&self, mount: &Mount, session_dir: Option<&Path>) -> Result<Checked, RuntimeError> {
        let refuse = |why: String| RuntimeError::MountRefused {
            source_path: mount.source.clone(),
            why,
        };
        check_target(&mount.target).map_err(&refuse)?;
        let source = fs::canonicalize(&mount.source).map_err(|error| refuse(error.to_string()))?;
        if source.to_str().is_none() {
            return Err(refuse("its name is not UTF-8".into()));
        }
        let kind = fs::symlink_metadata(&source)
            .map_err(|error| refuse(error.to_string()))?
            .file_type();
        if kind.is_socket() {
            return Err(refuse("it is a socket".into()));
        }
        if !kind.is_dir() && !kind.is_file() {
            return Err(refuse("it is neither a file nor a folder".into()));
        }
        self.check_place(&source, kind.is_dir(), session_dir)
            .map_err(refuse)?;
        Ok(Checked {
            source,
            target: mount.target.clone(),
            access: mount.access,
            folder: kind.is_dir(),
        })
    }

    fn check_place(
        &self,
        source: &Path,
        folder: bool,
        session_dir: Option<&Path>,
    ) -> Result<(), String> {
        if SYSTEM.iter().any(|system| source == Path::new(system)) || below_kernel_files(source) {
            return Err("it holds sockets, devices or the kernel's own files".into());
        }
        if let Some(inner) = self.private.iter().find(|inner| inner.starts_with(source)) {
            return Err(format!("it would show {}", inner.display()));
        }
        let Ok(below_home) = source.strip_prefix(&self.home) else {
            return Ok(());
        };
        let shared = ["agents", "bin", "demo"]
            .iter()
            .any(|name| below_home.starts_with(name));
        if shared || session_dir.is_some_and(|dir| is_own_folder(source, folder, dir)) {
            return Ok(());
        }
        Err("it is Clauderon's own and not of this session".into())
    }
}

/// A session may be given what lies in folders of its own folder, `private` excepted; never the folder itself or a
/// file directly in it.
fn is_own_folder(source: &Path, folder: bool, session_dir: &Path) -> bool {
    let Ok(inside) = source.strip_prefix(session_dir) else {
        return false;
    };
    let depth = inside.components().count();
    depth > 0 && (depth > 1 || folder) && !inside.starts_with("private")
}

fn below_kernel_files(source: &Path) -> bool {
    ["/proc", "/sys", "/dev"]
        .iter()
        .any(|system| source.starts_with(system))
}

fn check_target(target: &Path) -> Result<(), String> {
    let plain = target
        .components()
        .all(|part| matches!(part, Component::RootDir | Component::Normal(_)));
    if !target.is_absolute() || !plain || target == Path::new("/") || target.to_str().is_none() {
        return Err(format!("{} is no place to mount at", target.display()));
    }
    Ok(())
}

fn real(path: impl AsRef<Path>) -> PathBuf {
    fs::canonicalize(path.as_ref()).unwrap_or_else(|_| path.as_ref().to_path_buf())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;

    use super::*;

    struct Place {
        root: tempfile::TempDir,
        guard: Guard,
        session: PathBuf,
    }

    fn place() -> Place {
        let root = tempfile::tempdir().unwrap();
        let user_home = root.path().join("person");
        let home = user_home.join(".clauderon");
        let session = home.join("sessions/aaaaaaaaaa");
        for folder in ["workspace", "private", "run"] {
            fs::create_dir_all(session.join(folder)).unwrap();
        }
        fs::create_dir_all(home.join("agents/claude")).unwrap();
        fs::create_dir_all(home.join("sessions/bbbbbbbbbb/workspace")).unwrap();
        fs::create_dir_all(home.join("secrets")).unwrap();
        fs::create_dir_all(user_home.join("code/.git/objects")).unwrap();
        fs::write(session.join("session.json"), "{}").unwrap();
        let guard = Guard::new(&Installation {
            id: "i".into(),
            version: "0".into(),
            home,
            user_home: Some(user_home),
            holder: PathBuf::new(),
        });
        Place {
            root,
            guard,
            session,
        }
    }

    fn check(place: &Place, source: impl AsRef<Path>) -> bool {
        let source = place.root.path().join(source);
        let mounts = [Mount::read_only(source, "/workspace")];
        place.guard.check_all(&mounts, Some(&place.session)).is_ok()
    }

    #[test]
    fn allows_own_folders_agents_and_repositories() {
        let place = place();
        let own = "person/.clauderon/sessions/aaaaaaaaaa";
        assert!(check(&place, format!("{own}/workspace")));
        assert!(check(&place, format!("{own}/run")));
        assert!(check(&place, "person/.clauderon/agents/claude"));
        assert!(check(&place, "person/code/.git/objects"));
    }

    #[test]
    fn refuses_what_is_not_the_sessions_own() {
        let place = place();
        let own = "person/.clauderon/sessions/aaaaaaaaaa";
        for source in [
            "person",
            "person/.clauderon",
            "person/.clauderon/secrets",
            "person/.clauderon/sessions",
            "",
            "/",
        ] {
            assert!(!check(&place, source), "{source}");
        }
        assert!(!check(&place, own));
        assert!(!check(&place, format!("{own}/private")));
        assert!(!check(&place, format!("{own}/session.json")));
        assert!(!check(
            &place,
            "person/.clauderon/sessions/bbbbbbbbbb/workspace"
        ));
        for source in [
            "/proc/self",
            "/dev/null",
            "/sys",
            "/run",
            "/var/run",
            "/nowhere",
        ] {
            assert!(!check(&place, source), "{source}");
        }
    }

    #[test]
    fn refuses_sockets_and_follows_links_before_judging() {
        let place = place();
        let root = place.root.path();
        let _listener = UnixListener::bind(root.join("docker.sock")).unwrap();
        symlink(root.join("docker.sock"), root.join("innocent")).unwrap();
        symlink("/", root.join("slash")).unwrap();
        symlink(root.join("person"), place.session.join("workspace/home")).unwrap();
        assert!(!check(&place, "docker.sock"));
        assert!(!check(&place, "innocent"));
        assert!(!check(&place, "slash"));
        assert!(!check(
            &place,
            "person/.clauderon/sessions/aaaaaaaaaa/workspace/home"
        ));
    }

    #[test]
    fn refuses_targets_that_are_not_plain_absolute_paths() {
        let place = place();
        for target in ["/", "relative", "/a/../b"] {
            let mounts = [Mount::read_only(place.session.join("run"), target)];
            assert!(
                place
                    .guard
                    .check_all(&mounts, Some(&place.session))
                    .is_err(),
                "{target}"
            );
        }
    }
}
