//! Where everything of one installation lies: `~/.clauderon`, or `CLAUDERON_HOME`.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

/// The longest path a unix socket may have, without its closing NUL (`sockaddr_un` on Linux; macOS has 103).
const SOCKET_PATH: usize = if cfg!(target_os = "macos") { 103 } else { 107 };

/// The folders and files of one installation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paths {
    home: PathBuf,
}

impl Paths {
    /// Names the installation at `home`, an absolute path; refuses one whose sockets would have too long a path.
    pub fn at(home: impl Into<PathBuf>) -> Result<Self> {
        let home = home.into();
        if !home.is_absolute() {
            bail!(
                "CLAUDERON_HOME is {}, which is not an absolute path",
                home.display()
            );
        }
        let paths = Self { home };
        let longest = paths.sessions().join("0123456789/private/holder.sock");
        let length = longest.as_os_str().len();
        if length > SOCKET_PATH {
            bail!(
                "CLAUDERON_HOME {} is {} characters too long: the sockets below it would not fit in {SOCKET_PATH} bytes; choose a shorter folder",
                paths.home.display(),
                length - SOCKET_PATH
            );
        }
        Ok(paths)
    }

    /// Makes the folders that every installation has, private to their owner.
    pub fn prepare(&self) -> Result<()> {
        for folder in [
            self.home.clone(),
            self.secrets(),
            self.logs(),
            self.sessions(),
            self.bin(),
        ] {
            private_folder(&folder)
                .with_context(|| format!("{} cannot be made", folder.display()))?;
        }
        Ok(())
    }

    /// The installation's own folder.
    pub fn home(&self) -> &Path {
        &self.home
    }
    /// Preferences.
    pub fn config(&self) -> PathBuf {
        self.home.join("config.toml")
    }
    /// Egress and upstream settings.
    pub fn proxy_config(&self) -> PathBuf {
        self.home.join("proxy.toml")
    }
    /// The index of sessions.
    pub fn database(&self) -> PathBuf {
        self.home.join("db.sqlite")
    }
    /// The audit log.
    pub fn audit(&self) -> PathBuf {
        self.home.join("audit.jsonl")
    }
    /// The key that signs the audit log's head.
    pub fn audit_key(&self) -> PathBuf {
        self.home.join("audit.key")
    }
    /// Credentials kept as files.
    pub fn secrets(&self) -> PathBuf {
        self.home.join("secrets")
    }
    /// What is known of the credentials in use; nothing of their values.
    pub fn accounts(&self) -> PathBuf {
        self.home.join("accounts.json")
    }
    /// The daemon's socket.
    pub fn socket(&self) -> PathBuf {
        self.home.join("clauderon.sock")
    }
    /// The file whose lock says that a daemon runs.
    pub fn lock(&self) -> PathBuf {
        self.home.join("daemon.lock")
    }
    /// Who the running daemon is.
    pub fn daemon_info(&self) -> PathBuf {
        self.home.join("daemon.info")
    }
    /// The daemon's own log.
    pub fn logs(&self) -> PathBuf {
        self.home.join("logs")
    }
    /// All sessions.
    pub fn sessions(&self) -> PathBuf {
        self.home.join("sessions")
    }
    /// Deleted sessions that can be restored.
    pub fn trash(&self) -> PathBuf {
        self.home.join("trash")
    }
    /// What the window remembers.
    pub fn desk(&self) -> PathBuf {
        self.home.join("desk.json")
    }
    /// The throw-away repositories of demos.
    pub fn demo(&self) -> PathBuf {
        self.home.join("demo")
    }
    /// What is mounted into sandboxes beside the agents: the relay.
    pub fn bin(&self) -> PathBuf {
        self.home.join("bin")
    }
}

/// Makes a folder that only its owner may enter; one that exists is narrowed.
fn private_folder(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_a_home_whose_sockets_would_not_fit() {
        let long = format!("/tmp/{}", "x".repeat(90));
        let error = Paths::at(long).unwrap_err().to_string();
        assert!(error.contains("too long"), "{error}");
        assert!(Paths::at("relative").is_err());
        assert!(Paths::at("/home/someone/.clauderon").is_ok());
    }
}
