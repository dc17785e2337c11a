//! What a hostile program finds inside: no network, no privilege, nothing of the host.

use crate::place::{Place, each, env};
use clauderon_runtime::OneShot;

#[tokio::test]
async fn nothing_of_the_caller_is_in_any_environment() {
    each(async |place: &Place| {
        let script = "cat /proc/[0-9]*/environ | tr '\\0' '\\n' | sort -u | cut -d= -f1 | grep -vxE 'PATH|PWD|SHLVL|_|OLDPWD|GIVEN|HOME'";
        let mut one = OneShot::new(["/bin/bash", "-c", script]);
        one.env = env(&[("GIVEN", "1")]);
        let output = place.run(one).await.unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout), "");
        assert_eq!(place.say("tr '\\0' '\\n' < /proc/1/environ | grep -vE '^(PATH|HOME)='").await, "");
    })
    .await;
}

#[tokio::test]
async fn there_is_no_privilege_to_use() {
    each(async |place: &Place| {
        let status = place.say("cat /proc/self/status; cat /proc/1/status").await;
        for line in status.lines() {
            let mut words = line.split_whitespace();
            match (words.next().unwrap_or(""), words.next().unwrap_or("")) {
                ("CapInh:" | "CapPrm:" | "CapEff:" | "CapBnd:" | "CapAmb:", set) => {
                    assert_eq!(set, "0000000000000000", "{line}")
                }
                ("NoNewPrivs:", value) => assert_eq!(value, "1"),
                ("Seccomp:", value) => assert_eq!(value, "2"),
                ("Uid:" | "Gid:", id) => assert_ne!(id, "0"),
                _ => {}
            }
        }
        assert!(status.contains("Seccomp:") && status.contains("CapEff:"));
    })
    .await;
}

#[tokio::test]
async fn loopback_is_the_only_interface() {
    each(async |place: &Place| {
        let interfaces = place.say("tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d ' '").await;
        assert_eq!(interfaces, "lo\n");
        let reached = place.say("timeout 2 bash -c ': </dev/tcp/1.1.1.1/443'; timeout 2 bash -c ': </dev/udp/9.9.9.9/53' && echo sent; timeout 3 getent hosts example.com; true").await;
        assert!(!reached.contains("sent") && reached.contains("unreachable"), "{reached}");
    })
    .await;
}

#[tokio::test]
async fn only_four_socket_families_exist() {
    each(async |place: &Place| {
        let output = place.probe("families").await;
        let made = String::from_utf8_lossy(&output.stdout);
        assert_eq!(made, "socket 1\npair 1\nsocket 2\nsocket 10\nsocket 16\n");
    })
    .await;
}

#[tokio::test]
async fn soft_spots_of_the_kernel_are_refused() {
    each(async |place: &Place| {
        let output = place.probe("calls").await;
        assert_eq!(
            (
                output.code,
                String::from_utf8_lossy(&output.stdout).as_ref()
            ),
            (0, "")
        );
    })
    .await;
}

#[tokio::test]
async fn foreign_system_call_tables_are_shut() {
    each(async |place: &Place| {
        let output = place.probe("foreign").await;
        // The kernel may kill the caller rather than answer it.
        assert!(output.code == 0 || output.code > 128, "{}", output.code);
        assert_eq!(String::from_utf8_lossy(&output.stdout), "");
    })
    .await;
}

#[tokio::test]
async fn nothing_of_the_host_can_be_seen() {
    each(async |place: &Place| {
        let home = place.installation.home.display();
        let looked = place.say(&format!("ls {home} /root/.ssh /var/run/docker.sock /run/docker.sock /run/user 2>/dev/null; cat {home}/secrets/token 2>/dev/null; true")).await;
        assert_eq!(looked, "");
        let keys = place.say("cat /proc/keys 2>/dev/null | grep -c . ; true").await;
        assert_eq!(keys.trim(), "0");
        let processes = place.say("ls -d /proc/[0-9]* | wc -l").await;
        assert!(processes.trim().parse::<u32>().unwrap() < 8, "{processes}");
        assert_eq!(place.say("hostname").await, "sandbox\n");
    })
    .await;
}

#[tokio::test]
async fn system_files_cannot_be_changed() {
    each(async |place: &Place| {
        let made = place.say("for f in /usr/x /etc/x /bin/x /proc/sys/kernel/core_pattern /sys/x; do ( : > $f ) 2>/dev/null && echo $f; done; true").await;
        assert_eq!(made, "");
        let devices = place.say("ls /dev | grep -E '^(sd|vd|nvme|kmsg|mem|kvm|fuse|vsock)'; true").await;
        assert_eq!(devices, "");
    })
    .await;
}

#[tokio::test]
async fn a_fork_bomb_stops_at_the_limit() {
    each(async |place: &Place| {
        let notes = place.runtime.probe().await.unwrap().limits;
        if !notes
            .iter()
            .any(|note| note.limit.starts_with("processes") && note.enforced)
        {
            crate::place::skip("no process limit can be set here");
            return;
        }
        let code = "
import os, signal
made = 0
try:
    while made < 6000:
        if os.fork() == 0:
            signal.pause()
        made += 1
except OSError:
    pass
print(made < 4200)
";
        let mut one = OneShot::new(["python3", "-I", "-c", code]);
        one.timeout = std::time::Duration::from_secs(60);
        let output = place.run(one).await.unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout), "True\n");
    })
    .await;
}
