//! What the filter knows of x86-64.

use libc::c_long;

/// `AUDIT_ARCH_X86_64`.
pub const AUDIT_ARCH: u32 = 0xc000_003e;

/// The x32 calls share the architecture's name and have this bit; a list of numbers alone would miss them.
pub const FIRST_FOREIGN_CALL: Option<u32> = Some(0x4000_0000);

/// Calls that exist here alone.
pub const REFUSED: &[c_long] = &[
    libc::SYS_iopl,
    libc::SYS_ioperm,
    libc::SYS_kexec_file_load,
    libc::SYS_lookup_dcookie,
    libc::SYS_uselib,
    libc::SYS_ustat,
    libc::SYS_sysfs,
    libc::SYS__sysctl,
    libc::SYS_nfsservctl,
];
