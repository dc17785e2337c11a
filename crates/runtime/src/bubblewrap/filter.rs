//! The seccomp filter of bubblewrap sandboxes, as the bytes that `bwrap --seccomp` reads.
//!
//! A list of refused calls over "allow", plus rules on arguments. Arguments are compared in their low 32 bits, which is
//! all that the kernel reads of them: comparing 64 would let a caller slip by with a set high bit.

use libc::{c_long, sock_filter};

#[cfg_attr(target_arch = "x86_64", path = "filter/x86_64.rs")]
#[cfg_attr(target_arch = "aarch64", path = "filter/aarch64.rs")]
mod arch;

/// Calls that no build, test or agent needs and that reach the kernel's keyrings, namespaces, mounts or soft spots.
const REFUSED: &[c_long] = &[
    libc::SYS_add_key,
    libc::SYS_keyctl,
    libc::SYS_request_key,
    libc::SYS_bpf,
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_userfaultfd,
    libc::SYS_perf_event_open,
    libc::SYS_setns,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_move_mount,
    libc::SYS_open_tree,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_mount_setattr,
    libc::SYS_open_by_handle_at,
    libc::SYS_name_to_handle_at,
    libc::SYS_kexec_load,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_fanotify_init,
    libc::SYS_quotactl,
    libc::SYS_quotactl_fd,
    libc::SYS_acct,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_reboot,
    libc::SYS_syslog,
    libc::SYS_vhangup,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
    libc::SYS_pidfd_getfd,
    libc::SYS_kcmp,
    libc::SYS_process_madvise,
    libc::SYS_mbind,
    libc::SYS_migrate_pages,
    libc::SYS_move_pages,
    libc::SYS_set_mempolicy,
];

/// Families a program may open sockets of; everything else (AF_VSOCK, AF_ALG, AF_PACKET, …) does not exist for it.
const FAMILIES: [i32; 4] = [
    libc::AF_UNIX,
    libc::AF_INET,
    libc::AF_INET6,
    libc::AF_NETLINK,
];

/// Every flag of `clone` and `unshare` that makes a namespace (`CLONE_NEWTIME` shares its bit with clone's signal).
const NEW_NAMESPACES: u32 = 0x7e02_0000;
const NEW_TIME: u32 = 0x80;

/// Terminal requests that type into the terminal of another program.
const TIOCSTI: u32 = 0x5412;
const TIOCLINUX: u32 = 0x541c;

const OFFSET_NR: u32 = 0;
const OFFSET_ARCH: u32 = 4;

/// Assembles the filter for this machine's architecture.
pub fn program() -> Vec<u8> {
    let mut filter = Filter::default();
    filter.load(OFFSET_ARCH);
    filter.unless_equal(arch::AUDIT_ARCH, libc::SECCOMP_RET_KILL_PROCESS);
    filter.load(OFFSET_NR);
    if let Some(first_foreign) = arch::FIRST_FOREIGN_CALL {
        filter.if_at_least(first_foreign, errno(libc::ENOSYS));
    }
    // The C library falls back to `clone`, whose flags a filter can read; `clone3` keeps them in memory.
    filter.if_equal(number(libc::SYS_clone3), errno(libc::ENOSYS));
    for &call in REFUSED.iter().chain(arch::REFUSED) {
        filter.if_equal(number(call), errno(libc::EPERM));
    }
    for call in [libc::SYS_socket, libc::SYS_socketpair] {
        let mut families = Filter::default();
        families.load(argument(0));
        for family in FAMILIES {
            families.if_equal(family.cast_unsigned(), libc::SECCOMP_RET_ALLOW);
        }
        families.answer(errno(libc::EAFNOSUPPORT));
        filter.on_call(call, families);
    }
    for (call, flags) in [
        (libc::SYS_clone, NEW_NAMESPACES),
        (libc::SYS_unshare, NEW_NAMESPACES | NEW_TIME),
    ] {
        let mut namespaces = Filter::default();
        namespaces.load(argument(0));
        namespaces.if_any_bit(flags, errno(libc::EPERM));
        namespaces.answer(libc::SECCOMP_RET_ALLOW);
        filter.on_call(call, namespaces);
    }
    let mut terminal = Filter::default();
    terminal.load(argument(1));
    for request in [TIOCSTI, TIOCLINUX] {
        terminal.if_equal(request, errno(libc::EPERM));
    }
    terminal.answer(libc::SECCOMP_RET_ALLOW);
    filter.on_call(libc::SYS_ioctl, terminal);
    filter.answer(libc::SECCOMP_RET_ALLOW);
    filter.bytes()
}

/// A classic BPF program under construction. All jumps are forward and short.
#[derive(Default)]
struct Filter {
    code: Vec<sock_filter>,
}

impl Filter {
    fn push(&mut self, code: u32, jt: u8, jf: u8, k: u32) {
        let code = u16::try_from(code).expect("BPF opcodes have 16 bits");
        self.code.push(sock_filter { code, jt, jf, k });
    }

    fn load(&mut self, offset: u32) {
        self.push(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0, offset);
    }

    fn answer(&mut self, action: u32) {
        self.push(libc::BPF_RET | libc::BPF_K, 0, 0, action);
    }

    fn if_equal(&mut self, value: u32, action: u32) {
        self.push(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, 0, 1, value);
        self.answer(action);
    }

    fn unless_equal(&mut self, value: u32, action: u32) {
        self.push(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, 1, 0, value);
        self.answer(action);
    }

    fn if_at_least(&mut self, value: u32, action: u32) {
        self.push(libc::BPF_JMP | libc::BPF_JGE | libc::BPF_K, 0, 1, value);
        self.answer(action);
    }

    fn if_any_bit(&mut self, mask: u32, action: u32) {
        self.push(libc::BPF_JMP | libc::BPF_JSET | libc::BPF_K, 0, 1, mask);
        self.answer(action);
    }

    /// Appends rules that see one call alone and always answer.
    fn on_call(&mut self, call: c_long, rules: Filter) {
        let skip = u8::try_from(rules.code.len()).expect("a call's rules are short");
        self.push(
            libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K,
            0,
            skip,
            number(call),
        );
        self.code.extend(rules.code);
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.code.len() * 8);
        for instruction in &self.code {
            bytes.extend(instruction.code.to_ne_bytes());
            bytes.extend([instruction.jt, instruction.jf]);
            bytes.extend(instruction.k.to_ne_bytes());
        }
        bytes
    }
}

fn number(call: c_long) -> u32 {
    u32::try_from(call).expect("system call numbers are small")
}

/// Where the low 32 bits of an argument lie in `struct seccomp_data`; both supported architectures are little-endian.
fn argument(index: u32) -> u32 {
    16 + 8 * index
}

fn errno(code: i32) -> u32 {
    libc::SECCOMP_RET_ERRNO | code.cast_unsigned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs the filter as the kernel would.
    fn verdict(arch: u32, call: u32, arguments: [u64; 2]) -> u32 {
        let bytes = program();
        let mut data = [0_u8; 64];
        data[0..4].copy_from_slice(&call.to_ne_bytes());
        data[4..8].copy_from_slice(&arch.to_ne_bytes());
        data[16..24].copy_from_slice(&arguments[0].to_ne_bytes());
        data[24..32].copy_from_slice(&arguments[1].to_ne_bytes());
        let (mut at, mut accumulator) = (0_usize, 0_u32);
        loop {
            let instruction = &bytes[at * 8..at * 8 + 8];
            let code = u32::from(u16::from_ne_bytes([instruction[0], instruction[1]]));
            let k = u32::from_ne_bytes([
                instruction[4],
                instruction[5],
                instruction[6],
                instruction[7],
            ]);
            let holds = match code & 0xf0 {
                _ if code & 0x07 == libc::BPF_RET => return k,
                _ if code & 0x07 == libc::BPF_LD => {
                    let from = k as usize;
                    accumulator = u32::from_ne_bytes([
                        data[from],
                        data[from + 1],
                        data[from + 2],
                        data[from + 3],
                    ]);
                    at += 1;
                    continue;
                }
                libc::BPF_JEQ => accumulator == k,
                libc::BPF_JGE => accumulator >= k,
                _ => accumulator & k != 0,
            };
            at += 1 + usize::from(if holds {
                instruction[2]
            } else {
                instruction[3]
            });
        }
    }

    fn check(call: c_long, arguments: [u64; 2], expected: u32) {
        assert_eq!(
            verdict(arch::AUDIT_ARCH, number(call), arguments),
            expected,
            "{call} {arguments:x?}"
        );
    }

    #[test]
    fn only_four_socket_families_exist() {
        for (family, expected) in [
            (1, libc::SECCOMP_RET_ALLOW),
            (2, libc::SECCOMP_RET_ALLOW),
            (10, libc::SECCOMP_RET_ALLOW),
            (16, libc::SECCOMP_RET_ALLOW),
        ] {
            check(libc::SYS_socket, [family, 0], expected);
        }
        for family in [0, 3, 17, 38, 40, 44] {
            check(libc::SYS_socket, [family, 0], errno(libc::EAFNOSUPPORT));
            check(libc::SYS_socketpair, [family, 0], errno(libc::EAFNOSUPPORT));
        }
    }

    #[test]
    fn namespaces_keyrings_and_typing_are_refused_also_with_high_bits() {
        check(
            libc::SYS_clone,
            [0x11_0000_0011, 0],
            libc::SECCOMP_RET_ALLOW,
        );
        check(libc::SYS_clone, [0x1000_0000, 0], errno(libc::EPERM));
        check(libc::SYS_unshare, [0x1_1000_0000, 0], errno(libc::EPERM));
        check(libc::SYS_clone3, [0, 0], errno(libc::ENOSYS));
        check(libc::SYS_keyctl, [0, 0], errno(libc::EPERM));
        check(libc::SYS_ioctl, [0, 0x5412], errno(libc::EPERM));
        check(libc::SYS_ioctl, [0, 0x7_0000_5412], errno(libc::EPERM));
        check(libc::SYS_ioctl, [0, 0x5413], libc::SECCOMP_RET_ALLOW);
        check(libc::SYS_read, [0, 0], libc::SECCOMP_RET_ALLOW);
    }

    #[test]
    fn other_architectures_are_shut_out() {
        assert_eq!(
            verdict(0x4000_0003, 1, [0, 0]),
            libc::SECCOMP_RET_KILL_PROCESS
        );
        if let Some(first) = arch::FIRST_FOREIGN_CALL {
            assert_eq!(
                verdict(arch::AUDIT_ARCH, first + 41, [40, 0]),
                errno(libc::ENOSYS)
            );
        }
    }
}
