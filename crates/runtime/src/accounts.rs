//! The files by which a sandbox knows its own user and host: nothing of the real ones.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::{Mount, RuntimeError, SandboxPlan, User};

/// Writes each file's place and text for one user.
pub fn files(user: User) -> [(&'static str, String); 4] {
    let User { uid, gid } = user;
    let passwd = format!(
        "root:x:0:0:root:/:/usr/sbin/nologin\n\
         agent:x:{uid}:{gid}:agent:/clauderon/home:/bin/bash\n\
         nobody:x:65534:65534:nobody:/:/usr/sbin/nologin\n"
    );
    [
        ("/etc/passwd", passwd),
        (
            "/etc/group",
            format!("root:x:0:\nagent:x:{gid}:\nnogroup:x:65534:\n"),
        ),
        (
            "/etc/hosts",
            "127.0.0.1 localhost sandbox\n::1 localhost sandbox\n".into(),
        ),
        (
            "/etc/nsswitch.conf",
            "passwd: files\ngroup: files\nhosts: files\n".into(),
        ),
    ]
}

/// Writes the files into the session's `run/etc`.
pub fn write(plan: &SandboxPlan) -> Result<(), RuntimeError> {
    let folder = plan.dir.join("run/etc");
    let io_error = |error| RuntimeError::io(format!("write {}", folder.display()), error);
    fs::create_dir_all(&folder).map_err(io_error)?;
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).map_err(io_error)?;
    for (target, text) in files(plan.user) {
        let path = folder.join(target.trim_start_matches("/etc/"));
        fs::write(&path, text).map_err(io_error)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).map_err(io_error)?;
    }
    Ok(())
}

/// Returns the mounts of those files among `wanted` that the plan does not bring itself.
pub fn mounts<'a>(
    plan: &'a SandboxPlan,
    wanted: &'a [&'a str],
) -> impl Iterator<Item = Mount> + 'a {
    let missing = wanted.iter().filter(|target| {
        !plan
            .mounts
            .iter()
            .any(|mount| mount.target == Path::new(target))
    });
    missing.map(|target| {
        Mount::read_only(
            plan.dir.join("run").join(target.trim_start_matches('/')),
            *target,
        )
    })
}

/// Refuses root as a sandbox user.
pub fn check_user(user: User) -> Result<(), RuntimeError> {
    if user.uid == 0 || user.gid == 0 {
        return Err(RuntimeError::BadPlan("a sandbox never runs as root".into()));
    }
    Ok(())
}
