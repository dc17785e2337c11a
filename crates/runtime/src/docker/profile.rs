//! The seccomp profile of containers: what Docker's own default lets an unprivileged container do, less io_uring, file
//! handles and every socket family but four, and without typing into terminals.
//!
//! Only the machine's own architecture is listed: 32-bit programs make sockets by a multiplexed call that no rule on
//! arguments could judge.

use serde_json::{Value, json};

/// Names of calls that need no rule on their arguments.
const CALLS: &str = include_str!("calls.txt");

const ALLOW: &str = "SCMP_ACT_ALLOW";
const ERRNO: &str = "SCMP_ACT_ERRNO";
const MASKED: &str = "SCMP_CMP_MASKED_EQ";

/// AF_UNIX, AF_INET, AF_INET6, AF_NETLINK.
const FAMILIES: [u64; 4] = [1, 2, 10, 16];

/// Every flag of `clone` that makes a namespace.
const NEW_NAMESPACES: u64 = 0x7e02_0000;

/// Ordinary Linux, the old-kernel-version flag, their 32-bit variants, and "just tell me".
const PERSONALITIES: [u64; 5] = [0, 8, 0x2_0000, 0x2_0008, 0xffff_ffff];

/// `TIOCSTI` and `TIOCLINUX`: typing into a terminal.
const TYPING: [u64; 2] = [0x5412, 0x541c];

/// Writes the profile as the engine reads it.
pub fn json() -> String {
    let plain: Vec<&str> = CALLS
        .lines()
        .filter(|line| !line.starts_with('#'))
        .flat_map(str::split_whitespace)
        .collect();
    let mut rules = vec![json!({ "names": plain, "action": ALLOW })];
    for family in FAMILIES {
        rules.push(allow_if("socket", 0, "SCMP_CMP_EQ", family, 0));
        rules.push(allow_if("socketpair", 0, "SCMP_CMP_EQ", family, 0));
    }
    for persona in PERSONALITIES {
        rules.push(allow_if("personality", 0, "SCMP_CMP_EQ", persona, 0));
    }
    rules.push(allow_if("clone", 0, MASKED, NEW_NAMESPACES, 0));
    // The C library falls back to `clone`, whose flags a filter can read.
    rules.push(json!({ "names": ["clone3"], "action": ERRNO, "errnoRet": 38 }));
    rules.extend(
        every_request_but_typing()
            .into_iter()
            .map(|(mask, value)| allow_if("ioctl", 1, MASKED, mask, value)),
    );
    json!({ "defaultAction": ERRNO, "defaultErrnoRet": 1, "syscalls": rules }).to_string()
}

fn allow_if(call: &str, index: u32, op: &str, value: u64, value_two: u64) -> Value {
    json!({
        "names": [call],
        "action": ALLOW,
        "args": [{ "index": index, "value": value, "valueTwo": value_two, "op": op }],
    })
}

/// Says "the low 32 bits are neither of two numbers" with nothing but masks: either some bit differs in which the two
/// agree, or none of those does and the rest is one of the other combinations. A plain "not equal" compares 64 bits,
/// and the kernel reads only 32.
fn every_request_but_typing() -> Vec<(u64, u64)> {
    let [first, second] = TYPING;
    let (agree, differ): (Vec<u32>, Vec<u32>) =
        (0..32).partition(|bit| (first ^ second) >> bit & 1 == 0);
    let mut rules: Vec<(u64, u64)> = agree
        .iter()
        .map(|bit| (1 << bit, !first & (1 << bit)))
        .collect();
    let agreed = agree
        .iter()
        .fold(0, |mask, bit| mask | (first & (1 << bit)));
    for combination in 0..1_u64 << differ.len() {
        let rest = differ
            .iter()
            .enumerate()
            .fold(0, |rest, (at, bit)| rest | ((combination >> at & 1) << bit));
        let value = agreed | rest;
        if !TYPING.contains(&value) {
            rules.push((0xffff_ffff, value));
        }
    }
    rules
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(request: u64) -> bool {
        every_request_but_typing()
            .iter()
            .any(|(mask, value)| request & mask == *value)
    }

    #[test]
    fn every_terminal_request_passes_but_typing() {
        for request in (0x5400..0x5500).chain([0, 1, 0xffff_ffff, 0x8004_5430, 0x1_0000_5413]) {
            assert_eq!(
                allowed(request),
                !TYPING.contains(&(request & 0xffff_ffff)),
                "{request:x}"
            );
        }
        assert!(!allowed(0x7_0000_5412));
    }

    #[test]
    fn soft_spots_are_not_in_the_list() {
        for call in [
            "keyctl",
            "add_key",
            "bpf",
            "io_uring_setup",
            "userfaultfd",
            "unshare",
            "mount",
            "socket",
            "ioctl",
            "clone",
            "socketcall",
        ] {
            assert!(!CALLS.split_whitespace().any(|name| name == call), "{call}");
        }
    }
}
