//! Which network sockets a process listens on, as the kernel tells.

use std::collections::HashSet;

/// The state of a listening TCP socket in `/proc/net/tcp`; an unconnected UDP socket has 07.
const LISTENS: [(&str, &str); 4] = [("tcp", "0A"), ("tcp6", "0A"), ("udp", "07"), ("udp6", "07")];

/// Returns `tcp 0100007F:1267` and the like for each network socket that `pid` or a process below it listens on in
/// the machine's own network. A sandbox has a network of its own, where its relay listens and nobody else is.
pub fn listening(pid: i32) -> Vec<String> {
    family(pid)
        .into_iter()
        .filter(|pid| network(&pid.to_string()) == network("self"))
        .flat_map(|pid| {
            let held = held(pid);
            LISTENS.iter().flat_map(move |(table, state)| {
                let table_text =
                    std::fs::read_to_string(format!("/proc/{pid}/net/{table}")).unwrap_or_default();
                let held = held.clone();
                table_text
                    .lines()
                    .skip(1)
                    .filter_map(|line| {
                        let fields: Vec<&str> = line.split_whitespace().collect();
                        (fields.get(3) == Some(state) && held.contains(*fields.get(9)?))
                            .then(|| format!("{table} {}", fields[1]))
                    })
                    .collect::<Vec<_>>()
            })
        })
        .collect()
}

fn network(pid: &str) -> Option<std::path::PathBuf> {
    std::fs::read_link(format!("/proc/{pid}/ns/net")).ok()
}

/// The inodes of the sockets that a process holds.
fn held(pid: i32) -> HashSet<String> {
    std::fs::read_dir(format!("/proc/{pid}/fd"))
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let target = std::fs::read_link(entry.path()).ok()?;
            let inode = target
                .to_str()?
                .strip_prefix("socket:[")?
                .strip_suffix(']')?;
            Some(inode.to_owned())
        })
        .collect()
}

/// A process and all below it.
pub fn family(pid: i32) -> Vec<i32> {
    let children = |pid: i32| -> Vec<i32> {
        std::fs::read_dir(format!("/proc/{pid}/task"))
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|task| std::fs::read_to_string(task.path().join("children")).ok())
            .flat_map(|text| {
                text.split_whitespace()
                    .filter_map(|pid| pid.parse().ok())
                    .collect::<Vec<_>>()
            })
            .collect()
    };
    let mut all = vec![pid];
    let mut next = 0;
    while let Some(&pid) = all.get(next) {
        all.extend(children(pid));
        next += 1;
    }
    all
}
