//! A host, spelt one way only, and a host with its port.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A host name (lower-case ASCII, no trailing dot) or an IP address, in its one canonical spelling.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Host(Repr);

#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Repr {
    Name(String),
    Ip(IpAddr, String),
}

/// Why a spelling is no host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HostError {
    /// There is nothing.
    #[error("the host is empty")]
    Empty,
    /// It is longer than a name can be.
    #[error("the host name is too long")]
    TooLong,
    /// It holds a character that no host has: NUL, space, `@`, `%`, a slash.
    #[error("the host holds a character that no host name has")]
    Character,
    /// It is no valid internationalised name.
    #[error("the host is not a valid name")]
    Idna,
    /// It looks like an address and is none.
    #[error("the host looks like an address and is none")]
    Address,
    /// The port is absent or is no number from 1 to 65535.
    #[error("the port is missing or is not a number from 1 to 65535")]
    Port,
}

impl Host {
    /// Reads a host in any spelling.
    ///
    /// Names come out lower-case, as A-labels, without a trailing dot. Addresses come out canonical whatever their spelling
    /// (`0x7f.1`, `2130706433`, `[::ffff:1.2.3.4]`), so that a rule for a name can never match one.
    ///
    /// # Errors
    /// Refuses what has userinfo, a zone id, a NUL or any character that no host has.
    pub fn parse(text: &str) -> Result<Self, HostError> {
        if text.is_empty() {
            return Err(HostError::Empty);
        }
        // A name has at most 253 bytes; written in Unicode it may be longer than in ASCII, but not without bound.
        if text.len() > 1024 {
            return Err(HostError::TooLong);
        }
        if let Some(inner) = text.strip_prefix('[') {
            let inner = inner.strip_suffix(']').ok_or(HostError::Address)?;
            return inner
                .parse::<Ipv6Addr>()
                .map(Self::from_v6)
                .map_err(|_| HostError::Address);
        }
        if text.contains(':') {
            return text
                .parse::<Ipv6Addr>()
                .map(Self::from_v6)
                .map_err(|_| HostError::Address);
        }
        Self::parse_name(text)
    }

    /// Gives the canonical spelling; IPv6 without brackets.
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Repr::Name(text) | Repr::Ip(_, text) => text,
        }
    }

    /// Gives the address, where the host is one.
    pub fn ip(&self) -> Option<IpAddr> {
        match &self.0 {
            Repr::Name(_) => None,
            Repr::Ip(address, _) => Some(*address),
        }
    }

    fn parse_name(text: &str) -> Result<Self, HostError> {
        let allowed =
            |c: char| !c.is_ascii() || c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        if !text.chars().all(allowed) {
            return Err(HostError::Character);
        }
        // UTS 46 maps full-width and ideographic dots, upper case and the like; afterwards only ASCII is left.
        let ascii = idna::domain_to_ascii(text).map_err(|_| HostError::Idna)?;
        let name = ascii.strip_suffix('.').unwrap_or(&ascii);
        if name.is_empty() {
            return Err(HostError::Empty);
        }
        if name.len() > 253 {
            return Err(HostError::TooLong);
        }
        // URL rules: a name whose last label is a number is an IPv4 address, in whatever base, or nothing.
        let last = name.rsplit('.').next().unwrap_or(name);
        if is_number(last) {
            return parse_v4(name).map(Self::from_v4).ok_or(HostError::Address);
        }
        for label in name.split('.') {
            if label.is_empty() || label.len() > 63 {
                return Err(HostError::Idna);
            }
            let allowed =
                |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_';
            if !label.bytes().all(allowed) {
                return Err(HostError::Character);
            }
            if label.starts_with('-') || label.ends_with('-') {
                return Err(HostError::Idna);
            }
        }
        Ok(Host(Repr::Name(name.to_owned())))
    }

    fn from_v4(address: Ipv4Addr) -> Self {
        Host(Repr::Ip(IpAddr::V4(address), address.to_string()))
    }

    fn from_v6(address: Ipv6Addr) -> Self {
        match address.to_ipv4_mapped() {
            Some(inner) => Self::from_v4(inner),
            None => Host(Repr::Ip(IpAddr::V6(address), address.to_string())),
        }
    }
}

fn is_number(label: &str) -> bool {
    let hex = label
        .strip_prefix("0x")
        .or_else(|| label.strip_prefix("0X"));
    match hex {
        Some(digits) => digits.bytes().all(|b| b.is_ascii_hexdigit()),
        None => !label.is_empty() && label.bytes().all(|b| b.is_ascii_digit()),
    }
}

fn number(label: &str) -> Option<u32> {
    if let Some(hex) = label
        .strip_prefix("0x")
        .or_else(|| label.strip_prefix("0X"))
    {
        return if hex.is_empty() {
            Some(0)
        } else {
            u32::from_str_radix(hex, 16).ok()
        };
    }
    match label.strip_prefix('0') {
        Some(octal) if !octal.is_empty() => u32::from_str_radix(octal, 8).ok(),
        _ => label.parse().ok(),
    }
}

/// Reads IPv4 as `inet_aton` does: one to four numbers, decimal, octal or hexadecimal, the last one filling the rest.
fn parse_v4(text: &str) -> Option<Ipv4Addr> {
    let parts: Option<Vec<u32>> = text.split('.').map(number).collect();
    let parts = parts?;
    let (last, leading) = parts.split_last()?;
    if leading.len() > 3 || leading.iter().any(|part| *part > 255) {
        return None;
    }
    let room = 32 - 8 * leading.len() as u32;
    if u64::from(*last) >= 1u64 << room {
        return None;
    }
    let high = leading
        .iter()
        .enumerate()
        .fold(0u32, |sum, (index, part)| sum | part << (24 - 8 * index));
    Some(Ipv4Addr::from_bits(high | last))
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Host({})", self.as_str())
    }
}

impl std::str::FromStr for Host {
    type Err = HostError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Host::parse(text)
    }
}

impl Serialize for Host {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Host {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Host::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// A host and a port, as a `CONNECT` names them.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Target {
    /// The host.
    pub host: Host,
    /// The port, never 0.
    pub port: u16,
}

impl Target {
    /// Reads `host:port`; both must be there, and exactly once.
    ///
    /// # Errors
    /// Refuses `host:443:443`, userinfo, an absent port, signs and spaces in the port, and all that [`Host::parse`] refuses.
    pub fn parse_authority(text: &str) -> Result<Self, HostError> {
        let (host, port) = text.rsplit_once(':').ok_or(HostError::Port)?;
        if host.contains(':') && !host.starts_with('[') {
            return Err(HostError::Character);
        }
        if port.is_empty() || port.len() > 5 || !port.bytes().all(|b| b.is_ascii_digit()) {
            return Err(HostError::Port);
        }
        let port: u16 = port.parse().map_err(|_| HostError::Port)?;
        if port == 0 {
            return Err(HostError::Port);
        }
        let host = Host::parse(host)?;
        Ok(Target { host, port })
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.ip() {
            Some(IpAddr::V6(address)) => write!(f, "[{address}]:{}", self.port),
            _ => write!(f, "{}:{}", self.host, self.port),
        }
    }
}

#[cfg(test)]
mod tests;
