//! The chain: each line holds the hash of the line before it, and ends with its own.

use sha2::{Digest, Sha256};

/// A SHA-256 in hexadecimal.
pub(crate) type Hash = String;

/// The hash that stands before the first line.
pub(crate) fn origin() -> Hash {
    "0".repeat(64)
}

/// What separates a line's text from its own hash, which covers everything before this.
const SEAL: &str = ",\"hash\":\"";
const END: &str = "\"}";

/// Seals a JSON object that already holds its sequence number and the hash before it. Gives the line, without its end, and its hash.
pub(crate) fn seal(mut object: String) -> (String, Hash) {
    let closed = object.pop();
    debug_assert_eq!(closed, Some('}'), "a record is an object");
    let hash = hash(object.as_bytes());
    object.push_str(SEAL);
    object.push_str(&hash);
    object.push_str(END);
    (object, hash)
}

/// Takes a line apart into what its hash covers and the hash that it states.
pub(crate) fn unseal(line: &str) -> Option<(&str, &str)> {
    let rest = line.strip_suffix(END)?;
    let (covered, stated) = rest.split_at_checked(rest.len().checked_sub(64)?)?;
    Some((covered.strip_suffix(SEAL)?, stated))
}

/// Says whether a line's own hash is right.
pub(crate) fn is_intact(line: &str) -> bool {
    unseal(line).is_some_and(|(covered, stated)| hash(covered.as_bytes()) == stated)
}

fn hash(bytes: &[u8]) -> Hash {
    hex(&Sha256::digest(bytes))
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes
        .iter()
        .flat_map(|byte| {
            [
                DIGITS[usize::from(byte >> 4)],
                DIGITS[usize::from(byte & 15)],
            ]
        })
        .map(char::from)
        .collect()
}
