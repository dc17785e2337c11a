//! A session's folder on the host: what is made at creation, and what each start writes into `run/`.

use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clauderon_agents::{Launch, place_home_files};
use clauderon_proxy::SessionCa;
use clauderon_runtime::User;
use clauderon_session::SessionId;
use clauderon_store::SessionDir;

/// Where systems keep their bundle of certificate authorities, most usual first.
const SYSTEM_BUNDLES: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// Fills the new folder of a session with what its sandbox needs, its own certificate authority first.
pub fn fill(paths: &SessionDir, id: SessionId, user: User) -> Result<SessionCa> {
    for folder in [paths.workspace(), paths.home(), paths.uploads()] {
        give_to(&folder, user)?;
    }
    let ca = SessionCa::generate(id.as_str()).context("make the session's CA")?;
    write(
        &paths.private().join("ca.pem"),
        ca.cert_pem().as_bytes(),
        0o600,
    )?;
    write(
        &paths.private().join("ca.key"),
        ca.key_pem().as_bytes(),
        0o600,
    )?;
    write_run_file(paths, "ca-bundle.pem", bundle(&ca).as_bytes())?;
    write_run_file(paths, "passwd", passwd(user).as_bytes())?;
    write_run_file(paths, "group", group(user).as_bytes())?;
    // Until its files are there: [`is_half_made`].
    write(&held_order(paths), b"", 0o600)?;
    Ok(ca)
}

/// Reads the certificate authority of an existing session: agents read their bundle once, so it must stay the same.
pub fn load_ca(paths: &SessionDir, id: SessionId) -> Result<SessionCa> {
    let read = |name: &str| {
        let path = paths.private().join(name);
        std::fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))
    };
    SessionCa::load(id.as_str(), &read("ca.pem")?, &read("ca.key")?)
        .context("read the session's CA")
}

/// Writes what the next start of the agent reads. A sandbox whose order is held back waits for [`let_go`].
pub fn write_launch(paths: &SessionDir, launch: &Launch, user: User, held: bool) -> Result<()> {
    for file in &launch.run_files {
        write_run_file(paths, &file.name, &file.bytes)?;
    }
    let ca = std::fs::read(paths.private().join("ca.pem")).context("read the session's CA")?;
    write_run_file(paths, "ca.pem", &ca)?;
    let order = match held {
        true => held_order(paths),
        false => paths.run().join("launch.json"),
    };
    write(&order, &launch.launch_json(), 0o644)?;
    if let Some(stdin) = &launch.stdin {
        write(&paths.private().join("stdin"), stdin, 0o600)?;
    }
    place_home_files(&paths.home(), &launch.home_files, (user.uid, user.gid))
        .context("place the agent's own files")
}

/// Lets the agent start whose order was held back; from this one step on the session is whole.
pub fn let_go(paths: &SessionDir) -> Result<()> {
    std::fs::rename(held_order(paths), paths.run().join("launch.json"))
        .context("let the agent start")
}

/// Says whether the session's files were never all checked out: its agent must not run on what there is.
pub fn is_half_made(paths: &SessionDir) -> bool {
    held_order(paths).exists()
}

/// Forgets an order that was held back; the next start writes its own.
pub fn forget_held(paths: &SessionDir) {
    // Where it stays, the files are checked out once more.
    let _ = std::fs::remove_file(held_order(paths));
}

fn held_order(paths: &SessionDir) -> PathBuf {
    paths.private().join("launch.json")
}

/// Gives a path to the sandbox's user where that is another than ours.
fn give_to(path: &Path, user: User) -> Result<()> {
    if !is_root() {
        return Ok(());
    }
    std::os::unix::fs::chown(path, Some(user.uid), Some(user.gid))
        .with_context(|| format!("give {} to the sandbox's user", path.display()))
}

/// Says whether this process may give files away.
pub fn is_root() -> bool {
    // SAFETY: takes nothing and cannot fail.
    unsafe { libc::geteuid() == 0 }
}

fn write_run_file(paths: &SessionDir, name: &str, bytes: &[u8]) -> Result<()> {
    write(&paths.run().join(name), bytes, 0o644)
}

/// Replaces a file whole: a sandbox that reads it sees the old or the new one.
fn write(path: &Path, bytes: &[u8], mode: u32) -> Result<()> {
    let half = path.with_extension("new");
    let attempt = || -> std::io::Result<()> {
        let mut file = std::fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(mode)
            .open(&half)?;
        file.write_all(bytes)?;
        file.set_permissions(std::fs::Permissions::from_mode(mode))?;
        std::fs::rename(&half, path)
    };
    attempt().with_context(|| format!("write {}", path.display()))
}

fn bundle(ca: &SessionCa) -> String {
    let system = SYSTEM_BUNDLES
        .iter()
        .find_map(|path| std::fs::read_to_string(path).ok())
        .unwrap_or_default();
    format!("{}\n{system}", ca.cert_pem())
}

fn passwd(user: User) -> String {
    format!(
        "root:x:0:0:root:/nonexistent:/usr/sbin/nologin\nagent:x:{}:{}:agent:/clauderon/home:/bin/bash\n",
        user.uid, user.gid
    )
}

fn group(user: User) -> String {
    format!("root:x:0:\nagent:x:{}:\n", user.gid)
}
