//! Row d3: with a full disk, nothing goes out with a credential.

use std::{path::PathBuf, process::Command};

use crate::{
    client::{ANTHROPIC, MESSAGES, get, post, say},
    upstream::ok,
    world::World,
};

const PLACE: &str = "CLAUDERON_TEST_SMALL_DISK";

/// Runs this very test again in a mount namespace of its own, on a disk of 4 MiB.
fn run_on_a_small_disk() {
    let dir = tempfile::TempDir::new().unwrap();
    let script = "mount -t tmpfs -o size=4m none \"$0\" && exec \"$@\"";
    let mut unshare = Command::new("unshare");
    unshare
        .args(["--user", "--map-root-user", "--mount", "sh", "-c", script])
        .arg(dir.path());
    unshare.arg(std::env::current_exe().unwrap()).args([
        "--exact",
        "full_disk::injected_routes_refuse_when_the_disk_is_full",
        "--nocapture",
    ]);
    let output = unshare.env(PLACE, dir.path()).output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    if text.contains("unshare:") {
        assert!(
            std::env::var_os("CI").is_none(),
            "no user namespaces: {text}"
        );
        eprintln!("skipped: no user namespaces here, so no small disk ({text})");
        return;
    }
    assert!(
        output.status.success(),
        "{}\n{text}",
        String::from_utf8_lossy(&output.stdout)
    );
}

#[tokio::test]
async fn injected_routes_refuse_when_the_disk_is_full() {
    let Some(small) = std::env::var_os(PLACE).map(PathBuf::from) else {
        return run_on_a_small_disk();
    };
    let dir = tempfile::TempDir::new().unwrap();
    let world = World::with_audit_in(dir, &small, Box::new(|_| ok("{}"))).await;
    let mut tunnel = world.tunnel(ANTHROPIC).await;
    assert_eq!(
        say(&mut tunnel, post(ANTHROPIC, "/v1/messages", "", MESSAGES))
            .await
            .unwrap()
            .status,
        200
    );
    world.closed().await;
    // Whatever room is left, down to the last byte.
    let mut size = 64 * 1024;
    while size > 0 {
        let name = small.join(format!("ballast-{size}"));
        let more = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(name);
        match more.and_then(|mut file| std::io::Write::write_all(&mut file, &vec![0; size])) {
            Ok(()) => {}
            Err(_) => size /= 2,
        }
    }
    // Records still fit into the last page of the log: fill it, too.
    let mut refused = None;
    for _ in 0..64 {
        let got = say(&mut tunnel, post(ANTHROPIC, "/v1/messages", "", MESSAGES))
            .await
            .unwrap();
        if got.status != 200 {
            refused = Some(got);
            break;
        }
    }
    let refused = refused.expect("a full disk refuses");
    assert_eq!(
        (refused.status, refused.json()["code"].as_str()),
        (403, Some("audit_unavailable"))
    );
    let sent = world.upstream.seen().len();
    assert_eq!(
        say(&mut tunnel, get(ANTHROPIC, "/v1/models", ""))
            .await
            .unwrap()
            .status,
        403
    );
    assert_eq!(world.upstream.seen().len(), sent);
    world.refused("audit_unavailable").await;
}
