//! What a bubblewrap sandbox uses: by its control groups, else by adding up its processes.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::Usage;

/// Reads what the processes below `holder` use; `groups` are the sandbox's control groups.
pub fn of(groups: &[PathBuf], holder: Option<i32>) -> Usage {
    let first = |files: &[&str]| {
        let paths = groups
            .iter()
            .flat_map(|group| files.iter().map(|file| group.join(file)));
        paths.into_iter().find_map(|path| number(&path))
    };
    let added = holder.map(processes).unwrap_or_default();
    let memory = first(&["memory.current", "memory.usage_in_bytes"]);
    let cache = groups.iter().find_map(|group| {
        field(
            &group.join("memory.stat"),
            &["inactive_file", "total_inactive_file"],
        )
    });
    let cpu = groups
        .iter()
        .find_map(|group| field(&group.join("cpu.stat"), &["usage_usec"]))
        .map(|microseconds| microseconds / 1_000)
        .or_else(|| first(&["cpuacct.usage"]).map(|nanoseconds| nanoseconds / 1_000_000));
    Usage {
        // What the kernel may take back at once is nobody's use.
        memory_bytes: memory
            .map(|memory| memory.saturating_sub(cache.unwrap_or(0)))
            .or(added.memory_bytes),
        cpu_ms: cpu.or(added.cpu_ms),
        processes: first(&["pids.current"]).or(added.processes),
    }
}

fn number(path: &Path) -> Option<u64> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

/// Returns the first of these fields that a file of `name value` lines has.
fn field(path: &Path, names: &[&str]) -> Option<u64> {
    let text = fs::read_to_string(path).ok()?;
    names.iter().find_map(|wanted| {
        text.lines().find_map(|line| {
            let (name, value) = line.split_once(' ')?;
            (name == *wanted).then(|| value.trim().parse().ok())?
        })
    })
}

/// Adds up the processes that descend from `root`, itself not counted.
fn processes(root: i32) -> Usage {
    let mut children: HashMap<i32, Vec<i32>> = HashMap::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let pid = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok());
        if let Some(pid) = pid
            && let Some(parent) = stat(pid).and_then(|fields| fields.get(1)?.parse().ok())
        {
            children.entry(parent).or_default().push(pid);
        }
    }
    let mut found: Vec<i32> = children.remove(&root).unwrap_or_default();
    let mut next = 0;
    while let Some(pid) = found.get(next) {
        let below = children.remove(pid);
        found.extend(below.into_iter().flatten());
        next += 1;
    }
    if found.is_empty() {
        return Usage::default();
    }
    Usage {
        memory_bytes: sum(&found, memory),
        cpu_ms: sum(&found, cpu_ms),
        processes: Some(found.len() as u64),
    }
}

/// Adds up what can be read; none where nothing can.
fn sum(pids: &[i32], of: impl Fn(i32) -> Option<u64>) -> Option<u64> {
    pids.iter().filter_map(|pid| of(*pid)).reduce(|a, b| a + b)
}

/// Its share of memory where that may be read, else all that it has resident.
fn memory(pid: i32) -> Option<u64> {
    let kibibytes = |file: &str, name: &str| -> Option<u64> {
        let text = fs::read_to_string(format!("/proc/{pid}/{file}")).ok()?;
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim().trim_end_matches(" kB").parse().ok()
    };
    kibibytes("smaps_rollup", "Pss:")
        .or_else(|| kibibytes("status", "VmRSS:"))
        .map(|kibibytes: u64| kibibytes * 1024)
}

fn cpu_ms(pid: i32) -> Option<u64> {
    let fields = stat(pid)?;
    let ticks = |place: usize| fields.get(place)?.parse::<u64>().ok();
    // SAFETY: takes a number and returns one.
    let per_second = u64::try_from(unsafe { libc::sysconf(libc::_SC_CLK_TCK) }).ok()?;
    Some((ticks(11)? + ticks(12)?) * 1_000 / per_second.max(1))
}

/// Returns the fields of `/proc/PID/stat` after the name, which may hold anything: state, parent, …
fn stat(pid: i32) -> Option<Vec<String>> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, fields) = text.rsplit_once(") ")?;
    Some(fields.split_whitespace().map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_read_in_both_versions() {
        let folder = tempfile::tempdir().unwrap();
        let group = |name: &str, files: &[(&str, &str)]| {
            let group = folder.path().join(name);
            fs::create_dir(&group).unwrap();
            for (file, text) in files {
                fs::write(group.join(file), text).unwrap();
            }
            group
        };
        let unified = group(
            "unified",
            &[
                ("memory.current", "3000\n"),
                ("memory.stat", "anon 1\ninactive_file 1000\n"),
                ("cpu.stat", "usage_usec 5000\nuser_usec 1\n"),
                ("pids.current", "7\n"),
            ],
        );
        let split = [
            group(
                "memory",
                &[
                    ("memory.usage_in_bytes", "3000\n"),
                    ("memory.stat", "total_inactive_file 1000\n"),
                ],
            ),
            group("cpu", &[("cpuacct.usage", "5000000\n")]),
            group("pids", &[("pids.current", "7\n")]),
        ];
        for groups in [&[unified][..], &split] {
            let usage = of(groups, None);
            assert_eq!(usage.memory_bytes, Some(2000));
            assert_eq!(usage.cpu_ms, Some(5));
            assert_eq!(usage.processes, Some(7));
        }
    }

    #[test]
    fn without_groups_the_processes_are_added_up() {
        let mut child = std::process::Command::new("sleep")
            .arg("60")
            .spawn()
            .unwrap();
        let usage = of(&[], i32::try_from(std::process::id()).ok());
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(usage.processes >= Some(1));
        assert!(usage.memory_bytes > Some(0));
        assert!(usage.cpu_ms.is_some());
    }
}
