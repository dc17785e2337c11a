//! What the filter knows of 64-bit ARM.

use libc::c_long;

/// `AUDIT_ARCH_AARCH64`.
pub const AUDIT_ARCH: u32 = 0xc000_00b7;

/// There is no second set of calls under this architecture's name.
pub const FIRST_FOREIGN_CALL: Option<u32> = None;

/// Calls that exist here alone.
pub const REFUSED: &[c_long] = &[];
