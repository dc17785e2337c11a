//! Finds bubblewrap, and says in a person's words why it cannot make a sandbox here.

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use super::Program;
use crate::{OneShotOutput, RuntimeError, Unavailable, Why};

/// Where distributions put it. The caller's `PATH` is not asked: what runs first must not depend on it.
const PLACES: [&str; 3] = ["/usr/bin/bwrap", "/usr/local/bin/bwrap", "/bin/bwrap"];

/// The oldest version with everything used here (`--clearenv`, `--perms`).
const OLDEST: (u32, u32) = (0, 5);

/// Looks for a bwrap that is new enough.
pub fn find() -> Option<Program> {
    PLACES.iter().find_map(|place| {
        let output = Command::new(place)
            .arg("--version")
            .env_clear()
            .output()
            .ok()?;
        let text = String::from_utf8_lossy(&output.stdout);
        let version = text.split_whitespace().last()?.to_owned();
        let parsed = parse(&version)?;
        (parsed >= OLDEST).then(|| Program {
            path: Path::new(place).to_owned(),
            version,
            sized_tmpfs: parsed >= (0, 7),
        })
    })
}

fn parse(version: &str) -> Option<(u32, u32)> {
    let mut parts = version.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

/// Says that there is none.
pub fn not_installed() -> Unavailable {
    Unavailable::new(
        Why::NotInstalled,
        "bubblewrap 0.5 or later is not installed",
        "install it, for example with `sudo apt-get install bubblewrap`",
    )
}

/// Turns the outcome of starting one sandbox into the reason why it cannot be done, if it cannot.
pub fn explain(tried: Result<OneShotOutput, RuntimeError>) -> Option<Unavailable> {
    let message = match tried {
        Ok(OneShotOutput { code: 0, .. }) => return None,
        Ok(OneShotOutput { code, .. }) => format!("`true` ended with {code} in a sandbox"),
        Err(RuntimeError::Unavailable(unavailable)) => return Some(unavailable),
        Err(error) => error.to_string(),
    };
    Some(namespaces_off().unwrap_or_else(|| {
        Unavailable::new(
            Why::Broken,
            format!("bubblewrap could not start a sandbox: {message}"),
            "use Docker instead, with `--backend docker`",
        )
    }))
}

fn namespaces_off() -> Option<Unavailable> {
    if setting("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == Some(1) {
        return Some(Unavailable::new(
            Why::AppArmor,
            "AppArmor keeps programs of ordinary users from making user namespaces",
            "allow it for bubblewrap with `printf 'abi <abi/4.0>,\\ninclude <tunables/global>\\nprofile bwrap /usr/bin/bwrap \
             flags=(unconfined) {\\n  userns,\\n}\\n' | sudo tee /etc/apparmor.d/bwrap && sudo apparmor_parser -r /etc/apparmor.d/bwrap`, \
             or use Docker with `--backend docker`",
        ));
    }
    if setting("/proc/sys/kernel/unprivileged_userns_clone") == Some(0) {
        return Some(Unavailable::new(
            Why::NoUserNamespaces,
            "this kernel lets ordinary users make no user namespaces",
            "allow it with `sudo sysctl -w kernel.unprivileged_userns_clone=1`, or use Docker with `--backend docker`",
        ));
    }
    if setting("/proc/sys/user/max_user_namespaces") == Some(0) {
        return Some(Unavailable::new(
            Why::NoUserNamespaces,
            "this system allows no user namespaces",
            "allow them with `sudo sysctl -w user.max_user_namespaces=15000`, or use Docker with `--backend docker`",
        ));
    }
    (!can_unshare()).then(|| {
        Unavailable::new(
            Why::NoUserNamespaces,
            "user namespaces are refused here, as in a container that was started without them",
            "run Clauderon outside that container, or use Docker with `--backend docker`",
        )
    })
}

fn setting(path: &str) -> Option<i64> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

fn can_unshare() -> bool {
    let mut command = Command::new("/bin/true");
    command
        .env_clear()
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    // SAFETY: one system call without memory.
    unsafe {
        command.pre_exec(|| match libc::unshare(libc::CLONE_NEWUSER) {
            0 => Ok(()),
            _ => Err(std::io::Error::last_os_error()),
        });
    }
    command.status().is_ok()
}
