//! Which addresses are public. Everything that a registry reserves is not, and neither is an IPv4 address wrapped in IPv6.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Says whether an address may be dialled: only what is routed on the public internet and is no wrapping of another.
///
/// The ranges are those of the IANA special-purpose registries for IPv4 and IPv6. IPv4 addresses inside IPv6 (mapped,
/// compatible, NAT64, 6to4, Teredo) are refused whole, whatever they wrap: nothing that we reach needs them, and they lead round
/// the check.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

/// IPv4 ranges that are not public: network and prefix length.
const RESERVED_V4: &[([u8; 4], u32)] = &[
    ([0, 0, 0, 0], 8),        // this network
    ([10, 0, 0, 0], 8),       // private
    ([100, 64, 0, 0], 10),    // carrier-grade NAT
    ([127, 0, 0, 0], 8),      // loopback
    ([168, 63, 129, 16], 32), // a cloud's host agent and metadata
    ([169, 254, 0, 0], 16),   // link-local, metadata
    ([172, 16, 0, 0], 12),    // private
    ([192, 0, 0, 0], 24),     // protocol assignments
    ([192, 0, 2, 0], 24),     // documentation
    ([192, 31, 196, 0], 24),  // AS112
    ([192, 52, 193, 0], 24),  // AMT
    ([192, 88, 99, 0], 24),   // 6to4 relay
    ([192, 168, 0, 0], 16),   // private
    ([192, 175, 48, 0], 24),  // AS112
    ([198, 18, 0, 0], 15),    // benchmarking
    ([198, 51, 100, 0], 24),  // documentation
    ([203, 0, 113, 0], 24),   // documentation
    ([224, 0, 0, 0], 4),      // multicast
    ([240, 0, 0, 0], 4),      // reserved, broadcast
];

fn is_public_v4(address: Ipv4Addr) -> bool {
    let bits = address.to_bits();
    !RESERVED_V4.iter().any(|(network, length)| {
        let network = Ipv4Addr::from(*network).to_bits();
        (bits ^ network) >> (32 - length) == 0
    })
}

/// Parts of the global unicast range `2000::/3` that are not public: network and prefix length.
const RESERVED_V6: &[(u128, u32)] = &[
    (0x2001_0000 << 96, 23), // protocol assignments: Teredo, benchmarking, ORCHID
    (0x2001_0db8 << 96, 32), // documentation
    (0x2002_0000 << 96, 16), // 6to4
    (0x2620_004f_8000 << 80, 48), // AS112
    (0x3ffe_0000 << 96, 16), // the old 6bone
    (0x3fff_0000 << 96, 20), // documentation
];

fn is_public_v6(address: Ipv6Addr) -> bool {
    let bits = address.to_bits();
    // Only 2000::/3 is global unicast. Loopback, mapped, compatible, NAT64 (64:ff9b::/96 and 64:ff9b:1::/48), discard,
    // unique local, link-local, site-local, segment routing and multicast all lie outside it.
    let global_unicast = bits >> 125 == 0b001;
    global_unicast
        && !RESERVED_V6
            .iter()
            .any(|(network, length)| (bits ^ network) >> (128 - length) == 0)
}

#[cfg(test)]
mod tests;
