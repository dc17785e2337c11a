//! A record as it stands in the file.

use serde::{Deserialize, Serialize};

use crate::chain::Hash;
use crate::record::Record;

/// A record with its place in the chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its number, from 1, without gaps.
    pub seq: u64,
    /// When it was written, RFC 3339 in UTC.
    pub at: String,
    /// The hash of the entry before it.
    pub prev: Hash,
    /// The record.
    #[serde(flatten)]
    pub record: Record,
    /// The hash of all of the above.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub hash: Hash,
}
