//! The two programs that a sandbox needs beside the daemon: the holder on the host and the relay inside.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

use crate::paths::Paths;

/// Where the two programs are.
#[derive(Debug, Clone)]
pub struct Programs {
    /// The holder, beside the daemon's own program.
    pub holder: PathBuf,
    /// The relay, copied into the installation: sandboxes mount that copy, so that an upgrade pulls nothing from under them.
    pub relay: PathBuf,
}

impl Programs {
    /// Finds both beside this program and copies the relay into `bin/`, named after its content.
    pub fn install(paths: &Paths) -> Result<Self> {
        let own = std::env::current_exe().context("find this program")?;
        let folder = own.parent().unwrap_or(Path::new("/"));
        let relay = beside(folder, "clauderon-relay")?;
        Ok(Self {
            holder: beside(folder, "clauderon-holder")?,
            relay: copy_named_by_content(&relay, &paths.bin())?,
        })
    }
}

fn beside(folder: &Path, name: &str) -> Result<PathBuf> {
    let path = folder.join(name);
    path.is_file().then_some(path).with_context(|| {
        format!(
            "{name} is not in {}, where `clauderon` is; install Clauderon again",
            folder.display()
        )
    })
}

fn copy_named_by_content(source: &Path, folder: &Path) -> Result<PathBuf> {
    let bytes = std::fs::read(source).with_context(|| format!("read {}", source.display()))?;
    let digest = Sha256::digest(&bytes);
    let name: String = digest[..6]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let target = folder.join(format!("relay-{name}"));
    if target.is_file() {
        return Ok(target);
    }
    let half = folder.join(format!(".relay-{name}-{}", std::process::id()));
    std::fs::write(&half, &bytes).with_context(|| format!("write {}", half.display()))?;
    std::fs::set_permissions(&half, std::fs::Permissions::from_mode(0o755))?;
    std::fs::rename(&half, &target).with_context(|| format!("write {}", target.display()))?;
    Ok(target)
}
